//! RFC 9568 §6.4.3: holding the addresses, and giving way to a better router.

use super::*;

#[test]
fn advertisements_leave_on_their_own_grid_and_not_in_a_burst_after_a_stall() {
    let mut lan = Lan::master(router(100));
    lan.run_until(at(12.5));
    lan.stall_until(at(14.7));
    lan.run_until(at(16.5));
    assert_eq!(
        lan.take_lines(),
        [
            "11.000 advert 100",
            "12.000 advert 100",
            "14.700 advert 100",
            "15.000 advert 100",
            "15.000 announce x5",
            "16.000 advert 100"
        ]
    );
}

#[test]
fn priority_0_is_answered_at_once() {
    let mut lan = Lan::master(router(100));
    lan.hear_at(10.4, 0);
    lan.run_until(at(11.5));
    assert_eq!(lan.take_lines(), ["10.400 advert 100", "11.400 advert 100"]);
}

#[test]
fn a_worse_router_gets_an_advertisement_and_the_switches_get_gratuitous_arp() {
    for (priority, source) in [(99, OTHER), (100, IpAddr::from([10, 9, 0, 0]))] {
        let mut lan = Lan::master(router(100));
        lan.run_until(at(16.3));
        lan.take_lines();
        lan.hear_from(source, priority);
        assert_eq!(
            lan.take_lines(),
            [
                format!(
                    "16.300 warning: (VI) Received advert from {source} with lower priority {priority}, ours 100, \
                     forcing new election"
                ),
                "16.300 advert 100".into(),
                "16.300 announce x5".into(),
                format!("16.300 event: router {source} advertises as master too, with priority {priority}"),
            ]
        );
        lan.run_until(at(22.0));
        assert_eq!(
            lan.take_decisions(),
            [
                format!(
                    "{:.3} event: contest with router {source} is over after 1 advertisements: it fell silent",
                    19.3 + f64::from(256 - u32::from(priority)) / 256.0
                ),
                // The second burst is still to come, and the one that follows every contest with it.
                "21.300 announce x5".into()
            ]
        );
    }
}

#[test]
fn a_flood_of_worse_routers_and_releases_is_answered_once_between_two_advertisements() {
    let mut lan = Lan::master(router(100));
    lan.run_until(at(16.3));
    lan.take_lines();
    for millisecond in 0..2000 {
        lan.run_until(at(16.3) + Duration::from_millis(millisecond));
        lan.hear(50);
        lan.hear(0);
    }
    let lines: Vec<_> = lan.take_lines().into_iter().filter(|line| !line.contains("warning")).collect();
    assert_eq!(
        lines,
        [
            "16.300 advert 100",
            "16.300 announce x5",
            "16.300 event: router 10.9.0.77 advertises as master too, with priority 50",
            "17.300 advert 100",
            // The answer to the next one.
            "17.300 advert 100",
        ]
    );
    assert_eq!(lan.counted(Counter::AdvertReceived), 4000);
    lan.run_until(at(20.0));
    assert_eq!(
        lan.take_lines(),
        [
            "18.300 advert 100",
            "19.299 event: contest with router 10.9.0.77 is over after 2000 advertisements: it gave way",
            "19.300 advert 100"
        ],
        "the grid is that of the answer"
    );
}

#[test]
fn a_new_mastership_answers_at_once_whatever_the_last_one_answered() {
    let mut lan = Lan::master(Settings { advert_interval: Duration::from_millis(100), ..router(100) });
    lan.hear_at(10.51, 50);
    lan.hear_at(10.52, 200);
    lan.run_until(at(10.9));
    assert_eq!(lan.state(0), State::Master);
    lan.take_lines();
    lan.hear(50);
    // The warning is still the one of a moment ago.
    assert_eq!(lan.take_lines(), ["10.900 advert 100", "10.900 announce x5"]);
}

#[test]
fn a_better_router_is_given_way_to_without_priority_0() {
    let mut lan = Lan::master(router(100));
    lan.hear_at(10.5, 101);
    assert_eq!(
        lan.take_lines(),
        [
            "10.500 info: (VI) Master received advert from 10.9.0.77 with higher priority 101, ours 100",
            "10.500 withdraw",
            "10.500 MASTER -> BACKUP (router 10.9.0.77 has higher priority 101)",
        ]
    );
    assert_eq!(lan.counted(Counter::ReleaseMaster), 1);
    assert_eq!(lan.counted(Counter::PriorityZeroSent), 0);
    lan.run_until(at(15.0));
    assert_eq!(lan.take_lines()[1], "14.109 BACKUP -> MASTER (master 10.9.0.77 fell silent)");
}

#[test]
fn who_takes_mastership_again_and_again_gets_a_line_a_minute() {
    for priority in [101, 100] {
        let mut lan = Lan::master(router(100));
        let mut lines = 0;
        for round in 0..30 {
            lan.hear_at(11.0 + 4.0 * f64::from(round), priority);
            assert_eq!(lan.state(0), State::Backup);
            let told = lan.take_lines();
            lines += told.iter().filter(|line| line.contains("Master received advert")).count();
        }
        assert_eq!(lines, 2, "116 seconds");
    }
}

#[test]
fn of_two_equal_masters_the_higher_address_stays() {
    let mut lan = Lan::master(router(100));
    lan.hear(100);
    assert_eq!(
        lan.take_lines(),
        [
            "10.000 info: (VI) Master received advert from 10.9.0.77 with same priority 100 but higher IP \
             address than ours",
            "10.000 withdraw",
            "10.000 MASTER -> BACKUP (router 10.9.0.77 has the same priority and a higher address)",
        ]
    );
}

#[test]
fn our_own_address_from_another_router_is_reported_and_answered_with_nothing() {
    let advert = |priority| match priority {
        100 => "equal priority advert".to_string(),
        other => format!("advert of priority {other}"),
    };
    for priority in [0, 50, 100, 200, 255] {
        let mut lan = Lan::master(router(100));
        for _ in 0..3 {
            lan.hear_from(IpAddr::from([10, 9, 0, 1]), priority);
        }
        assert_eq!(
            lan.take_lines(),
            [format!(
                "10.000 warning: (VI) WARNING - {} received from remote host with our IP address.",
                advert(priority)
            )]
        );
        assert_eq!(lan.state(0), State::Master);
    }
}

#[test]
fn giving_way_in_version_3_learns_the_interval() {
    let fast = Settings { advert_interval: Duration::from_millis(100), ..router(200) };
    let mut lan = Lan::master(router(100));
    let packet = advert_of(&fast, OTHER, 200);
    lan.input(0, |instance, now| instance.handle_packet(now, &packet));
    lan.run_until(at(11.0));
    // 0.3 s and 156/256 * 0.1 s.
    assert_eq!(lan.take_decisions()[2], "10.361 BACKUP -> MASTER (master 10.9.0.77 fell silent)");
}

#[test]
fn a_flood_of_rejected_packets_does_not_silence_a_master() {
    let mut lan = Lan::master(router(100));
    let mut packet = advert_of(&router(200), OTHER, 200);
    packet[HEADER_LEN + 6] ^= 1;
    for step in 1..=40 {
        lan.run_until(at(10.0 + f64::from(step) * 0.1));
        lan.input(0, |instance, now| instance.handle_packet(now, &packet));
    }
    assert_eq!(
        lan.take_lines(),
        [
            "10.100 warning: (VI) packet from 10.9.0.77 rejected: wrong checksum",
            "11.000 advert 100",
            "12.000 advert 100",
            "13.000 advert 100",
            "14.000 advert 100",
        ]
    );
    assert_eq!(lan.counted(Counter::ChecksumError), 40);
    assert_eq!(lan.counted(Counter::AdvertReceived), 0);
}

#[test]
fn a_tracker_shows_in_the_next_advertisement_and_changes_no_state_by_itself() {
    let mut lan = Lan::master(router(100));
    lan.run_until(at(10.5));
    lan.input(0, |instance, now| instance.handle_weight(now, Tracker::Script(3), -60));
    lan.run_until(at(11.0));
    assert_eq!(
        lan.take_lines(),
        ["10.500 event: Changing effective priority from 100 to 40", "11.000 advert 40"]
    );
}

#[test]
fn of_two_owners_the_lower_address_gives_way() {
    let mut lan = Lan::master(router(255));
    lan.hear(255);
    let lines = lan.take_lines();
    assert!(lines[0].contains("CONFIGURATION ERROR: 10.9.0.77 also has priority 255"), "{}", lines[0]);
    assert_eq!(
        lines[3],
        "10.000 MASTER -> BACKUP (router 10.9.0.77 has the same priority and a higher address)"
    );
    assert_eq!(lan.status().effective_priority, Some(Priority::OWNER));
}

#[test]
fn an_owner_that_is_not_given_way_to_lowers_itself_until_the_other_is_gone() {
    let low = IpAddr::from([10, 9, 0, 0]);
    let mut lan = Lan::master(router(255));
    // Patience ends two intervals and 1.2 of the longer one later: at 13.2 s.
    for second in 0..=3 {
        lan.run_until(at(10.0 + f64::from(second)));
        lan.hear_from(low, 255);
        assert_eq!(lan.state(0), State::Master);
    }
    lan.run_until(at(14.0));
    lan.hear_from(low, 255);
    assert_eq!(
        lan.take_decisions().last().unwrap(),
        "14.000 MASTER -> BACKUP (router 10.9.0.0 has higher priority 255)"
    );
    assert_eq!(lan.status().effective_priority, Some(Priority(254)));
    // The skew stays that of an owner.
    lan.run_until(at(18.0));
    assert_eq!(
        lan.take_lines()[..2],
        ["17.004 event: Changing effective priority from 254 to 255", "17.004 advert 255"]
    );
}

#[test]
fn a_conceded_owner_takes_its_priority_back_when_the_other_owner_has_conceded() {
    let low = IpAddr::from([10, 9, 0, 0]);
    let mut lan = Lan::master(router(255));
    for tenth in 0..=34 {
        lan.run_until(at(10.0 + f64::from(tenth) * 0.1));
        lan.hear_from(low, 255);
    }
    assert_eq!(lan.status().effective_priority, Some(Priority(254)));
    lan.hear_from(low, 255);
    assert_eq!(lan.status().effective_priority, Some(Priority(254)));
    lan.hear_from(low, 254);
    assert_eq!(lan.status().effective_priority, Some(Priority(255)));
}

#[test]
fn two_routers_elect_the_better_one_and_hand_over_on_stop() {
    let named = |name: &str, priority| Settings { name: name.into(), ..router(priority) };
    let mut lan = Lan::new([named("A", 150), named("B", 100)]);
    lan.start(0);
    lan.start(1);
    lan.run_until(at(10.0));
    lan.input(0, |instance, now| instance.handle_shutdown(now, true));
    lan.run_until(at(11.0));
    assert_eq!(
        lan.take_decisions(),
        [
            "0.000 A INIT -> BACKUP (start)",
            "0.000 B INIT -> BACKUP (start)",
            "3.414 A BACKUP -> MASTER (no master heard)",
            "3.414 A install",
            "3.414 A announce x5",
            "8.414 A announce x5",
            "10.000 A withdraw",
            "10.000 A MASTER -> STOP (daemon stops)",
            "10.609 B BACKUP -> MASTER (master 10.9.0.1 released with priority 0)",
            "10.609 B install",
            "10.609 B announce x5",
        ]
    );
}

#[test]
fn two_masters_of_a_healed_partition_become_one_within_an_interval() {
    let named = |name: &str, priority| Settings { name: name.into(), ..router(priority) };
    let mut lan = Lan::new([named("A", 100), named("B", 100)]);
    lan.nodes[0].is_cut = true;
    lan.start(0);
    lan.start(1);
    lan.run_until(at(5.0));
    assert_eq!((lan.state(0), lan.state(1)), (State::Master, State::Master));
    lan.nodes[0].is_cut = false;
    lan.run_until(at(6.0));
    assert_eq!((lan.state(0), lan.state(1)), (State::Backup, State::Master), "B has the higher address");
}

#[test]
fn complaints_about_one_sender_come_once_a_minute_with_a_count() {
    let mut lan = Lan::master(router(100));
    let mut packet = advert_of(&router(200), OTHER, 200);
    packet[8] = 64;
    for second in 0..=60 {
        lan.run_until(at(10.0 + f64::from(second)));
        lan.input(0, |instance, now| instance.handle_packet(now, &packet));
    }
    let warnings: Vec<_> = lan.take_lines().into_iter().filter(|line| line.contains("warning")).collect();
    assert_eq!(
        warnings,
        [
            "10.000 warning: (VI) packet from 10.9.0.77 rejected: TTL 64, must be 255",
            "70.000 warning: (VI) packet from 10.9.0.77 rejected: TTL 64, must be 255 \
             (59 more since the last such line)",
        ]
    );
    assert_eq!(lan.counted(Counter::TtlError), 61);
}
