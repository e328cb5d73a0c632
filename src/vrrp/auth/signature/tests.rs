//! Against the captures of keepalived 2.4.3, and rule by rule.

use std::{net::Ipv4Addr, time::Duration};

use super::*;
use crate::vrrp::{
    ip::Header,
    packet::View,
    testing::{capture, key, signed_at},
};

const SENDER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 0, 1));
const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 0, 2));
const MESSAGE: [u8; 16] = [0x31, 0x33, 0x96, 0x02, 0x00, 0x64, 0x38, 0xee, 10, 9, 0, 100, 10, 9, 0, 101];
const NOW: f64 = 1_000_000_000.0;

impl Signer {
    /// Judges a packet with which nothing else is wrong.
    fn hear(
        &mut self,
        utc: Utc,
        source: IpAddr,
        message: &[u8],
        bytes: Option<&[u8; trailer::LEN]>,
    ) -> Result<(), Flaw> {
        self.judge(utc, source, message, bytes)?;
        self.believe();
        Ok(())
    }
}

fn at(seconds: f64) -> Utc {
    Utc(Duration::from_secs_f64(seconds))
}

fn config(mode: SignatureMode, anti_replay: AntiReplay) -> Signatures {
    Signatures { keys: vec![key(1), key(2)], active: 1, anti_replay, mode }
}

const TIME: AntiReplay = AntiReplay::Time { window: 5 };

fn signer() -> Signer {
    Signer::new(&config(SignatureMode::Enforce, TIME))
}

/// What a router with these rules says at a time.
fn signed(utc: Utc) -> [u8; trailer::LEN] {
    signer().sign(utc, SENDER, &MESSAGE).unwrap()
}

/// The sender, the message and the trailer of a packet, and when it was signed.
fn parts(packet: &[u8]) -> (IpAddr, &[u8], &[u8; trailer::LEN], Utc) {
    let header = Header::parse(packet).unwrap();
    let (message, trailer) = packet[header.length..].split_last_chunk().unwrap();
    let view = View::new(header.family(), message).unwrap();
    assert_eq!(view.expected_len(), message.len());
    (header.source, message, trailer, signed_at(packet))
}

#[test]
fn the_captures_are_believed_and_signed_the_same() {
    for (name, active) in [
        ("ka243_hmac_v2_mcast", 1),
        ("ka243_hmac_v3_mcast", 1),
        ("ka243_hmac_v3_ipv6", 1),
        ("ka243_hmac_v3_unicast", 2),
    ] {
        let packets = capture(name);
        let mut sent = Vec::new();
        let mut ours = Signer::new(&Signatures { active, ..config(SignatureMode::Enforce, TIME) });
        let mut theirs = signer();
        for packet in &packets {
            let (source, message, trailer, utc) = parts(packet);
            // The copies to several peers share a trailer.
            if sent.last() == Some(trailer) {
                continue;
            }
            assert_eq!(theirs.hear(utc, source, message, Some(trailer)), Ok(()), "{name}");
            assert_eq!(ours.sign(utc, source, message).as_ref(), Some(trailer), "{name}");
            assert_eq!(theirs.hear(utc, source, message, Some(trailer)), Err(Flaw::Replay), "{name}");
            sent.push(*trailer);
        }
        assert!(sent.len() >= 3, "{name}: {}", sent.len());
    }
}

#[test]
fn every_bit_but_those_of_the_checksum_is_signed() {
    let trailer = signed(at(NOW));
    for bit in 0..MESSAGE.len() * 8 {
        let mut message = MESSAGE;
        message[bit / 8] ^= 1 << (bit % 8);
        let verdict = signer().hear(at(NOW), SENDER, &message, Some(&trailer));
        assert_eq!(verdict.is_ok(), CHECKSUM.contains(&(bit / 8)), "byte {}", bit / 8);
    }
    for bit in 0..trailer::LEN * 8 {
        let mut altered = trailer;
        altered[bit / 8] ^= 1 << (bit % 8);
        assert!(signer().hear(at(NOW), SENDER, &MESSAGE, Some(&altered)).is_err(), "byte {}", bit / 8);
    }
    let stolen = signer().hear(at(NOW), OTHER, &MESSAGE, Some(&trailer));
    assert_eq!(stolen, Err(Flaw::Forged(1)), "the sender is signed, too");
}

#[test]
fn every_flaw_has_its_name_and_leaves_no_trace() {
    let trailer = Trailer::parse(&signed(at(NOW)));
    let mut ours = signer();
    let mut judged = |trailer: Trailer, utc| ours.hear(utc, SENDER, &MESSAGE, Some(&trailer.bytes()));
    let malformed = Flaw::Malformed { scheme: 2, reserved: 0 };
    assert_eq!(judged(Trailer { scheme: 2, ..trailer }, at(NOW)), Err(malformed));
    let malformed = Flaw::Malformed { scheme: 1, reserved: 1 };
    assert_eq!(judged(Trailer { reserved: 1, ..trailer }, at(NOW)), Err(malformed));
    assert_eq!(judged(Trailer { key: 3, ..trailer }, at(NOW)), Err(Flaw::UnknownKey(3)));
    assert_eq!(judged(Trailer { key: 2, ..trailer }, at(NOW)), Err(Flaw::Forged(2)));
    let later = Trailer { sequence: trailer.sequence.next(), ..trailer };
    assert_eq!(judged(later, at(NOW)), Err(Flaw::Forged(1)));
    assert_eq!(judged(trailer, at(NOW + 6.0)), Err(Flaw::Stale { age: 6, window: 5 }));
    assert_eq!(judged(trailer, at(NOW - 6.0)), Err(Flaw::Stale { age: -6, window: 5 }));
    assert_eq!(judged(trailer, at(NOW + 5.9)), Ok(()), "whole seconds count");
    assert_eq!(judged(trailer, at(NOW)), Err(Flaw::Replay));
    assert_eq!(ours.hear(at(NOW), SENDER, &MESSAGE, None), Err(Flaw::Missing));
}

#[test]
fn no_key_is_ever_printed() {
    let shown = format!("{:?} {:?}", config(SignatureMode::Enforce, TIME), signer());
    assert!(shown.contains("SigningKey(2, ********)"), "{shown}");
    for secret in ["ABCDEF", "65, 66, 67", "1, 2, 3", "0x41"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn each_sender_has_a_sequence_of_its_own() {
    let mut ours = signer();
    let say = |sender, utc| signer().sign(utc, sender, &MESSAGE).unwrap();
    let late = say(SENDER, at(NOW + 1.0));
    assert_eq!(ours.hear(at(NOW), SENDER, &MESSAGE, Some(&late)), Ok(()));
    assert_eq!(ours.hear(at(NOW), OTHER, &MESSAGE, Some(&say(OTHER, at(NOW)))), Ok(()));
    assert_eq!(ours.hear(at(NOW), SENDER, &MESSAGE, Some(&say(SENDER, at(NOW)))), Err(Flaw::Replay));
}

#[test]
fn migration_goes_from_receive_only_over_permissive_to_enforce() {
    let of = |mode| Signer::new(&config(mode, TIME));
    let [enforce, permissive, receive_only] =
        [SignatureMode::Enforce, SignatureMode::Permissive, SignatureMode::ReceiveOnly].map(of);
    let (good, forged) = (signed(at(NOW)), signer().sign(at(NOW), OTHER, &MESSAGE).unwrap());
    for (mut signer, signs, believes_unsigned) in
        [(enforce, true, false), (permissive, true, true), (receive_only, false, true)]
    {
        assert_eq!(signer.sign(at(NOW), SENDER, &MESSAGE).is_some(), signs);
        assert_eq!(signer.hear(at(NOW), SENDER, &MESSAGE, None).is_ok(), believes_unsigned);
        assert_eq!(signer.status().map(|status| status.key), believes_unsigned.then_some(None));
        // What is signed has to be signed right, in every mode.
        assert_eq!(signer.hear(at(NOW), SENDER, &MESSAGE, Some(&forged)), Err(Flaw::Forged(1)));
        assert_eq!(signer.hear(at(NOW), SENDER, &MESSAGE, Some(&good)), Ok(()));
        assert_eq!(signer.status().and_then(|status| status.key), Some(1));
    }
}

#[test]
fn a_new_key_is_used_when_all_have_it() {
    let with = |keys: &[u8], active| {
        let keys = keys.iter().map(|id| key(*id)).collect();
        Signer::new(&Signatures { keys, active, ..config(SignatureMode::Enforce, TIME) })
    };
    let sends = |signer: &mut Signer| signer.sign(at(NOW), SENDER, &MESSAGE).unwrap();
    let (mut old, mut both, mut new) = (with(&[1], 1), with(&[1, 2], 2), with(&[2], 2));
    let (with_old, with_new) = (sends(&mut old), sends(&mut both));
    assert_eq!(both.hear(at(NOW), OTHER, &MESSAGE, Some(&with_old)), Err(Flaw::Forged(1)));
    assert_eq!(both.hear(at(NOW), SENDER, &MESSAGE, Some(&with_old)), Ok(()));
    assert_eq!(new.hear(at(NOW), SENDER, &MESSAGE, Some(&with_old)), Err(Flaw::UnknownKey(1)));
    assert_eq!(new.hear(at(NOW), SENDER, &MESSAGE, Some(&with_new)), Ok(()));
    assert_eq!(old.hear(at(NOW), SENDER, &MESSAGE, Some(&with_new)), Err(Flaw::UnknownKey(2)));
}

#[test]
fn a_sequence_moves_on_whatever_the_clock_does() {
    let clock = |seconds| Sequence::at(at(seconds));
    let sent = Some(clock(NOW));
    assert_eq!(next(None, at(NOW), TIME), clock(NOW));
    assert_eq!(next(sent, at(NOW + 0.1), TIME), clock(NOW + 0.1));
    assert_eq!(next(sent, at(NOW), TIME), clock(NOW).next(), "the clock stands");
    assert_eq!(next(sent, at(NOW - 5.0), TIME), clock(NOW).next(), "others still accept the old time");
    assert_eq!(next(sent, at(NOW - 6.0), TIME), clock(NOW - 6.0), "they would not accept it");
    assert_eq!(next(sent, at(NOW - 6.0), AntiReplay::Monotonic), clock(NOW).next());
}

#[test]
fn a_clock_that_was_set_back_keeps_nobody_out_for_ever() {
    let mut ours = signer();
    let ahead = signed(at(NOW + 5.0));
    assert_eq!(ours.hear(at(NOW), SENDER, &MESSAGE, Some(&ahead)), Ok(()));
    let mended = |seconds| signed(at(NOW + seconds));
    assert_eq!(ours.hear(at(NOW + 1.0), SENDER, &MESSAGE, Some(&mended(1.0))), Err(Flaw::Replay));
    // Ours was wrong: in its new time the old mark protects from nothing.
    assert_eq!(ours.hear(at(NOW - 60.0), SENDER, &MESSAGE, Some(&mended(-60.0))), Ok(()));
}

#[test]
fn without_a_clock_only_the_order_counts() {
    let mut ours = Signer::new(&config(SignatureMode::Enforce, AntiReplay::Monotonic));
    let days = 86_400.0;
    let mut heard = |seconds| ours.hear(at(NOW), SENDER, &MESSAGE, Some(&signed(at(seconds))));
    assert_eq!(heard(NOW - 30.0 * days), Ok(()));
    assert_eq!(heard(NOW - 31.0 * days), Err(Flaw::Replay));
    assert_eq!(heard(NOW + 30.0 * days), Ok(()));
    assert_eq!(heard(NOW), Err(Flaw::Replay));
    assert_eq!(ours.alarming_age(), None);
}

#[test]
fn a_clock_that_drifts_is_told_of_before_it_is_too_late() {
    let mut ours = signer();
    let mut age = |seconds| {
        assert_eq!(ours.hear(at(NOW + seconds), SENDER, &MESSAGE, Some(&signed(at(NOW)))), Ok(()));
        let age = ours.alarming_age();
        ours = signer();
        age
    };
    assert_eq!(age(2.0), None);
    assert_eq!(age(3.0), Some((3, 5)));
    assert_eq!(age(-3.0), Some((-3, 5)));
}
