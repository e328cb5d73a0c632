//! What the kernel last reported, as far as the addresses, routes and rules of one router are concerned.

use std::sync::Arc;

use super::{
    holder::Holder,
    holdings::{Observed, Request, Site},
    interfaces::Interfaces,
    routing::{Line, Routing, RoutingEntry},
    work,
};
use crate::{
    kernel::{Change, Devices as _, PreparedRoute, PreparedRule},
    registry::AddressRow,
};

/// What was reported.
pub(super) struct KernelView<'a> {
    addresses: &'a [Arc<AddressRow>],
    routing: &'a [RoutingEntry],
    interfaces: &'a Interfaces,
}

impl<'a> KernelView<'a> {
    /// Of a holder, who has these addresses.
    pub(super) fn new(
        holder: Holder,
        addresses: &'a [Arc<AddressRow>],
        routing: &'a Routing,
        interfaces: &'a Interfaces,
    ) -> Self {
        Self { addresses, routing: routing.of(holder), interfaces }
    }

    fn entry(&self, slot: usize) -> Option<&'a RoutingEntry> {
        self.routing.get(slot.checked_sub(self.addresses.len())?)
    }

    /// A request as the kernel wants it; `None` when something that it names is missing.
    pub(super) fn change(&self, request: Request) -> Option<Change> {
        let (slot, adds) = (request.slot(), matches!(request, Request::Add(..)));
        let Some(entry) = self.entry(slot) else {
            let address = work::kernel_address(self.addresses.get(slot)?, request.site().interface()?);
            return Some(if adds { Change::AddAddress(address) } else { Change::RemoveAddress(address) });
        };
        Some(match &entry.line {
            Line::Route(row) => {
                let route = PreparedRoute::new(&row.config, self.interfaces)?;
                if adds { Change::AddRoute(route) } else { Change::RemoveRoute(route) }
            }
            Line::Rule(row, _) => {
                let rule = PreparedRule::new(&row.config);
                if adds { Change::AddRule(rule) } else { Change::RemoveRule(rule) }
            }
        })
    }
}

impl Observed for KernelView<'_> {
    fn site(&self, slot: usize) -> Option<Site> {
        match self.entry(slot) {
            Some(entry) => entry.site(self.interfaces),
            None => self.interfaces.index(&self.addresses[slot].device).map(Site::Interface),
        }
    }

    fn holds(&self, slot: usize, site: Site) -> bool {
        if let Some(entry) = self.entry(slot) {
            return entry.is_held();
        }
        let line = &self.addresses[slot].config;
        let interface = site.interface().and_then(|index| self.interfaces.at(index));
        interface.is_some_and(|interface| interface.has(line.address, line.prefix))
    }

    fn may_hold(&self, slot: usize, site: Site) -> bool {
        self.entry(slot).map_or_else(|| self.holds(slot, site), RoutingEntry::may_be_held)
    }
}
