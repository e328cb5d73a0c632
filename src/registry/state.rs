//! The state of a virtual router as outputs name and number it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// State of a `vrrp_instance`, with the two that only a transition can show; of a virtual server and its real servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not started.
    #[default]
    Init,
    /// Listening to a master, ready to take over.
    Backup,
    /// Holding the virtual addresses.
    Master,
    /// Unable to take part; the reason is in the instance's status.
    Fault,
    /// The daemon stopped (transitions only).
    Stop,
    /// A reload removed the instance (transitions only).
    Deleted,
    /// A real server may serve; a virtual server has its quorum.
    Up,
    /// It may not; it has not.
    Down,
}

impl State {
    /// The word that notify scripts, FIFOs and logs use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Init => "INIT",
            Self::Backup => "BACKUP",
            Self::Master => "MASTER",
            Self::Fault => "FAULT",
            Self::Stop => "STOP",
            Self::Deleted => "DELETED",
            Self::Up => "UP",
            Self::Down => "DOWN",
        }
    }

    /// KEEPALIVED-MIB's VrrpState in a notification: stop is shutdown(5). Servers have objects of their own for theirs, which
    /// are alive(1) and dead(2), met(1) and notMet(2).
    pub const fn notified(self) -> i32 {
        match self {
            Self::Init => 0,
            Self::Backup | Self::Up => 1,
            Self::Master | Self::Down => 2,
            Self::Fault => 3,
            Self::Stop => 5,
            Self::Deleted => 6,
        }
    }

    /// KEEPALIVED-MIB's VrrpState in a GET: only 0 to 3, and unknown(4) in the short time of leaving,
    /// because consumers know no other value there.
    pub const fn shown(self) -> i32 {
        match self {
            Self::Stop | Self::Deleted => 4,
            live => live.notified(),
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_get_never_shows_the_values_of_leaving() {
        for state in [State::Init, State::Backup, State::Master, State::Fault, State::Stop, State::Deleted] {
            assert!((0..=4).contains(&state.shown()), "{state}");
        }
        assert_eq!(State::Stop.notified(), 5);
    }
}
