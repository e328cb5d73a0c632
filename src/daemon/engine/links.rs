//! The links of virtual routers' own, as the engine follows them: it orders them from the host lane whenever they are
//! not as they have to be, whoever's doing that is, and knows why one is not there.

use std::{collections::HashMap, future::pending};

use tracing::warn;

use super::{Engine, REPAIR_INTERVAL, interfaces::Interfaces};
use crate::{
    daemon::host::{Host, PlannedLink, Report, Wanted},
    kernel::{KernelError, clock},
    registry::Reason,
    units::{Family, Time},
    vrrp::Source,
};

/// The links of all virtual routers.
#[derive(Debug)]
pub(super) struct Links {
    host: Host,
    states: Vec<LinkState>,
    /// Links by their own names and by those of their parents.
    concerned: HashMap<String, Vec<usize>>,
    /// Those that a reload has brought.
    fresh: Vec<usize>,
    /// Those that go when the reload is carried out.
    unwanted: Vec<usize>,
}

/// What is known of a link beside what the kernel reports.
#[derive(Clone, Debug, Default)]
struct LinkState {
    /// An order is on its way.
    ordered: bool,
    /// Why the last order failed.
    failure: Option<String>,
    /// When to order again.
    retry_at: Option<Time>,
    /// Until when no change of the interfaces is a reason to order: somebody may undo whatever is done.
    rests_until: Option<Time>,
    /// A reload has removed it; its place is kept.
    is_gone: bool,
}

impl Links {
    /// The host lane's links, none ordered.
    pub(super) fn new(host: Host) -> Self {
        let states = vec![LinkState::default(); host.links.len()];
        let (concerned, fresh, unwanted) = Default::default();
        let mut links = Self { states, concerned, fresh, unwanted, host };
        links.index();
        links
    }

    fn index(&mut self) {
        self.concerned.clear();
        for (number, link) in self.host.links.iter().enumerate() {
            if self.states[number].is_gone {
                continue;
            }
            for name in [&link.name, &link.parent] {
                self.concerned.entry(name.clone()).or_default().push(number);
            }
        }
    }

    /// A reload is to be carried out: orders the links that it brings. Those that it removes stay until
    /// [`Self::let_go`].
    pub(super) fn follow(&mut self, wanted: Wanted, interfaces: &Interfaces) {
        let Wanted { links, addresses, lasting } = wanted;
        let mut kept = vec![false; self.states.len()];
        let mut planned = Vec::new();
        for link in links {
            let known = self.host.links.iter().position(|known| known.name == link.name);
            let number = known.unwrap_or(kept.len());
            if number == kept.len() {
                kept.push(false);
                self.states.push(LinkState { is_gone: true, ..LinkState::default() });
            }
            kept[number] = true;
            if self.states[number].is_gone || self.host.links[number] != link {
                self.states[number].is_gone = false;
                planned.push((number, link));
            }
        }
        self.unwanted =
            (0..kept.len()).filter(|number| !kept[*number] && !self.states[*number].is_gone).collect();
        self.fresh = planned.iter().map(|(number, _)| *number).collect();
        self.host.follow(planned, addresses, lasting);
        self.index();
        let possible = |number: &usize| interfaces.named(&self.host.links[*number].parent).is_some();
        self.order(self.fresh.iter().copied().filter(possible).collect());
    }

    /// The reload is carried out: what it has removed is removed.
    pub(super) fn let_go(&mut self) {
        if self.unwanted.is_empty() {
            return;
        }
        for number in &self.unwanted {
            self.states[*number] = LinkState { is_gone: true, ..LinkState::default() };
        }
        self.host.remove(std::mem::take(&mut self.unwanted));
        self.index();
    }

    /// Whether the links that a reload has brought are up, as far as their parents are.
    pub(super) fn is_fresh_settled(&self, interfaces: &Interfaces) -> bool {
        self.fresh.iter().all(|number| self.is_settled(*number, interfaces))
    }

    /// Whether the interface of that name is a virtual router's own.
    pub(super) fn is_own(&self, name: &str) -> bool {
        let links = self.host.links.iter().zip(&self.states);
        links.into_iter().any(|(link, state)| link.name == name && !state.is_gone)
    }

    /// The lane that makes the links.
    pub(super) fn host(&self) -> &Host {
        &self.host
    }

    /// Orders the links that are not as they have to be, of those that have to do with the interface of that name.
    pub(super) fn look_at(&mut self, name: &str, interfaces: &Interfaces, now: Time) {
        for number in self.concerned.get(name).cloned().unwrap_or_default() {
            if self.states[number].retry_at.is_some() || !self.is_missing(number, interfaces) {
                continue;
            }
            match self.states[number].rests_until {
                Some(until) if now < until => self.states[number].retry_at = Some(until),
                _ => self.order(vec![number]),
            }
        }
    }

    /// Orders every link whose parent is there, also one that an earlier run left: it may not be set up as it has to be.
    pub(super) fn order_all(&mut self, interfaces: &Interfaces) {
        let possible = |link: &PlannedLink| interfaces.named(&link.parent).is_some();
        let links = &self.host.links;
        let possible: Vec<usize> = (0..links.len()).filter(|number| possible(&links[*number])).collect();
        self.order(possible);
    }

    /// Orders every link that is not as it has to be.
    pub(super) fn look_at_all(&mut self, interfaces: &Interfaces) {
        let missing: Vec<usize> =
            (0..self.states.len()).filter(|number| self.is_missing(*number, interfaces)).collect();
        self.order(missing);
    }

    /// Whether a link could be there and is not.
    fn is_missing(&self, number: usize, interfaces: &Interfaces) -> bool {
        if self.states[number].is_gone {
            return false;
        }
        let planned = &self.host.links[number];
        let Some(parent) = interfaces.named(&planned.parent) else { return false };
        let right = interfaces.named(&planned.name).is_some_and(|known| {
            let source = interfaces.usual_source(parent.link.index, Family::V6);
            let lacks = |address| !known.addresses().iter().any(|one| one.address == address);
            let lacks_source = matches!(source, Source::Address(address) if lacks(address));
            planned.is(&known.link, &parent.link) && !(planned.borrows_link_local() && lacks_source)
        });
        !self.states[number].ordered && !right
    }

    fn order(&mut self, links: Vec<usize>) {
        if !links.is_empty() && self.host.order(links.clone()) {
            for number in links {
                self.states[number].ordered = true;
            }
        }
    }

    /// Whether an order is on its way.
    pub(super) fn is_waiting(&self) -> bool {
        self.states.iter().any(|state| state.ordered)
    }

    /// Whether every link that was made is up, as far as its parent is.
    pub(super) fn are_settled(&self, interfaces: &Interfaces) -> bool {
        (0..self.states.len()).all(|number| self.is_settled(number, interfaces))
    }

    fn is_settled(&self, number: usize, interfaces: &Interfaces) -> bool {
        let is_up = |name: &str| interfaces.named(name).is_some_and(|known| known.link.up);
        let (link, state) = (&self.host.links[number], &self.states[number]);
        state.ordered || state.failure.is_some() || is_up(&link.name) || !is_up(&link.parent)
    }

    /// The next reports; never while nothing is ordered. Cancelling it loses nothing. With the host lane gone every
    /// order has failed.
    pub(super) async fn reports(&mut self) -> Vec<Report> {
        if let Some(reports) = self.host.reports().await {
            return reports;
        }
        if !self.is_waiting() {
            return pending().await;
        }
        let failed = |number: usize| {
            let link = format!("making {}", self.host.links[number].name);
            Report { link: number, outcome: Err(KernelError::other(link, "the host lane has ended")) }
        };
        (0..self.states.len()).filter(|number| self.states[*number].ordered).map(failed).collect()
    }

    /// Takes in what came of an order, which is repeated at `next` at the earliest, and then if it failed. Returns the
    /// link's name, and its failure if that is news.
    pub(super) fn take(&mut self, report: Report, next: Time) -> (String, Option<String>) {
        let state = &mut self.states[report.link];
        let failure = report.outcome.err().map(|error| error.to_string());
        let news = failure.clone().filter(|failure| state.failure.as_ref() != Some(failure));
        let retry_at = failure.as_ref().map(|_| next);
        *state =
            LinkState { failure, retry_at, rests_until: Some(next), is_gone: state.is_gone, ordered: false };
        (self.host.links[report.link].name.clone(), news)
    }

    /// When the next failed order is repeated.
    pub(super) fn next_retry(&self) -> Option<Time> {
        self.states.iter().filter_map(|state| state.retry_at).min()
    }

    /// Repeats the failed orders whose time has come.
    pub(super) fn retry(&mut self, now: Time) {
        let due = |state: &LinkState| state.retry_at.is_some_and(|at| at <= now);
        let due: Vec<usize> = (0..self.states.len()).filter(|number| due(&self.states[*number])).collect();
        for number in &due {
            self.states[*number].retry_at = None;
        }
        self.order(due);
    }

    /// Why the link of that name is not there, if it is one and could not be made.
    pub(super) fn fault(&self, name: &str) -> Option<Reason> {
        let numbers = self.concerned.get(name)?;
        let number = numbers.iter().find(|number| self.host.links[**number].name == name)?;
        let detail = self.states[*number].failure.clone()?;
        Some(Reason::LinkFailed { link: name.to_owned(), detail })
    }
}

impl Engine {
    /// Takes in what came of orders to the host lane. The kernel reports a change before it answers, so with the
    /// reports taken in first, what is observed is what the orders left.
    pub(super) fn handle_links(&mut self, reports: Vec<Report>) {
        self.take_pending_events();
        let now = clock::now();
        for report in reports {
            let (name, failure) = self.links.take(report, now + REPAIR_INTERVAL);
            if let Some(failure) = failure {
                warn!("{failure}");
            }
            self.refresh_users(&name, now);
        }
    }
}
