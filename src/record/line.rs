//! The lines of a recording.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::wipe::Wiper;
use crate::{
    config::{AntiReplay, SignatureMode, Signatures, SigningKey},
    units::Time,
    vrrp::{Action, Auth, Input, Settings, auth::reseal::in_public, hex, packet::AUTH_DATA_LEN},
};

/// The version of the format. Another one is not replayed.
pub const VERSION: u32 = 3;

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`VERSION`].
    pub steadfast_recording: u32,
    /// What wrote it.
    pub program: String,
}

/// Every other line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The router's position among the instances of the configuration.
    pub router: usize,
    /// Which line of that router it is, from 1.
    pub n: u64,
    /// What is told.
    pub event: Event,
}

/// What a line tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The router's settings, its password and keys left out.
    Router {
        /// The settings.
        settings: Box<Settings>,
        /// What it proves its packets with.
        auth: Proof,
    },
    /// Something was handed to its machine.
    Input {
        /// When.
        #[serde(with = "nanoseconds")]
        at: Time,
        /// What.
        input: Input,
    },
    /// The machine was asked for an action and had this one.
    Action(String),
    /// The router is not recorded any more.
    Ended {
        /// Its name.
        name: String,
        /// Why.
        why: String,
    },
    /// The file ends here, and so many lines did not get into it.
    Lost(u64),
}

/// What a router proves its packets with, without the secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// Nothing.
    None,
    /// `auth_type PASS`.
    Password,
    /// `auth_type AH`.
    Header,
    /// `auth_hmac`.
    Signature {
        /// The numbers of the keys.
        keys: Vec<u8>,
        /// The one that it signs with.
        active: u8,
        /// `anti_replay` and `time_window`.
        anti_replay: AntiReplay,
        /// `mode`.
        mode: SignatureMode,
    },
}

impl Proof {
    /// That of a configuration.
    pub(super) fn of(auth: &Auth) -> Self {
        match auth {
            Auth::None => Self::None,
            Auth::Pass(_) => Self::Password,
            Auth::Header(_) => Self::Header,
            Auth::Signed(signatures) => Self::Signature {
                keys: signatures.keys.iter().map(|key| key.id).collect(),
                active: signatures.active,
                anti_replay: signatures.anti_replay,
                mode: signatures.mode,
            },
        }
    }

    /// A configuration that has it, with public secrets.
    pub(super) fn in_public(&self) -> Auth {
        let unset = [0; AUTH_DATA_LEN];
        in_public(&match self {
            Self::None => Auth::None,
            Self::Password => Auth::Pass(unset),
            Self::Header => Auth::Header(unset),
            Self::Signature { keys, active, anti_replay, mode } => {
                let unset = |id: &u8| SigningKey::new(*id, vec![0; *SigningKey::LENGTHS.start()].into());
                Auth::Signed(Box::new(Signatures {
                    keys: keys.iter().filter_map(unset).collect(),
                    active: *active,
                    anti_replay: *anti_replay,
                    mode: *mode,
                }))
            }
        })
    }
}

/// Whether a recording tells an action. Lines about packets depend on how many were rejected before, and not all of
/// those are recorded.
pub(super) fn is_compared(action: &Action) -> bool {
    !matches!(action, Action::Log(log) if log.provoked)
}

/// An action as a recording tells it: packets as bytes, everything else in words.
pub(super) fn told(action: &Action, wiper: &Wiper) -> String {
    let Action::Send(copies) = action else { return format!("{action:?}") };
    let mut text = String::from("Send");
    for copy in copies {
        // Writing to a String cannot fail.
        let _ = write!(text, " {} {}", copy.destination, hex::encode(&wiper.wiped(&copy.packet)));
    }
    text
}

/// A time as its nanoseconds, for serde's `with`.
mod nanoseconds {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::units::Time;

    pub(super) fn serialize<S: Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
        // 2^64 ns are 584 years.
        serializer.serialize_u64(u64::try_from(time.0.as_nanos()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        u64::deserialize(deserializer).map(|count| Time(Duration::from_nanos(count)))
    }
}
