//! What happens in a pool, in keepalived's words.

use std::fmt;

use super::Quorum;
use crate::config::settings::Names;

/// Something that has happened in a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A server is up or down: a transition.
    Server {
        /// Its place among the real servers, from 0.
        place: usize,
        /// From where to where.
        change: Move,
        /// Whether it stays in the kernel's table with weight 0 while it is down.
        inhibited: bool,
    },
    /// The quorum was gained or lost: a transition.
    Quorum {
        /// From where to where.
        change: Move,
        /// What is asked for.
        quorum: Quorum,
        /// The weight of the servers that are alive.
        weight: i64,
    },
    /// The sorry server comes or goes.
    Sorry {
        /// It serves now.
        serves: bool,
        /// It stays in the kernel's table with weight 0 while it does not serve.
        inhibited: bool,
    },
    /// A server has another weight.
    Weight {
        /// Its place among the real servers, from 0.
        place: usize,
        /// The weight before.
        from: u32,
        /// The weight after.
        to: u32,
        /// Whether it is alive.
        alive: bool,
    },
}

/// From where to where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Up, from down or from nothing known.
    Up {
        /// Nothing was known before.
        first: bool,
    },
    /// Down, from up or from nothing known.
    Down {
        /// Nothing was known before.
        first: bool,
    },
    /// Down, because the daemon stops.
    Stop,
    /// Down, because a reload has removed it.
    Gone,
}

impl Move {
    /// Whether it is up after it.
    pub const fn is_up(self) -> bool {
        matches!(self, Self::Up { .. })
    }
}

/// An event beside the names of its pool, as a line of the log.
pub(super) struct Line<'a>(pub(super) &'a Event, pub(super) &'a Names);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(event, names) = self;
        let service = &names.service;
        let of = |place: &usize| names.servers.get(*place).map_or("", String::as_str);
        match event {
            Event::Server { place, change, inhibited } => {
                let server = of(place);
                match (change, inhibited) {
                    (Move::Up { .. }, false) => write!(f, "Adding service {server} to VS {service}"),
                    (Move::Up { .. }, true) => write!(f, "Enabling service {server} of VS {service}"),
                    (Move::Down { .. }, false) | (Move::Gone, _) => {
                        write!(f, "Removing service {server} from VS {service}")
                    }
                    (Move::Down { .. }, true) => write!(f, "Disabling service {server} of VS {service}"),
                    (Move::Stop, _) => write!(f, "Shutting down service {server} from VS {service}"),
                }
            }
            Event::Quorum { change: Move::Stop, .. } => write!(f, "Shutting down VS {service}"),
            Event::Quorum { change: Move::Gone, .. } => write!(f, "Removing Virtual Server {service}"),
            Event::Quorum { change, quorum, weight } => {
                let Quorum { least, margin } = *quorum;
                let (up, down) = (quorum.gained_at(), quorum.lost_below());
                match change {
                    Move::Up { .. } => {
                        write!(f, "Gained quorum {least}+{margin}={up} <= {weight} for VS {service}")
                    }
                    Move::Down { first: true } => {
                        write!(
                            f,
                            "Starting with quorum down {least}-{margin}={down} > {weight} for VS {service}"
                        )
                    }
                    _ => write!(f, "Lost quorum {least}-{margin}={down} > {weight} for VS {service}"),
                }
            }
            Event::Sorry { serves, inhibited } => {
                let sorry = names.sorry.as_deref().unwrap_or_default();
                let (verb, word) = match (serves, inhibited) {
                    (true, false) => ("Adding", "to"),
                    (false, false) => ("Removing", "from"),
                    (true, true) => ("Enabling", "to"),
                    (false, true) => ("Disabling", "from"),
                };
                write!(f, "{verb} sorry server {sorry} {word} VS {service}")
            }
            Event::Weight { place, from, to, alive } => {
                let (server, how) = (of(place), if *alive { "active" } else { "inactive" });
                write!(f, "Changing weight from {from} to {to} for {how} service {server} of VS {service}")
            }
        }
    }
}
