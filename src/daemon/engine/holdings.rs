//! The addresses, routes and rules of one virtual router: what is wanted, what the kernel holds, and what to ask for
//! next. Routes come after the addresses that they may need, and go before them.
//!
//! A machine without netlink. What is there is never remembered here: it is looked up in what the kernel last
//! reported ([`Observed`]), so that nobody's change can be missed. Remembered is only what the kernel cannot
//! tell: which of them are ours to remove, and which requests are on their way.

use crate::{kernel::Added, registry::InstanceRow, units::IfIndex};

/// Where something is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Site {
    /// An interface: of an address, or of a route that names it.
    Interface(IfIndex),
    /// The host as a whole: a rule, or a route whose interface the kernel finds.
    Host,
}

impl Site {
    /// The interface, if it is one.
    pub(super) const fn interface(self) -> Option<IfIndex> {
        match self {
            Self::Interface(index) => Some(index),
            Self::Host => None,
        }
    }
}

/// The addresses of a router, then its routes, then its rules, by slot: their position in its row.
#[derive(Debug)]
pub(super) struct Holdings {
    slots: Vec<Slot>,
    /// The slot of the first route, and that of the first rule.
    routes: usize,
    rules: usize,
    wanted: bool,
    /// The requests on their way; one batch at a time, so that their order is ours.
    asked: Vec<Request>,
    /// What was wanted when they were made.
    asked_wanting: bool,
    /// Something was asked for while they were on their way.
    again: bool,
    /// The router's machine waits to hear that its addresses are installed.
    awaited: bool,
}

/// What the kernel cannot tell of an address, route or rule.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slot {
    /// Where we put it.
    on: Option<Site>,
    /// We added it, so we may remove it.
    ours: bool,
    /// Somebody took it away, which nobody is to mind: it is left like that for as long as we would want it.
    left: bool,
    /// The error that was logged last; the same one is not logged again.
    complaint: Option<i32>,
    /// It is there with other attributes than it has to have: it is removed and added.
    anew: bool,
}

impl Slot {
    /// Whether it is ours to remove.
    pub(super) const fn is_ours(&self) -> bool {
        self.ours
    }
}

/// What the kernel last reported, as far as a router's addresses are concerned.
pub(super) trait Observed {
    /// Where something belongs; `None` while an interface that it names does not exist.
    fn site(&self, slot: usize) -> Option<Site>;
    /// Whether it is there.
    fn holds(&self, slot: usize, site: Site) -> bool;

    /// Whether it could be there: the kernel does not report everything.
    fn may_hold(&self, slot: usize, site: Site) -> bool {
        self.holds(slot, site)
    }

    /// Whether it is where it belongs.
    fn is_set(&self, slot: usize) -> bool {
        self.site(slot).is_some_and(|site| self.holds(slot, site))
    }
}

/// One request to the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// Put an address on an interface, or install a route or rule.
    Add(usize, Site),
    /// Take it away.
    Remove(usize, Site),
}

impl Request {
    /// What it is about.
    pub(super) fn slot(self) -> usize {
        let (Self::Add(slot, _) | Self::Remove(slot, _)) = self;
        slot
    }

    /// Where.
    pub(super) fn site(self) -> Site {
        let (Self::Add(_, site) | Self::Remove(_, site)) = self;
        site
    }
}

/// What the kernel said to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It added the address, or had it already.
    Added(Added),
    /// It removed the address, or did not have it.
    Removed,
    /// It refused, with this errno.
    Refused(i32),
    /// Nobody knows: the answer was lost.
    Lost,
}

/// What there is to do after a batch of requests has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Make a plan at once: something changed in the meantime.
    PlanAgain,
    /// Make a plan in a while: a removal was refused, or a route.
    PlanLater,
    /// Nothing more.
    Settled,
}

impl Holdings {
    /// So many addresses, routes and rules, none wanted.
    pub(super) fn new([addresses, routes, rules]: [usize; 3]) -> Self {
        Self {
            slots: vec![Slot::default(); addresses + routes + rules],
            routes: addresses,
            rules: addresses + routes,
            wanted: false,
            asked: Vec::new(),
            asked_wanting: false,
            again: false,
            awaited: false,
        }
    }

    /// What a virtual router is to hold, none wanted.
    pub(super) fn of_row(row: &InstanceRow) -> Self {
        Self::new([row.addresses.len(), row.routes.len(), row.rules.len()])
    }

    /// The same lists with other things in them, wanted or not as before. No request may be on its way.
    pub(super) fn refill(&self, sizes: [usize; 3]) -> Self {
        Self { wanted: self.wanted, awaited: self.awaited, ..Self::new(sizes) }
    }

    /// What the kernel cannot tell of a slot's content, for whoever holds that from now on.
    pub(super) fn take(&mut self, slot: usize) -> Slot {
        std::mem::take(&mut self.slots[slot])
    }

    /// A slot's content is the same as that, or something in its place: then it is made `anew`.
    pub(super) fn put(&mut self, slot: usize, content: Slot, anew: bool) {
        self.slots[slot] = Slot { anew: anew && content.ours, ..content };
    }

    /// Decides whether they should be; whoever wants them awaits to hear that they are there.
    pub(super) fn want(&mut self, wanted: bool) {
        if wanted && !self.wanted {
            self.slots.iter_mut().for_each(|slot| slot.left = false);
        }
        self.wanted = wanted;
        self.awaited = wanted;
    }

    /// The requests to make now. Empty while others are on their way, or when all is as it should be.
    pub(super) fn plan(&mut self, observed: &impl Observed) -> Vec<Request> {
        if !self.asked.is_empty() {
            self.again = true;
            return Vec::new();
        }
        for number in self.order() {
            let slot = &mut self.slots[number];
            let site = observed.site(number);
            if let Some(on) = slot.on.filter(|_| slot.ours) {
                // In the end also an address that is not known to be there: the report of it may be on its way, or lost.
                let is_unreported = !self.wanted && number < self.routes;
                // One that stays wanted where it was stays ours: it is added again below, and may be there all the time.
                let is_to_go = !self.wanted || site != Some(on) || slot.anew;
                if is_to_go && (observed.may_hold(number, on) || is_unreported) {
                    self.asked.push(Request::Remove(number, on));
                } else if is_to_go {
                    slot.ours = false;
                }
            }
            let anew = std::mem::take(&mut slot.anew);
            let is_missing = |site: &Site| !slot.left && (anew || !observed.holds(number, *site));
            if let Some(site) = site.filter(|site| self.wanted && is_missing(site)) {
                self.asked.push(Request::Add(number, site));
            }
        }
        self.asked_wanting = self.wanted;
        self.asked.clone()
    }

    /// The requests on their way.
    #[cfg(test)]
    pub(super) fn asked(&self) -> &[Request] {
        &self.asked
    }

    /// The slots in the order in which requests are made.
    fn order(&self) -> impl Iterator<Item = usize> + use<> {
        let (routes, rules, end) = (self.routes, self.rules, self.slots.len());
        let kinds = if self.wanted {
            [0..routes, routes..rules, rules..end]
        } else {
            [rules..end, routes..rules, 0..routes]
        };
        kinds.into_iter().flatten()
    }

    /// What an earlier run left is ours.
    pub(super) fn adopt(&mut self, slot: usize, on: Site) {
        let slot = &mut self.slots[slot];
        (slot.ours, slot.on) = (true, Some(on));
    }

    /// Somebody took one away, and nobody is to mind; what comes in its place is theirs.
    pub(super) fn leave(&mut self, slot: usize) {
        let slot = &mut self.slots[slot];
        (slot.left, slot.ours) = (true, false);
    }

    /// Whether the router wants them now.
    pub(super) fn are_wanted(&self) -> bool {
        self.wanted
    }

    /// Whether the router wants them now, and has routes or rules.
    pub(super) fn wants_routing(&self) -> bool {
        self.wanted && self.routes < self.slots.len()
    }

    /// Takes the answer to a request. Returns whether it is an error that has not been heard before.
    pub(super) fn answer(&mut self, request: Request, answer: Answer) -> bool {
        let site = request.site();
        let slot = &mut self.slots[request.slot()];
        match (request, answer) {
            (Request::Add(..), Answer::Added(Added::New) | Answer::Lost) => {
                slot.ours = true;
                slot.on = Some(site);
            }
            // What is there already is ours only if we put it there before.
            (Request::Add(..), Answer::Added(Added::AlreadyThere)) if slot.on != Some(site) => {
                slot.ours = false;
                slot.on = Some(site);
            }
            (Request::Remove(removed, _), Answer::Removed) if removed < self.routes => slot.ours = false,
            _ => {}
        }
        let complaint = match answer {
            Answer::Refused(errno) => Some(errno),
            Answer::Lost => Some(0),
            Answer::Added(_) | Answer::Removed => None,
        };
        let is_news = complaint.is_some() && slot.complaint != complaint;
        slot.complaint = complaint;
        is_news
    }

    /// The batch has ended: every answer was taken, and every change it made was observed.
    pub(super) fn finish(&mut self, observed: &impl Observed) -> Outcome {
        let again = std::mem::take(&mut self.again) || self.asked_wanting != self.wanted;
        let asked = std::mem::take(&mut self.asked);
        let is_open = |request: &Request| match *request {
            // Whether an address is gone only the answer tells for sure.
            Request::Remove(slot, on) => {
                observed.may_hold(slot, on) || slot < self.routes && self.slots[slot].ours
            }
            // Holdings are the machine's business, which is told of them.
            Request::Add(slot, on) => slot >= self.routes && !observed.holds(slot, on),
        };
        if again {
            Outcome::PlanAgain
        } else if asked.iter().any(is_open) {
            Outcome::PlanLater
        } else {
            Outcome::Settled
        }
    }

    /// The slots of what is not there, for the machine that waits to hear it; once, and not while requests are
    /// on their way.
    pub(super) fn report(&mut self, observed: &impl Observed) -> Option<Vec<usize>> {
        if !self.asked.is_empty() || !std::mem::take(&mut self.awaited) {
            return None;
        }
        let is_there = |slot: usize| match observed.site(slot) {
            Some(site) if slot < self.routes => observed.holds(slot, site),
            Some(site) => observed.may_hold(slot, site),
            None => false,
        };
        let is_missing = |slot: &usize| !self.slots[*slot].left && !is_there(*slot);
        Some((0..self.slots.len()).filter(is_missing).collect())
    }

    /// Whether none is wanted, and all that were added are gone.
    pub(super) fn are_given_up(&self, observed: &impl Observed) -> bool {
        let is_there = |(number, slot): (usize, &Slot)| {
            slot.on.filter(|_| slot.ours).is_some_and(|on| observed.holds(number, on))
        };
        !self.wanted && self.asked.is_empty() && !self.slots.iter().enumerate().any(is_there)
    }

    /// Whether the disappearance of an address is somebody else's doing.
    pub(super) fn is_foreign_loss(&self, slot: usize) -> bool {
        let removing = |request: &Request| matches!(request, Request::Remove(removed, _) if *removed == slot);
        self.wanted && !self.asked.iter().any(removing)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const ETH0: Site = Site::Interface(IfIndex(2));
    const ETH1: Site = Site::Interface(IfIndex(3));

    /// A kernel that does what it is asked.
    struct Kernel {
        site: Option<Site>,
        held: HashSet<(usize, Site)>,
    }

    impl Observed for Kernel {
        fn site(&self, _: usize) -> Option<Site> {
            self.site
        }

        fn holds(&self, slot: usize, site: Site) -> bool {
            self.held.contains(&(slot, site))
        }
    }

    impl Kernel {
        fn new() -> Self {
            Self { site: Some(ETH0), held: HashSet::new() }
        }

        fn answer(&mut self, request: Request) -> Answer {
            match request {
                Request::Add(slot, site) if self.held.insert((slot, site)) => Answer::Added(Added::New),
                Request::Add(..) => Answer::Added(Added::AlreadyThere),
                Request::Remove(slot, site) => {
                    self.held.remove(&(slot, site));
                    Answer::Removed
                }
            }
        }
    }

    /// Carries requests out until there are none; returns all of them.
    fn settle(holdings: &mut Holdings, kernel: &mut Kernel) -> Vec<Request> {
        let mut made = Vec::new();
        loop {
            let requests = holdings.plan(kernel);
            made.extend(&requests);
            for request in requests {
                let answer = kernel.answer(request);
                holdings.answer(request, answer);
            }
            if holdings.finish(kernel) != Outcome::PlanAgain {
                return made;
            }
        }
    }

    fn installed(count: usize) -> (Holdings, Kernel) {
        let (mut holdings, mut kernel) = (Holdings::new([count, 0, 0]), Kernel::new());
        holdings.want(true);
        settle(&mut holdings, &mut kernel);
        assert_eq!(holdings.report(&kernel), Some(Vec::new()));
        (holdings, kernel)
    }

    #[test]
    fn what_was_there_before_us_is_not_ours_to_remove() {
        let (mut holdings, mut kernel) = (Holdings::new([2, 0, 0]), Kernel::new());
        kernel.held.insert((0, ETH0));
        holdings.want(true);
        assert_eq!(settle(&mut holdings, &mut kernel), [Request::Add(1, ETH0)]);
        holdings.want(false);
        assert_eq!(settle(&mut holdings, &mut kernel), [Request::Remove(1, ETH0)]);
        assert!(kernel.holds(0, ETH0));
    }

    #[test]
    fn everything_that_is_lost_while_requests_are_on_their_way_is_put_back() {
        let (mut holdings, mut kernel) = installed(100);
        kernel.held.remove(&(0, ETH0));
        assert_eq!(holdings.plan(&kernel), [Request::Add(0, ETH0)]);
        for slot in 1..100 {
            kernel.held.remove(&(slot, ETH0));
            assert!(holdings.is_foreign_loss(slot));
            holdings.want(true);
            assert_eq!(holdings.plan(&kernel), []);
        }
        let answer = kernel.answer(Request::Add(0, ETH0));
        holdings.answer(Request::Add(0, ETH0), answer);
        assert_eq!(holdings.report(&kernel), None);
        assert_eq!(holdings.finish(&kernel), Outcome::PlanAgain);
        assert_eq!(settle(&mut holdings, &mut kernel).len(), 99);
        assert_eq!(holdings.report(&kernel), Some(Vec::new()));
    }

    #[test]
    fn a_loss_after_a_withdrawal_and_a_return_is_still_somebody_elses() {
        let (mut holdings, mut kernel) = installed(1);
        holdings.want(false);
        settle(&mut holdings, &mut kernel);
        holdings.want(true);
        settle(&mut holdings, &mut kernel);
        assert!(holdings.is_foreign_loss(0));
    }

    #[test]
    fn our_own_removal_is_not_a_loss_even_when_the_address_is_wanted_again() {
        let (mut holdings, kernel) = installed(1);
        holdings.want(false);
        assert_eq!(holdings.plan(&kernel), [Request::Remove(0, ETH0)]);
        holdings.want(true);
        assert!(!holdings.is_foreign_loss(0));
    }

    #[test]
    fn an_address_follows_its_device_and_leaves_the_old_one() {
        let (mut holdings, mut kernel) = installed(1);
        kernel.site = Some(ETH1);
        let moves = settle(&mut holdings, &mut kernel);
        assert_eq!(moves, [Request::Remove(0, ETH0), Request::Add(0, ETH1)]);
    }

    #[test]
    fn an_address_is_taken_from_a_device_that_was_renamed_away() {
        let (mut holdings, mut kernel) = installed(1);
        kernel.site = None;
        holdings.want(false);
        assert_eq!(settle(&mut holdings, &mut kernel), [Request::Remove(0, ETH0)]);
    }

    #[test]
    fn an_address_whose_answer_was_lost_is_taken_as_ours() {
        let (mut holdings, mut kernel) = (Holdings::new([1, 0, 0]), Kernel::new());
        holdings.want(true);
        holdings.plan(&kernel);
        kernel.held.insert((0, ETH0));
        assert!(holdings.answer(Request::Add(0, ETH0), Answer::Lost));
        holdings.finish(&kernel);
        holdings.want(false);
        assert_eq!(holdings.plan(&kernel), [Request::Remove(0, ETH0)]);
    }

    #[test]
    fn what_the_kernel_has_not_reported_yet_is_removed_too() {
        let (mut holdings, mut kernel) = installed(2);
        let unreported = kernel.held.clone();
        kernel.held.clear();
        holdings.want(false);
        assert_eq!(holdings.plan(&kernel), [Request::Remove(0, ETH0), Request::Remove(1, ETH0)]);
        kernel.held = unreported;
        for slot in 0..2 {
            let answer = kernel.answer(Request::Remove(slot, ETH0));
            holdings.answer(Request::Remove(slot, ETH0), answer);
        }
        assert_eq!(holdings.finish(&kernel), Outcome::Settled);
        assert_eq!(holdings.plan(&kernel), []);
    }

    #[test]
    fn an_address_that_is_added_again_because_its_report_was_lost_stays_ours() {
        let (mut holdings, mut kernel) = (Holdings::new([1, 0, 0]), Kernel::new());
        holdings.want(true);
        for (answer, outcome) in [(Added::New, Outcome::PlanAgain), (Added::AlreadyThere, Outcome::Settled)] {
            // No report of it ever comes.
            assert_eq!(holdings.plan(&kernel), [Request::Add(0, ETH0)]);
            if outcome == Outcome::PlanAgain {
                holdings.plan(&kernel);
            }
            holdings.answer(Request::Add(0, ETH0), Answer::Added(answer));
            assert_eq!(holdings.finish(&kernel), outcome);
        }
        holdings.want(false);
        assert_eq!(settle(&mut holdings, &mut kernel), [Request::Remove(0, ETH0)]);
    }

    #[test]
    fn a_removal_whose_answer_was_lost_is_tried_again_whatever_was_reported() {
        let (mut holdings, mut kernel) = installed(1);
        kernel.held.clear();
        holdings.want(false);
        assert_eq!(holdings.plan(&kernel), [Request::Remove(0, ETH0)]);
        holdings.answer(Request::Remove(0, ETH0), Answer::Lost);
        assert_eq!(holdings.finish(&kernel), Outcome::PlanLater);
        assert_eq!(settle(&mut holdings, &mut kernel), [Request::Remove(0, ETH0)]);
    }

    #[test]
    fn what_comes_in_the_place_of_one_that_was_given_up_is_not_ours() {
        let (mut holdings, mut kernel) = installed(1);
        kernel.held.clear();
        holdings.leave(0);
        kernel.held.insert((0, ETH0));
        holdings.want(false);
        assert_eq!(settle(&mut holdings, &mut kernel), []);
    }

    #[test]
    fn a_refused_removal_is_tried_again_and_complained_of_once() {
        let (mut holdings, kernel) = installed(1);
        holdings.want(false);
        for is_news in [true, false] {
            assert_eq!(holdings.plan(&kernel), [Request::Remove(0, ETH0)]);
            assert_eq!(holdings.answer(Request::Remove(0, ETH0), Answer::Refused(16)), is_news);
            assert_eq!(holdings.finish(&kernel), Outcome::PlanLater);
        }
    }

    #[test]
    fn a_refused_addition_is_reported_and_left_to_the_router() {
        let (mut holdings, kernel) = (Holdings::new([1, 0, 0]), Kernel::new());
        holdings.want(true);
        holdings.plan(&kernel);
        assert!(holdings.answer(Request::Add(0, ETH0), Answer::Refused(22)));
        assert_eq!(holdings.finish(&kernel), Outcome::Settled);
        assert_eq!(holdings.report(&kernel), Some(vec![0]));
        assert_eq!(holdings.report(&kernel), None);
    }
}
