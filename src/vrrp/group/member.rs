//! What passes between a sync group and its members.

use serde::{Deserialize, Serialize};

use crate::registry::{Change, Reason, State};

/// What a group sees of a member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// Its state.
    pub state: State,
    /// Started, but still in INIT: a script has no result yet, or an address is tentative.
    pub is_waiting: bool,
    /// It would be MASTER if it were alone.
    pub ready: bool,
    /// An owner among owners.
    pub begins_as_master: bool,
    /// A fault of its own.
    pub fault: Option<Reason>,
    /// A script of its own has no result yet, or its address is tentative.
    pub pending: bool,
    /// The fault of another member that it was told of.
    pub told_of_fault: Option<Reason>,
    /// It knows that another member waits for such a thing.
    pub told_to_wait: bool,
    /// Why it is in its state.
    pub reason: Option<Reason>,
}

/// What a group orders a member to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Become MASTER, when ready.
    Master,
    /// Leave MASTER: another member did.
    Backup(Reason),
    /// Another member is in FAULT, or (`None`) no other member is any more.
    Fault(Option<Reason>),
    /// Whether another member waits for the first result of a script, or for its address.
    Wait(bool),
    /// Announce the addresses, when MASTER: another member heard a router that should give way.
    Announce,
}

/// What a group wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupAction {
    /// Hand the order to the member of that position.
    Order(usize, Order),
    /// Publish a change of the group's state.
    Transition(Change),
}
