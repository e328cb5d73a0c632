//! What the kernel last reported, as far as the addresses, routes and rules of one router are concerned.

use std::sync::Arc;

use super::{
    holdings::Observed,
    interfaces::Interfaces,
    routing::{Line, Routing, RoutingEntry},
    work::{self, Object},
};
use crate::{
    kernel::{PreparedRoute, PreparedRule},
    registry::AddressRow,
    units::IfIndex,
};

/// What was reported.
pub(super) struct KernelView<'a> {
    addresses: &'a [Arc<AddressRow>],
    routing: &'a [RoutingEntry],
    interfaces: &'a Interfaces,
}

impl<'a> KernelView<'a> {
    /// Of the router of that number, which has these addresses, or of what is static.
    pub(super) fn new(
        number: usize,
        addresses: &'a [Arc<AddressRow>],
        routing: &'a Routing,
        interfaces: &'a Interfaces,
    ) -> Self {
        Self { addresses, routing: routing.of(number), interfaces }
    }

    fn entry(&self, slot: usize) -> Option<&'a RoutingEntry> {
        self.routing.get(slot.checked_sub(self.addresses.len())?)
    }

    /// What is in a slot, as the kernel wants it; `None` when something that it names is missing.
    pub(super) fn object(&self, slot: usize, index: IfIndex) -> Option<Object> {
        let Some(entry) = self.entry(slot) else {
            return Some(Object::Address(work::kernel_address(self.addresses.get(slot)?, index)));
        };
        Some(match &entry.line {
            Line::Route(row) => Object::Route(PreparedRoute::new(&row.config, self.interfaces)?),
            Line::Rule(row, _) => Object::Rule(PreparedRule::new(&row.config)),
        })
    }
}

impl Observed for KernelView<'_> {
    fn device(&self, slot: usize) -> Option<IfIndex> {
        match self.entry(slot) {
            Some(entry) => entry.device(self.interfaces),
            None => self.interfaces.named(&self.addresses[slot].device).map(|interface| interface.link.index),
        }
    }

    fn holds(&self, slot: usize, index: IfIndex) -> bool {
        if let Some(entry) = self.entry(slot) {
            return entry.is_held();
        }
        let line = &self.addresses[slot].config;
        self.interfaces.at(index).is_some_and(|interface| interface.has(line.address, line.prefix))
    }

    fn may_hold(&self, slot: usize, index: IfIndex) -> bool {
        self.entry(slot).map_or_else(|| self.holds(slot, index), RoutingEntry::may_be_held)
    }
}
