//! A receiver's engine, as it has been learnt (RFC 3414 §2.3 and §3.2 (7) b).

use std::time::Duration;

use super::super::usm::{Engine, User, WINDOW};

/// An engine that is not ours, and our user with keys for it.
pub(super) struct Peer {
    /// Its boots are 0 until it has said them with a signature.
    pub(super) engine: Engine,
    pub(super) user: User,
    /// Its time, and when that was, by our clock.
    heard: Option<(u32, Duration)>,
}

impl Peer {
    /// One that has only said its id.
    pub(super) fn new(engine: Engine, user: User) -> Self {
        Self { engine, user, heard: None }
    }

    /// Its snmpEngineTime; 0 while it is not known.
    pub(super) fn time(&self, now: Duration) -> u32 {
        self.heard.map_or(0, |(time, at)| time.saturating_add(Engine::time(now.saturating_sub(at))))
    }

    /// Takes the moment of a message that it has signed. Returns whether that is one of now, and no old one said again.
    pub(super) fn hear(&mut self, now: Duration, (boots, time): (i32, i32)) -> bool {
        let (Ok(boots), Ok(time)) = (u32::try_from(boots), u32::try_from(time)) else { return false };
        let expected = self.time(now);
        if boots > self.engine.boots || boots == self.engine.boots && time >= expected {
            self.engine.boots = boots;
            self.heard = Some((time, now));
            return true;
        }
        boots == self.engine.boots && time.saturating_add(WINDOW) >= expected
    }
}
