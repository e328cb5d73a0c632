//! What the kernel answers to a router's requests, as readers and the machine come to know it.

use std::time::Duration;

use super::*;
use crate::{
    daemon::engine::{
        holdings::Site,
        testing::{Stuck, address, in_namespace, listed},
    },
    kernel::{Added, Event},
    registry::Counter,
    units::IfIndex,
    vrrp::Fault,
};

const ROUTER: Holder = Holder::Router(0);
const ETH0: Site = Site::Interface(IfIndex(2));
const ENOBUFS: i32 = 105;

/// A MASTER of 10.9.0.100 and 10.9.0.101, which it has asked the kernel for.
fn master() -> Stuck {
    let mut stuck = Stuck::new("virtual_ipaddress_excluded {\n 10.9.0.101/24\n}", "");
    stuck.start(listed(vec![address(2, 1, false)]));
    let now = clock::now();
    let machine = &mut stuck.engine.routers[0].machine;
    machine.handle_fault(now, Fault::AwaitingSocket, None);
    machine.handle_timeout(now + Duration::from_secs(10));
    stuck.engine.carry_out(0, now);
    assert_eq!(stuck.asked(ROUTER), [Request::Add(0, ETH0), Request::Add(1, ETH0)]);
    stuck
}

/// The kernel answers all that it was asked for; it reports what it grants.
fn answer(stuck: &mut Stuck, answer: impl Fn(usize) -> Answer) {
    let asked = stuck.asked(ROUTER);
    let answers = asked.into_iter().map(|request| (request, answer(request.slot()), None)).collect();
    stuck.engine.handle_done(vec![Done { holder: ROUTER, answers }]);
}

fn report(stuck: &mut Stuck, slot: usize, is_there: bool) {
    let address = address(2, if slot == 0 { 100 } else { 101 }, true);
    let event = if is_there { Event::AddressAdded(address) } else { Event::AddressRemoved(address) };
    stuck.engine.take_event(event, clock::now());
    stuck.engine.carry_out(0, clock::now());
}

fn refusals(stuck: &Stuck) -> [Option<i32>; 2] {
    let row = &stuck.engine.routers[0].row;
    [0, 1].map(|slot: usize| row.addresses[slot].status().refusal)
}

#[test]
fn each_address_that_the_kernel_refuses_is_told_by_itself() {
    in_namespace(async || {
        let mut stuck = master();
        let restored = |stuck: &Stuck| stuck.engine.routers[0].row.counters.value(Counter::AddressRestored);
        report(&mut stuck, 0, true);
        answer(
            &mut stuck,
            |slot| if slot == 0 { Answer::Added(Added::New) } else { Answer::Refused(ENOBUFS) },
        );
        assert_eq!(refusals(&stuck), [None, Some(ENOBUFS)]);
        assert!(!stuck.engine.routers[0].row.status().addresses_set);

        report(&mut stuck, 0, false);
        assert_eq!(stuck.asked(ROUTER), [Request::Add(0, ETH0), Request::Add(1, ETH0)]);
        answer(&mut stuck, |_| Answer::Refused(ENOBUFS));
        assert_eq!((refusals(&stuck), restored(&stuck)), ([Some(ENOBUFS); 2], 0));

        stuck.engine.want_holdings(0, true, clock::now());
        report(&mut stuck, 0, true);
        answer(
            &mut stuck,
            |slot| if slot == 0 { Answer::Added(Added::New) } else { Answer::Refused(ENOBUFS) },
        );
        assert_eq!((refusals(&stuck), restored(&stuck)), ([None, Some(ENOBUFS)], 1));

        stuck.engine.want_holdings(0, false, clock::now());
        assert_eq!(refusals(&stuck), [None; 2], "nobody wants it any more");
    });
}
