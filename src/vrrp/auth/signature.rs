//! `auth_hmac`: signs advertisements and judges those of others (draft-cassen-vrrp-auth-hmac, keepalived 2.4.3).
//!
//! What is signed: who sends (its address), for which virtual router, the whole message, and when. Not signed are the
//! destination and the hop limit. A receiver looks at what costs nothing before it makes an HMAC.

use std::net::IpAddr;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use thiserror::Error;
use zeroize::Zeroizing;

use super::{
    replay::Marks,
    trailer::{self, HEAD_LEN, HMAC_SHA256_128, MAC_LEN, Sequence, Trailer},
};
use crate::{
    config::{AntiReplay, SignatureMode, Signatures},
    registry::{Counter, SignatureStatus},
    units::{Family, Utc},
    vrrp::packet::field::CHECKSUM,
};

/// The block of SHA-256, and so the length that HMAC fills a key up to.
const BLOCK: usize = 64;

/// What is wrong with a trailer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Flaw {
    /// There is none.
    #[error("it is not signed")]
    Missing,
    /// Another scheme, or reserved bits are not zero.
    #[error("its signature has scheme {scheme} and reserved bits {reserved:#06x}, must be 1 and 0")]
    Malformed {
        /// What was received.
        scheme: u8,
        /// What was received.
        reserved: u16,
    },
    /// Too old, or from the future.
    #[error("it was signed {age} s ago by our clock, {window} s are allowed")]
    Stale {
        /// Negative when it comes from the future.
        age: i32,
        /// How far clocks may differ.
        window: u16,
    },
    /// We do not have the key.
    #[error("it is signed with key {0}, which is not configured here")]
    UnknownKey(u8),
    /// The HMAC is wrong.
    #[error("its signature is wrong: key {0} is another one there, or it was changed on its way")]
    Forged(u8),
    /// The sender has said it before.
    #[error("it was said before: a replay")]
    Replay,
}

impl Flaw {
    /// What it is counted as.
    pub(in crate::vrrp) fn counter(self) -> Counter {
        match self {
            Self::Missing => Counter::SignatureMissing,
            Self::Malformed { .. } => Counter::SignatureMalformed,
            Self::Stale { .. } => Counter::SignatureStale,
            Self::UnknownKey(_) => Counter::SignatureUnknownKey,
            Self::Forged(_) => Counter::SignatureForged,
            Self::Replay => Counter::SignatureReplay,
        }
    }
}

/// The keys of an instance, and what was sent and heard with them.
#[derive(Clone, Debug)]
pub(super) struct Signer {
    keys: Vec<(u8, Hmac<Sha256>)>,
    active: u8,
    anti_replay: AntiReplay,
    mode: SignatureMode,
    sent: Option<Sequence>,
    heard: Marks,
    last: Option<SignatureStatus>,
    /// What was judged right last, until all of the packet is believed.
    judged: Option<(Option<Sequence>, SignatureStatus)>,
}

impl Signer {
    pub(super) fn new(config: &Signatures) -> Self {
        let Signatures { keys, active, anti_replay, mode } = config;
        let keys = keys.iter().map(|key| (key.id, keyed(key.reveal()))).collect();
        Self {
            keys,
            active: *active,
            anti_replay: *anti_replay,
            mode: *mode,
            sent: None,
            heard: Marks::default(),
            last: None,
            judged: None,
        }
    }

    /// The trailer of the next advertisement, one for all its copies; `None` where none is sent. The message's checksum
    /// does not matter.
    pub(super) fn sign(&mut self, utc: Utc, source: IpAddr, message: &[u8]) -> Option<[u8; trailer::LEN]> {
        if self.mode == SignatureMode::ReceiveOnly {
            return None;
        }
        let (_, key) = self.keys.iter().find(|(id, _)| *id == self.active)?;
        let sequence = next(self.sent, utc, self.anti_replay);
        let unsigned =
            Trailer { scheme: HMAC_SHA256_128, key: self.active, reserved: 0, sequence, mac: [0; MAC_LEN] };
        let full = covering(key, source, message, &unsigned.bytes()).finalize().into_bytes();
        let mut mac = [0; MAC_LEN];
        mac.copy_from_slice(&full[..MAC_LEN]);
        self.sent = Some(sequence);
        Some(Trailer { mac, ..unsigned }.bytes())
    }

    /// Judges what a sender says. [`Self::believe`] takes note of it.
    pub(super) fn judge(
        &mut self,
        utc: Utc,
        source: IpAddr,
        message: &[u8],
        bytes: Option<&[u8; trailer::LEN]>,
    ) -> Result<(), Flaw> {
        let Some(bytes) = bytes else { return self.judge_unsigned(source) };
        let trailer = Trailer::parse(bytes);
        let Trailer { scheme, key: id, reserved, sequence, mac } = trailer;
        if scheme != HMAC_SHA256_128 || reserved != 0 {
            return Err(Flaw::Malformed { scheme, reserved });
        }
        let age = sequence.age(utc);
        if let AntiReplay::Time { window } = self.anti_replay
            && age.unsigned_abs() > u32::from(window)
        {
            return Err(Flaw::Stale { age, window });
        }
        let (_, key) = self.keys.iter().find(|(known, _)| *known == id).ok_or(Flaw::UnknownKey(id))?;
        // Compares in constant time.
        let verdict = covering(key, source, message, bytes).verify_truncated_left(&mac);
        verdict.map_err(|_| Flaw::Forged(id))?;
        if self.mark(utc, source).is_some_and(|last| !sequence.is_after(last)) {
            return Err(Flaw::Replay);
        }
        self.judged = Some((Some(sequence), SignatureStatus { sender: source, key: Some(id), age }));
        Ok(())
    }

    fn judge_unsigned(&mut self, source: IpAddr) -> Result<(), Flaw> {
        if self.mode == SignatureMode::Enforce {
            return Err(Flaw::Missing);
        }
        self.judged = Some((None, SignatureStatus { sender: source, key: None, age: 0 }));
        Ok(())
    }

    /// The packet judged last is believed. Not earlier, or a copy with another checksum, which is not signed, could come
    /// before the packet itself and make a replay of it.
    pub(super) fn believe(&mut self) {
        let Some((sequence, status)) = self.judged.take() else { return };
        if let Some(sequence) = sequence {
            self.heard.note(status.sender, sequence);
        }
        self.last = Some(status);
    }

    /// The sender's last sequence, as long as it protects: what is outside of the window can neither be said again, nor
    /// may it keep a sender out whose clock, or ours, was set back.
    fn mark(&self, utc: Utc, source: IpAddr) -> Option<Sequence> {
        self.heard.of(source).filter(|last| match self.anti_replay {
            AntiReplay::Time { window } => last.age(utc).unsigned_abs() <= u32::from(window),
            AntiReplay::Monotonic => true,
        })
    }

    /// How the advertisement believed last was signed.
    pub(super) fn status(&self) -> Option<SignatureStatus> {
        self.last
    }

    /// By how many seconds a sender's clock differs from ours, when that is more than half of what is allowed.
    pub(super) fn alarming_age(&self) -> Option<(i32, u16)> {
        let (AntiReplay::Time { window }, Some(last)) = (self.anti_replay, self.last) else { return None };
        let half = u32::from(window / 2);
        last.key.filter(|_| last.age.unsigned_abs() > half).map(|_| (last.age, window))
    }
}

/// Whether a trailer was made with the key that it names, for this message.
pub(super) fn proves(
    signatures: &Signatures,
    source: IpAddr,
    message: &[u8],
    bytes: &[u8; trailer::LEN],
) -> bool {
    let Trailer { key, mac, .. } = Trailer::parse(bytes);
    let known = signatures.keys.iter().find(|known| known.id == key);
    known.is_some_and(|known| {
        covering(&keyed(known.reveal()), source, message, bytes).verify_truncated_left(&mac).is_ok()
    })
}

/// Makes the HMAC of a trailer anew with the key that it names, if there is one.
pub(super) fn replace(
    signatures: &Signatures,
    source: IpAddr,
    message: &[u8],
    bytes: &mut [u8; trailer::LEN],
) {
    let mac = match signatures.keys.iter().find(|known| known.id == Trailer::parse(bytes).key) {
        Some(known) => covering(&keyed(known.reveal()), source, message, bytes).finalize().into_bytes(),
        None => Default::default(),
    };
    bytes[HEAD_LEN..].copy_from_slice(&mac[..MAC_LEN]);
}

/// The sequence after `sent`: the clock's, or the next one while the clock has not moved on. A clock that was set back is
/// followed when others would no longer accept the old time.
fn next(sent: Option<Sequence>, utc: Utc, anti_replay: AntiReplay) -> Sequence {
    let clock = Sequence::at(utc);
    let Some(sent) = sent else { return clock };
    let is_far_ahead = match anti_replay {
        AntiReplay::Time { window } => i64::from(sent.age(utc)) < -i64::from(window),
        AntiReplay::Monotonic => false,
    };
    if clock.is_after(sent) || is_far_ahead { clock } else { sent.next() }
}

/// HMAC fills a key up with zeros; longer than a block it never is.
fn keyed(key: &[u8]) -> Hmac<Sha256> {
    let mut block = Zeroizing::new([0; BLOCK]);
    for (slot, byte) in block.iter_mut().zip(key) {
        *slot = *byte;
    }
    Hmac::new((&*block).into())
}

/// HMAC over a pseudo header, the message without its checksum, and the trailer without its HMAC.
fn covering(
    key: &Hmac<Sha256>,
    source: IpAddr,
    message: &[u8],
    trailer: &[u8; trailer::LEN],
) -> Hmac<Sha256> {
    let mut pseudo = [0; 20];
    pseudo[0] = match Family::of(source) {
        Family::V4 => 4,
        Family::V6 => 6,
    };
    pseudo[1] = message[0] >> 4;
    pseudo[2] = message[1];
    match source {
        IpAddr::V4(source) => pseudo[4..8].copy_from_slice(&source.octets()),
        IpAddr::V6(source) => pseudo[4..20].copy_from_slice(&source.octets()),
    }
    let mut mac = key.clone();
    mac.update(&pseudo);
    // The checksum is not signed: over IPv6 it covers the trailer.
    mac.update(&message[..CHECKSUM.start]);
    mac.update(&[0; CHECKSUM.end - CHECKSUM.start]);
    mac.update(&message[CHECKSUM.end..]);
    mac.update(&trailer[..HEAD_LEN]);
    mac.update(&[0; MAC_LEN]);
    mac
}

#[cfg(test)]
mod tests;
