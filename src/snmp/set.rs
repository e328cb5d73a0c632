//! SET: what a manager may change, tested against what makes sense, and given to the engine as an order.
//!
//! An order is carried out at the commit, and the one that takes it back at the undo, when somebody else's part of the same
//! SET has failed. Whether orders are taken at all is the row's business (`snmp_set`).

use std::sync::Arc;

use agentx::{Change, CommitFailed, UndoFailed, Value, wire::ErrorCode};

use crate::{
    config::InitialState,
    registry::{InstanceRow, Setting},
    snmp::Snapshot,
    units::Priority,
};

/// vrrpInstanceBasePriority: 1 to 254. 255 claims the addresses, which only the configuration can.
pub(super) fn base_priority(
    _: &Snapshot,
    row: &Arc<InstanceRow>,
    value: &Value,
) -> Result<Box<dyn Change>, ErrorCode> {
    let Value::Integer(number) = value else { return Err(ErrorCode::WrongType) };
    let priority = u8::try_from(*number).map(Priority).map_err(|_| ErrorCode::WrongValue)?;
    if matches!(priority, Priority::RELEASE | Priority::OWNER) {
        return Err(ErrorCode::WrongValue);
    }
    if row.config.priority == Priority::OWNER {
        return Err(ErrorCode::InconsistentValue);
    }
    order(row, Setting::BasePriority(priority))
}

/// vrrpInstancePreempt: preempt(1), noPreempt(2). An owner preempts always (RFC 9568 §6.1), and so does `state MASTER`.
pub(super) fn preempt(
    _: &Snapshot,
    row: &Arc<InstanceRow>,
    value: &Value,
) -> Result<Box<dyn Change>, ErrorCode> {
    let preempt = match value {
        Value::Integer(1) => true,
        Value::Integer(2) => false,
        Value::Integer(_) => return Err(ErrorCode::WrongValue),
        _ => return Err(ErrorCode::WrongType),
    };
    let always = row.config.priority == Priority::OWNER || row.config.initial_state == InitialState::Master;
    if always && !preempt {
        return Err(ErrorCode::InconsistentValue);
    }
    order(row, Setting::Preempt(preempt))
}

fn order(row: &Arc<InstanceRow>, to: Setting) -> Result<Box<dyn Change>, ErrorCode> {
    if row.orders().is_none() {
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
        self.row.orders().is_some_and(|orders| orders.carry_out(self.row.index, setting).is_ok())
    }
}

impl Change for Order {
    fn commit(&mut self) -> Result<(), CommitFailed> {
        self.before = Some(match self.to {
            Setting::BasePriority(_) => Setting::BasePriority(self.row.base_priority()),
            Setting::Preempt(_) => Setting::Preempt(self.row.preempt()),
        });
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
