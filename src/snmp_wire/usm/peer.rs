//! An authoritative engine elsewhere, and what is known of its time (RFC 3414 §2.3).

use std::time::Duration;

use super::{Engine, LATCHED, User, WINDOW};

/// An engine that is not ours, and our user with keys for it.
pub(crate) struct Peer {
    /// Its boots are 0 until it has said them with a signature.
    pub(crate) engine: Engine,
    pub(crate) user: User,
    /// The latest time that it has said, and when that was by our clock.
    heard: Option<(u32, Duration)>,
}

impl Peer {
    /// One that has only said its id.
    pub(crate) fn new(engine: Engine, user: User) -> Self {
        Self { engine, user, heard: None }
    }

    /// Its snmpEngineTime now; 0 while it is not known.
    pub(crate) fn time(&self, now: Duration) -> u32 {
        let Some((time, at)) = self.heard else { return 0 };
        time.saturating_add(Engine::time(now.saturating_sub(at))).min(LATCHED)
    }

    /// Takes the moment of a message that it has signed. Returns whether that is one of now, and no old one said again
    /// (RFC 3414 §3.2 (7) b).
    pub(crate) fn hears(&mut self, now: Duration, (boots, time): (i32, i32)) -> bool {
        let (Ok(boots), Ok(time)) = (u32::try_from(boots), u32::try_from(time)) else { return false };
        if boots == LATCHED {
            return false;
        }
        let latest = self.heard.map(|(time, _)| (self.engine.boots, time));
        if latest.is_none_or(|latest| (boots, time) > latest) {
            self.engine.boots = boots;
            self.heard = Some((time, now));
            return true;
        }
        boots == self.engine.boots && time.saturating_add(WINDOW) >= self.time(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_signed_long_ago_is_not_believed() {
        let at = Duration::from_secs;
        let mut peer = Peer::new(Engine { id: vec![1; 8], boots: 0 }, User::new("nms"));
        assert_eq!(peer.time(at(10)), 0);
        assert!(peer.hears(at(10), (3, 100)));
        assert_eq!((peer.engine.boots, peer.time(at(70))), (3, 160));
        assert!(peer.hears(at(160), (3, 100)), "150 seconds late");
        assert!(!peer.hears(at(161), (3, 100)), "one more");
        assert!(!peer.hears(at(10), (2, 9999)), "of an earlier boot");
        assert!(peer.hears(at(200), (4, 0)), "it has begun anew");
        assert_eq!(peer.time(at(205)), 5);
        assert!(!peer.hears(at(200), (i32::MAX, 0)) && !peer.hears(at(200), (-1, 0)));
    }
}
