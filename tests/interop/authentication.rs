//! Who is believed: `auth_type AH`, with another key, with another kind of authentication, and said twice.
//!
//! That two routers with the same key hand the address over is told in `election`, and what they send in `wire`.

use std::time::Duration;

use lab::{Capture, Injector, Lan, Result, Router, State, Subject, frame::Ipv4, pcap::Vrrp, wait};

use crate::world::{
    ADVERTS, LATE, Ours, SOON, Talk, V3, VI, VIP, from, in_its_way, is_keepalived, ours, side_by_side,
};

/// `auth_type AH` in the only form there is: version 2 over IPv4.
const AH: Talk = Talk { version: 2, password: Some("s3cret99"), header: true, ..V3 };
const HIGH: u8 = 150;
const LOW: u8 = 100;
/// Where an IPv4 packet without options has the sequence number of its authentication header.
const SEQUENCE: std::ops::Range<usize> = 28..32;

fn sequence(advert: &Vrrp) -> u32 {
    u32::from_be_bytes(advert.ip[SEQUENCE].try_into().expect("four bytes"))
}

/// Packets that were not believed for what they say of their sender.
fn wait_refusals(router: &Router, what: &str) -> Result<()> {
    if in_its_way(router.subject(), true, false) {
        return router.wait_log(what, SOON).map(drop);
    }
    wait::until("authentication failures", SOON, || {
        let stats = router.stats().map_err(|error| error.to_string())?;
        if stats.group(VI, "Authentication Errors") > 0 { Ok(()) } else { Err(format!("{stats:?}")) }
    })
}

#[test]
fn one_sequence_number_counts_on_through_every_change_of_master() {
    side_by_side(&Ours::BOTH, |ours| {
        let lan = AH.lan()?;
        let (better, worse) = ours.cast();
        let capture = Capture::start(&lan["beta"], "vb0", ADVERTS)?;
        let beta = AH.beta(LOW).start_until(&worse, &lan["beta"], State::Master)?;
        let mark = beta.mark();
        let alpha = AH.alpha(HIGH).start_until(&better, &lan["alpha"], State::Master)?;
        beta.wait_entering_since(mark, VI, State::Backup, SOON)?;
        alpha.stop()?;
        capture.wait_vrrp("beta to follow alpha", SOON, |seen| {
            let tail = seen.iter().rposition(|advert| advert.src.to_string() == "10.9.0.1");
            tail.is_some_and(|last| seen.len() >= last + 3)
        })?;
        let seen = capture.vrrp()?;
        assert!(!from(&seen, "10.9.0.1").is_empty());
        // The one that gives way may answer the takeover before it has heard of it.
        for two in from(&seen, "10.9.0.1").windows(2).chain(from(&seen, "10.9.0.2").windows(2)) {
            assert!(sequence(two[0]) < sequence(two[1]), "{two:?}");
        }
        let last = |sender| from(&seen, sender).pop().map(sequence).expect("an advert");
        assert!(last("10.9.0.2") > last("10.9.0.1"), "beta counted on from alpha's last");
        Ok(())
    });
}

#[test]
fn with_another_key_nobody_is_believed() {
    let cases = [false, true].map(|unicast| Talk { unicast, ..AH });
    side_by_side(&cases, |&talk| {
        let lan = talk.lan()?;
        let other = Talk { password: Some("s3cret98"), ..talk };
        let alpha = talk.alpha(HIGH).start_until(&ours(), &lan["alpha"], State::Master)?;
        let beta = other.beta(LOW).start_until(&Subject::Keepalived, &lan["beta"], State::Master)?;
        wait_refusals(&alpha, "packet from 10.9.0.2 rejected: wrong integrity check")?;
        wait_refusals(&beta, "")?;
        assert_eq!((alpha.entries(VI, State::Backup), beta.entries(VI, State::Backup)), (1, 1));
        Ok(())
    });
}

#[test]
fn who_has_no_authentication_header_is_named() -> Result<()> {
    if is_keepalived("advertisement without authentication header to an instance with `auth_type AH`") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let alpha = AH.alpha(HIGH).start_until(&ours(), &lan["alpha"], State::Master)?;
    let plain = Talk { password: None, header: false, ..AH };
    let beta = plain.beta(LOW).start_until(&Subject::Keepalived, &lan["beta"], State::Master)?;
    alpha.wait_log("packet from 10.9.0.2 rejected: no authentication header", SOON)?;
    assert_eq!((alpha.entries(VI, State::Backup), beta.entries(VI, State::Backup)), (1, 1));
    Ok(())
}

#[test]
fn what_a_dead_master_said_keeps_nobody_from_taking_over() -> Result<()> {
    let lan = Lan::builder()
        .host("alpha", "va0", "10.9.0.1/24")
        .host("beta", "vb0", "10.9.0.2/24")
        .host("gamma", "vg0", "10.9.0.3/24")
        .build()?;
    let capture = Capture::start(&lan["beta"], "vb0", ADVERTS)?;
    let alpha = AH.alpha(HIGH).start_until(&Subject::Keepalived, &lan["alpha"], State::Master)?;
    let beta = AH.beta(LOW).start_until(&ours(), &lan["beta"], State::Backup)?;
    capture.wait_vrrp("three adverts", SOON, |seen| seen.len() >= 3)?;
    let recorded = capture.packets()?;
    alpha.kill9();
    let silent = capture.vrrp()?.pop().expect("an advert").time;
    let injector = Injector::open(&lan["gamma"], "vg0")?;
    let mut next = recorded.iter().cycle();
    wait::until("beta to take over", SOON, || {
        if beta.entries(VI, State::Master) > 0 {
            return Ok(());
        }
        let frame = next.next().map(|packet| packet.bytes.clone()).unwrap_or_default();
        injector.send(&frame).map_err(|error| error.to_string())?;
        Err("still BACKUP".into())
    })?;
    let seen = capture.wait_vrrp("beta's first", SOON, |seen| !from(seen, "10.9.0.2").is_empty())?;
    let waited = from(&seen, "10.9.0.2")[0].time - silent;
    assert!(waited <= AH.master_down(LOW) + LATE + Duration::from_millis(100), "{waited:?}");
    wait_refusals(&beta, "a replay")
}

/// Where an Ethernet frame has the payload of an IPv4 packet without options, and length of the header there.
const PAYLOAD: usize = 14 + 20;
const HEADER: usize = 24;

#[test]
fn garbage_behind_authentication_headers_moves_nobody() -> Result<()> {
    if is_keepalived("lines about packets that are refused") {
        return Ok(());
    }
    let lan = Lan::builder()
        .host("alpha", "va0", "10.9.0.1/24")
        .host("beta", "vb0", "10.9.0.2/24")
        .host("gamma", "vg0", "10.9.0.3/24")
        .build()?;
    let capture = Capture::start(&lan["beta"], "vb0", ADVERTS)?;
    let alpha = AH.alpha(HIGH).start_until(&ours(), &lan["alpha"], State::Master)?;
    let beta = AH.beta(LOW).start_until(&ours(), &lan["beta"], State::Backup)?;
    capture.wait_vrrp("an advert", SOON, |seen| !seen.is_empty())?;
    let original = capture.packets()?[0].bytes[PAYLOAD..].to_vec();
    let altered = |at: usize, byte: u8| {
        let mut payload = original.clone();
        payload[at] = byte;
        payload
    };
    let wrong = "wrong integrity check";
    let garbage = [
        // The sender is covered, and so are sequence number, ICV and priority.
        (original.clone(), Some(wrong)),
        (altered(11, 200), Some(wrong)),
        (altered(23, !original[23]), Some(wrong)),
        (altered(HEADER + 2, 255), Some(wrong)),
        (altered(HEADER + 3, 200), Some("its version and address count ask for")),
        (original[..HEADER + 8].to_vec(), Some("its version and address count ask for")),
        // VRRP without the header, and what names no instance.
        (original[HEADER..].to_vec(), Some("no authentication header")),
        (altered(0, 6), None),
        (altered(1, 5), None),
        (original[..HEADER].to_vec(), None),
        (original[..5].to_vec(), None),
    ];
    let (injector, mac) = (Injector::open(&lan["gamma"], "vg0")?, lan["gamma"].mac("vg0")?);
    let source = |number: usize| [10, 9, 0, 30 + u8::try_from(number).expect("a few")];
    for _ in 0..20 {
        for (number, (payload, says)) in garbage.iter().enumerate() {
            let packet = Ipv4::vrrp(source(number), payload);
            let protocol = if says.is_some_and(|says| says.starts_with("no ")) { 112 } else { 51 };
            injector.send(&Ipv4 { protocol, ..packet }.ethernet(mac))?;
        }
    }
    for router in [&alpha, &beta] {
        for (number, (_, says)) in garbage.iter().enumerate() {
            let [.., last] = source(number);
            let about = format!("packet from 10.9.0.{last} rejected: ");
            let Some(says) = says else { continue };
            let line = router.wait_log(&about, SOON)?;
            assert!(line.contains(says), "{line}; expected: {says}");
        }
        let log = router.log();
        assert_eq!(log.lines().filter(|line| line.contains("rejected")).count(), 7, "{log}");
    }
    let masters = [&alpha, &beta].map(|router| router.entries(VI, State::Master));
    assert_eq!((masters, lan.holders(VIP)), ([1, 0], vec!["alpha".to_owned()]));
    Ok(())
}
