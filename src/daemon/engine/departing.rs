//! What a reload has removed from the configuration, until the kernel has let go of it. It goes in one batch, before anything
//! that comes in its place is asked for.

use std::sync::Arc;

use super::{Engine, holder::Holder, holdings::Holdings, kernel_view::KernelView};
use crate::{registry::AddressRow, units::Time};

/// The addresses, routes and rules that have to go.
#[derive(Debug)]
pub(super) struct Departing {
    /// None of it is wanted.
    pub(super) holdings: Holdings,
    pub(super) rows: Vec<Arc<AddressRow>>,
    /// When to look again at what the kernel refused to remove.
    pub(super) repair_at: Option<Time>,
    /// Routers that the firewall throws packets away for, until their addresses are gone.
    pub(super) refusing: Vec<usize>,
}

impl Default for Departing {
    fn default() -> Self {
        Self { holdings: Holdings::new([0; 3]), rows: Vec::new(), repair_at: None, refusing: Vec::new() }
    }
}

impl Engine {
    /// Has what has to go removed, at first and when the kernel has refused.
    pub(super) fn repair_departing(&mut self, now: Time) {
        if self.departing.repair_at.is_some_and(|at| at <= now) {
            self.departing.repair_at = None;
            self.reconcile(Holder::Departing, now);
        }
    }

    /// Has packets taken again for addresses that are gone.
    pub(super) fn note_departed(&mut self) {
        let Self { departing, routing, interfaces, links, .. } = self;
        let view = KernelView::new(Holder::Departing, &departing.rows, routing, interfaces);
        if departing.holdings.are_given_up(&view) {
            departing.refusing.drain(..).for_each(|serial| links.host().accept(serial));
        }
    }
}
