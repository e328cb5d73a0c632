//! Requests to the kernel that are on their way, each batch for one router.

use std::{
    future::{pending, ready},
    pin::Pin,
};

use futures_util::{
    StreamExt as _,
    future::{FutureExt as _, join_all},
    stream::FuturesUnordered,
};

use super::router::Router;
use crate::{
    config::VirtualAddress,
    kernel::{Added, Address, AddressInfo, KernelError, Requests},
    registry::AddressRow,
    units::IfIndex,
};

/// The batches on their way.
#[derive(Default)]
pub(super) struct Work(FuturesUnordered<Batch>);

/// The requests of one router, sent together.
pub(super) type Batch = Pin<Box<dyn Future<Output = Done> + Send>>;

/// What became of a batch.
pub(super) struct Done {
    /// Whose it was.
    pub(super) router: usize,
    /// Whether it was to add addresses, or else to remove them.
    pub(super) installing: bool,
    /// Per slot of the router's addresses; a removal has no [`Added`].
    pub(super) outcomes: Vec<(usize, Result<Option<Added>, KernelError>)>,
}

impl Work {
    /// Takes a batch and sends what it can of it at once, not only when the loop comes around. What came of
    /// it is heard through [`next`](Self::next), which polls the batch anew and so is woken by its answers.
    pub(super) fn add(&mut self, mut batch: Batch) {
        match (&mut batch).now_or_never() {
            Some(done) => self.0.push(Box::pin(ready(done))),
            None => self.0.push(batch),
        }
    }

    /// Whether nothing is on its way.
    pub(super) fn is_idle(&self) -> bool {
        self.0.is_empty()
    }

    /// The next batch to end; never while there is none.
    pub(super) async fn next(&mut self) -> Done {
        match self.0.next().await {
            Some(done) => done,
            None => pending().await,
        }
    }
}

/// Adds the addresses of a router that are not there.
pub(super) fn install(requests: &Requests, number: usize, router: &Router) -> Batch {
    let missing = router.held.iter().enumerate().filter(|(_, held)| !held.present);
    let adds: Vec<_> = missing
        .map(|(slot, _)| {
            let row = &router.row.addresses[slot];
            // Index 0 is no interface: the kernel's refusal then names the problem.
            let address = kernel_address(row, row.status().device.unwrap_or(IfIndex(0)));
            let requests = requests.clone();
            async move { (slot, requests.add_address(&address).await.map(Some)) }
        })
        .collect();
    let done = join_all(adds).map(move |outcomes| Done { router: number, installing: true, outcomes });
    Box::pin(done)
}

/// Removes the addresses of a router that it added.
pub(super) fn withdraw(requests: &Requests, number: usize, router: &Router) -> Batch {
    let ours = router.held.iter().enumerate().filter(|(_, held)| held.present && held.ours);
    let removals: Vec<_> = ours
        .filter_map(|(slot, _)| {
            let row = &router.row.addresses[slot];
            let address = kernel_address(row, row.status().device?);
            let requests = requests.clone();
            Some(async move { (slot, requests.remove_address(&address).await.map(|()| None)) })
        })
        .collect();
    let done = join_all(removals).map(move |outcomes| Done { router: number, installing: false, outcomes });
    Box::pin(done)
}

/// A configured address as the kernel wants it.
pub(super) fn kernel_address(row: &AddressRow, index: IfIndex) -> Address {
    let VirtualAddress { address, prefix, broadcast, scope, label, .. } = &row.config;
    Address {
        index,
        address: *address,
        prefix: *prefix,
        broadcast: *broadcast,
        scope: scope.0,
        label: label.clone(),
    }
}

/// Whether an address on an interface was left there by an earlier run, and is not the interface's own.
///
/// The virtual addresses of a router that does not own them (`owner`) have no business on the interface before it
/// is MASTER, unless they are all that its own interface has (`sole`): then it was set up with them. An owner's address
/// is the interface's own when it leads its subnet, so when it is neither secondary nor a host address.
pub(super) fn is_leftover(known: &AddressInfo, wanted: &VirtualAddress, owner: bool, sole: bool) -> bool {
    let same = known.address == wanted.address && known.prefix == wanted.prefix;
    let follows = known.secondary || known.prefix == 32;
    same && if owner { follows } else { !sole }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Scope, Span};

    #[test]
    fn an_interfaces_own_address_is_no_leftover() {
        let wanted = |prefix| VirtualAddress {
            address: [10, 9, 0, 100].into(),
            prefix,
            broadcast: None,
            device: None,
            scope: Scope::GLOBAL,
            label: None,
            at: Span::default(),
        };
        let known = |prefix, secondary| AddressInfo {
            index: IfIndex(2),
            address: [10, 9, 0, 100].into(),
            prefix,
            label: None,
            secondary,
            scope: 0,
        };
        // Of a router that does not own its addresses: whatever the address looks like.
        assert!(is_leftover(&known(24, false), &wanted(24), false, false));
        assert!(is_leftover(&known(32, false), &wanted(32), false, false));
        assert!(!is_leftover(&known(24, false), &wanted(24), false, true));
        assert!(!is_leftover(&known(24, true), &wanted(32), false, false));
        // Of an owner.
        assert!(is_leftover(&known(24, true), &wanted(24), true, false));
        assert!(is_leftover(&known(32, false), &wanted(32), true, true));
        assert!(!is_leftover(&known(24, false), &wanted(24), true, false));
    }
}
