//! What the kernel last reported, as far as the addresses, routes and rules of one router are concerned.

use std::sync::Arc;

use super::{
    addresses::Observed,
    interfaces::Interfaces,
    ways::{Line, Way, Ways},
    work::{self, Object},
};
use crate::{
    kernel::{PreparedRoute, PreparedRule},
    registry::AddressRow,
    units::IfIndex,
};

/// What was reported.
pub(super) struct Observation<'a> {
    addresses: &'a [Arc<AddressRow>],
    ways: &'a [Way],
    interfaces: &'a Interfaces,
}

impl<'a> Observation<'a> {
    /// Of the router of that number, which has these addresses, or of what is static.
    pub(super) fn new(
        number: usize,
        addresses: &'a [Arc<AddressRow>],
        ways: &'a Ways,
        interfaces: &'a Interfaces,
    ) -> Self {
        Self { addresses, ways: ways.of(number), interfaces }
    }

    fn way(&self, slot: usize) -> Option<&'a Way> {
        self.ways.get(slot.checked_sub(self.addresses.len())?)
    }

    /// What is in a slot, as the kernel wants it; `None` when something that it names is missing.
    pub(super) fn object(&self, slot: usize, index: IfIndex) -> Option<Object> {
        let Some(way) = self.way(slot) else {
            return Some(Object::Address(work::kernel_address(self.addresses.get(slot)?, index)));
        };
        Some(match &way.line {
            Line::Route(row) => Object::Route(PreparedRoute::new(&row.config, self.interfaces)?),
            Line::Rule(row, _) => Object::Rule(PreparedRule::new(&row.config)),
        })
    }
}

impl Observed for Observation<'_> {
    fn device(&self, slot: usize) -> Option<IfIndex> {
        match self.way(slot) {
            Some(way) => way.device(self.interfaces),
            None => self.interfaces.named(&self.addresses[slot].device).map(|interface| interface.link.index),
        }
    }

    fn holds(&self, slot: usize, index: IfIndex) -> bool {
        if let Some(way) = self.way(slot) {
            return way.is_held();
        }
        let line = &self.addresses[slot].config;
        self.interfaces.at(index).is_some_and(|interface| interface.has(line.address, line.prefix))
    }

    fn may_hold(&self, slot: usize, index: IfIndex) -> bool {
        self.way(slot).map_or_else(|| self.holds(slot, index), Way::may_be_held)
    }
}
