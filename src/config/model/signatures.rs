//! `auth_hmac`: how advertisements are signed, and whose signatures count.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The keys of an instance and what is done with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signatures {
    /// `key`: at least one, each with a number of its own.
    pub keys: Vec<SigningKey>,
    /// `active_key`: the number of the one that advertisements are signed with.
    pub active: u8,
    /// `anti_replay` and `time_window`.
    pub anti_replay: AntiReplay,
    /// `mode`.
    pub mode: SignatureMode,
}

/// How a signature that was heard before is told from a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AntiReplay {
    /// `time`: the sender's clock may differ from ours by so many seconds, 1..=300.
    Time {
        /// `time_window`.
        window: u16,
    },
    /// `monotonic`: it only has to move on.
    Monotonic,
}

/// The `mode` keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureMode {
    /// Sign, and believe nobody who does not.
    Enforce,
    /// Sign, and believe also who does not.
    Permissive,
    /// Do not sign, and believe also who does not.
    ReceiveOnly,
}

/// A key. Its memory is wiped when it is given back, and nothing prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// The number that advertisements name it by, 1..=255.
    pub id: u8,
    secret: Zeroizing<Vec<u8>>,
}

impl SigningKey {
    /// Lengths that a key may have, in bytes.
    pub const LENGTHS: std::ops::RangeInclusive<usize> = 32..=64;

    /// A key of these bytes; `None` when they are too few or too many.
    pub fn new(id: u8, secret: Zeroizing<Vec<u8>>) -> Option<Self> {
        Self::LENGTHS.contains(&secret.len()).then_some(Self { id, secret })
    }

    /// Its bytes.
    pub fn reveal(&self) -> &[u8] {
        &self.secret
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, ********)", self.id)
    }
}
