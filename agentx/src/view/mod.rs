//! A MIB declared as data: scalars and tables as sorted lists of columns with a name, a syntax, an access and a
//! getter each.
//!
//! A [`View<S>`] reads from a snapshot `S` of the user's choice. Because the declaration is data, a test can
//! hold it against the MIB file object by object ([`View::objects`]), and Get and GetNext are one search
//! among the objects and one among the rows: O(log n) with 10 or 100,000 rows.
//!
//! It is not a code generator and knows no textual conventions: a getter returns a [`Value`].

mod gaps;
mod node;
mod object;
mod seek;
mod served;
#[cfg(test)]
mod tests;

use gaps::Gaps;
use node::Node;
pub use object::{Access, Column, Index, Object, Scalar, Seek, Syntax, Table, Write};
pub use seek::{seek_sorted, seek_sorted_by};
pub use served::Served;

use crate::oid::Oid;
use crate::value::{Value, VarBind};

/// Scalars and tables over snapshots of type `S`, sorted by name.
pub struct View<S: 'static> {
    nodes: Vec<Box<dyn Node<S>>>,
}

/// What earlier requests leave for the next one.
#[derive(Debug, Default)]
struct Known {
    /// The empty stretches of one snapshot.
    gaps: Gaps,
    /// The place of the object asked for last: a walk asks for each a thousand times.
    place: usize,
}

impl<S: 'static> Default for View<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: 'static> std::fmt::Debug for View<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.nodes.iter().map(|node| node.root())).finish()
    }
}

impl<S: 'static> View<S> {
    /// A view without objects.
    #[must_use]
    pub fn new() -> Self {
        Self { nodes: Vec::new() }
    }

    /// Adds a scalar.
    ///
    /// # Panics
    /// When its OID overlaps an object that is already there: a mistake in the program's own declaration.
    #[must_use]
    pub fn scalar(self, scalar: &'static Scalar<S>) -> Self {
        self.insert(Box::new(node::ScalarNode::new(scalar)))
    }

    /// Adds every one of `scalars`.
    ///
    /// # Panics
    /// As [`View::scalar`].
    #[must_use]
    pub fn scalars(self, scalars: &'static [Scalar<S>]) -> Self {
        scalars.iter().fold(self, Self::scalar)
    }

    /// Adds a table.
    ///
    /// # Panics
    /// When its OID overlaps an object that is already there, or its columns are not in ascending order:
    /// mistakes in the program's own declaration.
    #[must_use]
    pub fn table<R: 'static>(self, table: &'static Table<S, R>) -> Self {
        self.insert(Box::new(node::TableNode::new(table)))
    }

    fn insert(mut self, node: Box<dyn Node<S>>) -> Self {
        let at = self.nodes.partition_point(|other| other.root() < node.root());
        let overlaps = |other: &dyn Node<S>| {
            other.root().starts_with(node.root()) || node.root().starts_with(other.root())
        };
        let before = at.checked_sub(1).and_then(|before| self.nodes.get(before));
        for other in before.into_iter().chain(self.nodes.get(at)) {
            assert!(!overlaps(&**other), "{} and {} overlap", other.root(), node.root());
        }
        self.nodes.insert(at, node);
        self
    }

    /// Every scalar and column, in the order of their OIDs, for comparison with the MIB file.
    pub fn objects(&self) -> impl Iterator<Item = Object> {
        self.nodes.iter().flat_map(|node| node.objects())
    }

    /// Serves this view from the snapshots that `source` hands out.
    pub fn serve<F>(self, source: F) -> Served<S, F>
    where
        F: Fn() -> std::sync::Arc<S> + Send + 'static,
    {
        Served::new(self, source)
    }

    /// The value of exactly `oid`.
    #[must_use]
    pub fn value(&self, snapshot: &S, oid: &Oid) -> Value {
        self.known_value(&mut Known::default(), snapshot, oid)
    }

    /// As [`View::value`], with what is known.
    fn known_value(&self, known: &mut Known, snapshot: &S, oid: &Oid) -> Value {
        match self.node_of(known, oid) {
            Some(node) => node.value(snapshot, oid),
            None => Value::NoSuchObject,
        }
    }

    /// The first variable after `after` (at it, with `include`) and before `end`, which may be anywhere: another agent can
    /// have a region inside this one (RFC 2741 §7.1.4).
    #[must_use]
    pub fn next(&self, snapshot: &S, after: &Oid, include: bool, end: Option<&Oid>) -> Option<VarBind> {
        self.known_next(&mut Known::default(), snapshot, after, include, end)
    }

    /// As [`View::next`], with what is known.
    fn known_next(
        &self,
        known: &mut Known,
        snapshot: &S,
        after: &Oid,
        include: bool,
        end: Option<&Oid>,
    ) -> Option<VarBind> {
        known.place = self.place_of(after, known.place);
        // The object there may still hold what follows; the ones before it cannot.
        for node in self.nodes.get(known.place..)? {
            if end.is_some_and(|end| node.root() >= end) {
                return None;
            }
            if let Some(found) = node.next(&mut known.gaps, snapshot, after, include) {
                return end.is_none_or(|end| found.name < *end).then_some(found);
            }
        }
        None
    }

    /// The place of the last object at or before `oid`, or of the first one; searched for only if it is not the one at `guess`.
    fn place_of(&self, oid: &Oid, guess: usize) -> usize {
        let begins = |place: usize| self.nodes.get(place).is_some_and(|node| node.root() <= oid);
        if begins(guess) && !begins(guess + 1) {
            return guess;
        }
        self.nodes.partition_point(|node| node.root() <= oid).saturating_sub(1)
    }

    /// The object whose subtree holds `oid`.
    fn node_of(&self, known: &mut Known, oid: &Oid) -> Option<&dyn Node<S>> {
        known.place = self.place_of(oid, known.place);
        self.nodes.get(known.place).map(|node| &**node).filter(|node| oid.starts_with(node.root()))
    }
}
