//! How fast gratuitous ARP and unsolicited neighbour advertisements follow one another, and where else they leave.

use std::time::Duration;

use lab::lan::Join;
use lab::pcap::Packet;
use lab::{Capture, Lan, Result, Router, State, wait};

use crate::world::{EARLY, LATE, SOON, Setup, Talk, V3, V3_IPV6, VI, is_keepalived, ours, side_by_side};

/// What says that an address is here.
const ANNOUNCEMENTS: &str = "arp or (icmp6 and ip6[40] == 136)";
/// From one announcement to the next where there is a pace.
const PACE: Duration = Duration::from_millis(200);

/// The usual pair, with a second interface on each.
fn pair(talk: Talk) -> Result<Lan> {
    let mut lan = talk.lan()?;
    let ports = [("alpha", "va1", "10.8.0.1/24"), ("beta", "vb1", "10.8.0.2/24")];
    lan.add_segment(Join::Bridge, &ports)?;
    Ok(lan)
}

/// The announced addresses with their times, by their last octet: those of virtual addresses only.
fn announced(packets: &[Packet]) -> Vec<(Duration, u8)> {
    let last = |packet: &Packet| match packet.bytes.get(12..14)? {
        // The sender's address is the one that is asked for.
        [0x08, 0x06] => packet.bytes.get(31).filter(|octet| packet.bytes.get(41) == Some(octet)).copied(),
        // The target.
        _ => packet.bytes.get(14 + 40 + 8 + 15).copied(),
    };
    let found = packets.iter().filter_map(|packet| Some((packet.time, last(packet)?)));
    found.filter(|(_, octet)| *octet >= 100 || *octet == 0x51 || *octet == 0).collect()
}

/// The gaps between announcements, in order of time.
fn gaps(announced: &[(Duration, u8)]) -> Vec<Duration> {
    announced.windows(2).map(|two| two[1].0.saturating_sub(two[0].0)).collect()
}

fn wait_announced(capture: &Capture, count: usize) -> Result<Vec<(Duration, u8)>> {
    wait::until(&format!("{count} announcements"), SOON, || {
        let seen = announced(&capture.packets().map_err(|error| error.to_string())?);
        if seen.len() >= count { Ok(seen) } else { Err(format!("{seen:?}")) }
    })
}

/// Five virtual addresses of a family on alpha.
fn five(talk: Talk) -> Setup {
    let vips = match talk.family {
        steadfast::units::Family::V4 => (100..105).map(|last| format!("10.9.0.{last}/24")).collect(),
        steadfast::units::Family::V6 => {
            let global = (100..104).map(|last| format!("2001:db8:9::1{last:x}/64"));
            ["fe80::51/64".to_owned()].into_iter().chain(global).collect()
        }
    };
    Setup { vips, ..talk.alpha(150) }
}

#[test]
fn announcements_on_an_interface_follow_one_another_at_its_pace() {
    let everywhere = |line: &str| format!("global_defs {{\n  {line}\n}}\n");
    let there = |line: &str| format!("garp_group {{\n  {line}\n  interfaces {{\n    va0\n  }}\n}}\n");
    let cases = [
        (V3, everywhere("# nothing"), None),
        (V3, everywhere("vrrp_garp_interval 0.2"), Some(PACE)),
        // What is said of the other family is not meant.
        (V3, everywhere("vrrp_gna_interval 0.2"), None),
        (V3_IPV6, everywhere("vrrp_gna_interval 0.2"), Some(PACE)),
        (V3, there("garp_interval 0.2"), Some(PACE)),
        (V3, there("gna_interval 0.2"), None),
        (V3_IPV6, there("gna_interval 0.2"), Some(PACE)),
    ];
    side_by_side(&cases, |(talk, before, pace)| {
        let lan = talk.lan()?;
        let capture = Capture::start(&lan["beta"], "vb0", ANNOUNCEMENTS)?;
        let setup = Setup { before: before.clone(), ..five(*talk) };
        let _alpha = setup.start_until(&ours(), &lan["alpha"], State::Master)?;
        // Two rounds of five; another two follow a second later.
        let seen = wait_announced(&capture, 10)?;
        let gaps = gaps(&seen[..10]);
        match pace {
            Some(pace) => {
                assert!(gaps.iter().all(|gap| *gap + EARLY >= *pace), "too fast: {gaps:?}");
                assert!(gaps.iter().all(|gap| *gap <= *pace + LATE), "too slow: {gaps:?}");
            }
            None => assert!(gaps.iter().all(|gap| *gap < PACE / 2), "too slow: {gaps:?}"),
        }
        Ok(())
    });
}

/// Two instances on two interfaces of one group, which have one pace together, or each its own.
#[test]
fn the_interfaces_of_a_garp_group_share_a_pace() {
    // The first bursts of both are over before the second ones begin, one second after the first: what is left of a burst
    // then is part of the next.
    let pace = Duration::from_millis(150);
    let group = "garp_group {\n  garp_interval 0.15\n  interfaces {\n    va0\n    va1\n  }\n}\n";
    let alone = "global_defs {\n  vrrp_garp_interval 0.15\n}\n";
    let (mut cases, mut counts) = (vec![(group, true), (alone, false)], [4, 8]);
    if is_keepalived("repetitions of gratuitous ARP at a pace") {
        cases.pop();
        counts = [2, 4];
    }
    side_by_side(&cases, |(before, together)| {
        let lan = pair(V3)?;
        let captures = [
            Capture::start(&lan["beta"], "vb0", ANNOUNCEMENTS)?,
            Capture::start(&lan["beta"], "vb1", ANNOUNCEMENTS)?,
        ];
        let first = V3.alpha(150);
        let second = Setup {
            interface: "va1".into(),
            vrid: 52,
            vips: vec!["10.8.0.110/24".into(), "10.8.0.111/24".into()],
            ..V3.alpha(150)
        };
        let text = format!("{before}{}{}", first.instance(VI), second.instance("TWO"));
        let _alpha = Router::start(&ours(), &lan["alpha"], "alpha", &text)?;
        let mut seen = wait_announced(&captures[0], counts[0])?;
        seen.extend(wait_announced(&captures[1], counts[1])?);
        seen.sort_unstable();
        let shortest = gaps(&seen).into_iter().min().expect("there are several");
        assert_eq!(shortest + EARLY >= pace, *together, "{seen:?}");
        Ok(())
    });
}

/// An address on an interface that no advertisement leaves by, which no switch hears of otherwise.
#[test]
fn garp_extra_if_announces_addresses_on_other_interfaces_again_and_again() {
    let cases = [("# nothing", false), ("garp_extra_if all 1", true), ("vmac_garp_intvl all 1", true)];
    side_by_side(&cases, |(line, again)| {
        let lan = pair(V3)?;
        let elsewhere = Capture::start(&lan["beta"], "vb1", ANNOUNCEMENTS)?;
        let mut setup = V3.alpha(150).line(*line);
        setup.vips.push("10.8.0.120/24 dev va1".into());
        let _alpha = setup.start_until(&ours(), &lan["alpha"], State::Master)?;
        let here = Capture::start(&lan["beta"], "vb0", "ip proto 112")?;
        // Both bursts are over by then.
        here.wait_vrrp("advertisements for four seconds", SOON, |seen| seen.len() >= 20)?;
        let seen = announced(&elsewhere.packets()?);
        let later: Vec<_> = gaps(&seen).into_iter().skip(4).collect();
        assert_eq!(seen.len() > 5, *again, "{seen:?}");
        let second = Duration::from_secs(1);
        assert!(later.iter().all(|gap| *gap + EARLY >= second && *gap <= second + LATE), "{later:?}");
        Ok(())
    });
}

#[test]
fn a_pace_leaves_no_announcement_out() -> Result<()> {
    if is_keepalived("repetitions of gratuitous ARP at a pace") {
        return Ok(());
    }
    let lan = V3.lan()?;
    let capture = Capture::start(&lan["beta"], "vb0", ANNOUNCEMENTS)?;
    let setup = Setup { before: "global_defs {\n  vrrp_garp_interval 0.02\n}\n".into(), ..five(V3) };
    let _alpha = setup.start_until(&ours(), &lan["alpha"], State::Master)?;
    let seen = wait_announced(&capture, 20)?;
    let counts = (100..105).map(|last| seen.iter().filter(|(_, octet)| *octet == last).count());
    assert_eq!(counts.collect::<Vec<_>>(), [4; 5]);
    Ok(())
}
