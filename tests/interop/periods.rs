//! Words that say how long a router waits, and how often it says again where its addresses are.

use std::time::Duration;

use lab::pcap::Packet;
use lab::{Capture, Result, Router, State, Subject, clock, wait};

use crate::words::{GAMMA, Stage, slow};
use crate::world::{EARLY, LATE, SOON, Setup, V3, VI, is_keepalived, ours, side_by_side};

const SECOND: Duration = Duration::from_secs(1);
/// Announcements that leave together are not further apart than this, and bursts are.
const TOGETHER: Duration = Duration::from_millis(400);

/// Bursts of gratuitous ARP: when each began, and how many announcements it had.
fn bursts(packets: &[Packet]) -> Vec<(Duration, usize)> {
    let mut bursts: Vec<(Duration, usize)> = Vec::new();
    // The sender's address is the one that is asked for.
    let is_announcement = |packet: &&Packet| {
        packet.bytes[12..14] == [0x08, 0x06] && packet.bytes.get(28..32) == packet.bytes.get(38..42)
    };
    for packet in packets.iter().filter(is_announcement) {
        match bursts.last_mut() {
            Some((began, count)) if packet.time.saturating_sub(*began) < TOGETHER => *count += 1,
            _ => bursts.push((packet.time, 1)),
        }
    }
    bursts
}

/// Waits for bursts of so many announcements.
fn wait_bursts(capture: &Capture, counts: &[usize]) -> Result<Vec<Duration>> {
    wait::until(&format!("bursts of {counts:?}"), SOON, || {
        let seen = bursts(&capture.packets().map_err(|error| error.to_string())?);
        let found: Vec<_> = seen.iter().map(|(_, count)| *count).collect();
        if found == counts {
            Ok(seen.iter().map(|(time, _)| *time).collect())
        } else {
            Err(format!("{seen:?}"))
        }
    })
}

/// Waits until a router has gone on to advertise for so long.
fn outlast(capture: &Capture, time: Duration) -> Result<()> {
    let began = clock::wall();
    let what = format!("advertisements for {time:?}");
    capture.wait_vrrp(&what, SOON, |seen| seen.last().is_some_and(|last| last.time > began + time)).map(drop)
}

/// A timer's time has passed, and little more: the router is `late` by what else it waits for.
fn assert_passed(passed: Duration, due: Duration, late: Duration, what: &str) {
    assert!(passed + EARLY >= due && passed <= due + late + LATE, "{what}: {passed:?} instead of {due:?}");
}

#[test]
fn preempt_delay_is_how_long_a_better_router_waits_after_its_start() {
    let cases = [("# nothing", 0), ("preempt_delay 3", 3)];
    side_by_side(&cases, |(line, delay)| {
        let lan = V3.lan()?;
        let worse = V3.beta(100).start_until(&Subject::Keepalived, &lan["beta"], State::Master)?;
        let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112 and src host 10.9.0.1")?;
        let mark = worse.mark();
        let better = V3.alpha(150).line(*line).start_until(&ours(), &lan["alpha"], State::Backup)?;
        let began = clock::wall();
        let seen = capture.wait_vrrp("an advertisement", SOON, |seen| !seen.is_empty())?;
        let waited = seen[0].time.saturating_sub(began);
        // Behind the delay it waits as long as for a master.
        assert_passed(waited + TOGETHER, SECOND * *delay, TOGETHER + V3.master_down(150) * 2, "preemption");
        worse.wait_entering_since(mark, VI, State::Backup, SOON)?;
        better.stop()?;
        // Nobody is to be preempted: a master that is gone is not waited for longer.
        worse.wait_entering_since(mark, VI, State::Master, SOON).map(drop)
    });
}

#[test]
fn down_timer_adverts_is_how_many_advertisements_of_a_master_may_be_lost() {
    let cases = [("# nothing", 3), ("down_timer_adverts 1", 1), ("down_timer_adverts 5", 5)];
    side_by_side(&cases, |(line, adverts)| {
        let stage = Stage::build()?;
        let setup = slow(line);
        let alpha = stage.start_until(&setup, State::Master)?;
        let capture = stage.capture()?;
        let mark = alpha.mark();
        let told = clock::wall();
        stage.advertise(GAMMA, false, 200, 255)?;
        alpha.wait_entering_since(mark, VI, State::Backup, SOON)?;
        alpha.wait_entering_since(mark, VI, State::Master, SOON)?;
        // One that was on its way is not meant.
        let is_later = |time: Duration| time > told + SECOND / 2;
        let seen =
            capture.wait_vrrp("the next one", SOON, |seen| seen.iter().any(|one| is_later(one.time)))?;
        let next = seen.iter().find(|one| is_later(one.time)).expect("it was waited for");
        let skew = SECOND * (256 - u32::from(setup.priority)) / 256;
        assert_passed(next.time - told, SECOND * *adverts + skew, Duration::ZERO, "the takeover");
        Ok(())
    });
}

/// Where nothing else is said, one announcement is all.
#[test]
fn vrrp_min_garp_says_once_where_an_address_is() {
    let cases: [(&str, &[usize]); 2] = [("# nothing", &[5, 5]), ("vrrp_min_garp", &[1])];
    side_by_side(&cases, |(line, counts)| {
        let stage = Stage::build()?;
        let capture = Capture::start(&stage.lan["gamma"], "vg0", "arp or ip proto 112")?;
        let instance =
            V3.alpha(150).instance(VI).replace("  garp_master_delay 1\n  garp_master_repeat 2\n", "");
        assert!(!instance.contains("garp_"), "{instance}");
        let text = format!("global_defs {{\n  {line}\n}}\n{instance}");
        let alpha = Router::start(&ours(), &stage.lan["alpha"], "alpha", &text)?;
        alpha.wait_entering(VI, State::Master, SOON)?;
        wait_bursts(&capture, counts)?;
        outlast(&capture, SECOND * 6)?;
        wait_bursts(&capture, counts).map(drop)
    });
}

#[test]
fn garp_master_refresh_says_again_and_again_where_the_addresses_are() {
    let refresh = ["garp_master_refresh 3", "garp_master_refresh_repeat 4"];
    let cases: [(&[&str], &[usize]); 3] =
        [(&[], &[2, 2]), (&refresh[..1], &[2, 2, 1, 1]), (&refresh, &[2, 2, 4, 4])];
    side_by_side(&cases, |(lines, counts)| {
        let stage = Stage::build()?;
        let capture = Capture::start(&stage.lan["gamma"], "vg0", "arp or ip proto 112")?;
        let setup = lines.iter().fold(V3.alpha(150), |setup, line| setup.line(*line));
        let _alpha = stage.start_until(&setup, State::Master)?;
        let times = wait_bursts(&capture, counts)?;
        if let [_, _, first, second] = times[..] {
            // keepalived looks when it advertises.
            assert_passed(second - first, SECOND * 3, V3.interval(), "the refresh");
        } else {
            outlast(&capture, SECOND * 4)?;
            wait_bursts(&capture, counts)?;
        }
        Ok(())
    });
}

/// Whoever has heard a worse router may believe that the addresses are there.
#[test]
fn garp_lower_prio_says_where_the_addresses_are_after_a_worse_router_was_heard() {
    let cases: [(&[&str], &[usize], u32); 3] = [
        // What holds where no block says anything of the time after becoming master.
        (&[], &[5, 5], 5),
        (&["garp_lower_prio_repeat 3", "garp_lower_prio_delay 2"], &[3, 3], 2),
        (&["garp_lower_prio_repeat 0", "garp_lower_prio_delay 0"], &[], 0),
    ];
    side_by_side(&cases, |(lines, counts, delay)| {
        let stage = Stage::build()?;
        let capture = Capture::start(&stage.lan["gamma"], "vg0", "arp or ip proto 112")?;
        let setup = lines.iter().fold(V3.alpha(150), |setup, line| setup.line(*line));
        let _alpha = stage.start_until(&setup, State::Master)?;
        wait_bursts(&capture, &[2, 2])?;
        outlast(&capture, TOGETHER * 2)?;
        let told = clock::wall();
        stage.advertise(GAMMA, false, 100, 255)?;
        let expected = [&[2, 2], *counts].concat();
        let times = wait_bursts(&capture, &expected)?;
        if let [first, second] = times[2..] {
            assert_passed(first.saturating_sub(told), Duration::ZERO, Duration::ZERO, "the first burst");
            assert_passed(second - first, SECOND * *delay, Duration::ZERO, "the second burst");
        } else {
            outlast(&capture, SECOND * 6)?;
            wait_bursts(&capture, &expected)?;
        }
        Ok(())
    });
}

/// RFC 9568 §5.2.8 against RFC 5798 §5.2.8: without the addresses of the IP header, or with them.
#[test]
fn v3_checksum_as_v2_leaves_the_pseudo_header_out() {
    let mut words = vec![("# nothing", false)];
    if !is_keepalived("`auth_hmac`, `owner_ignore_adverts`") {
        words.push(("v3_checksum_as_v2", true));
    }
    side_by_side(&words, |(line, alone)| {
        let stage = Stage::build()?;
        let capture = stage.capture()?;
        let setup: Setup = V3.alpha(150).line(*line);
        let _alpha = stage.start_until(&setup, State::Master)?;
        let seen = capture.wait_vrrp("an advertisement", SOON, |seen| !seen.is_empty())?;
        let words = seen[0].message.chunks(2).map(|two| u32::from(two[0]) << 8 | u32::from(two[1]));
        let sum: u32 = words.sum();
        assert_eq!((sum & 0xffff) + (sum >> 16) == 0xffff, *alone, "{:02x?}", seen[0].message);
        Ok(())
    });
}
