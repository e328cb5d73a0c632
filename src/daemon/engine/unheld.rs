//! Addresses, routes and rules of holders that hold others from now on: who holds one of them again gets it as it is, and
//! what nobody holds any more has to go.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::Arc,
};

use super::{
    departing::Departing,
    holder::Holder,
    holdings::{Holdings, Slot},
    routing::{Line, LineKey, Routing},
    work::kernel_address,
};
use crate::{registry::AddressRow, units::IfIndex};

/// What the kernel tells addresses apart by.
type Key = (String, IpAddr, u8);

/// What nobody holds at the moment.
#[derive(Debug, Default)]
pub(super) struct Unheld {
    addresses: HashMap<Key, (Arc<AddressRow>, Slot)>,
    /// By holder and place in the routing of before.
    routing: BTreeMap<LineKey, Vec<(Holder, usize, Slot)>>,
}

impl Unheld {
    /// Takes everything from a holder of these addresses, and so many routes and rules.
    pub(super) fn take(
        &mut self,
        holder: Holder,
        holdings: &mut Holdings,
        rows: &[Arc<AddressRow>],
        before: &Routing,
    ) {
        for (slot, row) in rows.iter().enumerate() {
            let content = holdings.take(slot);
            // Of two that the kernel cannot tell apart, the one that put it there counts.
            let known = self.addresses.entry(key(row)).or_insert_with(|| (Arc::clone(row), content));
            if content.is_ours() {
                *known = (Arc::clone(row), content);
            }
        }
        for place in 0..before.of(holder).len() {
            let content = holdings.take(rows.len() + place);
            self.routing
                .entry(before.of(holder)[place].line.key())
                .or_default()
                .push((holder, place, content));
        }
    }

    /// Gives a holder of these addresses, and of the routes and rules that `routing` has of it, what there is of them.
    pub(super) fn give(
        &mut self,
        holder: Holder,
        holdings: &mut Holdings,
        rows: &[Arc<AddressRow>],
        (routing, before): (&mut Routing, &Routing),
    ) {
        for (slot, row) in rows.iter().enumerate() {
            if let Some((known, content)) = self.addresses.remove(&key(row)) {
                let as_kernel = |row: &AddressRow| kernel_address(row, IfIndex(0));
                holdings.put(slot, content, as_kernel(&known) != as_kernel(row));
            }
        }
        for place in 0..routing.of(holder).len() {
            let wanted = &routing.of(holder)[place].line;
            let is_it = |(whose, place, _): &(Holder, usize, Slot)| before.of(*whose)[*place].line.is(wanted);
            let Some(alike) = self.routing.get_mut(&wanted.key()) else { continue };
            if let Some(found) = alike.iter().position(is_it) {
                let (whose, was, content) = alike.swap_remove(found);
                holdings.put(rows.len() + place, content, false);
                routing.know(holder, place, &before.of(whose)[was]);
            }
        }
    }

    /// What is left, as far as it was ours, has to go.
    pub(super) fn leave(self, routing: &mut Routing, before: &Routing) -> Departing {
        let addresses: Vec<_> =
            self.addresses.into_values().filter(|(_, content)| content.is_ours()).collect();
        let (mut routes, mut rules) = (Vec::new(), Vec::new());
        let routing_left = self.routing.into_values().flatten();
        for (whose, place, content) in routing_left.filter(|(.., content)| content.is_ours()) {
            let entry = &before.of(whose)[place];
            match entry.line {
                Line::Route(_) => routes.push((entry, content)),
                Line::Rule(..) => rules.push((entry, content)),
            }
        }
        let sizes = [addresses.len(), routes.len(), rules.len()];
        let mut departing = Departing { holdings: Holdings::new(sizes), ..Departing::default() };
        let contents = routes.iter().chain(&rules).map(|(_, content)| *content);
        let contents = addresses.iter().map(|(_, content)| *content).chain(contents);
        for (slot, content) in contents.enumerate() {
            departing.holdings.put(slot, content, false);
        }
        departing.rows = addresses.into_iter().map(|(row, _)| row).collect();
        routing.depart(routes.into_iter().chain(rules).map(|(entry, _)| entry));
        departing
    }
}

fn key(row: &AddressRow) -> Key {
    (row.device.clone(), row.config.address, row.config.prefix)
}
