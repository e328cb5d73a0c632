//! A view and its source of snapshots, which together are a [`Mib`].

use std::cell::RefCell;
use std::sync::Arc;

use super::{View, gaps::Gaps};
use crate::mib::{Change, CommitFailed, Mib, SetError, UndoFailed};
use crate::oid::Oid;
use crate::value::{Value, VarBind};
use crate::wire::ErrorCode;

/// What [`View::serve`] returns.
pub struct Served<S: 'static, F> {
    view: View<S>,
    source: F,
    /// The snapshot handed out last, kept so that its place is no other's, and its empty stretches.
    last: RefCell<(Option<Arc<S>>, Gaps)>,
}

impl<S, F> Served<S, F> {
    pub(super) fn new(view: View<S>, source: F) -> Self {
        Self { view, source, last: RefCell::default() }
    }
}

impl<S, F> Mib for Served<S, F>
where
    S: Send + Sync + 'static,
    F: Fn() -> Arc<S> + Send + 'static,
{
    type Snapshot = S;

    fn snapshot(&self) -> Arc<S> {
        let snapshot = (self.source)();
        let mut last = self.last.borrow_mut();
        if !last.0.as_ref().is_some_and(|known| Arc::ptr_eq(known, &snapshot)) {
            *last = (Some(Arc::clone(&snapshot)), Gaps::default());
        }
        snapshot
    }

    fn value(&self, snapshot: &S, oid: &Oid) -> Value {
        self.view.value(snapshot, oid)
    }

    fn next(&self, snapshot: &S, after: &Oid, include: bool, end: Option<&Oid>) -> Option<VarBind> {
        let mut last = self.last.borrow_mut();
        match &mut *last {
            (Some(known), gaps) if std::ptr::eq(&raw const **known, snapshot) => {
                self.view.next_beyond(gaps, snapshot, after, include, end)
            }
            // A transaction that began before the last one.
            _ => self.view.next(snapshot, after, include, end),
        }
    }

    fn test_set(&self, snapshot: &S, varbinds: &[VarBind]) -> Result<Box<dyn Change>, SetError> {
        let mut changes = Changes::default();
        for (index, VarBind { name, value }) in (1..).zip(varbinds) {
            let tested = match self.view.node_of(name) {
                Some(node) => node.test_set(snapshot, name, value),
                None => Err(ErrorCode::NotWritable),
            };
            changes.all.push(tested.map_err(|error| SetError { index, error })?);
        }
        Ok(Box::new(changes))
    }
}

/// The changes of all VarBinds of one SET.
#[derive(Default)]
struct Changes {
    all: Vec<Box<dyn Change>>,
    /// How many of them were committed, or tried: the last may have failed half way.
    committed: usize,
}

impl Change for Changes {
    fn commit(&mut self) -> Result<(), CommitFailed> {
        for change in &mut self.all {
            self.committed += 1;
            change.commit()?;
        }
        Ok(())
    }

    fn undo(&mut self) -> Result<(), UndoFailed> {
        let committed = self.all.get_mut(..self.committed).unwrap_or_default();
        // Every one is taken back, last first, even when another one cannot be.
        let mut outcome = Ok(());
        for change in committed.iter_mut().rev() {
            outcome = change.undo().and(outcome);
        }
        outcome
    }
}
