//! `quorum` and `hysteresis`: how much weight must be alive.

use crate::config::settings::VirtualServer;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// `quorum`.
    pub least: i64,
    /// `hysteresis`.
    pub margin: i64,
}

impl Quorum {
    /// What a virtual server asks for.
    pub fn new(config: &VirtualServer) -> Self {
        Self { least: (*config.quorum).into(), margin: (*config.hysteresis).into() }
    }

    /// The weight at which it is gained.
    pub const fn gained_at(self) -> i64 {
        self.least + self.margin
    }

    /// The weight below which it is lost.
    pub const fn lost_below(self) -> i64 {
        self.least - self.margin
    }

    /// Whether it holds with that weight, given whether it did. With nothing alive it never does.
    pub const fn holds(self, held: bool, weight: i64) -> bool {
        let needed = if held { self.lost_below() } else { self.gained_at() };
        weight > 0 && weight >= needed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_its_ends_it_stays_what_it_is() {
        let quorum = Quorum { least: 3, margin: 1 };
        let holds = |held| (0..6).map(|weight| quorum.holds(held, weight)).collect::<Vec<_>>();
        assert_eq!(holds(true), [false, false, true, true, true, true]);
        assert_eq!(holds(false), [false, false, false, false, true, true]);
    }
}
