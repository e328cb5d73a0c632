//! `auth_hmac`: who signs, who is believed, and what somebody without a key can do.
//!
//! The keepalived of the lab does not know it: that what is sent is what keepalived 2.4.3 sends is told by the captures in
//! `src/vrrp/instance/tests/captures.rs`. Here two of ours talk, and ours beside one that does not sign.

use std::time::Duration;

use lab::{
    Capture, Control, Injector, Lan, Result, Router, State, Subject, clock, frame::Ipv4, pcap::Packet, wait,
};

use crate::world::{
    ADVERTS, LATE, SOON, Setup, Talk, V3, V3_IPV6, VI, VIP, assert_nothing_rejected, assert_steady, from,
    is_keepalived, ours, side_by_side,
};

const HIGH: u8 = 150;
const LOW: u8 = 100;
/// The keys 1 and 2.
const KEYS: [&str; 2] = [
    "key 1 hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    "key 2 ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef",
];
/// Length of a trailer.
const TRAILER: usize = 28;

fn is_out_of_reach() -> bool {
    is_keepalived("`auth_hmac`, `owner_ignore_adverts`")
}

fn block(lines: &str) -> String {
    format!("auth_hmac {{\n    {lines}\n  }}")
}

fn with_both_keys(setup: Setup, active: u8) -> Setup {
    setup.line(block(&format!("{}\n    {}\n    active_key {active}", KEYS[0], KEYS[1])))
}

#[test]
fn two_routers_hand_the_address_over_each_signing_with_a_key_of_its_own() {
    if is_out_of_reach() {
        return;
    }
    let v2 = Talk { version: 2, ..V3 };
    let talks = [v2, V3, V3_IPV6, Talk { version: 2, ..V3_IPV6 }];
    let cases = talks.iter().flat_map(|talk| [false, true].map(|unicast| Talk { unicast, ..*talk }));
    side_by_side(&cases.collect::<Vec<_>>(), |talk| {
        let lan = talk.lan()?;
        let capture = Capture::start(&lan["beta"], "vb0", ADVERTS)?;
        let beta = with_both_keys(talk.beta(LOW), 2).start_until(&ours(), &lan["beta"], State::Master)?;
        let mark = beta.mark();
        let alpha = with_both_keys(talk.alpha(HIGH), 1).start_until(&ours(), &lan["alpha"], State::Master)?;
        beta.wait_entering_since(mark, VI, State::Backup, SOON)?;
        lan.wait_holder(talk.vip(), "alpha", SOON)?;
        let mark = beta.mark();
        alpha.stop()?;
        beta.wait_entering_since(mark, VI, State::Master, SOON)?;
        assert_nothing_rejected(&alpha)?;
        assert_nothing_rejected(&beta)?;
        let keys = talk.senders().map(|sender| {
            let seen = capture.vrrp().unwrap_or_default();
            let key = |message: &[u8]| message[message.len() - TRAILER + 1];
            from(&seen, sender).first().map(|advert| key(&advert.message))
        });
        assert_eq!(keys, [Some(1), Some(2)]);
        Ok(())
    });
}

#[test]
fn who_has_not_the_key_or_does_not_sign_is_not_believed() {
    if is_out_of_reach() {
        return;
    }
    let of = |lines: &str| V3.beta(LOW).line(block(lines));
    let other = "key 1 0123456789012345678901234567890123456789\n    active_key 1";
    let second = format!("{}\n    active_key 2", KEYS[1]);
    let cases = [
        (ours(), of(other), "its signature is wrong: key 1 is another one there"),
        (ours(), of(&second), "it is signed with key 2, which is not configured here"),
        (Subject::Keepalived, V3.beta(LOW), "it is not signed"),
    ];
    side_by_side(&cases, |(beta, setup, says)| {
        let lan = V3.lan()?;
        let signed = V3.alpha(HIGH).line(block(&format!("{}\n    active_key 1", KEYS[0])));
        let alpha = signed.start_until(&ours(), &lan["alpha"], State::Master)?;
        let beta = setup.start_until(beta, &lan["beta"], State::Master)?;
        alpha.wait_log(&format!("packet from 10.9.0.2 rejected: {says}"), SOON)?;
        assert_eq!((alpha.entries(VI, State::Backup), beta.entries(VI, State::Backup)), (1, 1));
        Ok(())
    });
}

#[test]
fn a_router_that_only_receives_gets_along_with_one_that_does_not_sign() -> Result<()> {
    if is_out_of_reach() {
        return Ok(());
    }
    let lan = V3.lan()?;
    let key = lan["alpha"].write("key", &KEYS[0]["key 1 ".len()..])?;
    let lines = format!("key 1 file:{}\n    active_key 1\n    mode receive-only", key.display());
    let alpha = V3.alpha(HIGH).line(block(&lines)).start_until(&ours(), &lan["alpha"], State::Master)?;
    let beta = V3.beta(LOW).start_until(&Subject::Keepalived, &lan["beta"], State::Backup)?;
    let mark = beta.mark();
    alpha.stop()?;
    beta.wait_entering_since(mark, VI, State::Master, SOON)?;
    let alpha = V3.alpha(HIGH).line(block(&lines)).start_until(&ours(), &lan["alpha"], State::Master)?;
    assert_nothing_rejected(&alpha)?;
    assert_nothing_rejected(&beta)
}

/// Who demands no signature gets along with whoever demands one, demands none or does not sign, as long as its own are understood.
#[test]
fn a_permissive_router_believes_who_signs_and_who_does_not() {
    if is_out_of_reach() {
        return;
    }
    let of = |mode: &str| block(&format!("{}\n    active_key 1\n    mode {mode}", KEYS[0]));
    let cases = ["permissive", "enforce", "receive-only"].map(|mode| Some(of(mode)));
    let cases = cases.into_iter().chain([None]).collect::<Vec<_>>();
    side_by_side(&cases, |other| {
        let lan = V3.lan()?;
        let setup = match other {
            Some(lines) => V3.beta(LOW).line(lines.clone()),
            None => V3.beta(LOW),
        };
        let beta = setup.start_until(&ours(), &lan["beta"], State::Master)?;
        let mark = beta.mark();
        let permissive = V3.alpha(HIGH).line(of("permissive"));
        let alpha = permissive.start_until(&ours(), &lan["alpha"], State::Master)?;
        // What is signed means nothing to a router without keys: its neighbour may only receive then.
        if other.is_none() {
            return alpha.wait_log("10.9.0.2 advertises as master", SOON).map(drop);
        }
        beta.wait_entering_since(mark, VI, State::Backup, SOON)?;
        let mark = beta.mark();
        alpha.stop()?;
        beta.wait_entering_since(mark, VI, State::Master, SOON)?;
        let mark = beta.mark();
        let alpha =
            V3.alpha(HIGH).line(of("permissive")).start_until(&ours(), &lan["alpha"], State::Master)?;
        beta.wait_entering_since(mark, VI, State::Backup, SOON)?;
        assert_nothing_rejected(&alpha)?;
        assert_nothing_rejected(&beta)
    });
}

/// A pair of ours that sign, and a third host that has no key.
struct Siege {
    lan: Lan,
    alpha: Router,
    beta: Router,
    injector: Injector,
    capture: Capture,
}

impl Siege {
    fn lay() -> Result<Self> {
        let lan = Lan::builder()
            .host("alpha", "va0", "10.9.0.1/24")
            .host("beta", "vb0", "10.9.0.2/24")
            .host("gamma", "vg0", "10.9.0.3/24")
            .build()?;
        let capture = Capture::start(&lan["beta"], "vb0", ADVERTS)?;
        let alpha = with_both_keys(V3.alpha(HIGH), 1);
        let alpha = alpha.start_until(&ours(), &lan["alpha"], State::Master)?;
        let beta = with_both_keys(V3.beta(LOW), 1).start_until(&ours(), &lan["beta"], State::Backup)?;
        let injector = Injector::open(&lan["gamma"], "vg0")?;
        Ok(Self { lan, alpha, beta, injector, capture })
    }

    /// Frames with advertisements of alpha.
    fn record(&self) -> Result<Vec<Packet>> {
        self.capture.wait_vrrp("adverts of alpha", SOON, |seen| seen.len() >= 3)?;
        self.capture.packets()
    }
}

#[test]
fn what_a_dead_master_signed_keeps_nobody_from_taking_over() -> Result<()> {
    if is_out_of_reach() {
        return Ok(());
    }
    let siege = Siege::lay()?;
    let recorded = siege.record()?;
    let Siege { alpha, beta, injector, capture, .. } = &siege;
    let killed = clock::wall();
    alpha.kill9();
    let mut next = recorded.iter().cycle();
    wait::until("beta to take over", SOON, || {
        let frame = next.next().map(|packet| packet.bytes.clone()).unwrap_or_default();
        injector.send(&frame).map_err(|error| error.to_string())?;
        if beta.entries(VI, State::Master) > 0 { Ok(()) } else { Err("still BACKUP".into()) }
    })?;
    let seen = capture.wait_vrrp("beta's first", SOON, |seen| !from(seen, "10.9.0.2").is_empty())?;
    let silent =
        from(&seen, "10.9.0.1").into_iter().rfind(|advert| advert.time < killed).expect("an advert").time;
    let waited = from(&seen, "10.9.0.2")[0].time.saturating_sub(silent);
    assert!(waited <= V3.master_down(LOW) + LATE + Duration::from_millis(100), "{waited:?}");
    beta.wait_log("packet from 10.9.0.1 rejected: it was said before: a replay", SOON).map(drop)
}

/// How often each forgery is sent, in batches that fit into a socket.
const FLOOD: usize = 400;
const BATCH: usize = 20;
/// Where a message of version 3 with one address ends and its trailer begins.
const SIGNED: usize = 12;

/// What somebody without a key can make of a recorded advertisement, and how it is refused.
fn forgeries(message: &[u8]) -> Vec<(Vec<u8>, &'static str)> {
    assert_eq!(message.len(), SIGNED + TRAILER);
    let altered = |at: usize, byte: u8| {
        let mut message = message.to_vec();
        message[at] = byte;
        message
    };
    vec![
        (altered(SIGNED, 2), "its signature has scheme 2 and reserved bits 0x0000"),
        (altered(SIGNED + 2, 1), "its signature has scheme 1 and reserved bits 0x0100"),
        (altered(SIGNED + 1, 9), "it is signed with key 9, which is not configured here"),
        (altered(SIGNED + 4, 0), "it was signed "),
        (altered(SIGNED + 27, !message[SIGNED + 27]), "its signature is wrong: key 1"),
        // The sender is signed, and so is the priority.
        (message.to_vec(), "its signature is wrong: key 1"),
        (altered(2, 255), "its signature is wrong: key 1"),
        (message[..SIGNED].to_vec(), "it is not signed"),
        (message[..SIGNED + TRAILER - 4].to_vec(), "its version and address count ask for"),
        ([message, &[0; 4]].concat(), "its version and address count ask for"),
    ]
}

#[test]
fn forged_signatures_neither_move_nor_delay_a_router_nor_fill_its_log() -> Result<()> {
    if is_out_of_reach() {
        return Ok(());
    }
    let Siege { lan, alpha, beta, injector, capture } = Siege::lay()?;
    let seen = capture.wait_vrrp("an advert", SOON, |seen| !seen.is_empty())?;
    let mac = lan["gamma"].mac("vg0")?;
    let sources = |number: usize| [10, 9, 0, 30 + u8::try_from(number).expect("a few")];
    let forgeries = forgeries(&seen[0].message);
    let frames: Vec<_> = forgeries
        .iter()
        .enumerate()
        .map(|(number, (message, _))| Ipv4::vrrp(sources(number), message).ethernet(mac))
        .collect();
    let control = Control::start();
    let enough = |more: usize| {
        let before = capture.vrrp().map_or(0, |seen| from(&seen, "10.9.0.1").len());
        capture.wait_vrrp("adverts", SOON, |seen| from(seen, "10.9.0.1").len() >= before + more)
    };
    for round in 0..FLOOD {
        for frame in &frames {
            injector.send(frame)?;
        }
        if round % BATCH == 0 {
            enough(1)?;
        }
    }
    let adverts = enough(3)?;
    assert_steady(&adverts, "10.9.0.1", V3.interval(), LATE / 3, &control.stop());
    for router in [&alpha, &beta] {
        let log = router.log();
        for (number, (_, says)) in forgeries.iter().enumerate() {
            let [.., last] = sources(number);
            let about = format!("packet from 10.9.0.{last} rejected: ");
            let lines: Vec<_> = log.lines().filter(|line| line.contains(&about)).collect();
            assert!(lines.len() == 1 && lines[0].contains(says), "{says}: {lines:?}");
        }
        assert_eq!((router.entries(VI, State::Backup), router.entries(VI, State::Fault)), (1, 0), "{log}");
    }
    assert_eq!(beta.entries(VI, State::Master), 0, "{}", beta.log());
    assert_eq!(lan.holders(VIP), ["alpha"]);
    Ok(())
}
