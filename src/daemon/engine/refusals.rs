//! Routers that take no packets for their addresses (`no_accept`, strict mode): the firewall knows before the addresses
//! are on the host, and forgets when they are gone.

use super::{holdings::Request, links::Links, router::Router, work::Before};
use crate::kernel::Refusal;

/// What the firewall has to know before the requests of a router are made, when they add addresses.
pub(super) fn ahead_of(
    links: &Links,
    router: &mut Router,
    asked: impl Iterator<Item = Request>,
) -> Option<Before> {
    let refusal = |request| match request {
        // Behind the addresses there are routes and rules.
        Request::Add(slot, site) => {
            Some(Refusal::new(router.row.addresses.get(slot)?.config.address, site.interface()?))
        }
        Request::Remove(..) => None,
    };
    let refusals: Vec<Refusal> = asked.filter_map(refusal).collect();
    if !router.row.refuses_packets() || refusals.is_empty() {
        return None;
    }
    router.refusing = true;
    Some(Box::pin(links.host().refuse(router.serial, refusals)))
}

/// Packets of a router's addresses are taken again, as it has given all of them up.
pub(super) fn accept_after(links: &Links, serial: usize, refusing: &mut bool) {
    if std::mem::take(refusing) {
        links.host().accept(serial);
    }
}
