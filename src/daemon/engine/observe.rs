//! What the kernel reports, brought to the machines: links, addresses, and their absence.

use std::{
    collections::{HashMap, HashSet},
    future::pending,
    net::IpAddr,
    pin::Pin,
    sync::Arc,
};

use tracing::{info, warn};

use super::{
    Engine, REPAIR_INTERVAL,
    holder::Holder,
    holdings::{Answer, Observed as _, Site},
    interfaces::Interface,
    kernel_view::KernelView,
    sockets::Access,
    source,
};
use crate::{
    kernel::{
        AddressInfo, Detection, Event, Events, KernelError, Link, Requests, RouteInfo, RuleInfo, Watch, clock,
    },
    registry::{AddressStatus, LinkState, Reason, State},
    units::{Family, IfIndex, Time},
    vrrp::Fault,
};

/// Reports read before what is due gets its turn: some milliseconds of work.
const REPORTS_AT_ONCE: usize = 256;

/// A listing of everything there is, on its way.
pub(super) type Listing = Pin<Box<dyn Future<Output = Result<Listed, KernelError>> + Send>>;

/// Everything there is.
pub(super) struct Listed {
    pub(super) links: Vec<Link>,
    pub(super) addresses: Vec<AddressInfo>,
    pub(super) routes: Vec<RouteInfo>,
    pub(super) rules: Vec<RuleInfo>,
}

/// Asks for a listing; of routes and rules only what is watched.
fn list(requests: &Requests, watch: Watch) -> Listing {
    let requests = requests.clone();
    Box::pin(async move {
        Ok(Listed {
            links: requests.links().await?,
            addresses: requests.addresses().await?,
            routes: requests.routes(&watch.protocols).await?,
            rules: if watch.rules { requests.rules().await? } else { Vec::new() },
        })
    })
}

/// What comes of a listing; never while there is none.
pub(super) async fn listed(listing: &mut Option<Listing>) -> Result<Listed, KernelError> {
    let Some(running) = listing else { return pending().await };
    let listed = running.await;
    *listing = None;
    listed
}

impl Engine {
    pub(super) fn handle_event(&mut self, event: Result<Event, KernelError>) {
        let now = clock::now();
        match event {
            Ok(event) => {
                self.take_event(event, now);
                self.take_pending_events();
            }
            Err(error) => {
                warn!("{error}: subscribing anew");
                match Events::open(self.routing.watch(), self.event_buffer) {
                    Ok(events) => {
                        self.events = events;
                        self.list();
                    }
                    // Without events the engine would be blind: it leaves in order.
                    Err(error) => self.fail(error, now),
                }
            }
        }
    }

    /// Takes in the changes that the kernel has reported by now, or a portion of them. Whether that was all.
    pub(super) fn take_pending_events(&mut self) -> bool {
        let mut budget = REPORTS_AT_ONCE;
        while let Some(event) = self.events.try_next(&mut budget) {
            self.take_event(event, clock::now());
        }
        budget > 0
    }

    /// Goes on with the reports that answers wait for, a portion of them, and then with the answers.
    pub(super) fn catch_up(&mut self) {
        if self.is_behind() && self.take_pending_events() && self.listing.is_none() {
            let deferred = std::mem::take(&mut self.deferred);
            self.handle_done(deferred);
        }
    }

    /// Whether answers wait for reports that are there to be read.
    pub(super) fn is_behind(&self) -> bool {
        !self.deferred.is_empty() && self.listing.is_none()
    }

    /// Has everything listed anew.
    pub(super) fn list(&mut self) {
        self.listing = Some(list(&self.requests, self.routing.watch()));
    }

    pub(super) fn take_event(&mut self, event: Event, now: Time) {
        match event {
            Event::Link(link) => {
                let (index, name, up) = (link.index, link.name.clone(), link.up);
                if let Some(before) = self.interfaces.link(link) {
                    self.interface_changed(&before, now);
                }
                self.interface_changed(&name, now);
                if !up {
                    self.doubt_routes_through(index, now);
                }
            }
            Event::LinkGone { index, name } => {
                self.interfaces.link_gone(index);
                self.interface_changed(&name, now);
                self.doubt_routes_through(index, now);
            }
            Event::AddressAdded(address) => {
                let changed = (address.index, address.address);
                let detected = self.detected(&address);
                let known = self.interfaces.at(address.index);
                if changed.1.is_ipv6() && known.is_some_and(|interface| !interface.speaks_ipv6()) {
                    self.interfaces.sockets.join_again((changed.0, Family::V6));
                }
                self.monitor(changed, "added to");
                let source_changed = self.interfaces.address_added(address);
                self.address_changed(changed, source_changed, now);
                if let Some(detected) = detected {
                    self.detection_ended(changed.1, detected, now);
                }
            }
            Event::AddressRemoved(address) => {
                self.monitor((address.index, address.address), "removed from");
                let source_changed = self.interfaces.address_removed(&address);
                self.address_changed((address.index, address.address), source_changed, now);
                self.doubt_routes_from(address.address, now);
            }
            Event::Overrun => {
                warn!("too many changes of links, addresses, routes and rules at once: listing them anew");
                self.list();
            }
            Event::RouteAdded { .. }
            | Event::RouteRemoved(_)
            | Event::RuleAdded(_)
            | Event::RuleRemoved(_) => {
                self.take_routing_event(&event, now);
            }
        }
    }

    /// Takes the kernel's word for everything: at the start, and whenever events were lost. A listing that
    /// fails is asked for again.
    pub(super) fn handle_listed(&mut self, listed: Result<Listed, KernelError>) {
        let now = clock::now();
        match listed {
            Ok(listed) => self.take_listing(listed, now),
            Err(error) => {
                warn!("{error}: listing again in a second");
                self.list_at = Some(now + REPAIR_INTERVAL);
            }
        }
        let deferred = std::mem::take(&mut self.deferred);
        self.handle_done(deferred);
    }

    /// What `-a` asks for, in a target of its own: nobody else hears it.
    fn monitor(&self, (index, address): (IfIndex, IpAddr), what: &str) {
        if let Some(interface) = self.interfaces.at(index) {
            let name = &interface.link.name;
            info!(target: "addresses", "Netlink reflector reports IP {address} {what} {name}");
        }
    }

    fn take_listing(&mut self, listed: Listed, now: Time) {
        let links: HashMap<IfIndex, &str> =
            listed.links.iter().map(|link| (link.index, link.name.as_str())).collect();
        let addresses: HashSet<_> =
            listed.addresses.iter().map(|known| (known.index, known.address, known.prefix)).collect();
        let gone: Vec<IfIndex> =
            self.interfaces.indexes().filter(|index| !links.contains_key(index)).collect();
        for index in gone {
            self.interfaces.link_gone(index);
        }
        let vanished: Vec<AddressInfo> = self
            .interfaces
            .addresses()
            .filter(|known| !addresses.contains(&(known.index, known.address, known.prefix)))
            .cloned()
            .collect();
        for address in &vanished {
            self.interfaces.address_removed(address);
        }
        for link in listed.links {
            self.interfaces.link(link);
        }
        for address in listed.addresses {
            self.interfaces.address_added(address);
        }
        self.routing.take_listing(&listed.routes, &listed.rules, &self.interfaces);
        if !self.has_started() {
            return;
        }
        if self.stop_by.is_none() {
            self.links.look_at_all(&self.interfaces);
        }
        // Among the lost reports may be that all addresses of an interface were gone for a moment.
        for index in self.interfaces.indexes() {
            self.interfaces.sockets.join_again((index, Family::V6));
        }
        self.look_at_links(now);
        for number in 0..self.routers.len() {
            self.refresh(number, now);
            self.carry_out(number, now);
            self.advertise_amid(number);
        }
        self.look_at_statics(now);
        self.reconcile(Holder::Static, now);
    }

    /// An address came, changed or went: whoever holds it or sends from it looks, and everybody does when there is
    /// another address to send from now.
    fn address_changed(&mut self, (index, address): (IfIndex, IpAddr), source_changed: bool, now: Time) {
        if !self.has_started() {
            return;
        }
        for (holder, slot) in self.holders.get(&address).cloned().unwrap_or_default() {
            match holder {
                Holder::Static => self.look_at_static_address(slot, now),
                Holder::Departing => {}
                Holder::Router(number) => {
                    self.look_at_address(number, slot, now);
                    self.carry_out(number, now);
                }
            }
        }
        for number in self.senders.get(&address).cloned().unwrap_or_default() {
            self.refresh(number, now);
            self.carry_out(number, now);
        }
        if source_changed
            && let Some(name) = self.interfaces.at(index).map(|interface| interface.link.name.clone())
        {
            self.interface_changed(&name, now);
        }
    }

    /// The kernel has an address of a holder. It reports one of IPv6 only when it has begun with duplicate address
    /// detection, or left it out, which is after its answer.
    pub(super) fn take_added(&mut self, holder: Holder, slot: usize, site: Site) {
        if self.routing_answered(holder, slot, true) {
            return;
        }
        let Some(index) = site.interface() else { return };
        let line = self.addresses_of(holder)[slot].config.clone();
        let is_known = |interface: &Interface| interface.has(line.address, line.prefix);
        if line.address.is_ipv4() || self.interfaces.at(index).is_none_or(is_known) {
            return;
        }
        let added = AddressInfo {
            index,
            address: line.address,
            prefix: line.prefix,
            label: None,
            secondary: false,
            scope: line.scope.0,
            detection: if line.nodad { Detection::Passed } else { Detection::Tentative },
        };
        self.take_event(Event::AddressAdded(added), clock::now());
    }

    /// How duplicate address detection has ended for an address that was tentative until now.
    fn detected(&self, address: &AddressInfo) -> Option<Detection> {
        let before = self.interfaces.at(address.index)?.detection(address.address, address.prefix)?;
        (before == Detection::Tentative && address.detection != before).then_some(address.detection)
    }

    /// The kernel has found out about an address: it may be announced now, or somebody else has it.
    fn detection_ended(&mut self, address: IpAddr, detected: Detection, now: Time) {
        for (holder, slot) in self.holders.get(&address).cloned().unwrap_or_default() {
            let Holder::Router(number) = holder else {
                self.replan_routing(holder, now);
                continue;
            };
            let row = Arc::clone(&self.routers[number].row);
            if row.status().state != State::Master {
                continue;
            }
            match detected {
                Detection::Passed => {
                    self.announcements.add(number, row.config.garp.repeat);
                    // A route could not have it as its source until now.
                    self.replan_routing(holder, now);
                }
                _ => warn!(
                    "({}) address {address} on {} is a duplicate: another host has it",
                    row.config.name, row.addresses[slot].device
                ),
            }
        }
    }

    /// An interface has been asked for its link, and says something else than before.
    pub(super) fn interface_asked(&mut self, interface: &str, now: Time) {
        self.interface_changed(interface, now);
    }

    /// An interface came, changed or went: the links that have to do with it may have to be made anew, and whoever
    /// uses it looks.
    fn interface_changed(&mut self, name: &str, now: Time) {
        if self.stop_by.is_none() {
            self.links.look_at(name, &self.interfaces, now);
        }
        self.look_at_link(name, now);
        self.refresh_users(name, now);
    }

    pub(super) fn refresh_users(&mut self, name: &str, now: Time) {
        if !self.has_started() {
            return;
        }
        for (done, holder) in self.users.get(name).cloned().unwrap_or_default().into_iter().enumerate() {
            match holder {
                Holder::Static => {
                    self.look_at_statics(now);
                    self.reconcile(holder, now);
                }
                Holder::Departing => {}
                Holder::Router(number) => {
                    self.refresh(number, now);
                    self.carry_out(number, now);
                }
            }
            self.advertise_amid(done);
        }
    }

    /// Where an address is.
    pub(super) fn address_status(&self, holder: Holder, slot: usize) -> AddressStatus {
        let view = KernelView::new(holder, self.addresses_of(holder), &self.routing, &self.interfaces);
        let set = view.is_set(slot);
        let refusal = self.addresses_of(holder)[slot].status().refusal.filter(|_| !set);
        AddressStatus { set, device: view.site(slot).and_then(Site::interface), refusal }
    }

    /// The kernel was asked to add what is in a slot: readers see whether it refused an address, and how.
    pub(super) fn address_answered(&self, holder: Holder, slot: usize, answer: Answer) {
        let Some(row) = self.addresses_of(holder).get(slot) else { return };
        let refusal = match answer {
            Answer::Refused(errno) => Some(errno),
            Answer::Added(_) | Answer::Removed | Answer::Lost => None,
        };
        let before = row.status();
        if before.refusal != refusal {
            row.set_status(AddressStatus { refusal, ..before });
        }
    }

    /// Shows readers where an address is, and tells the machine when somebody else took it away.
    fn look_at_address(&mut self, number: usize, slot: usize, now: Time) {
        let status = self.address_status(Holder::Router(number), slot);
        let router = &mut self.routers[number];
        let row = &router.row.addresses[slot];
        let before = row.status();
        if before == status {
            return;
        }
        row.set_status(status);
        if before.set && !status.set && router.holdings.is_foreign_loss(slot) {
            if row.config.no_track {
                router.holdings.leave(slot);
                return;
            }
            router.machine.handle_address_removed(now, row.config.address);
        }
    }

    /// Tells a router's machine how its interface is, and asks for the routes and rules that may have waited for it.
    pub(super) fn refresh(&mut self, number: usize, now: Time) {
        self.look_at_router(number, now);
        self.replan_routing(Holder::Router(number), now);
    }

    /// Tells a router's machine how its interface is, and readers what it holds.
    fn look_at_router(&mut self, number: usize, now: Time) {
        let row = Arc::clone(&self.routers[number].row);
        let index = |name: &str| self.interfaces.named(name).map(|interface| interface.link.index);
        let (index, transport) = (index(row.config.source_interface()), index(row.config.transport()));
        self.routers[number].transport = transport;
        let socket = transport.map_or(Access::Open, |index| self.listen(number, index, now));
        let (refused, awaited) = self.socket_faults(number, socket);
        let source = index.map(|index| source::of(&self.interfaces, &row, index));
        let interface = self.interface_fault(number);
        let machine = &mut self.routers[number].machine;
        // What is missing is said before what has come back, or the router would leave FAULT in between.
        if let Some(source) = source {
            machine.handle_fault(now, Fault::Socket, refused);
            machine.handle_fault(now, Fault::AwaitingSocket, awaited);
            machine.handle_source(now, source);
        }
        machine.handle_fault(now, Fault::Interface, interface);
        for slot in 0..row.addresses.len() {
            self.look_at_address(number, slot, now);
        }
        self.look_at_routing(Holder::Router(number), now);
    }

    /// What is wrong with the interface of a router, or else with one that its addresses are put on.
    fn interface_fault(&self, number: usize) -> Option<Reason> {
        let row = &self.routers[number].row;
        let own = [row.config.interface.as_str(), row.config.transport()];
        let devices = self.needed_interfaces(number).filter(|device| !own.contains(device));
        own.into_iter().chain(devices).find_map(|name| {
            let fault = match self.trackers.link_state(name) {
                LinkState::Missing => Some(Reason::InterfaceMissing { interface: name.to_owned() }),
                LinkState::Down if own.contains(&name) && !row.config.track_primary => None,
                LinkState::Down => Some(Reason::InterfaceDown { interface: name.to_owned() }),
                LinkState::Up => None,
            };
            self.links.fault(name).or(fault)
        })
    }

    /// Looks again at a router whose sockets or addresses the kernel refused.
    pub(super) fn repair(&mut self, number: usize, now: Time) {
        self.repairs.set(number, None);
        if self.routers[number].machine.status().state != State::Stop {
            self.look_at_router(number, now);
        }
        self.reconcile(Holder::Router(number), now);
        self.carry_out(number, now);
    }

    /// Has a holder looked at again when the time has come.
    pub(super) fn repair_at(&mut self, holder: Holder, at: Time) {
        match holder {
            Holder::Router(number) => self.repairs.set(number, Some(at)),
            Holder::Static => self.statics.repair_at = Some(at),
            Holder::Departing => self.departing.repair_at = Some(at),
        }
    }
}
