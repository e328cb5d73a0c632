//! FAULT: what leads there, what is held back silently, and the way out.

use super::*;

fn link_down() -> Reason {
    Reason::InterfaceDown { interface: "eth0".into() }
}

fn script_failed() -> Reason {
    Reason::Tracked { tracker: Tracker::Script(0), name: "chk".into(), detail: "exited with status 1".into() }
}

impl Lan {
    fn fault(&mut self, fault: Fault, reason: Option<Reason>) {
        self.input(0, |instance, now| instance.handle_fault(now, fault, reason));
    }
}

#[test]
fn a_fault_known_before_the_start_leads_from_init_to_fault() {
    let mut lan = Lan::new([router(100)]);
    lan.fault(Fault::Interface, Some(link_down()));
    assert_eq!(lan.take_lines(), [""; 0]);
    lan.start(0);
    assert_eq!(lan.take_lines(), ["0.000 INIT -> FAULT (interface eth0 is down)"]);
    assert_eq!((lan.status().state, lan.status().wanted), (State::Fault, State::Fault));
    assert_eq!(lan.nodes[0].instance.poll_timeout(), None);
}

#[test]
fn a_fault_that_is_gone_before_the_start_does_not_count() {
    let mut lan = Lan::new([router(100)]);
    lan.fault(Fault::Interface, Some(link_down()));
    lan.fault(Fault::Interface, None);
    lan.start(0);
    assert_eq!(lan.state(0), State::Backup);
}

#[test]
fn a_master_with_a_fault_releases_once_withdraws_and_waits_for_the_end_of_it() {
    let mut lan = Lan::master(router(100));
    lan.fault(Fault::Tracked(Tracker::Script(0)), Some(script_failed()));
    lan.run_until(at(20.0));
    lan.fault(Fault::Tracked(Tracker::Script(0)), None);
    lan.run_until(at(24.0));
    assert_eq!(
        lan.take_lines(),
        [
            "10.000 advert 0",
            "10.000 info: (VI) sent 0 priority",
            "10.000 withdraw",
            "10.000 MASTER -> FAULT (script chk exited with status 1)",
            "20.000 FAULT -> BACKUP (all faults gone)",
            "23.609 advert 100",
            "23.609 BACKUP -> MASTER (no master heard)",
            "23.609 install",
            "23.609 announce x5",
        ]
    );
    assert_eq!(lan.counted(Counter::PriorityZeroSent), 1);
    assert_eq!(lan.counted(Counter::ReleaseMaster), 1);
}

#[test]
fn fault_lasts_until_the_last_reason_is_gone_and_shows_one_that_holds() {
    let mut lan = Lan::started(router(100));
    lan.fault(Fault::Interface, Some(link_down()));
    lan.fault(Fault::Tracked(Tracker::Script(0)), Some(script_failed()));
    assert_eq!(lan.status().reason, Some(link_down()));
    lan.fault(Fault::Interface, None);
    assert_eq!((lan.state(0), lan.status().reason), (State::Fault, Some(script_failed())));
    lan.fault(Fault::Tracked(Tracker::Script(0)), None);
    assert_eq!(
        lan.take_lines(),
        ["0.000 BACKUP -> FAULT (interface eth0 is down)", "0.000 FAULT -> BACKUP (all faults gone)"]
    );
}

#[test]
fn nothing_is_heard_or_counted_in_fault() {
    let mut lan = Lan::started(router(100));
    lan.fault(Fault::Interface, Some(link_down()));
    lan.hear(200);
    assert_eq!(lan.counted(Counter::AdvertReceived), 0);
    assert_eq!(lan.status().master, None);
}

#[test]
fn an_owner_waits_after_a_fault_even_with_state_master() {
    let mut lan = Lan::new([Settings { start_as_master: true, ..router(255) }]);
    lan.fault(Fault::Interface, Some(link_down()));
    lan.start(0);
    lan.fault(Fault::Interface, None);
    lan.run_until(at(3.5));
    assert_eq!(
        lan.take_decisions()[1..3],
        ["0.000 FAULT -> BACKUP (all faults gone)", "3.004 BACKUP -> MASTER (no master heard)"]
    );
}

#[test]
fn a_script_without_a_result_holds_the_start_silently() {
    let mut lan = Lan::new([Settings { start_as_master: true, ..router(150) }]);
    lan.fault(Fault::Pending(Tracker::Script(0)), Some(Reason::Started));
    lan.start(0);
    lan.run_until(at(5.0));
    assert_eq!(lan.take_lines(), [""; 0]);
    // As the peer shows it in its MIB.
    assert_eq!((lan.status().state, lan.status().wanted), (State::Fault, State::Master));
    lan.fault(Fault::Pending(Tracker::Script(0)), None);
    assert_eq!(lan.take_lines(), ["5.000 INIT -> BACKUP (start)"]);
}

#[test]
fn an_owner_goes_straight_to_master_on_the_first_success_of_its_script() {
    let mut lan = Lan::new([Settings { start_as_master: true, ..router(255) }]);
    lan.fault(Fault::Pending(Tracker::Script(0)), Some(Reason::Started));
    lan.start(0);
    lan.fault(Fault::Pending(Tracker::Script(0)), None);
    assert_eq!(lan.take_lines()[1], "0.000 INIT -> MASTER (owner of the addresses)");
}

#[test]
fn a_first_failure_is_the_transition_to_fault() {
    let mut lan = Lan::new([router(150)]);
    lan.fault(Fault::Pending(Tracker::Script(0)), Some(Reason::Started));
    lan.start(0);
    lan.fault(Fault::Tracked(Tracker::Script(0)), Some(script_failed()));
    lan.fault(Fault::Pending(Tracker::Script(0)), None);
    assert_eq!(lan.take_lines(), ["0.000 INIT -> FAULT (script chk exited with status 1)"]);
    assert_eq!(lan.status().wanted, State::Fault);
}

#[test]
fn a_script_without_a_result_does_nothing_to_a_router_that_takes_part() {
    let mut lan = Lan::master(router(150));
    lan.fault(Fault::Pending(Tracker::Script(1)), Some(Reason::Started));
    assert_eq!((lan.state(0), lan.take_lines().len()), (State::Master, 0));
}

#[test]
fn without_an_address_to_send_from_there_is_a_fault() {
    let mut lan = Lan::new([router(150)]);
    lan.input(0, |instance, now| instance.handle_source(now, Source::Missing));
    lan.start(0);
    lan.input(0, |instance, now| instance.handle_source(now, Source::Address(OTHER)));
    assert_eq!(
        lan.take_lines(),
        [
            "0.000 INIT -> FAULT (no IPv4 address for interface eth0)",
            "0.000 FAULT -> BACKUP (all faults gone)"
        ]
    );
    assert_eq!(lan.status().source, Some(OTHER));
}

#[test]
fn a_master_that_loses_its_address_still_releases_with_it() {
    let mut lan = Lan::master(router(150));
    lan.input(0, |instance, now| instance.handle_source(now, Source::Missing));
    assert_eq!(
        lan.take_lines(),
        [
            "10.000 advert 0",
            "10.000 info: (VI) sent 0 priority",
            "10.000 withdraw",
            "10.000 MASTER -> FAULT (no IPv4 address for interface eth0)",
        ]
    );
    assert_eq!(lan.status().source, None);
}

#[test]
fn another_primary_address_is_simply_used() {
    let mut lan = Lan::master(router(150));
    lan.input(0, |instance, now| instance.handle_source(now, Source::Address(OTHER)));
    lan.now = at(11.0);
    lan.nodes[0].instance.handle_timeout(at(11.0));
    let Some(Action::Send(copies)) = lan.nodes[0].instance.poll_action() else { panic!("an advertisement") };
    let header = Header::parse(&copies[0].packet).unwrap();
    assert_eq!(header.source, OTHER);
}

#[test]
fn a_configured_source_does_not_follow_the_interface() {
    let mut lan = Lan::new([Settings { source: Some(OTHER), ..router(150) }]);
    lan.input(0, |instance, now| instance.handle_source(now, Source::Missing));
    lan.start(0);
    assert_eq!((lan.state(0), lan.status().source), (State::Backup, Some(OTHER)));
}

#[test]
fn a_configured_source_that_is_tracked_has_to_be_there() {
    let mut lan = Lan::new([Settings { source: Some(OTHER), track_source: true, ..router(150) }]);
    lan.input(0, |instance, now| instance.handle_source(now, Source::Missing));
    lan.start(0);
    lan.input(0, |instance, now| instance.handle_source(now, Source::Address(OTHER)));
    lan.input(0, |instance, now| instance.handle_source(now, Source::Missing));
    assert_eq!(
        lan.take_lines(),
        [
            "0.000 INIT -> FAULT (source address 10.9.0.77 is not on this host)",
            "0.000 FAULT -> BACKUP (all faults gone)",
            "0.000 BACKUP -> FAULT (source address 10.9.0.77 is not on this host)",
        ]
    );
}

#[test]
fn each_tracker_is_a_fault_of_its_own_and_shows_its_words() {
    let trackers = [
        Tracker::Interface(3),
        Tracker::Script(0),
        Tracker::Script(1),
        Tracker::File(0),
        Tracker::Process(0),
    ];
    let reason = |tracker| Reason::Tracked { tracker, name: "it".into(), detail: "fails".into() };
    let mut lan = Lan::started(router(150));
    for tracker in trackers {
        lan.fault(Fault::Tracked(tracker), Some(reason(tracker)));
    }
    for (gone, tracker) in trackers.into_iter().enumerate() {
        assert_eq!((lan.state(0), lan.status().reason), (State::Fault, Some(reason(tracker))), "{gone}");
        lan.fault(Fault::Tracked(tracker), None);
    }
    assert_eq!(
        lan.take_lines(),
        ["0.000 BACKUP -> FAULT (interface it fails)", "0.000 FAULT -> BACKUP (all faults gone)"]
    );
}

#[test]
fn a_unicast_router_announces_its_source_when_it_leaves_fault() {
    let peers = vec![IpAddr::from([10, 9, 0, 2])];
    let mut lan = Lan::started(Settings { destination: Destination::Unicast(peers), ..router(150) });
    lan.fault(Fault::Interface, Some(link_down()));
    lan.take_lines();
    lan.fault(Fault::Interface, None);
    assert_eq!(lan.take_lines(), ["0.000 FAULT -> BACKUP (all faults gone)", "0.000 announce source"]);
}

#[test]
fn unicast_copies_share_an_identification_and_count_once() {
    let peers = vec![IpAddr::from([10, 9, 0, 2]), IpAddr::from([10, 9, 0, 3])];
    let unicast =
        Settings { destination: Destination::Unicast(peers.clone()), start_as_master: true, ..router(255) };
    let mut lan = Lan::new([unicast]);
    lan.nodes[0].instance.handle_start(Time::default());
    let Some(Action::Send(copies)) = lan.nodes[0].instance.poll_action() else { panic!("an advertisement") };
    let headers: Vec<ipv4::Header> =
        copies.iter().map(|copy| ipv4::Header::parse(&copy.packet).unwrap().0).collect();
    assert_eq!(headers.iter().map(|header| header.destination).collect::<Vec<_>>(), peers);
    assert!(headers.iter().all(|header| header.identification == 1));
    assert_eq!(lan.counted(Counter::AdvertSent), 1);
}

#[test]
fn the_identification_counts_from_1_and_leaves_out_0() {
    let mut transmitter = Transmitter::new(&router(150));
    let mut guard = Guard::new(&Auth::None);
    let mut next = || {
        let copies = transmitter.advert(&mut guard, Time::default(), OTHER, Priority(150));
        ipv4::Header::parse(&copies[0].packet).unwrap().0.identification
    };
    assert_eq!(next(), 1);
    assert_eq!((2..=u16::MAX).find(|expected| next() != *expected), None);
    assert_eq!(next(), 1);
}

#[test]
fn what_is_wrong_is_shown_before_what_is_waited_for() {
    let mut lan = Lan::new([router(100)]);
    let awaiting = Reason::AwaitingSocket { interface: "eth0".into() };
    lan.fault(Fault::AwaitingSocket, Some(awaiting.clone()));
    lan.fault(Fault::Interface, Some(link_down()));
    lan.start(0);
    lan.fault(Fault::Interface, None);
    assert_eq!(lan.status().reason, Some(awaiting.clone()));
    lan.fault(Fault::Interface, Some(link_down()));
    assert_eq!((lan.status().state, lan.status().reason), (State::Fault, Some(link_down())));
    lan.fault(Fault::Interface, None);
    assert_eq!(lan.status().reason, Some(awaiting));
}
