//! Contested mastership: who is named, when it begins, when it is over, and what follows.

use super::*;

/// The events of one MASTER, those of its gratuitous ARP among them.
fn events_until(lan: &mut Lan, seconds: f64) -> Vec<String> {
    lan.run_until(at(seconds));
    lan.take_decisions()
}

const BEGUN: &str = "event: router 10.9.0.77 advertises as master too, with priority";

fn over(adverts: u64, how: &str) -> String {
    format!("event: contest with router 10.9.0.77 is over after {adverts} advertisements: {how}")
}

/// A MASTER at 16 s, whose bursts of gratuitous ARP are over.
fn settled(settings: Settings) -> Lan {
    let mut lan = Lan::master(settings);
    lan.run_until(at(16.0));
    lan.take_lines();
    lan
}

#[test]
fn a_router_that_should_give_way_and_does_not_is_shown_until_it_falls_silent() {
    let mut lan = settled(router(100));
    for second in 0..10 {
        lan.hear_at(16.5 + f64::from(second), if second < 5 { 50 } else { 60 });
    }
    let rival = Peer { address: OTHER, priority: Priority(60) };
    assert_eq!(lan.status().contest, Some(Contest { rival, since: at(16.5), heard: 10 }));
    assert_eq!(
        events_until(&mut lan, 40.0),
        [
            "16.500 announce x5".to_owned(),
            format!("16.500 {BEGUN} 50"),
            "21.500 announce x5".into(),
            // Its last second burst, and with the next advertisement a new first one.
            "21.500 announce x5".into(),
            "26.500 announce x5".into(),
            // Heard last at 25.5: three intervals and the skew of priority 60.
            format!("29.266 {}", over(10, "it fell silent")),
            "29.266 announce x5".into(),
            "34.266 announce x5".into(),
        ]
    );
    assert_eq!((lan.status().contest, lan.counted(Counter::Contest)), (None, 1));
}

#[test]
fn an_equal_priority_with_a_lower_address_contests_too_and_a_higher_one_wins() {
    let mut lan = settled(router(100));
    lan.hear_from(IpAddr::from([10, 9, 0, 0]), 100);
    assert!(lan.status().contest.is_some());
    lan.hear_from(OTHER, 100);
    let end = lan.take_decisions().split_off(2);
    assert_eq!(
        end,
        [
            "16.000 event: contest with router 10.9.0.0 is over after 1 advertisements: this router is no longer master",
            "16.000 withdraw",
            "16.000 MASTER -> BACKUP (router 10.9.0.77 has the same priority and a higher address)",
        ]
    );
    assert_eq!(lan.status().contest, None);
    assert_eq!(events_until(&mut lan, 19.0), [""; 0], "the timer went with the mastership");
}

#[test]
fn a_router_that_gives_way_ends_the_contest_after_an_interval() {
    let mut lan = settled(router(100));
    lan.hear_at(16.5, 50);
    lan.hear_at(17.5, 0);
    assert_eq!(
        events_until(&mut lan, 19.0).split_off(2),
        [format!("18.500 {}", over(1, "it gave way"))],
        "the second burst is still to come"
    );
}

#[test]
fn a_release_of_somebody_else_ends_no_contest() {
    let mut lan = settled(router(100));
    lan.hear_at(16.5, 50);
    lan.hear_from(IpAddr::from([10, 9, 0, 78]), 0);
    lan.run_until(at(18.0));
    assert!(lan.status().contest.is_some());
}

#[test]
fn what_crosses_our_first_advertisement_is_no_contest() {
    let mut lan = Lan::master(router(100));
    lan.hear_at(10.2, 50);
    assert_eq!(lan.status().contest, None);
    lan.hear_at(11.2, 50);
    assert_eq!(lan.status().contest.map(|contest| contest.since), Some(at(11.2)));
}

#[test]
fn routers_that_take_turns_are_one_contest() {
    let mut lan = settled(router(100));
    for step in 0..100 {
        lan.run_until(at(16.0) + Duration::from_millis(step * 100));
        let last = u8::try_from(100 + step).unwrap();
        lan.hear_from(IpAddr::from([10, 9, 0, last]), 50);
        lan.hear_from(IpAddr::from([10, 9, 0, last]), 0);
    }
    lan.run_until(at(60.0));
    let events = lan.take_lines().into_iter().filter(|line| line.contains("event: ")).count();
    assert_eq!((events, lan.counted(Counter::Contest)), (2, 1));
}

#[test]
fn the_shortest_interval_bounds_the_events_of_a_storm() {
    let mut lan = settled(Settings { advert_interval: Duration::from_millis(10), ..router(254) });
    for step in 0..5000 {
        lan.run_until(at(16.0) + Duration::from_micros(step * 200));
        lan.hear(if step % 2 == 0 { 1 } else { 0 });
    }
    let events = lan.take_lines().into_iter().filter(|line| line.contains("event: ")).count();
    assert!((1..=2 * 10).contains(&events), "{events} events in a second at an interval of 10 ms");
}

/// Contests begin and end, one in each interval, from now on for so many seconds: what is told of them, and how many
/// there were.
fn forge(lan: &mut Lan, seconds: u32) -> (Vec<String>, u64) {
    let before = lan.counted(Counter::Contest);
    lan.take_lines();
    for _ in 0..seconds * 2 {
        lan.hear(50);
        lan.hear(0);
        lan.run_until(lan.now + Duration::from_millis(500));
    }
    // The last one is over.
    lan.run_until(lan.now + Duration::from_secs(5));
    (lan.take_lines(), lan.counted(Counter::Contest) - before)
}

fn told(lines: &[String]) -> Vec<&str> {
    let word = |line: &String| {
        let known = ["advertises as master too", "contest with router"];
        known.into_iter().find(|word| line.contains(word))
    };
    lines.iter().filter_map(word).collect()
}

#[test]
fn a_forger_has_ten_contests_told_and_then_one_in_ten_seconds_each_with_its_end() {
    let fast = Settings { advert_interval: Duration::from_millis(100), ..router(100) };
    let mut lan = settled(fast);
    let (lines, contests) = forge(&mut lan, 300);
    assert!(contests >= 600, "{contests} contests are counted");
    let events = told(&lines);
    assert!(events.chunks(2).all(|pair| pair == ["advertises as master too", "contest with router"]));
    // Ten at once, and thirty in five minutes.
    assert!((39..=41).contains(&(events.len() / 2)), "{} events", events.len());
    let complaints = lines.iter().filter(|line| line.contains("more than 10 times in a row")).count();
    assert!((4..=6).contains(&complaints), "{complaints} lines in five minutes");
    // A quiet time later everything is told as before.
    lan.run_until(lan.now + Duration::from_secs(100));
    let (lines, contests) = forge(&mut lan, 4);
    assert_eq!((told(&lines).len(), contests), (16, 8));
}

#[test]
fn a_contest_that_lasts_is_told_also_after_a_forger() {
    let mut lan = settled(Settings { advert_interval: Duration::from_millis(100), ..router(100) });
    forge(&mut lan, 60);
    let from = lan.now;
    while lan.now < from + Duration::from_secs(11) {
        lan.hear(50);
        lan.run_until(lan.now + Duration::from_millis(100));
    }
    assert_eq!(told(&lan.take_lines()), ["advertises as master too"]);
    assert_eq!(lan.status().contest.map(|contest| contest.since), Some(from));
    lan.run_until(lan.now + Duration::from_secs(5));
    assert_eq!(told(&lan.take_lines()), ["contest with router"]);
}

#[test]
fn switches_are_told_after_a_contest_that_was_shorter_than_the_pause_between_bursts() {
    let garp = Garp { lower_prio_delay: Duration::ZERO, ..Garp::default() };
    let mut lan = settled(Settings { advert_interval: Duration::from_millis(100), garp, ..router(100) });
    lan.hear_at(16.5, 50);
    let events = events_until(&mut lan, 30.0);
    assert_eq!(
        events,
        [
            "16.500 announce x5".to_owned(),
            format!("16.500 {BEGUN} 50"),
            format!("16.880 {}", over(1, "it fell silent")),
            "17.500 announce x5".into(),
        ]
    );
}

#[test]
fn another_owner_contests_until_we_give_way() {
    let mut lan = settled(Settings { start_as_master: true, ..router(255) });
    let worse = IpAddr::from([10, 9, 0, 0]);
    for step in 0..6 {
        lan.run_until(at(16.5 + f64::from(step)));
        lan.hear_from(worse, 255);
    }
    let events = lan.take_decisions();
    assert_eq!(events[1], "16.500 event: router 10.9.0.0 advertises as master too, with priority 255");
    assert!(events.iter().any(|line| line.contains("this router is no longer master")), "{events:?}");
    assert_eq!((lan.state(0), lan.status().contest), (State::Backup, None));
}

/// What a MASTER sends at a time, without anybody hearing it yet.
fn sent(lan: &mut Lan, node: usize, now: Time) -> Vec<u8> {
    let instance = &mut lan.nodes[node].instance;
    instance.handle_timeout(now);
    let sends = std::iter::from_fn(|| instance.poll_action()).find_map(|action| match action {
        Action::Send(copies) => Some(copies[0].packet.clone()),
        _ => None,
    });
    sends.unwrap()
}

/// Two routers with authentication headers that became MASTER at the same moment and have the same number.
fn in_step() -> Lan {
    let settings = Settings { version: Version::V2, auth: Auth::Header(*b"s3cret99"), ..router(100) };
    let mut lan = Lan::new([settings.clone(), settings]);
    lan.nodes[0].is_cut = true;
    lan.start(0);
    lan.start(1);
    lan.run_until(at(4.0));
    assert_eq!([0, 1].map(|node| lan.state(node)), [State::Master; 2]);
    lan
}

#[test]
fn masters_whose_advertisements_cross_do_not_count_in_step_for_ever() {
    let mut lan = in_step();
    for second in 1..=2 {
        let now = at(3.609_375 + f64::from(second));
        let packets = [0, 1].map(|node| sent(&mut lan, node, now));
        for (node, packet) in packets.iter().rev().enumerate() {
            lan.nodes[node].instance.handle_packet(now, packet);
        }
        let expected = if second == 1 { State::Master } else { State::Backup };
        assert_eq!([lan.state(0), lan.state(1)], [expected, State::Master], "advertisement {second}");
    }
}

#[test]
fn an_advertisement_said_again_moves_the_number_of_a_master_twice_at_most() {
    let mut lan = in_step();
    let now = at(4.609_375);
    let theirs = sent(&mut lan, 0, now);
    let before = sent(&mut lan, 1, now);
    for _ in 0..100 {
        lan.nodes[1].instance.handle_packet(now, &theirs);
    }
    let after = sent(&mut lan, 1, at(5.609_375));
    let number = |packet: &[u8]| u32::from_be_bytes([packet[28], packet[29], packet[30], packet[31]]);
    assert_eq!(number(&after) - number(&before), 3);
    assert_eq!(lan.state(1), State::Master);
}
