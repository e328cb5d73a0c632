//! SET: what a manager may change, tested against what makes sense, and given to the engine as an order.
//!
//! An order is carried out at the commit, and the one that takes it back at the undo, when somebody else's part of the same
//! SET has failed. Nothing may be changed without `snmp_set`, which a reload may put in or take away.

use std::sync::Arc;

use agentx::{Change, CommitFailed, UndoFailed, Value, wire::ErrorCode};

use crate::{
    config::InitialState,
    registry::{InstanceRow, Setting, Switch, VirtualServerRow},
    snmp::Snapshot,
    units::{Priority, Version},
};

type Tested = Result<Box<dyn Change>, ErrorCode>;

/// vrrpInstanceBasePriority: 1 to 254. 255 claims the addresses, which only the configuration can.
pub(super) fn base_priority(snapshot: &Snapshot, row: &Arc<InstanceRow>, value: &Value) -> Tested {
    let Value::Integer(number) = value else { return Err(ErrorCode::WrongType) };
    let priority = u8::try_from(*number).map(Priority).map_err(|_| ErrorCode::WrongValue)?;
    if matches!(priority, Priority::RELEASE | Priority::OWNER) {
        return Err(ErrorCode::WrongValue);
    }
    if row.config.priority == Priority::OWNER {
        return Err(ErrorCode::InconsistentValue);
    }
    order(snapshot, row, Setting::BasePriority(priority))
}

/// vrrpInstancePreempt: preempt(1), noPreempt(2). An owner preempts always (RFC 9568 §6.1), and so does `state MASTER`.
pub(super) fn preempt(snapshot: &Snapshot, row: &Arc<InstanceRow>, value: &Value) -> Tested {
    let always = row.config.priority == Priority::OWNER || row.config.initial_state == InitialState::Master;
    switch(snapshot, row, Switch::Preempt, value, |on| on || !always)
}

/// vrrpInstanceAccept. Version 2 has no accept mode, and an owner takes packets always (RFC 9568 §6.4.3 (6.4.3-6)).
pub(super) fn accept(snapshot: &Snapshot, row: &Arc<InstanceRow>, value: &Value) -> Tested {
    if row.config.version == Version::V2 {
        return Err(ErrorCode::NoCreation);
    }
    let always = row.config.priority == Priority::OWNER;
    switch(snapshot, row, Switch::Accept, value, |on| on || !always)
}

/// vrrpInstancePromoteSecondaries. A link of the instance's own has it set whatever is asked for.
pub(super) fn promote_secondaries(snapshot: &Snapshot, row: &Arc<InstanceRow>, value: &Value) -> Tested {
    let now = row.is_on(Switch::PromoteSecondaries);
    switch(snapshot, row, Switch::PromoteSecondaries, value, |on| on == now || row.config.link.is_none())
}

/// vrrpInstanceUseLinkbeat.
pub(super) fn linkbeat(snapshot: &Snapshot, row: &Arc<InstanceRow>, value: &Value) -> Tested {
    switch(snapshot, row, Switch::Linkbeat, value, |_| true)
}

/// vrrpInstanceNotifyDeleted.
pub(super) fn notify_deleted(snapshot: &Snapshot, row: &Arc<InstanceRow>, value: &Value) -> Tested {
    switch(snapshot, row, Switch::NotifyDeleted, value, |_| true)
}

/// realServerWeight of the server at `place`: what IPVS can hold. While nobody drives the servers there is nobody to weigh
/// them, which is not for ever.
pub(super) fn weight(
    snapshot: &Snapshot,
    row: &Arc<VirtualServerRow>,
    place: usize,
    value: &Value,
) -> Tested {
    let Value::Integer(number) = value else { return Err(ErrorCode::WrongType) };
    if *number < 0 {
        return Err(ErrorCode::WrongValue);
    }
    if !snapshot.global.settings.snmp_set {
        return Err(ErrorCode::NotWritable);
    }
    if row.weights().is_none() {
        return Err(ErrorCode::InconsistentValue);
    }
    Ok(Box::new(Weighing { row: Arc::clone(row), place, to: i64::from(*number), before: None }))
}

/// One of two words, first(1) and second(2), where what is asked for `makes_sense`.
fn switch(
    snapshot: &Snapshot,
    row: &Arc<InstanceRow>,
    switch: Switch,
    value: &Value,
    makes_sense: impl FnOnce(bool) -> bool,
) -> Tested {
    let on = match value {
        Value::Integer(1) => true,
        Value::Integer(2) => false,
        Value::Integer(_) => return Err(ErrorCode::WrongValue),
        _ => return Err(ErrorCode::WrongType),
    };
    if !makes_sense(on) {
        return Err(ErrorCode::InconsistentValue);
    }
    order(snapshot, row, Setting::Switch(switch, on))
}

fn order(snapshot: &Snapshot, row: &Arc<InstanceRow>, to: Setting) -> Tested {
    if !snapshot.global.settings.snmp_set || row.orders().is_none() {
        return Err(ErrorCode::NotWritable);
    }
    Ok(Box::new(Order { row: Arc::clone(row), to, before: None }))
}

/// A change that was tested.
struct Order {
    row: Arc<InstanceRow>,
    to: Setting,
    /// What held before the commit.
    before: Option<Setting>,
}

impl Order {
    fn give(&self, setting: Setting) -> bool {
        self.row.orders().is_some_and(|orders| orders.carry_out(self.row.lineage(), setting).is_ok())
    }
}

impl Change for Order {
    fn commit(&mut self) -> Result<(), CommitFailed> {
        self.before = Some(self.row.setting_like(self.to));
        if self.give(self.to) { Ok(()) } else { Err(CommitFailed) }
    }

    // Also of an order that was not carried out in time: it may have been since, and this one comes after it.
    fn undo(&mut self) -> Result<(), UndoFailed> {
        match self.before.take() {
            Some(before) if !self.give(before) => Err(UndoFailed),
            _ => Ok(()),
        }
    }
}

/// A weight that was tested.
struct Weighing {
    row: Arc<VirtualServerRow>,
    /// Of the server, among the real servers.
    place: usize,
    to: i64,
    /// What it was before the commit.
    before: Option<i64>,
}

impl Weighing {
    fn give(&self, weight: i64) -> bool {
        let (Some(server), Some(weights)) = (self.row.servers.get(self.place), self.row.weights()) else {
            return false;
        };
        weights.weigh(server, weight).is_ok()
    }
}

impl Change for Weighing {
    fn commit(&mut self) -> Result<(), CommitFailed> {
        self.before = self.row.weight(self.place);
        if self.give(self.to) { Ok(()) } else { Err(CommitFailed) }
    }

    // As above.
    fn undo(&mut self) -> Result<(), UndoFailed> {
        match self.before.take() {
            Some(before) if !self.give(before) => Err(UndoFailed),
            _ => Ok(()),
        }
    }
}
