//! The way back up: what an output may ask to be changed while the daemon runs.
//!
//! Data flows out of the engine, and an output changes nothing itself: it gives an order, which the engine carries out as a
//! command, tells of as a transition, and shows in the row. A row takes orders only where the configuration allows it.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{rows::Lineage, services::RealServerRow};
use crate::units::Priority;

/// A setting of a virtual router that may be another one while it runs, with its new value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// `priority` of a router that is no owner: 1..=254.
    BasePriority(Priority),
    /// A word that is there or is not.
    Switch(Switch, bool),
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BasePriority(priority) => write!(f, "priority {priority}"),
            Self::Switch(switch, on) => f.write_str(switch.word(*on)),
        }
    }
}

/// Words of an instance that are there or are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    /// Whether it takes over from a master of lower priority: the opposite of `nopreempt`.
    Preempt,
    /// Whether packets to its addresses are taken while it is MASTER.
    Accept,
    /// Whether the first address of a subnet can leave its interface without the others.
    PromoteSecondaries,
    /// Whether its interface is asked for its link (`linkbeat_use_polling`).
    Linkbeat,
    /// Whether its removal is told as DELETED, and not as FAULT.
    NotifyDeleted,
}

impl Switch {
    /// Every one, in the order in which they are declared.
    pub const ALL: [Self; 5] =
        [Self::Preempt, Self::Accept, Self::PromoteSecondaries, Self::Linkbeat, Self::NotifyDeleted];

    /// The word of the configuration for it, or for its opposite.
    pub const fn word(self, on: bool) -> &'static str {
        match (self, on) {
            (Self::Preempt, true) => "preempt",
            (Self::Preempt, false) => "nopreempt",
            (Self::Accept, true) => "accept",
            (Self::Accept, false) => "no_accept",
            (Self::PromoteSecondaries, true) => "promote_secondaries",
            (Self::PromoteSecondaries, false) => "no promote_secondaries",
            (Self::Linkbeat, true) => "linkbeat_use_polling",
            (Self::Linkbeat, false) => "no linkbeat_use_polling",
            (Self::NotifyDeleted, true) => "notify_deleted",
            (Self::NotifyDeleted, false) => "no notify_deleted",
        }
    }
}

/// Which switches orders have put where; the others are where the configuration has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ordered([Option<bool>; Switch::ALL.len()]);

impl Ordered {
    /// Where an order has put it, if any has.
    pub fn get(&self, switch: Switch) -> Option<bool> {
        self.0[switch as usize]
    }

    /// It is where the configuration has it.
    pub fn forget(&mut self, switch: Switch) {
        self.0[switch as usize] = None;
    }

    /// An order has put it there.
    pub fn set(&mut self, switch: Switch, on: bool) {
        self.0[switch as usize] = Some(on);
    }
}

/// Whoever carries orders for virtual routers out.
pub trait Orders: fmt::Debug + Send + Sync {
    /// Gives a virtual router another setting, and returns when its row shows it.
    ///
    /// # Errors
    /// When it is not certain in time that it was done. It may still be done then, before any later order.
    fn carry_out(&self, router: Lineage, setting: Setting) -> Result<(), NotDone>;
}

/// Whoever carries orders for real servers out.
pub trait Weights: fmt::Debug + Send + Sync {
    /// Gives a real server another weight, and returns when its row shows it.
    ///
    /// # Errors
    /// As those of [`Orders::carry_out`].
    fn weigh(&self, server: &Arc<RealServerRow>, weight: i64) -> Result<(), NotDone>;
}

/// An order was not carried out, or not in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the order was not carried out in time")]
pub struct NotDone;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_switch_has_its_own_place_and_words() {
        let mut ordered = Ordered::default();
        for (place, switch) in Switch::ALL.into_iter().enumerate() {
            assert_eq!((switch as usize, ordered.get(switch)), (place, None));
            ordered.set(switch, place % 2 == 0);
            assert_ne!(switch.word(true), switch.word(false));
        }
        let found = Switch::ALL.map(|switch| ordered.get(switch));
        assert_eq!(found, [Some(true), Some(false), Some(true), Some(false), Some(true)]);
    }
}
