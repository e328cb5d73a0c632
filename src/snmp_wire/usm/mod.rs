//! The User-based Security Model (RFC 3414): who is who by passwords, what nobody else reads, and what comes too late.

mod auth;
mod peer;
mod privacy;
mod refusal;

pub use self::auth::Passwords;
pub(crate) use self::{
    peer::Peer,
    refusal::{Refusal, open},
};

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

use zeroize::Zeroizing;

use self::privacy::Salt;
use super::v3::{Incoming, Level};
use crate::usm_protocols::{Authentication, Privacy};

/// How far a message's time may be from ours, in seconds (RFC 3414 §3.2 (7)).
const WINDOW: u32 = 150;
/// A number of boots that cannot be counted on any more: nothing is in time then.
const LATCHED: u32 = 0x7fff_ffff;

/// An id of enterprise 9586, whose other bytes are for it to choose (RFC 3411 §5, SnmpEngineID).
const ENTERPRISE: [u8; 5] = [0x80, 0x00, 0x25, 0x72, 0x05];

/// An SNMP engine: what makes this agent another one than all others, and its past another time than now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Engine {
    /// snmpEngineID, 5 to 32 bytes.
    pub id: Vec<u8>,
    /// snmpEngineBoots: how often it has begun with this id.
    pub boots: u32,
}

/// A user by name and passwords, for keys of any engine.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    name: String,
    auth: Option<(Authentication, Zeroizing<String>)>,
    privacy: Option<(Privacy, Zeroizing<String>)>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl Credentials {
    /// A user who signs with this password, if with any, and only then perhaps encrypts.
    #[must_use]
    pub fn new(name: &str, auth: Option<(Authentication, &str)>, privacy: Option<(Privacy, &str)>) -> Self {
        let secret = |password: &str| Zeroizing::new(password.to_owned());
        Self {
            name: name.to_owned(),
            auth: auth.map(|(auth, password)| (auth, secret(password))),
            privacy: privacy.map(|(privacy, password)| (privacy, secret(password))),
        }
    }

    /// With keys for one engine; those of each new password take some milliseconds.
    pub fn user(&self, engine: &Engine, keys: &mut Passwords) -> User {
        let user = User::new(&self.name);
        let Some((auth, password)) = &self.auth else { return user };
        let privacy = self.privacy.as_ref().map(|(privacy, password)| (*privacy, password.as_str()));
        user.with(engine, keys, (*auth, password), privacy)
    }
}

/// A user, with keys for one engine.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    name: Vec<u8>,
    auth: Option<(Authentication, Zeroizing<Vec<u8>>)>,
    privacy: Option<(Privacy, Zeroizing<Vec<u8>>)>,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").finish_non_exhaustive()
    }
}

impl User {
    /// A user without passwords.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.as_bytes().to_vec(), auth: None, privacy: None }
    }

    /// One who signs, and perhaps encrypts. The keys of each new password take some milliseconds.
    #[must_use]
    pub fn with(
        mut self,
        engine: &Engine,
        keys: &mut Passwords,
        (auth, password): (Authentication, &str),
        privacy: Option<(Privacy, &str)>,
    ) -> Self {
        self.privacy = privacy.map(|(privacy, password)| {
            let key = keys.key(auth, password, &engine.id);
            (privacy, auth.extended(key, privacy.key_length()))
        });
        self.auth = Some((auth, keys.key(auth, password, &engine.id)));
        self
    }

    /// The best that it can.
    pub(crate) fn level(&self) -> Level {
        match (&self.auth, &self.privacy) {
            (None, _) => Level::Plain,
            (Some(_), None) => Level::Signed,
            (Some(_), Some(_)) => Level::Private,
        }
    }

    pub(crate) fn is_named(&self, name: &[u8]) -> bool {
        self.name == name
    }

    pub(crate) fn name(&self) -> &[u8] {
        &self.name
    }

    /// Whether a message is from this user, as it says.
    pub(crate) fn has_signed(&self, message: &Incoming<'_>) -> bool {
        self.auth.as_ref().is_some_and(|(auth, key)| {
            let zeroes = [0; 64];
            let Some(blank) = zeroes.get(..message.signature.len()) else { return false };
            let (before, after) = message.around_signature;
            auth.verify(key, [before, blank, after], message.signature)
        })
    }

    /// Bytes of its signatures.
    pub(crate) fn signature_length(&self) -> usize {
        self.auth.as_ref().map_or(0, |(auth, _)| auth.length())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.auth.as_ref().map_or_else(Vec::new, |(auth, key)| auth.sign(key, [message]))
    }

    pub(crate) fn encrypt(&self, moment: (u32, u32), counter: u64, data: Vec<u8>) -> Option<(Vec<u8>, Salt)> {
        let (privacy, key) = self.privacy.as_ref()?;
        let salt = privacy.salt(moment.0, counter);
        Some((privacy.encrypt(key, moment, salt, data)?, salt))
    }

    pub(crate) fn decrypt(&self, moment: (u32, u32), salt: &[u8], data: &[u8]) -> Option<Vec<u8>> {
        let (privacy, key) = self.privacy.as_ref()?;
        privacy.decrypt(key, moment, salt, data)
    }
}

impl Engine {
    /// An engine of this run alone: nobody has known it before, so it cannot be told what was said before.
    #[must_use]
    pub fn passing() -> Self {
        let random = || RandomState::new().hash_one(()).to_be_bytes();
        let id = ENTERPRISE.into_iter().chain(random()).chain(random()).collect();
        Self { id, boots: 1 }
    }

    /// snmpEngineTime, so long after it has begun.
    pub(crate) fn time(since: Duration) -> u32 {
        u32::try_from(since.as_secs() & u64::from(LATCHED)).unwrap_or(0)
    }

    /// Whether a message is of now (RFC 3414 §3.2 (7) a).
    pub(crate) fn is_timely(&self, now: u32, (boots, time): (i32, i32)) -> bool {
        let (Ok(boots), Ok(time)) = (u32::try_from(boots), u32::try_from(time)) else { return false };
        self.boots != LATCHED && boots == self.boots && time.abs_diff(now) <= WINDOW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_of_now_within_150_seconds_of_the_same_boot() {
        let engine = Engine { id: vec![1; 12], boots: 7 };
        for (boots, time, timely) in [
            (7, 1000, true),
            (7, 850, true),
            (7, 1150, true),
            (7, 849, false),
            (7, 1151, false),
            (6, 1000, false),
            (8, 1000, false),
            (7, -1, false),
        ] {
            assert_eq!(engine.is_timely(1000, (boots, time)), timely, "{boots} {time}");
        }
        let latched = Engine { boots: LATCHED, ..engine };
        assert!(!latched.is_timely(1000, (i32::MAX, 1000)));
    }
}
