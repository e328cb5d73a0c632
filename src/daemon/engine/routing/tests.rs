//! What is asked of the kernel for routes and rules, and when: exact lists, from what the kernel reports.

use nix::errno::Errno;

use super::*;
use crate::{
    daemon::engine::{
        holdings::{Answer, Request},
        testing::{Stuck, in_namespace, listed},
        work::Done,
    },
    kernel::{Added, Link, clock},
};

const VI: Holder = Holder::Router(0);
const ETH0: Site = Site::Interface(IfIndex(2));
const ETH1: Site = Site::Interface(IfIndex(3));
/// Slot 0 is the address; then come these.
const LINES: &str = "virtual_routes {\n 10.60.0.0/16 via 10.9.0.9 dev eth0\n 10.61.0.0/16 dev eth1\n \
                     src 10.9.0.100 10.62.0.0/16 via 10.9.0.9\n }\n \
                     virtual_rules {\n from 10.60.0.0/16 table 60 preference 600\n }";
const ROUTE: usize = 1;
const THROUGH_ETH1: usize = 2;
const FROM_THE_ADDRESS: usize = 3;
const RULE: usize = 4;

impl Stuck {
    /// A router that wants all of it and has it, as if it was MASTER.
    fn master() -> Self {
        let mut stuck = Self::wanting();
        let asked = stuck.asked(VI);
        stuck.grant(&asked);
        assert_eq!(stuck.asked(VI), []);
        stuck
    }

    /// One that has just begun to want it.
    fn wanting() -> Self {
        let mut stuck = Self::new(LINES, "");
        stuck.engine.handle_listed(Ok(listed(Vec::new())));
        stuck.engine.assume_started();
        stuck.want(true);
        stuck
    }

    fn want(&mut self, wanted: bool) {
        self.engine.routers[0].holdings.want(wanted);
        self.engine.reconcile(VI, clock::now());
    }

    /// How the kernel reports what is in a slot, when it has it.
    fn event(&self, slot: usize, there: bool) -> Event {
        let row = &self.engine.routers[0].row;
        let Some(place) = slot.checked_sub(row.addresses.len()) else {
            let added = crate::daemon::engine::testing::address(2, 100, true);
            return if there { Event::AddressAdded(added) } else { Event::AddressRemoved(added) };
        };
        match &self.engine.routing.of(VI)[place].line {
            Line::Route(row) => {
                let mut route = PreparedRoute::new(&row.config, &self.engine.interfaces).unwrap().info();
                if route.through.is_empty() {
                    route.through.push(IfIndex(2));
                }
                if there { Event::RouteAdded { route, replaces: false } } else { Event::RouteRemoved(route) }
            }
            Line::Rule(_, rule) if there => Event::RuleAdded(rule.clone()),
            Line::Rule(_, rule) => Event::RuleRemoved(rule.clone()),
        }
    }

    /// The kernel does what it is asked, and reports it before it answers.
    fn grant(&mut self, asked: &[Request]) {
        let answer = |request: &Request| match request {
            Request::Add(..) => (*request, Answer::Added(Added::New), None),
            Request::Remove(..) => (*request, Answer::Removed, None),
        };
        for request in asked {
            let event = self.event(request.slot(), matches!(request, Request::Add(..)));
            self.report(event);
        }
        self.answer(asked.iter().map(answer).collect());
    }

    fn report(&mut self, event: Event) {
        self.engine.handle_event(Ok(event));
    }

    fn answer(&mut self, answers: Vec<(Request, Answer, Option<KernelError>)>) {
        self.engine.handle_done(vec![Done { holder: VI, answers }]);
    }

    fn status(&self, slot: usize) -> RoutingStatus {
        let row = &self.engine.routers[0].row;
        match slot {
            RULE => (*row.rules[0].status()).clone(),
            route => (*row.routes[route - 1].status()).clone(),
        }
    }
}

/// What the kernel says to a request.
fn refusal_of(request: &str, errno: Errno) -> KernelError {
    KernelError::from_io(request, &std::io::Error::from_raw_os_error(errno as i32))
}

#[test]
fn routes_come_after_addresses_and_rules_after_routes_and_go_before_them() {
    in_namespace(async || {
        let mut stuck = Stuck::wanting();
        let all = [
            Request::Add(0, ETH0),
            Request::Add(ROUTE, ETH0),
            Request::Add(THROUGH_ETH1, ETH1),
            Request::Add(FROM_THE_ADDRESS, Site::Host),
            Request::Add(RULE, Site::Host),
        ];
        assert_eq!(stuck.asked(VI), all);
        stuck.grant(&all);
        assert!((ROUTE..=RULE).all(|slot| stuck.status(slot).set));
        assert_eq!(stuck.status(THROUGH_ETH1).device, Some(IfIndex(3)));
        stuck.want(false);
        let all = [
            Request::Remove(RULE, Site::Host),
            Request::Remove(ROUTE, ETH0),
            Request::Remove(THROUGH_ETH1, ETH1),
            Request::Remove(FROM_THE_ADDRESS, Site::Host),
            Request::Remove(0, ETH0),
        ];
        assert_eq!(stuck.asked(VI), all);
        stuck.grant(&all);
        assert!((ROUTE..=RULE).all(|slot| !stuck.status(slot).set));
        assert_eq!(stuck.asked(VI), []);
    });
}

#[test]
fn a_refused_route_is_asked_for_again_and_the_reason_is_there_to_be_read() {
    in_namespace(async || {
        let mut stuck = Stuck::wanting();
        let mut asked = stuck.asked(VI);
        asked.retain(|request| request.slot() != ROUTE);
        let refused = Request::Add(ROUTE, ETH0);
        let refusal = || {
            let why = refusal_of("adding route", Errno::ENETUNREACH);
            (refused, Answer::Refused(Errno::ENETUNREACH as i32), Some(why))
        };
        for request in &asked {
            let event = stuck.event(request.slot(), true);
            stuck.report(event);
        }
        let granted = asked.iter().map(|request| (*request, Answer::Added(Added::New), None));
        stuck.answer(granted.chain([refusal()]).collect());
        let status = stuck.status(ROUTE);
        assert!(!status.set);
        assert!(status.refusal.is_some_and(|why| why.contains("adding route")), "why");
        assert_eq!(stuck.asked(VI), [], "not at once");
        // Again and again, and nothing else.
        for _ in 0..2 {
            assert!(stuck.engine.repairs.next().is_some());
            stuck.engine.repair(0, clock::now());
            assert_eq!(stuck.asked(VI), [refused]);
            stuck.answer(vec![refusal()]);
        }
        stuck.engine.repair(0, clock::now());
        stuck.grant(&[refused]);
        assert_eq!((stuck.status(ROUTE).set, stuck.status(ROUTE).refusal), (true, None));
        assert_eq!(stuck.engine.repairs.next(), None);
    });
}

#[test]
fn what_is_not_wanted_any_more_has_no_refusal() {
    in_namespace(async || {
        let mut stuck = Stuck::wanting();
        let why = refusal_of("adding rule", Errno::EPERM);
        stuck.answer(vec![(Request::Add(RULE, Site::Host), Answer::Refused(1), Some(why))]);
        assert!(stuck.status(RULE).refusal.is_some());
        stuck.engine.want_holdings(0, false, clock::now());
        assert_eq!(stuck.status(RULE).refusal, None);
    });
}

#[test]
fn a_route_that_is_replaced_or_removed_is_not_there() {
    in_namespace(async || {
        let mut stuck = Stuck::master();
        let Event::RouteAdded { route: mut other, .. } = stuck.event(ROUTE, true) else { panic!("a route") };
        other.through = vec![IfIndex(9)];
        stuck.report(Event::RouteAdded { route: other.clone(), replaces: false });
        assert!(stuck.status(ROUTE).set, "one beside it is none of our business");
        for slot in [ROUTE, RULE] {
            let event = stuck.event(slot, false);
            stuck.report(event);
            assert!(!stuck.status(slot).set);
        }
        stuck.engine.reconcile(VI, clock::now());
        assert_eq!(stuck.asked(VI), [Request::Add(ROUTE, ETH0), Request::Add(RULE, Site::Host)]);
    });
}

#[test]
fn a_route_goes_with_its_interface_and_comes_back_with_the_new_one() {
    in_namespace(async || {
        let mut stuck = Stuck::master();
        stuck.report(Event::LinkGone { index: IfIndex(3), name: "eth1".into() });
        // The kernel has dropped it without a word; to ask for its removal does no harm.
        assert_eq!(stuck.asked(VI), [Request::Remove(THROUGH_ETH1, ETH1)]);
        stuck.answer(vec![(Request::Remove(THROUGH_ETH1, ETH1), Answer::Removed, None)]);
        assert_eq!((stuck.status(THROUGH_ETH1).set, stuck.status(THROUGH_ETH1).device), (false, None));
        assert_eq!(stuck.asked(VI), [], "there is no interface");
        stuck.report(Event::Link(Link::sample(7, "eth1")));
        let again = Request::Add(THROUGH_ETH1, Site::Interface(IfIndex(7)));
        assert_eq!(stuck.asked(VI), [again]);
        stuck.grant(&[again]);
        assert_eq!(
            (stuck.status(THROUGH_ETH1).set, stuck.status(THROUGH_ETH1).device),
            (true, Some(IfIndex(7)))
        );
    });
}

#[test]
fn routes_that_the_kernel_may_have_dropped_without_a_word_are_asked_for_again() {
    in_namespace(async || {
        let mut stuck = Stuck::master();
        stuck.report(Event::Link(Link { up: false, ..Link::sample(3, "eth1") }));
        assert_eq!(stuck.asked(VI), [Request::Add(THROUGH_ETH1, ETH1)]);
        assert!(stuck.status(THROUGH_ETH1).set, "perhaps");
        let why = refusal_of("adding route", Errno::ENETDOWN);
        let refused = (Request::Add(THROUGH_ETH1, ETH1), Answer::Refused(Errno::ENETDOWN as i32), Some(why));
        stuck.answer(vec![refused]);
        assert!(!stuck.status(THROUGH_ETH1).set, "the kernel does not want it");
        // The source of a route takes it along.
        stuck.engine.repairs.set(0, None);
        let gone = stuck.event(0, false);
        stuck.report(gone);
        stuck.engine.reconcile(VI, clock::now());
        let asked = stuck.asked(VI);
        assert!(
            asked.contains(&Request::Add(0, ETH0))
                && asked.contains(&Request::Add(FROM_THE_ADDRESS, Site::Host))
        );
        assert!(!asked.contains(&Request::Add(ROUTE, ETH0)), "{asked:?}");
    });
}

#[test]
fn after_a_listing_only_what_it_lacks_is_asked_for() {
    in_namespace(async || {
        let mut stuck = Stuck::master();
        let mut listing = listed(vec![crate::daemon::engine::testing::address(2, 100, true)]);
        for slot in [ROUTE, FROM_THE_ADDRESS] {
            if let Event::RouteAdded { route, .. } = stuck.event(slot, true) {
                listing.routes.push(route);
            }
        }
        stuck.engine.handle_listed(Ok(listing));
        assert_eq!(stuck.asked(VI), [Request::Add(THROUGH_ETH1, ETH1), Request::Add(RULE, Site::Host)]);
    });
}

#[test]
fn two_thousand_routes_through_an_interface_that_goes_down_are_planned_once() {
    in_namespace(async || {
        const ROUTES: usize = 2_000;
        let lines: String =
            (0..ROUTES).map(|n| format!(" 10.{}.{}.0/24 dev eth1\n", 64 + n / 256, n % 256)).collect();
        let mut stuck = Stuck::new(&format!("virtual_routes {{\n{lines}}}"), "");
        stuck.engine.handle_listed(Ok(listed(Vec::new())));
        stuck.engine.assume_started();
        stuck.want(true);
        let asked = stuck.asked(VI);
        assert_eq!(asked.len(), ROUTES + 1);
        stuck.grant(&asked);
        let holders = stuck.engine.routing.doubt_through(IfIndex(3));
        assert_eq!(holders, [VI]);
        stuck.engine.reconcile(VI, clock::now());
        assert_eq!(stuck.asked(VI).len(), ROUTES);
    });
}
