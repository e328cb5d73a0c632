//! Who asks in version 3, as the command line says it.

use std::env;

use zeroize::Zeroizing;

use super::Failure;
use crate::{
    cli::{SecurityLevel, UsmOptions},
    snmp_wire::{self, Engine, Level, Passwords, Peer, User},
    usm_protocols::{Authentication, Privacy},
};

/// The fewest characters of a password (RFC 3414 §11.2).
const SHORTEST: usize = 8;

type Password = Zeroizing<String>;

/// A user, whose keys are made for each engine that they are for.
pub(super) struct Credentials {
    pub(super) name: String,
    /// How messages are protected.
    pub(super) level: Level,
    of: snmp_wire::Credentials,
    keys: Passwords,
}

impl Credentials {
    /// What the options say; `None` without a user.
    pub(super) fn read(options: &UsmOptions) -> Result<Option<Self>, Failure> {
        let Some(name) = options.user.clone() else { return Ok(None) };
        let auth = password(options.auth_password.as_deref(), "SNMP_AUTH_PASSWORD")?;
        let privacy = password(options.priv_password.as_deref(), "SNMP_PRIV_PASSWORD")?;
        let level = match options.level {
            Some(SecurityLevel::NoAuthNoPriv) => Level::Plain,
            Some(SecurityLevel::AuthNoPriv) => Level::Signed,
            Some(SecurityLevel::AuthPriv) => Level::Private,
            None if privacy.is_some() => Level::Private,
            None if auth.is_some() => Level::Signed,
            None => Level::Plain,
        };
        if level > Level::Plain && auth.is_none() {
            return Err(Failure::NoAuthPassword);
        }
        if level == Level::Private && privacy.is_none() {
            return Err(Failure::NoPrivPassword);
        }
        let auth = auth.as_ref().map(|password| (options.auth, password.as_str()));
        let privacy = privacy.as_ref().map(|password| (options.privacy, password.as_str()));
        Ok(Some(Self::new(name, level, auth, privacy)))
    }

    pub(super) fn new(
        name: String,
        level: Level,
        auth: Option<(Authentication, &str)>,
        privacy: Option<(Privacy, &str)>,
    ) -> Self {
        let of = snmp_wire::Credentials::new(&name, auth, privacy);
        Self { name, level, of, keys: Passwords::default() }
    }

    /// The user of an engine: some milliseconds of work.
    pub(super) fn user(&mut self, engine: &Engine) -> User {
        self.of.user(engine, &mut self.keys)
    }

    /// An engine elsewhere, of which nothing but its id is known, with this user.
    pub(super) fn peer(&mut self, id: &[u8]) -> Peer {
        let engine = Engine { id: id.to_vec(), boots: 0 };
        let user = self.user(&engine);
        Peer::new(engine, user)
    }
}

/// A password of the command line or of the environment.
fn password(given: Option<&str>, variable: &'static str) -> Result<Option<Password>, Failure> {
    let password = given.map(str::to_owned).or_else(|| env::var(variable).ok()).map(Zeroizing::new);
    if password.as_ref().is_some_and(|password| password.chars().count() < SHORTEST) {
        return Err(Failure::ShortPassword);
    }
    Ok(password)
}
