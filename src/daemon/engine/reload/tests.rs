//! Whatever the configurations are: a reload from one to another ends where a start with the other one does, and nothing
//! that is equal in both is touched.

use std::{
    collections::BTreeMap,
    fmt::{Debug, Write as _},
    time::Duration,
};

use super::*;
use crate::{
    daemon::{
        engine::testing::{Stuck, address, config, in_namespace, listed},
        host::Wanted,
    },
    registry::Cursor,
    vrrp::{Fault, Source},
};

/// A configuration for each number: which of five routers there are, in which order, what each is like, which of them are in
/// a group, what is static.
fn text(seed: u64) -> String {
    let mut bits = seed;
    let mut take = |count: u64| {
        let taken = bits % count;
        bits /= count;
        taken
    };
    let mut text = String::new();
    let mut names: Vec<u8> = (1..=5).collect();
    for _ in 0..take(5) {
        names.rotate_left(1);
    }
    names.retain(|_| take(4) > 0);
    let tracked = take(3);
    for script in 0..tracked {
        writeln!(text, "vrrp_script s{script} {{\nscript /bin/true\nweight {}\n}}", take(2) * 10).unwrap();
    }
    let members: Vec<String> =
        names.iter().filter(|_| take(3) == 0).map(|name| format!("VI{name}")).collect();
    if !members.is_empty() {
        writeln!(text, "vrrp_sync_group G {{\ngroup {{\n{}\n}}\n}}", members.join("\n")).unwrap();
    }
    for name in names {
        writeln!(text, "vrrp_instance VI{name} {{\ninterface eth{}\nvirtual_router_id {name}", take(2))
            .unwrap();
        writeln!(text, "priority {}\nadvert_int {}", 100 + take(2), 1 + take(2)).unwrap();
        if tracked > 0 && take(2) == 0 {
            writeln!(text, "track_script {{\ns{}\n}}", tracked - 1).unwrap();
        }
        let more = if take(2) == 0 { format!("10.9.0.{}/24\n", 150 + name) } else { String::new() };
        writeln!(text, "virtual_ipaddress {{\n10.9.0.{}/24\n{more}}}", 100 + name).unwrap();
        if take(3) == 0 {
            writeln!(text, "virtual_routes {{\n10.{name}.0.0/16 via 10.9.0.9 dev eth0\n}}").unwrap();
        }
        text.push_str("}\n");
    }
    if take(2) == 0 {
        writeln!(text, "static_ipaddress {{\n10.8.0.{}/24 dev eth1\n}}", 1 + take(2)).unwrap();
    }
    text
}

/// An engine with the routers of a configuration, all of them MASTER or BACKUP.
fn started(seed: u64) -> Stuck {
    let mut stuck = Stuck::of(&text(seed));
    stuck.start(listed(vec![address(2, 1, false), address(3, 2, false)]));
    let engine = &mut stuck.engine;
    let now = clock::now();
    for number in 0..engine.routers.len() {
        let machine = &mut engine.routers[number].machine;
        for fault in [Fault::Interface, Fault::Socket, Fault::AwaitingSocket] {
            machine.handle_fault(now, fault, None);
        }
        machine.handle_source(now, Source::Address([10, 9, 0, 1].into()));
        engine.carry_out(number, now);
        if (seed >> number) & 1 == 0 {
            engine.routers[number].machine.handle_timeout(now + Duration::from_secs(60));
            engine.carry_out(number, now + Duration::from_secs(60));
        }
    }
    engine.tell();
    stuck
}

fn sorted<K: Ord + Debug, V: Debug>(map: impl IntoIterator<Item = (K, V)>) -> String {
    format!("{:?}", map.into_iter().collect::<BTreeMap<_, _>>())
}

/// Everything that the engine looks things up in.
fn lookups(engine: &Engine) -> Vec<String> {
    let tracks = |router: &Router| {
        router.tracks.iter().map(|line| (line.name.clone(), line.tracker)).collect::<Vec<_>>()
    };
    let routing = |number| {
        engine.routing.of(Holder::Router(number)).iter().map(|entry| entry.words()).collect::<Vec<_>>()
    };
    vec![
        sorted(&engine.users),
        sorted(&engine.holders),
        sorted(&engine.senders),
        format!("{:?}", engine.places),
        format!("{:?}", engine.routers.iter().map(tracks).collect::<Vec<_>>()),
        format!("{:?}", (0..engine.routers.len()).map(routing).collect::<Vec<_>>()),
        format!("{:?}", engine.interfaces.named("eth0").map(|interface| interface.addresses().len())),
    ]
}

fn check(from: u64, to: u64) {
    let (mut reloaded, fresh) = (started(from), started(to));
    let old = reloaded.engine.registry.topology();
    let new = config(&text(to));
    let plan = Plan::new(&old.outline(), &(&new).into());
    let wanted = Wanted::new(&new, Vec::new());
    let next = Arc::new(old.succeed(new, &plan, Vec::new()));
    let (succession, _done) = Succession::new(&old, next, plan.clone(), wanted);
    let untouched: Vec<(usize, usize)> = succession
        .fates
        .iter()
        .enumerate()
        .filter_map(
            |(now, fate)| if let Fate::Untouched(before) = fate { Some((*before, now)) } else { None },
        )
        .collect();
    let seen = |stuck: &mut Stuck, number: usize| {
        let asked = stuck.asked(Holder::Router(number));
        let router = &stuck.engine.routers[number];
        let sent = router.row.counters.value(crate::registry::Counter::AdvertSent);
        (asked, sent, router.machine.status(), router.machine.poll_timeout())
    };
    let before: Vec<_> = untouched.iter().map(|(before, _)| seen(&mut reloaded, *before)).collect();
    let newest = reloaded.engine.registry.transitions.newest();
    reloaded.engine.reload(succession, clock::now());
    let after: Vec<_> = untouched.iter().map(|(_, now)| seen(&mut reloaded, *now)).collect();
    assert_eq!(before, after, "{}\n---\n{}", text(from), text(to));
    assert_eq!(lookups(&reloaded.engine), lookups(&fresh.engine), "{}\n---\n{}", text(from), text(to));
    let (is, is_to_be) = (reloaded.engine.registry.topology(), fresh.engine.registry.topology());
    assert!(Plan::new(&is.outline(), &is_to_be.outline()).is_empty());
    // Nobody hears of a router that is as before.
    let mut cursor = Cursor::default();
    cursor.advance_past(newest);
    while let Some(told) = cursor.peek(&reloaded.engine.registry.transitions) {
        cursor.advance_past(told.seq);
        let is_untouched = |(_, now): &(usize, usize)| is.instances[*now].config.name == told.subject.name();
        let is_gone = told.change.reason == Reason::Deleted;
        assert!(is_gone || !untouched.iter().any(is_untouched), "{told:?}");
    }
}

/// Pairs of configurations that are tried.
const PAIRS: u64 = 60;

/// Numbers without a pattern (splitmix64).
fn scattered(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[test]
fn a_reload_ends_where_a_start_does_and_touches_nothing_that_is_equal() {
    in_namespace(async || {
        (0..PAIRS).for_each(|pair| check(scattered(2 * pair + 1), scattered(2 * pair + 2)))
    });
}

#[test]
fn a_reload_without_differences_touches_nothing() {
    in_namespace(async || (0..PAIRS / 3).for_each(|seed| check(scattered(seed), scattered(seed))));
}
