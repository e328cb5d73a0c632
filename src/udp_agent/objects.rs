//! What is there to be asked for: somebody's MIB and the agent's own objects, as one.

use std::sync::Arc;

use agentx::{Mib, Oid, SetError, Value, VarBind, View, mib::Change, wire::ErrorCode};

use super::{
    access::Subtrees,
    own::{self, Own},
};

/// Both.
pub(super) struct Objects<M: Mib> {
    mib: M,
    own: View<Own>,
}

/// The state that one request is answered from.
pub(super) struct Moment<M: Mib> {
    rows: Arc<M::Snapshot>,
    own: Own,
}

impl<M: Mib> Objects<M> {
    pub(super) fn new(mib: M) -> Self {
        Self { mib, own: own::view() }
    }

    /// The state of now, with what the agent says of itself.
    pub(super) fn moment(&self, own: Own) -> Moment<M> {
        Moment { rows: self.mib.snapshot(), own }
    }

    /// The value of exactly `name`, or an exception.
    pub(super) fn value(&self, moment: &Moment<M>, name: &Oid, seen: &Subtrees) -> Value {
        if !seen.admits(name) {
            return Value::NoSuchObject;
        }
        match self.own.value(&moment.own, name) {
            Value::NoSuchObject => self.mib.value(&moment.rows, name),
            value => value,
        }
    }

    /// The first variable after `name` that is seen and wanted; `None` at the end.
    pub(super) fn next(
        &self,
        moment: &Moment<M>,
        name: &Oid,
        seen: &Subtrees,
        wanted: impl Fn(&Value) -> bool,
    ) -> Option<VarBind> {
        let (mut from, mut include) = (name.clone(), false);
        loop {
            let rows = self.mib.next(&moment.rows, &from, include, None);
            let end = rows.as_ref().map(|found| &found.name);
            let found = self.own.next(&moment.own, &from, include, end).or(rows)?;
            // Each step goes on from a later name.
            if !seen.admits(&found.name) {
                (from, include) = (seen.resume(&found.name)?, true);
            } else if wanted(&found.value) {
                return Some(found);
            } else {
                (from, include) = (found.name, false);
            }
        }
    }

    /// The first phase of a SET. Of the agent's own objects none can be written.
    pub(super) fn test_set(
        &self,
        moment: &Moment<M>,
        varbinds: &[VarBind],
    ) -> Result<Box<dyn Change>, SetError> {
        let is_own = |varbind: &VarBind| self.own.value(&moment.own, &varbind.name) != Value::NoSuchObject;
        if let Some(at) = varbinds.iter().position(is_own) {
            return Err(SetError { index: at + 1, error: ErrorCode::NotWritable });
        }
        self.mib.test_set(&moment.rows, varbinds)
    }
}
