//! Packets that hasten takeovers again and again.

use super::*;

/// What the forger sends as often as it can: a claim with the shortest interval, and its release.
fn forge(lan: &mut Lan, seconds: f64) {
    let hasty = Settings { advert_interval: Duration::from_millis(10), ..router(200) };
    for priority in [200, 0] {
        lan.run_until(lan.now + Duration::from_secs_f64(seconds / 2.0));
        let packet = advert_of(&hasty, OTHER, priority);
        lan.input(0, |instance, now| instance.handle_packet(now, &packet));
    }
}

#[test]
fn a_forger_gets_a_few_takeovers_and_then_one_per_silence() {
    let mut lan = Lan::master(router(100));
    // For a hundred seconds, a round in 20 ms.
    for _ in 0..5_000 {
        forge(&mut lan, 0.02);
    }
    let became = lan.counted(Counter::BecomeMaster);
    // The first one was its own; the forger gets ten at once and one more in ten seconds.
    assert!((11..=21).contains(&became), "{became} times MASTER");
    assert!(lan.counted(Counter::TakeoverHeldBack) > 1_000);
    let lines = lan.take_lines();
    let complaints = lines.iter().filter(|line| line.contains("hastened")).count();
    assert!((1..=2).contains(&complaints), "{complaints} lines");
}

#[test]
fn after_a_storm_a_silence_is_as_long_as_ever() {
    let mut lan = Lan::master(router(100));
    for _ in 0..1_000 {
        forge(&mut lan, 0.02);
    }
    lan.hear(200);
    let heard = lan.now;
    let silence = lan.nodes[0].instance.master_down_interval();
    assert_eq!(lan.state(0), State::Backup);
    lan.lines.clear();
    lan.run_until(heard + silence - Duration::from_millis(1));
    assert_eq!(lan.state(0), State::Backup);
    lan.run_until(heard + silence);
    assert_eq!(lan.state(0), State::Master);
}

#[test]
fn the_eleventh_release_in_a_row_is_believed_after_the_silence_only() {
    let mut lan = Lan::master(router(100));
    let silence = lan.nodes[0].instance.master_down_interval();
    for round in 1..=11 {
        lan.hear(200);
        let heard = lan.now;
        lan.hear(0);
        lan.run_until(heard + Duration::from_millis(700));
        let expected = if round <= 10 { State::Master } else { State::Backup };
        assert_eq!(lan.state(0), expected, "round {round}: the skew is 609 ms");
    }
    assert_eq!(lan.counted(Counter::TakeoverHeldBack), 1);
    let heard = lan.now - Duration::from_millis(700);
    lan.run_until(heard + silence - Duration::from_millis(1));
    assert_eq!(lan.state(0), State::Backup);
    lan.run_until(heard + silence);
    assert_eq!(lan.state(0), State::Master);
}

#[test]
fn routers_that_are_restarted_one_after_the_other_are_believed_every_time() {
    let mut lan = Lan::master(router(100));
    for _ in 0..50 {
        lan.run_until(lan.now + Duration::from_secs(10));
        lan.hear(200);
        lan.hear(0);
        lan.run_until(lan.now + Duration::from_secs(1));
        assert_eq!(lan.state(0), State::Master);
    }
    assert_eq!(lan.counted(Counter::TakeoverHeldBack), 0);
}
