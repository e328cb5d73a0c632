//! What operators have virtual routers do otherwise than they would by themselves, for a time or until it is ended.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::{registry::NotDone, units::Time};

/// What an operator wants of a virtual router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intervention {
    /// It gives way, and takes over again only when nobody else is master.
    StepDown,
    /// This is added to its priority, -253..=253.
    Priority(i16),
    /// It is never MASTER.
    Maintenance,
}

impl Intervention {
    /// Whether one takes the place of the other.
    pub const fn replaces(self, other: Self) -> bool {
        matches!(
            (self, other),
            (Self::StepDown, Self::StepDown)
                | (Self::Priority(_), Self::Priority(_))
                | (Self::Maintenance, Self::Maintenance)
        )
    }
}

impl fmt::Display for Intervention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StepDown => f.write_str("step-down"),
            Self::Priority(by) => write!(f, "priority {by:+}"),
            Self::Maintenance => f.write_str("maintenance"),
        }
    }
}

/// Who asked for it over the control socket, by the kernel's word.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Operator {
    /// User id.
    pub uid: u32,
    /// Process id; `None` from another PID namespace.
    pub pid: Option<i32>,
    /// The user's name; empty where there is none.
    pub name: String,
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { uid, pid, name } = self;
        match pid {
            Some(pid) if name.is_empty() => write!(f, "uid {uid}, pid {pid}"),
            None if name.is_empty() => write!(f, "uid {uid}"),
            Some(pid) => write!(f, "{name} (uid {uid}, pid {pid})"),
            None => write!(f, "{name} (uid {uid})"),
        }
    }
}

/// An intervention that holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// What is wanted.
    pub what: Intervention,
    /// Who wants it.
    pub by: Operator,
    /// Since when.
    pub since: Time,
    /// Until when; `None` until somebody ends it.
    pub until: Option<Time>,
}

/// An intervention on its way to the engine.
#[derive(Debug)]
pub struct Instruction {
    /// Whose behaviour is meant.
    pub whom: Whom,
    /// What is wanted, or no longer.
    pub what: Intervention,
    /// Who wants it.
    pub by: Operator,
    /// For how long.
    pub lasting: Lasting,
    /// Is told the names of the instances that it was done to, or why not; dropped when there is no engine.
    pub done: oneshot::Sender<Result<Vec<String>, String>>,
}

/// Whose behaviour an instruction is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// All instances.
    All,
    /// The instance of that name, else all of the sync group of that name.
    Named(String),
}

/// For how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// For this time.
    For(Duration),
    /// Until somebody ends it.
    UntilEnded,
    /// No longer: it is ended.
    Ended,
}

/// Whoever takes instructions to the engine.
pub trait Instructions: fmt::Debug + Send + Sync {
    /// Gives one to the engine, which says itself what has come of it.
    ///
    /// # Errors
    /// When there is no engine, or too much waits for it already.
    fn give(&self, instruction: Instruction) -> Result<(), NotDone>;
}
