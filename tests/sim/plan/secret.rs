//! What the instances of a virtual router prove their advertisements with, as operators would have configured them: alike
//! on all hosts, in the middle of a change of the key, in the middle of an introduction, or wrongly.

use std::iter;

use steadfast::{
    config::{AntiReplay, SignatureMode, Signatures, SigningKey},
    units::{Family, Version},
    vrrp::Auth,
};

use crate::random::Random;

/// The password of everybody who has one.
const PASSWORD: [u8; 8] = *b"s3cret99";

/// The authentication of a virtual router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secret {
    None,
    /// `auth_type PASS`
    Password,
    /// `auth_type AH`
    Header,
    /// `auth_hmac`
    Signed(AntiReplay, Stage),
}

/// How far the operator has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Everybody signs with the one key, and demands it.
    Done,
    /// Everybody has both keys, and signs with either one.
    Rotation,
    /// Nobody demands a signature, some sign.
    Introduction,
    /// Everybody signs, some demand it.
    Enforcement,
    /// Some lack the second key, which others sign with already, or do not sign where others demand it.
    Mistake,
}

impl Secret {
    pub(super) fn new(random: &mut Random, version: Version, family: Family) -> Self {
        match (version, family) {
            (Version::V2, Family::V4) => match random.below(10) {
                0..3 => Self::Password,
                3..6 => Self::Header,
                6..8 => Self::signed(random),
                _ => Self::None,
            },
            // There is no other authentication than signatures.
            _ if random.percent(30) => Self::signed(random),
            _ => Self::None,
        }
    }

    fn signed(random: &mut Random) -> Self {
        let time = |window| AntiReplay::Time { window };
        let anti_replay = random.pick(&[time(2), time(5), time(10), AntiReplay::Monotonic]);
        let stages = [Stage::Done, Stage::Done, Stage::Rotation, Stage::Introduction, Stage::Enforcement];
        let stage = if random.percent(8) { Stage::Mistake } else { random.pick(&stages) };
        Self::Signed(anti_replay, stage)
    }

    /// What a host is configured with, from one start to the next.
    pub(crate) fn auth(self, random: &mut Random, version: Version) -> Auth {
        use SignatureMode::{Enforce, Permissive, ReceiveOnly};
        let (anti_replay, stage) = match self {
            Self::None => return Auth::None,
            // Version 3 has no such thing.
            Self::Password | Self::Header if version == Version::V3 => return Auth::None,
            Self::Password => return Auth::Pass(PASSWORD),
            Self::Header => return Auth::Header(PASSWORD),
            Self::Signed(anti_replay, stage) => (anti_replay, stage),
        };
        let (keys, active, mode) = match stage {
            Stage::Done => (&[1][..], 1, Enforce),
            Stage::Rotation => (&[1, 2][..], random.pick(&[1, 2]), Enforce),
            Stage::Introduction => (&[1][..], 1, random.pick(&[Permissive, ReceiveOnly])),
            Stage::Enforcement => (&[1][..], 1, random.pick(&[Permissive, Enforce])),
            Stage::Mistake => {
                random.pick(&[(&[1][..], 1, Enforce), (&[1, 2][..], 2, Enforce), (&[1][..], 1, ReceiveOnly)])
            }
        };
        let keys = keys.iter().filter_map(|id| {
            let secret = iter::repeat_n(*id, *SigningKey::LENGTHS.start()).collect::<Vec<u8>>();
            SigningKey::new(*id, secret.into())
        });
        Auth::Signed(Box::new(Signatures { keys: keys.collect(), active, anti_replay, mode }))
    }
}
