//! The way back up: what an output may ask to be changed while the daemon runs.
//!
//! Data flows out of the engine, and an output changes nothing itself: it gives an order, which the engine carries out as a
//! command, tells of as a transition, and shows in the row. A row takes orders only where the configuration allows it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::units::Priority;

/// A setting of a virtual router that may be another one while it runs, with its new value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// `priority` of a router that is no owner: 1..=254.
    BasePriority(Priority),
    /// Whether it takes over from a master of lower priority: the opposite of `nopreempt`.
    Preempt(bool),
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BasePriority(priority) => write!(f, "priority {priority}"),
            Self::Preempt(true) => f.write_str("preempt"),
            Self::Preempt(false) => f.write_str("nopreempt"),
        }
    }
}

/// Whoever carries orders out.
pub trait Orders: fmt::Debug + Send + Sync {
    /// Gives the virtual router of that index another setting, and returns when its row shows it.
    ///
    /// # Errors
    /// When it is not certain in time that it was done. It may still be done then, before any later order.
    fn carry_out(&self, instance: u32, setting: Setting) -> Result<(), NotDone>;
}

/// An order was not carried out, or not in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the order was not carried out in time")]
pub struct NotDone;
