//! The links themselves: made, set up, brought up, and removed.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

use tracing::{info, warn};

use super::{
    PlannedLink, Report, Wanted, Wish,
    firewall::Firewall,
    notes::{Made, Notes},
    plan::is_of_our_kind,
    settings, sysctls,
};
use crate::{
    kernel::{Address, AddressInfo, Diversion, KernelError, Link, NewLink, NewLinkKind, Requests, Sysctl},
    units::{Family, IfIndex},
};

/// The links of all virtual routers, and what goes with them.
#[derive(Debug)]
pub(super) struct Links {
    planned: Vec<PlannedLink>,
    /// What virtual routers put on interfaces.
    virtual_addresses: HashSet<IpAddr>,
    /// Which of them are there, by our doing.
    made: HashMap<usize, Diversion>,
    notes: Notes,
    /// The rules, which some links need.
    pub(super) firewall: Firewall,
    /// Whether the host reports that it listens to groups of 224.0.0.0/24 (not with `disable_local_igmp`).
    local_igmp: bool,
    /// Settings of the network from the start to the end.
    lasting: Vec<(Sysctl, i64)>,
}

impl Links {
    /// Links to come.
    pub(super) fn new(wanted: Wanted, notes: Notes, firewall: Firewall, local_igmp: bool) -> Self {
        let Wanted { links: planned, addresses: virtual_addresses, lasting } = wanted;
        Self { virtual_addresses, planned, made: HashMap::new(), notes, firewall, local_igmp, lasting }
    }

    /// After a reload: these links are new at their places, or others than before, and the host has other settings.
    pub(super) fn follow(
        &mut self,
        links: Vec<(usize, PlannedLink)>,
        addresses: HashSet<IpAddr>,
        lasting: Vec<(Sysctl, i64)>,
    ) {
        if links.iter().any(|(_, link)| matches!(link.kind, NewLinkKind::Macvlan(_))) {
            self.note_rules();
        }
        for (place, link) in links {
            match self.planned.get_mut(place) {
                Some(known) => *known = link,
                None => self.planned.push(link),
            }
        }
        self.virtual_addresses = addresses;
        let before = std::mem::replace(&mut self.lasting, lasting);
        for (sysctl, _) in before.iter().filter(|known| !self.lasting.contains(known)) {
            if let Err(error) = sysctls::put_back(&mut self.notes, sysctl) {
                warn!("{error}");
            }
        }
        let new: Vec<_> = self.lasting.iter().filter(|wanted| !before.contains(wanted)).cloned().collect();
        if let Err(error) = sysctls::set(&mut self.notes, &new) {
            warn!("{error}");
        }
    }

    /// Notes that there are rules from now on, for whoever comes after this run if it is killed.
    pub(super) fn note_rules(&mut self) {
        if !self.firewall.may_be_there() {
            self.notes.note_table(self.firewall.name());
        }
    }

    /// Removes links that nobody needs any more.
    pub(super) async fn remove(&mut self, requests: &Requests, gone: &[usize]) {
        let (numbers, gone): (Vec<usize>, HashSet<IfIndex>) =
            gone.iter().filter_map(|number| Some((*number, self.made.remove(number)?.link))).unzip();
        if gone.is_empty() {
            return;
        }
        match requests.links().await {
            Ok(existing) => {
                let (gone, others): (Vec<_>, Vec<_>) =
                    existing.into_iter().partition(|link| gone.contains(&link.index));
                for error in requests.delete_links(&gone, &others).await {
                    warn!("{error}");
                }
            }
            Err(error) => warn!("{error}"),
        }
        self.note_links();
        self.apply_rules();
        self.put_back_for(&numbers);
    }

    /// Puts settings of others back that only these links needed.
    fn put_back_for(&mut self, gone: &[usize]) {
        let needs = |number: &usize| self.planned[*number].ipv4;
        let parents: HashSet<&str> = self
            .made
            .keys()
            .filter(|number| needs(number))
            .map(|number| &*self.planned[*number].parent)
            .collect();
        let left = gone.iter().filter(|number| needs(number)).map(|number| &*self.planned[*number].parent);
        let left = left.filter(|parent| !parents.contains(parent)).collect::<HashSet<&str>>();
        let mut settings: Vec<Sysctl> =
            left.into_iter().flat_map(settings::of_parent).map(|(sysctl, _)| sysctl).collect();
        if parents.is_empty() {
            let filters = self.notes.sysctls.iter().rev().map(|changed| &changed.sysctl);
            settings.extend(filters.filter(|sysctl| sysctl.name().ends_with("/rp_filter")).cloned());
        }
        for sysctl in settings {
            if let Err(error) = sysctls::put_back(&mut self.notes, &sysctl) {
                warn!("{error}");
            }
        }
    }

    /// Gives the host the settings that it has from the start to the end. What an earlier run was killed over is put back
    /// first, and its rules go: this one may want something else.
    pub(super) fn begin(&mut self) {
        for error in sysctls::restore(&mut self.notes) {
            warn!("{error}");
        }
        let has_rules = self.planned.iter().any(|planned| matches!(planned.kind, NewLinkKind::Macvlan(_)));
        self.firewall.begin(self.notes.table.take(), has_rules);
        if has_rules || self.firewall.may_be_there() {
            self.notes.note_table(self.firewall.name());
        }
        if let Err(error) = sysctls::set(&mut self.notes, &self.lasting) {
            warn!("{error}");
        }
    }

    /// Does what a manager wants, and notes it for whoever comes after this run if it is killed.
    pub(super) fn fulfil(&mut self, wish: Wish) -> Result<(), KernelError> {
        match wish {
            Wish::Refuse(router, addresses) => {
                self.notes.note_table(self.firewall.name());
                self.firewall.refuse(addresses.into_iter().map(|address| (router, address)));
                self.firewall.is_in_place()
            }
            Wish::Accept(router) => {
                self.firewall.accept(router);
                self.firewall.is_in_place()
            }
            Wish::Promote(interface, wanted) => {
                let sysctl = settings::promote_secondaries(&interface);
                if wanted {
                    sysctls::set(&mut self.notes, &[sysctl])
                } else {
                    sysctls::put_back(&mut self.notes, &sysctl.0)
                }
            }
        }
    }

    /// Removes the links that an earlier run left and this one has no use for.
    pub(super) async fn clear_left(&mut self, requests: &Requests) {
        let is_planned = |made: &Made| self.planned.iter().any(|planned| planned.name == made.name);
        let (kept, left): (Vec<Made>, Vec<Made>) = self.notes.links.drain(..).partition(is_planned);
        self.notes.links = kept;
        if left.is_empty() {
            return;
        }
        match requests.links().await {
            Ok(existing) => {
                let is_left = |link: &Link| is_of_our_kind(link) && left.iter().any(|made| made.is(link));
                let (gone, others): (Vec<_>, Vec<_>) = existing.into_iter().partition(is_left);
                for link in &gone {
                    info!("removing {}, left by an earlier run", link.name);
                }
                for error in requests.delete_links(&gone, &others).await {
                    warn!("{error}");
                }
            }
            Err(error) => warn!("{error}"),
        }
        if let Err(error) = self.notes.settle() {
            warn!("{error}");
        }
    }

    /// Notes the links that are there, for whoever comes after this run if it is killed.
    fn note_links(&mut self) {
        let mut made: Vec<_> = self.made.iter().collect();
        made.sort_by_key(|(number, _)| **number);
        let note = |(number, made): (&usize, &Diversion)| Made {
            index: made.link,
            name: self.planned[*number].name.clone(),
        };
        let made = made.into_iter().map(note).collect();
        self.notes.note_links(made);
    }

    /// Makes links ready: there, set up, up. The rules are in place before a link is up and says anything.
    pub(super) async fn prepare(&mut self, requests: &Requests, order: &[usize]) -> Vec<Report> {
        let existing = match requests.links().await {
            Ok(links) => links,
            Err(error) => {
                return order
                    .iter()
                    .map(|link| Report { link: *link, outcome: Err(error.clone()) })
                    .collect();
            }
        };
        let mut reports = Vec::new();
        for number in order {
            let outcome = self.make(requests, *number, &existing).await;
            reports.push(Report { link: *number, outcome });
        }
        self.note_links();
        self.apply_rules();
        for report in &mut reports {
            if let (Ok(()), Some(made)) = (&report.outcome, self.made.get(&report.link)) {
                report.outcome = self.bring_up(requests, report.link, made.link, &existing).await;
            }
        }
        reports
    }

    /// Makes one link, or takes what an earlier run left of it, and sets it up.
    async fn make(
        &mut self,
        requests: &Requests,
        number: usize,
        existing: &[Link],
    ) -> Result<(), KernelError> {
        let known = self.made.remove(&number);
        let planned = &self.planned[number];
        if matches!(planned.kind, NewLinkKind::Ipvlan(_)) && planned.ipv4 && planned.address.is_none() {
            let reason = "it has no MAC of its own, so for IPv4 it needs an address: use_ipvlan ADDRESS";
            return Err(KernelError::other(format!("setting up {}", planned.name), reason));
        }
        let Some(parent) = named(existing, &planned.parent) else {
            let reason = format!("there is no interface {}", planned.parent);
            return Err(KernelError::other(format!("creating {}", planned.name), reason));
        };
        let index = match named(existing, &planned.name) {
            Some(link) if planned.is(link, parent) => {
                if known.is_none_or(|known| known.link != link.index) {
                    info!("using {}, which is there already", planned.name);
                    clear(requests, link).await?;
                }
                link.index
            }
            Some(link) if is_of_our_kind(link) => {
                info!("{} is there already, but not as it has to be: it is made anew", link.name);
                requests.delete_link(link).await?;
                create(requests, planned, parent).await?
            }
            // The name was free when it was chosen; what has taken it since makes the kernel refuse.
            _ => create(requests, planned, parent).await?,
        };
        self.made.insert(number, Diversion { link: index, parent: parent.index });
        settings::of_link(planned);
        let others: Vec<&str> = existing.iter().map(|link| link.name.as_str()).collect();
        let others = others.into_iter().filter(|name| self.planned.iter().all(|link| link.name != *name));
        if let Err(error) = sysctls::set(&mut self.notes, &settings::of_others(planned, others)) {
            warn!("{error}");
        }
        settings::check(planned)
    }

    async fn bring_up(
        &self,
        requests: &Requests,
        number: usize,
        index: IfIndex,
        existing: &[Link],
    ) -> Result<(), KernelError> {
        let planned = &self.planned[number];
        requests.bring_up(index).await?;
        self.add_addresses(requests, number, index, existing).await?;
        match named(existing, &planned.parent) {
            Some(parent) if planned.announce_parent => requests.repeat_link(parent).await,
            _ => Ok(()),
        }
    }

    /// Gives a link the addresses that it needs itself: an ipvlan the one it sends from; a macvlan of IPv6 the
    /// link-local ones of its parent, as a packet must come from an address of the link that it leaves by. Nobody else
    /// shall use them.
    async fn add_addresses(
        &self,
        requests: &Requests,
        number: usize,
        index: IfIndex,
        existing: &[Link],
    ) -> Result<(), KernelError> {
        let planned = &self.planned[number];
        let mut wanted = Vec::new();
        if let Some(address) = planned.address {
            wanted.push(Address { index, ..host_address(address) });
        }
        if planned.borrows_link_local() {
            let parent = named(existing, &planned.parent).map(|parent| parent.index);
            let addresses = requests.addresses().await?;
            let own = addresses.iter().filter(|known| Some(known.index) == parent && self.is_borrowed(known));
            wanted.extend(own.map(|known| Address {
                index,
                prefix: known.prefix,
                preferred: Some(0),
                ..host_address(known.address)
            }));
        }
        for address in wanted {
            requests.add_address(&address).await?;
        }
        Ok(())
    }

    /// Whether an address of the parent is a link-local one that no virtual router put there.
    fn is_borrowed(&self, known: &AddressInfo) -> bool {
        let link_local = matches!(known.address, IpAddr::V6(address) if address.is_unicast_link_local());
        link_local && !self.virtual_addresses.contains(&known.address)
    }

    /// Brings the kernel's rules to the links that are there.
    fn apply_rules(&mut self) {
        let macvlans = || {
            let mut made: Vec<_> = self.made.iter().collect();
            made.sort_by_key(|(number, _)| **number);
            made.into_iter()
                .map(|(number, made)| (&self.planned[*number], *made))
                .filter(|(planned, _)| matches!(planned.kind, NewLinkKind::Macvlan(_)))
        };
        let ipv4 =
            macvlans().filter(|(link, _)| link.ipv4 && self.local_igmp).map(|(_, made)| made).collect();
        let ipv6 = macvlans().filter(|(link, _)| link.ipv6).map(|(_, made)| made).collect();
        self.firewall.divert(ipv4, ipv6);
    }

    /// Removes everything again: links, rules, settings. What fails does not keep the rest from being removed.
    pub(super) async fn release(&mut self, requests: &Requests) -> Vec<KernelError> {
        let mut errors = Vec::new();
        match requests.links().await {
            Ok(existing) => {
                let made: HashSet<IfIndex> = self.made.values().map(|made| made.link).collect();
                let (made, others): (Vec<_>, Vec<_>) =
                    existing.into_iter().partition(|link| made.contains(&link.index));
                errors.extend(requests.delete_links(&made, &others).await);
                if errors.is_empty() {
                    self.notes.links.clear();
                }
            }
            Err(error) => errors.push(error),
        }
        self.made.clear();
        if self.firewall.clear() {
            self.notes.table = None;
        }
        errors.extend(sysctls::restore(&mut self.notes));
        errors
    }
}

/// An address as a host's, of no interface yet.
fn host_address(address: IpAddr) -> Address {
    let prefix = Family::of(address).bits();
    let index = IfIndex(0);
    Address { nodad: true, ..Address::new(index, address, prefix) }
}

fn named<'a>(links: &'a [Link], name: &str) -> Option<&'a Link> {
    links.iter().find(|link| link.name == name)
}

async fn create(requests: &Requests, planned: &PlannedLink, parent: &Link) -> Result<IfIndex, KernelError> {
    let link = NewLink {
        name: planned.name.clone(),
        parent: parent.index,
        kind: planned.kind,
        group: planned.group.unwrap_or(parent.group),
    };
    let index = requests.create_link(&link).await?;
    info!("created {link}");
    Ok(index)
}

/// Takes a link's addresses: they are an earlier run's.
async fn clear(requests: &Requests, link: &Link) -> Result<(), KernelError> {
    let addresses = requests.addresses().await?;
    for address in addresses.iter().filter(|known: &&AddressInfo| known.index == link.index) {
        requests.remove_address(&address.into()).await?;
    }
    Ok(())
}
