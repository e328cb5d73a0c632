//! A view and its source of snapshots, which together are a [`Mib`].

use std::cell::RefCell;
use std::sync::Arc;

use super::{Known, View, gaps::Gaps};
use crate::mib::{Change, CommitFailed, Mib, SetError, UndoFailed};
use crate::oid::Oid;
use crate::value::{Value, VarBind};
use crate::wire::ErrorCode;

/// What [`View::serve`] returns.
pub struct Served<S: 'static, F> {
    view: View<S>,
    source: F,
    /// The snapshot handed out last, kept so that its place in memory is no other's, and what is known of it.
    last: RefCell<(Option<Arc<S>>, Known)>,
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
        let (last, known) = &mut *self.last.borrow_mut();
        if !last.as_ref().is_some_and(|last| Arc::ptr_eq(last, &snapshot)) {
            (*last, known.gaps) = (Some(Arc::clone(&snapshot)), Gaps::default());
        }
        snapshot
    }

    fn value(&self, snapshot: &S, oid: &Oid) -> Value {
        self.view.known_value(&mut self.last.borrow_mut().1, snapshot, oid)
    }

    fn next(&self, snapshot: &S, after: &Oid, include: bool, end: Option<&Oid>) -> Option<VarBind> {
        match &mut *self.last.borrow_mut() {
            (Some(last), known) if std::ptr::eq(&raw const **last, snapshot) => {
                self.view.known_next(known, snapshot, after, include, end)
            }
            // A transaction that began before the last one.
            _ => self.view.next(snapshot, after, include, end),
        }
    }

    fn test_set(&self, snapshot: &S, varbinds: &[VarBind]) -> Result<Box<dyn Change>, SetError> {
        let mut changes = Changes::default();
        for (index, VarBind { name, value }) in (1..).zip(varbinds) {
            let tested = match self.view.node_of(&mut self.last.borrow_mut().1, name) {
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
