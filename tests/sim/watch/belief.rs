//! Whom a router has to believe, once more from outside: by the bytes of a packet, at their places, and by what was said
//! before (RFC 2402 §3.4.3, draft-cassen-vrrp-auth-hmac). Codes are not made again: whether a packet was changed on its way
//! the wire knows.

use std::{collections::BTreeMap, net::IpAddr};

use steadfast::{
    config::{AntiReplay, SignatureMode},
    units::{Priority, Time, Utc, Version},
    vrrp::{Auth, Settings},
};

use super::claim::{Claim, message};

/// What a router knows that decides about an intact packet.
#[derive(Debug, Default)]
pub(crate) struct Belief {
    version: u8,
    /// An owner that hears nobody.
    pub(super) ignores_all: bool,
    proof: Proof,
    /// What the wall clock showed at a moment.
    clock: (Time, Utc),
}

#[derive(Debug, Default)]
enum Proof {
    /// Whoever has the password, if there is one, is believed.
    #[default]
    Open,
    /// The last sequence number, whoever sent it.
    Header(u32),
    Signed(Signed),
}

#[derive(Debug)]
struct Signed {
    keys: Vec<u8>,
    active: u8,
    window: Option<u16>,
    signs: bool,
    demands: bool,
    /// The last sequence of each sender, and our own.
    heard: BTreeMap<IpAddr, u64>,
    sent: Option<u64>,
}

impl Belief {
    pub(crate) fn new(settings: &Settings) -> Self {
        let proof = match &settings.auth {
            Auth::None | Auth::Pass(_) => Proof::Open,
            Auth::Header(_) => Proof::Header(0),
            Auth::Signed(signatures) => Proof::Signed(Signed {
                keys: signatures.keys.iter().map(|key| key.id).collect(),
                active: signatures.active,
                window: match signatures.anti_replay {
                    AntiReplay::Time { window } => Some(window),
                    AntiReplay::Monotonic => None,
                },
                signs: signatures.mode != SignatureMode::ReceiveOnly,
                demands: signatures.mode == SignatureMode::Enforce,
                heard: BTreeMap::new(),
                sent: None,
            }),
        };
        let version = if settings.version == Version::V2 { 2 } else { 3 };
        let ignores_all = settings.policy.owner_ignore_adverts && settings.is_owner();
        Self { version, ignores_all, proof, clock: (Time::default(), Utc::default()) }
    }

    pub(super) fn set_clock(&mut self, now: Time, utc: Utc) {
        self.clock = (now, utc);
    }

    fn utc(&self, now: Time) -> Utc {
        let (then, utc) = self.clock;
        Utc(utc.0 + now.since(then))
    }

    /// Whether an intact packet proves who sent it; what it says then cannot be said again.
    pub(super) fn proves(&mut self, now: Time, packet: &[u8]) -> bool {
        let utc = self.utc(now);
        if message(packet)[0] >> 4 != self.version {
            return false;
        }
        match &mut self.proof {
            Proof::Open => true,
            Proof::Header(last) => {
                let number = number(packet);
                let is_new = number > *last;
                *last = number.max(*last);
                is_new
            }
            Proof::Signed(signed) => {
                let source = Claim::of(packet).source;
                let Some((key, sequence)) = signature(packet) else { return !signed.demands };
                let is_believed = signed.accepts(utc, source, (key, sequence));
                if is_believed {
                    signed.heard.insert(source, sequence);
                }
                is_believed
            }
        }
    }

    /// It has sent this packet.
    pub(super) fn note_sent(&mut self, packet: &[u8]) {
        match &mut self.proof {
            Proof::Open => {}
            Proof::Header(last) => *last = number(packet),
            Proof::Signed(signed) => signed.sent = signature(packet).map(|(_, sequence)| sequence),
        }
    }

    /// As MASTER it has heard a worse one, whose next number must not be its own.
    pub(super) fn note_worse(&mut self) {
        if let Proof::Header(last) = &mut self.proof {
            *last += 1;
        }
    }

    /// As MASTER it did not believe an intact packet. When that is of a worse router that counts in step with it, it leaves a
    /// number out, to be believed itself.
    pub(super) fn note_doubted(&mut self, ours: (Priority, IpAddr), packet: &[u8]) {
        let Proof::Header(last) = &mut self.proof else { return };
        if message(packet)[0] >> 4 != self.version {
            return;
        }
        let claim = Claim::of(packet);
        let is_worse = claim.priority != Priority::RELEASE && (claim.priority, claim.source) < ours;
        if is_worse && number(packet) + 1 >= *last {
            *last += 1;
        }
    }

    /// Whether it will believe what another router says next, if that says it now.
    pub(crate) fn trusts(&self, now: Time, other: &Self, (source, others_now): (IpAddr, Time)) -> bool {
        if self.version != other.version || self.ignores_all {
            return false;
        }
        match (&self.proof, &other.proof) {
            // Whose number is too low learns the right one from an advertisement of the other.
            (Proof::Open, Proof::Open) | (Proof::Header(_), Proof::Header(_)) => true,
            (Proof::Signed(ours), Proof::Signed(theirs)) if theirs.signs => {
                let said = (theirs.active, theirs.next(other.utc(others_now)));
                ours.accepts(self.utc(now), source, said)
            }
            (Proof::Signed(ours), Proof::Signed(_)) => !ours.demands,
            _ => false,
        }
    }
}

impl Signed {
    fn accepts(&self, utc: Utc, source: IpAddr, (key, sequence): (u8, u64)) -> bool {
        let is_near = |sequence: u64| {
            self.window.is_none_or(|window| seconds(utc).abs_diff(sequence >> 32) <= u64::from(window))
        };
        // What is outside of the window is no longer remembered.
        let last = self.heard.get(&source).filter(|last| is_near(**last));
        self.keys.contains(&key) && is_near(sequence) && last.is_none_or(|last| sequence > *last)
    }

    /// The sequence that it sends at a time.
    fn next(&self, utc: Utc) -> u64 {
        let fraction = (u64::from(utc.0.subsec_nanos()) << 16) / 1_000_000_000;
        let clock = seconds(utc) << 32 | fraction << 16;
        let Some(sent) = self.sent else { return clock };
        let is_far = |window| (sent >> 32).saturating_sub(seconds(utc)) > u64::from(window);
        if clock > sent || self.window.is_some_and(is_far) { clock } else { sent + 1 }
    }
}

fn seconds(utc: Utc) -> u64 {
    utc.0.as_secs()
}

/// The sequence number of an authentication header behind an IPv4 header.
fn number(packet: &[u8]) -> u32 {
    u32::from_be_bytes(packet[28..32].try_into().expect("four bytes"))
}

/// The key and the sequence of the trailer behind the message, if there is one.
fn signature(packet: &[u8]) -> Option<(u8, u64)> {
    let message = message(packet);
    // Only version 2 over IPv4 has a place for a password.
    let (address, password) = match (packet[0] >> 4, message[0] >> 4) {
        (6, _) => (16, 0),
        (_, 2) => (4, 8),
        _ => (4, 0),
    };
    let trailer = &message[8 + usize::from(message[3]) * address + password..];
    let sequence = trailer.get(4..12)?.try_into().expect("eight bytes");
    Some((trailer[1], u64::from_be_bytes(sequence)))
}
