//! RFC 9568 §6.4.1 and §6.4.2: the start, and waiting for a master to fail.

use super::*;

#[test]
fn a_router_alone_becomes_master_after_the_master_down_interval() {
    let mut lan = Lan::new([router(150)]);
    lan.start(0);
    lan.run_until(at(3.5));
    assert_eq!(
        lan.take_lines(),
        [
            "0.000 INIT -> BACKUP (start)",
            "3.414 advert 150",
            "3.414 BACKUP -> MASTER (no master heard)",
            "3.414 install",
            "3.414 announce x5",
        ]
    );
    assert_eq!(lan.counted(Counter::BecomeMaster), 1);
    assert_eq!(lan.counted(Counter::AdvertSent), 1);
}

#[test]
fn state_master_without_ownership_waits_as_long() {
    let mut lan = Lan::started(Settings { start_as_master: true, ..router(150) });
    assert_eq!((lan.state(0), lan.status().wanted), (State::Backup, State::Master));
    lan.run_until(at(3.4));
    assert_eq!(lan.take_lines(), [""; 0]);
    lan.run_until(at(3.42));
    assert_eq!(lan.state(0), State::Master);
}

#[test]
fn an_owner_with_state_master_starts_as_master_at_once() {
    let mut lan = Lan::new([Settings { start_as_master: true, ..router(255) }]);
    lan.start(0);
    assert_eq!(
        lan.take_lines(),
        [
            "0.000 advert 255",
            "0.000 INIT -> MASTER (owner of the addresses)",
            "0.000 install",
            "0.000 announce x5"
        ]
    );
}

#[test]
fn an_owner_with_state_backup_waits() {
    let mut lan = Lan::started(router(255));
    lan.run_until(at(3.003));
    assert_eq!(lan.state(0), State::Backup);
    lan.run_until(at(3.004));
    assert_eq!(lan.state(0), State::Master);
}

#[test]
fn a_master_that_falls_silent_is_replaced() {
    let mut lan = Lan::started(router(100));
    for second in 1..=5 {
        lan.hear_at(f64::from(second), 200);
    }
    assert_eq!(lan.status().master, Some(Peer { address: OTHER, priority: Priority(200) }));
    assert_eq!(lan.counted(Counter::AdvertReceived), 5);
    lan.run_until(at(9.0));
    assert_eq!(
        lan.take_decisions(),
        ["8.609 BACKUP -> MASTER (master 10.9.0.77 fell silent)", "8.609 install", "8.609 announce x5"]
    );
    assert_eq!(lan.status().master, None);
}

#[test]
fn priority_0_leaves_only_the_skew() {
    let mut lan = Lan::started(router(100));
    lan.hear_at(1.0, 200);
    lan.hear_at(1.5, 0);
    assert_eq!(lan.take_lines(), ["1.500 detail: (VI) Backup received priority 0 advertisement"]);
    lan.run_until(at(3.0));
    assert_eq!(lan.take_lines()[1], "2.109 BACKUP -> MASTER (master 10.9.0.77 released with priority 0)");
    assert_eq!(lan.counted(Counter::PriorityZeroReceived), 1);
}

#[test]
fn a_stream_of_priority_0_does_not_keep_a_backup_waiting() {
    let mut lan = Lan::started(router(100));
    lan.hear_at(1.0, 200);
    for step in 0..20 {
        lan.hear_at(1.5 + f64::from(step) * 0.1, 0);
    }
    assert_eq!(
        lan.take_decisions()[0],
        "2.109 BACKUP -> MASTER (master 10.9.0.77 released with priority 0)",
        "the skew since the first one"
    );
}

#[test]
fn priority_0_never_prolongs_the_wait() {
    let mut lan = Lan::started(router(100));
    lan.hear_at(3.5, 0);
    lan.run_until(at(3.7));
    assert_eq!(lan.take_decisions()[0], "3.609 BACKUP -> MASTER (master 10.9.0.77 released with priority 0)");
}

#[test]
fn a_stream_of_releases_and_of_changing_intervals_is_one_line_each() {
    let mut lan = Lan::started(router(100));
    let fast = Settings { advert_interval: Duration::from_millis(500), ..router(200) };
    for _ in 0..1000 {
        lan.hear(0);
        lan.hear(200);
        let packet = advert_of(&fast, OTHER, 200);
        lan.input(0, |instance, now| instance.handle_packet(now, &packet));
    }
    assert_eq!(
        lan.take_lines(),
        [
            "0.000 detail: (VI) Backup received priority 0 advertisement",
            "0.000 warning: (VI) router 10.9.0.77 advertises every 500ms, we are configured for 1000ms",
            "0.000 detail: (VI) advertisement interval updated from 1000ms to 500ms by master",
            "0.000 warning: (VI) goes by the interval of 10.9.0.77, 500ms: its silence is noticed after 1804ms",
        ]
    );
}

#[test]
fn our_own_address_from_another_router_does_not_keep_a_backup_waiting() {
    for priority in [0, 100, 200] {
        let mut lan = Lan::started(router(100));
        lan.run_until(at(3.0));
        lan.hear_from(IpAddr::from([10, 9, 0, 1]), priority);
        assert!(lan.take_lines()[0].ends_with("received from remote host with our IP address."));
        assert_eq!(lan.status().master, None);
        lan.run_until(at(3.7));
        assert_eq!(lan.take_decisions()[0], "3.609 BACKUP -> MASTER (no master heard)");
    }
}

#[test]
fn a_master_of_lower_priority_is_preempted_when_the_timer_ends_that_already_ran() {
    let mut lan = Lan::started(router(150));
    for second in 1..=3 {
        lan.hear_at(f64::from(second), 100);
    }
    lan.run_until(at(3.42));
    assert_eq!(
        lan.take_lines()[..3],
        [
            "1.000 warning: (VI) received lower priority (100) advert from 10.9.0.77 - discarding",
            "3.414 advert 150",
            "3.414 BACKUP -> MASTER (master 10.9.0.77 has lower priority 100)",
        ]
    );
}

#[test]
fn an_equal_priority_counts_as_better_whatever_the_address() {
    // RFC 9568 §6.4.2 (6.4.2-11): OTHER's address is higher, 10.9.0.0's is lower.
    for source in [OTHER, IpAddr::from([10, 9, 0, 0])] {
        let mut lan = Lan::started(router(100));
        lan.run_until(at(3.0));
        lan.hear_from(source, 100);
        lan.run_until(at(6.5));
        assert_eq!(lan.state(0), State::Backup);
    }
}

#[test]
fn without_preemption_a_master_of_lower_priority_stays() {
    let mut lan = Lan::started(Settings { preempt: false, ..router(150) });
    for second in 1..=20 {
        lan.hear_at(f64::from(second), 100);
    }
    assert_eq!(lan.take_lines(), [""; 0]);
    lan.run_until(at(24.0));
    assert_eq!(lan.take_lines()[1], "23.414 BACKUP -> MASTER (master 10.9.0.77 fell silent)");
}

#[test]
fn an_owner_and_state_master_preempt_whatever_nopreempt_says() {
    for settings in [router(255), Settings { start_as_master: true, ..router(150) }] {
        let mut lan = Lan::started(Settings { preempt: false, ..settings });
        for second in 1..=4 {
            lan.hear_at(f64::from(second), 100);
        }
        assert_eq!(lan.state(0), State::Master);
    }
}

#[test]
fn preempt_delay_tolerates_a_lower_master_for_that_long() {
    // As measured on the peer: 6.11 s after the first lower advertisement.
    let mut lan = Lan::started(Settings { preempt_delay: Duration::from_secs(3), ..router(100) });
    for half_second in 0..20 {
        lan.hear_at(1.0 + f64::from(half_second) * 0.5, 50);
    }
    assert_eq!(lan.take_decisions()[0], "7.109 BACKUP -> MASTER (master 10.9.0.77 has lower priority 50)");
}

#[test]
fn a_better_master_ends_the_preempt_delay() {
    let mut lan = Lan::started(Settings { preempt_delay: Duration::from_secs(3), ..router(100) });
    lan.hear_at(1.0, 50);
    lan.hear_at(2.0, 100);
    // The delay begins anew here and ends at 6.5.
    lan.hear_at(3.5, 50);
    lan.hear_at(6.4, 50);
    lan.hear_at(6.6, 50);
    lan.run_until(at(11.0));
    assert_eq!(lan.take_decisions()[0], "10.009 BACKUP -> MASTER (master 10.9.0.77 has lower priority 50)");
}

#[test]
fn version_3_learns_the_interval_of_its_master_and_forgets_it_as_master() {
    let fast = Settings { advert_interval: Duration::from_millis(500), ..router(100) };
    let mut lan = Lan::started(router(100));
    lan.run_until(at(1.0));
    let packet = advert_of(&fast, OTHER, 100);
    lan.input(0, |instance, now| instance.handle_packet(now, &packet));
    lan.run_until(at(3.0));
    assert_eq!(
        lan.take_lines(),
        [
            "1.000 warning: (VI) router 10.9.0.77 advertises every 500ms, we are configured for 1000ms",
            "1.000 detail: (VI) advertisement interval updated from 1000ms to 500ms by master",
            "1.000 warning: (VI) goes by the interval of 10.9.0.77, 500ms: its silence is noticed after 1804ms",
            // 3 * 0.5 s and a skew of 156/256 * 0.5 s.
            "2.805 advert 100",
            "2.805 BACKUP -> MASTER (master 10.9.0.77 fell silent)",
            "2.805 install",
            "2.805 detail: (VI) changing advert interval from 500ms to locally configured 1000ms",
            "2.805 announce x5",
        ]
    );
    lan.run_until(at(4.0));
    assert_eq!(lan.take_lines(), ["3.805 advert 100"]);
}

/// Whoever can forge one advertisement can have the end of the master noticed two minutes late: it shows.
#[test]
fn an_interval_that_is_not_its_own_shows_until_a_master_has_the_usual_one() {
    let mut lan = Lan::started(router(100));
    assert_eq!(lan.status().adopted_interval, None);
    let longest = Settings { advert_interval: Duration::from_millis(40_950), ..router(200) };
    let packet = advert_of(&longest, OTHER, 200);
    lan.input(0, |instance, now| instance.handle_packet(now, &packet));
    assert_eq!(lan.status().adopted_interval, Some(longest.advert_interval));
    let lines = lan.take_lines();
    let shown = "0.000 warning: (VI) goes by the interval of 10.9.0.77, 40950ms: its silence is noticed after 147803ms";
    assert!(lines.iter().any(|line| line == shown), "{lines:?}");
    lan.hear_at(1.0, 200);
    assert_eq!(lan.status().adopted_interval, None);
    lan.input(0, |instance, now| instance.handle_packet(now, &packet));
    lan.run_until(at(200.0));
    assert_eq!((lan.status().state, lan.status().adopted_interval), (State::Master, None));
}

#[test]
fn the_skew_after_priority_0_is_that_of_the_learnt_interval() {
    // The master advertised every 2 s: 156/256 * 2 s, as measured on the peer.
    let slow = Settings { advert_interval: Duration::from_secs(2), ..router(100) };
    let mut lan = Lan::started(router(100));
    let packet = advert_of(&slow, OTHER, 100);
    lan.input(0, |instance, now| instance.handle_packet(now, &packet));
    lan.hear_at(1.0, 0);
    lan.run_until(at(3.0));
    assert_eq!(lan.take_decisions()[0], "2.219 BACKUP -> MASTER (master 10.9.0.77 released with priority 0)");
}

#[test]
fn version_2_skews_by_seconds_whatever_the_interval() {
    let slow = Settings { version: Version::V2, advert_interval: Duration::from_secs(5), ..router(100) };
    let mut lan = Lan::started(slow);
    lan.run_until(at(16.0));
    assert_eq!(lan.take_lines()[0], "15.609 advert 100");
}

#[test]
fn an_interval_of_zero_takes_nothing_over() {
    // RFC 9568 §7.1 (7.1-5).
    let mut lan = Lan::started(router(100));
    let mut packet = advert_of(&router(200), OTHER, 200);
    packet[HEADER_LEN + 5] = 0;
    // The checksum gains what the interval (0x64) lost.
    let sum = u16::from_be_bytes([packet[HEADER_LEN + 6], packet[HEADER_LEN + 7]]) + 0x64;
    packet[HEADER_LEN + 6..HEADER_LEN + 8].copy_from_slice(&sum.to_be_bytes());
    lan.input(0, |instance, now| instance.handle_packet(now, &packet));
    assert_eq!(lan.counted(Counter::AdvertIntervalError), 1);
    assert_eq!(lan.nodes[0].instance.poll_timeout(), Some(Time(Duration::from_nanos(3_609_375_000))));
}

#[test]
fn a_change_of_priority_shifts_the_running_timer() {
    let mut lan = Lan::started(router(100));
    lan.run_until(at(2.0));
    lan.input(0, |instance, now| instance.handle_weight(now, Tracker::Script(0), 64));
    assert_eq!(lan.take_lines(), ["2.000 event: Changing effective priority from 100 to 164"]);
    // 64/256 s earlier.
    assert_eq!(lan.nodes[0].instance.poll_timeout(), Some(Time(Duration::from_nanos(3_359_375_000))));
    lan.input(0, |instance, now| instance.handle_weight(now, Tracker::Script(0), 0));
    assert_eq!(lan.nodes[0].instance.poll_timeout(), Some(Time(Duration::from_nanos(3_609_375_000))));
}

#[test]
fn trackers_add_up_within_1_and_254_and_leave_an_owner_alone() {
    let priority = |base: u8, contributions: &[i32]| {
        let mut lan = Lan::started(router(base));
        for (tracker, contribution) in contributions.iter().enumerate() {
            lan.input(0, |instance, now| {
                instance.handle_weight(now, Tracker::Script(tracker), *contribution)
            });
        }
        lan.status().effective_priority
    };
    assert_eq!(priority(100, &[20, -5]), Some(Priority(115)));
    assert_eq!(priority(100, &[253]), Some(Priority(254)));
    assert_eq!(priority(100, &[-100]), Some(Priority(1)));
    assert_eq!(priority(100, &[i32::MAX, i32::MAX]), Some(Priority(254)));
    assert_eq!(priority(255, &[-20]), Some(Priority(255)));
}
