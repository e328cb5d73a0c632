//! Gratuitous ARP, and addresses that are missing.

use super::*;

/// The first router of a LAN without advertisements and log lines in its story.
fn decisions_until(lan: &mut Lan, seconds: f64) -> Vec<String> {
    lan.run_until(at(seconds));
    lan.take_decisions()
}

#[test]
fn the_second_burst_comes_after_the_delay() {
    let mut lan = Lan::master(router(100));
    assert_eq!(decisions_until(&mut lan, 60.0), ["15.000 announce x5"]);
}

#[test]
fn a_delay_of_zero_means_no_second_burst() {
    let garp = Garp { delay: Duration::ZERO, ..Garp::default() };
    let mut lan = Lan::master(Settings { garp, ..router(100) });
    assert_eq!(decisions_until(&mut lan, 60.0), [""; 0]);
}

#[test]
fn the_refresh_begins_after_the_delay_and_keeps_its_grid() {
    let garp = Garp { refresh: Duration::from_secs(20), refresh_repeat: 2, ..Garp::default() };
    let mut lan = Lan::master(Settings { garp, ..router(100) });
    assert_eq!(
        decisions_until(&mut lan, 80.0),
        ["15.000 announce x5", "35.000 announce x2", "55.000 announce x2", "75.000 announce x2"]
    );
}

#[test]
fn other_interfaces_are_announced_on_at_their_own_period() {
    let garp = Garp { extra: Duration::from_secs(2), delay: Duration::ZERO, ..Garp::default() };
    let mut lan = Lan::master(Settings { garp, ..router(100) });
    assert_eq!(decisions_until(&mut lan, 15.0), ["12.000 announce elsewhere", "14.000 announce elsewhere"]);
    lan.hear_at(15.5, 200);
    lan.take_lines();
    assert_eq!(decisions_until(&mut lan, 18.0), [""; 0]);
}

#[test]
fn a_backup_announces_nothing_more() {
    let mut lan = Lan::master(router(100));
    lan.hear_at(11.0, 200);
    lan.take_lines();
    lan.run_until(at(14.5));
    lan.hear(200);
    assert_eq!(decisions_until(&mut lan, 17.0), [""; 0]);
}

#[test]
fn nothing_is_announced_while_no_address_is_set() {
    let mut lan = Lan::new([router(100)]);
    lan.nodes[0].installs = None;
    lan.start(0);
    assert_eq!(
        decisions_until(&mut lan, 9.0),
        ["0.000 INIT -> BACKUP (start)", "3.609 BACKUP -> MASTER (no master heard)", "3.609 install"]
    );
    lan.hear(50);
    let contested = "9.000 event: router 10.9.0.77 advertises as master too, with priority 50";
    assert_eq!(lan.take_decisions(), [contested], "no gratuitous ARP against a worse router either");
    lan.input(0, |instance, now| instance.handle_addresses_installed(now, &[]));
    assert_eq!(lan.take_decisions(), ["9.000 announce x5"]);
    lan.hear(50);
    assert_eq!(lan.take_decisions(), ["9.000 announce x5"], "the first answer is not spent on nothing");
}

#[test]
fn addresses_that_the_kernel_refuses_are_tried_again_every_second() {
    let mut lan = Lan::new([router(100)]);
    lan.nodes[0].installs = Some(vec![REFUSED]);
    lan.start(0);
    lan.run_until(at(3.7));
    lan.take_lines();
    assert!(!lan.status().addresses_set);
    assert_eq!(decisions_until(&mut lan, 5.7), ["4.609 install", "5.609 install"]);
    lan.nodes[0].installs = Some(Vec::new());
    assert_eq!(decisions_until(&mut lan, 10.0), ["6.609 install", "6.609 announce x5"]);
    assert!(lan.status().addresses_set);
    assert_eq!(lan.counted(Counter::AddressRestored), 0);
}

/// A MASTER from 3.609 s on, with an address that the kernel refuses among others.
fn with_a_refused_address(settings: Settings) -> Lan {
    let mut lan = Lan::new([settings]);
    lan.nodes[0].installs = Some(vec![REFUSED]);
    lan.start(0);
    lan.run_until(at(3.7));
    lan.take_lines();
    lan
}

/// What happens until then, without the attempts to set the refused one.
fn said_until(lan: &mut Lan, seconds: f64) -> Vec<String> {
    let lines = decisions_until(lan, seconds);
    lines.into_iter().filter(|line| !line.ends_with(" install")).collect()
}

#[test]
fn a_refused_address_does_not_keep_the_others_from_being_announced() {
    let garp = Garp {
        refresh: Duration::from_secs(20),
        refresh_repeat: 2,
        extra: Duration::from_secs(15),
        lower_prio_delay: Duration::ZERO,
        ..Garp::default()
    };
    let mut lan = with_a_refused_address(Settings { garp, ..router(100) });
    assert_eq!(
        said_until(&mut lan, 29.0),
        ["8.609 announce x5", "18.609 announce elsewhere", "28.609 announce x2"]
    );
    // Against a worse router, and once more after its last word.
    lan.hear(50);
    lan.hear_at(29.5, 50);
    let bursts: Vec<_> =
        said_until(&mut lan, 40.0).into_iter().filter(|line| !line.contains("event: ")).collect();
    assert_eq!(bursts, ["29.000 announce x5", "33.305 announce x5", "33.609 announce elsewhere"]);
}

#[test]
fn an_address_that_comes_back_beside_a_refused_one_is_announced_and_counted_once() {
    let mut lan = with_a_refused_address(router(100));
    said_until(&mut lan, 20.5);
    lan.input(0, |instance, now| instance.handle_address_removed(now, VIP));
    assert_eq!(
        said_until(&mut lan, 40.0),
        [
            "20.500 event: address 10.9.0.100 was removed by another program, restoring it",
            "20.500 announce x5",
            "25.500 announce x5",
        ]
    );
    assert_eq!(lan.counted(Counter::AddressRestored), 1);
    assert!(!lan.status().addresses_set);
}

#[test]
fn an_address_that_another_program_removes_comes_back_without_a_change_of_mastership() {
    let mut lan = Lan::master(router(100));
    lan.run_until(at(20.5));
    lan.take_lines();
    lan.input(0, |instance, now| instance.handle_address_removed(now, VIP));
    assert_eq!(
        lan.take_lines(),
        [
            "20.500 event: address 10.9.0.100 was removed by another program, restoring it",
            "20.500 install",
            "20.500 announce x5",
        ]
    );
    assert_eq!(lan.counted(Counter::AddressRestored), 1);
    assert_eq!(decisions_until(&mut lan, 40.0), ["25.500 announce x5"]);
    assert_eq!(lan.counted(Counter::BecomeMaster), 1);
}

#[test]
fn a_route_that_another_program_removes_comes_back_and_is_counted_without_an_announcement() {
    let mut lan = Lan::master(router(100));
    lan.run_until(at(20.5));
    lan.take_lines();
    lan.input(0, |instance, now| instance.handle_routing_removed(now, "route default via 10.9.0.9".into()));
    assert_eq!(
        lan.take_decisions(),
        [
            "20.500 event: route default via 10.9.0.9 was removed by another program, restoring it",
            "20.500 install",
        ]
    );
    assert_eq!((lan.counted(Counter::AddressRestored), lan.counted(Counter::BecomeMaster)), (1, 1));
}

#[test]
fn a_program_that_removes_an_address_again_and_again_is_answered_once_a_second() {
    let mut lan = Lan::master(router(100));
    for tenth in 0..40 {
        lan.run_until(at(10.0 + f64::from(tenth) * 0.1));
        lan.input(0, |instance, now| instance.handle_address_removed(now, VIP));
    }
    let lines = lan.take_lines();
    let installs: Vec<&str> = lines.iter().filter_map(|line| line.strip_suffix(" install")).collect();
    assert_eq!(installs, ["10.000", "10.100", "10.200", "10.300", "10.400", "11.500", "12.500", "13.500"]);
    let warnings = lines.iter().filter(|line| line.contains("event: address")).count();
    assert_eq!(warnings, 6, "five restorations and the one line about the storm");
    assert!(lines.iter().any(|line| line.contains("again and again")));
}

#[test]
fn a_backup_does_not_restore_anything() {
    let mut lan = Lan::started(router(100));
    lan.input(0, |instance, now| {
        instance.handle_address_removed(now, VIP);
        instance.handle_addresses_installed(now, &[]);
    });
    assert_eq!(lan.take_lines(), [""; 0]);
    assert!(!lan.status().addresses_set);
}

/// What a MASTER does from 16 s on that hears a worse router ten times a second for five seconds.
fn beset_by_worse_routers(lower_prio_delay: Duration) -> Vec<String> {
    let garp = Garp { lower_prio_delay, ..Garp::default() };
    let mut lan = Lan::master(Settings { garp, ..router(100) });
    lan.run_until(at(16.0));
    lan.take_lines();
    for step in 0..50 {
        lan.run_until(at(16.0) + Duration::from_millis(step * 100));
        lan.hear(50);
    }
    let decisions = decisions_until(&mut lan, 30.0);
    decisions.into_iter().filter(|line| !line.contains("event: ")).collect()
}

#[test]
fn a_burst_against_worse_routers_is_not_repeated_within_a_second() {
    assert_eq!(
        beset_by_worse_routers(Duration::ZERO),
        // The last one when the contest is over.
        ["16.000", "17.000", "18.000", "19.000", "20.000", "24.705"]
            .map(|time| format!("{time} announce x5"))
    );
}

#[test]
fn a_burst_against_worse_routers_is_not_repeated_while_the_second_one_is_awaited() {
    assert_eq!(
        beset_by_worse_routers(Duration::from_secs(3)),
        // A first one and its second, once more, and once more when the contest is over.
        ["16.000", "19.000", "19.000", "22.000", "24.705", "27.705"]
            .map(|time| format!("{time} announce x5"))
    );
}

#[test]
fn an_address_that_is_refused_after_its_removal_is_counted_when_it_is_back() {
    let mut lan = with_a_refused_address(router(100));
    said_until(&mut lan, 20.5);
    lan.nodes[0].installs = Some(vec![REFUSED, Holding::Address(VIP)]);
    lan.input(0, |instance, now| instance.handle_address_removed(now, VIP));
    assert_eq!(
        said_until(&mut lan, 30.0),
        ["20.500 event: address 10.9.0.100 was removed by another program, restoring it"]
    );
    assert_eq!(lan.counted(Counter::AddressRestored), 0, "it is not back");
    lan.nodes[0].installs = Some(vec![REFUSED]);
    assert_eq!(said_until(&mut lan, 37.0), ["30.609 announce x5", "35.609 announce x5"]);
    assert_eq!(lan.counted(Counter::AddressRestored), 1);
    lan.nodes[0].installs = Some(Vec::new());
    assert_eq!(said_until(&mut lan, 45.0), ["37.609 announce x5", "42.609 announce x5"]);
    assert_eq!(lan.counted(Counter::AddressRestored), 1, "that one was never removed");
}
