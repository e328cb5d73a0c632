//! The lines of a recording.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::wipe::wiped;
use crate::{
    units::Time,
    vrrp::{Action, Auth, Input, Settings, hex},
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
    /// The router's settings, its password left out.
    Router {
        /// The settings.
        settings: Box<Settings>,
        /// Whether it has a password (`auth_type PASS`).
        password: bool,
    },
    /// The router is not recorded.
    LeftOut {
        /// Its name.
        name: String,
        /// Why.
        why: String,
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
    /// The file ends here, and so many lines did not get into it.
    Lost(u64),
}

/// Whether a recording tells an action. Lines about packets depend on how many were rejected before, and not all of
/// those are recorded.
pub(super) fn is_compared(action: &Action) -> bool {
    !matches!(action, Action::Log(log) if log.provoked)
}

/// An action as a recording tells it: packets as bytes, everything else in words.
pub(super) fn told(action: &Action, auth: &Auth) -> String {
    let Action::Send(copies) = action else { return format!("{action:?}") };
    let mut text = String::from("Send");
    for copy in copies {
        // Writing to a String cannot fail.
        let _ = write!(text, " {} {}", copy.destination, hex::encode(&wiped(&copy.packet, auth)));
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
