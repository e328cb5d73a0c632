//! The whole transition matrix: what every input does in every state, in one word and in full, and the graph of the states.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use super::*;
use crate::vrrp::Order;

/// A state that a router can be brought into.
type Stage = (&'static str, fn() -> Lan);

/// Something that can happen to it.
type Input = (&'static str, fn(&mut Instance, Time));

fn faulty(fault: Fault) -> Lan {
    let mut lan = Lan::new([router(100)]);
    let reason = Reason::InterfaceDown { interface: "eth0".into() };
    lan.input(0, |instance, now| instance.handle_fault(now, fault, Some(reason)));
    lan.start(0);
    lan
}

/// A member of a sync group that would be MASTER, were it alone.
fn ready() -> Lan {
    let mut lan = Lan::started(Settings { membership: Membership::Member, ..router(100) });
    lan.run_until(at(10.0));
    lan
}

/// The same when its group has told it to be MASTER.
fn ordered() -> Lan {
    let mut lan = ready();
    lan.input(0, |instance, now| instance.handle_order(now, Order::Master));
    assert_eq!(lan.state(0), State::Master);
    lan
}

const STAGES: [Stage; 17] = [
    ("INIT", || Lan::new([router(100)])),
    ("INIT, owner", || Lan::new([Settings { start_as_master: true, ..router(255) }])),
    ("INIT, delayed", || {
        let mut lan = Lan::new([router(100)]);
        lan.input(0, |instance, _| instance.handle_delay(at(5.0)));
        lan
    }),
    ("INIT, held", || faulty(Fault::Pending(Tracker::Script(0)))),
    ("BACKUP", || Lan::started(router(100))),
    ("BACKUP, heard", || {
        let mut lan = Lan::started(router(100));
        lan.hear(200);
        lan
    }),
    ("BACKUP, freed", || {
        let mut lan = Lan::started(router(100));
        lan.hear(200);
        lan.hear(0);
        lan
    }),
    ("BACKUP, worse", || {
        let mut lan = Lan::started(router(100));
        lan.hear(50);
        lan
    }),
    ("BACKUP, ready", ready),
    ("BACKUP, member", || Lan::started(Settings { membership: Membership::Member, ..router(100) })),
    ("BACKUP, owner", || Lan::started(router(255))),
    ("MASTER", || Lan::master(router(100))),
    ("MASTER, member", ordered),
    ("MASTER, owner", || Lan::master(router(255))),
    ("MASTER, modest", || {
        let policy = Policy { timer_expired_backup: Some(Priority(50)), ..Policy::default() };
        Lan::master(Settings { preempt: false, policy, ..router(100) })
    }),
    ("FAULT", || faulty(Fault::Interface)),
    ("STOP", || {
        let mut lan = Lan::started(router(100));
        lan.input(0, |instance, now| instance.handle_shutdown(now, true));
        lan
    }),
];

const INPUTS: [Input; 29] = [
    ("start", |instance, now| instance.handle_start(now)),
    ("timeout, a minute later", |instance, now| instance.handle_timeout(now + Duration::from_secs(60))),
    ("advert, priority 0", |instance, now| hear(instance, now, 0)),
    ("advert, lower", |instance, now| hear(instance, now, 50)),
    ("advert, same, higher address", |instance, now| hear(instance, now, 100)),
    ("advert, higher", |instance, now| hear(instance, now, 200)),
    ("advert, owner", |instance, now| hear(instance, now, 255)),
    ("advert, broken", |instance, now| instance.handle_packet(now, &[0x45; 40])),
    ("interface down", |instance, now| {
        instance.handle_fault(
            now,
            Fault::Interface,
            Some(Reason::InterfaceDown { interface: "eth0".into() }),
        );
    }),
    ("interface up", |instance, now| instance.handle_fault(now, Fault::Interface, None)),
    ("script without result", |instance, now| {
        instance.handle_fault(now, Fault::Pending(Tracker::Script(0)), Some(Reason::Started))
    }),
    ("script's first success", |instance, now| {
        instance.handle_fault(now, Fault::Pending(Tracker::Script(0)), None)
    }),
    ("script fails", |instance, now| {
        let tracker = Tracker::Script(1);
        let reason = Reason::Tracked { tracker, name: "check".into(), detail: "failed".into() };
        instance.handle_fault(now, Fault::Tracked(tracker), Some(reason));
    }),
    ("no unicast peer", |instance, now| instance.handle_fault(now, Fault::NoPeers, Some(Reason::NoPeers))),
    ("source address", |instance, now| instance.handle_source(now, Source::Address([10, 9, 0, 1].into()))),
    ("source tentative", |instance, now| {
        instance.handle_source(now, Source::Tentative([10, 9, 0, 1].into()));
    }),
    ("source duplicate", |instance, now| {
        instance.handle_source(now, Source::Duplicate([10, 9, 0, 1].into()));
    }),
    ("no source address", |instance, now| instance.handle_source(now, Source::Missing)),
    ("weight", |instance, now| instance.handle_weight(now, Tracker::Script(0), -50)),
    ("address removed", |instance, now| instance.handle_address_removed(now, VIP)),
    ("route removed", |instance, now| instance.handle_routing_removed(now, "route".into())),
    ("addresses refused", |instance, now| {
        instance.handle_addresses_installed(now, &[Holding::Address(VIP)]);
    }),
    ("addresses installed", |instance, now| instance.handle_addresses_installed(now, &[])),
    ("order: MASTER", |instance, now| instance.handle_order(now, Order::Master)),
    ("order: BACKUP", |instance, now| instance.handle_order(now, Order::Backup(member()))),
    ("order: fault", |instance, now| instance.handle_order(now, Order::Fault(Some(member())))),
    ("order: wait", |instance, now| instance.handle_order(now, Order::Wait(true))),
    ("order: announce", |instance, now| instance.handle_order(now, Order::Announce)),
    ("shutdown", |instance, now| instance.handle_shutdown(now, true)),
];

/// What another member of the sync group gives as a reason.
fn member() -> Reason {
    let reason = Reason::InterfaceDown { interface: "eth1".into() };
    Reason::Member { member: "OTHER".into(), reason: Box::new(reason) }
}

fn hear(instance: &mut Instance, now: Time, priority: u8) {
    instance.handle_packet(now, &advert_of(&router(100), OTHER, priority));
}

/// What an input does in a stage: the states before and after, and the lines of what was done.
fn step(stage: fn() -> Lan, input: fn(&mut Instance, Time)) -> (State, State, Vec<String>) {
    let mut lan = stage();
    let before = lan.state(0);
    lan.lines.clear();
    lan.input(0, input);
    let after = lan.state(0);
    assert!(before == after || LEGAL.contains(&(before, after)), "{before} to {after}");
    (before, after, lan.take_lines())
}

#[test]
fn every_input_in_every_state() {
    let mut table = format!("{:<30}", "");
    for (stage, _) in STAGES {
        write!(table, "{stage:<16}").unwrap();
    }
    for (name, input) in INPUTS {
        write!(table, "\n{name:<30}").unwrap();
        for (_, stage) in STAGES {
            let (before, after, _) = step(stage, input);
            let changed = if before == after { "-" } else { after.word() };
            write!(table, "{changed:<16}").unwrap();
        }
    }
    let table: Vec<&str> = table.lines().map(str::trim_end).collect();
    insta::assert_snapshot!(table.join("\n"));
}

#[test]
fn what_every_input_does_in_every_state() {
    let mut text = String::new();
    for (name, stage) in STAGES {
        writeln!(text, "{name}").unwrap();
        for (input_name, input) in INPUTS {
            let (_, _, lines) = step(stage, input);
            if lines.is_empty() {
                continue;
            }
            writeln!(text, "  {input_name}").unwrap();
            for line in lines {
                // The time says nothing here: it is that of the stage.
                let what = line.split_once(' ').map_or("", |(_, what)| what);
                writeln!(text, "    {what}").unwrap();
            }
        }
    }
    insta::assert_snapshot!(text);
}

/// RFC 9568 §5.2.4 (5.2.4-3), §6.4.2 (6.4.2-6): who is not MASTER has nothing to release.
#[test]
fn priority_0_is_said_by_masters_alone() {
    let mut said = 0;
    for (name, stage) in STAGES {
        for (input_name, input) in INPUTS {
            let (before, after, lines) = step(stage, input);
            if lines.iter().any(|line| line.ends_with(" advert 0")) {
                assert_eq!(before, State::Master, "{name}, {input_name}");
                assert_ne!(after, State::Master, "{name}, {input_name}");
                said += 1;
            }
        }
    }
    assert!(said >= 3, "{said}");
}

/// RFC 9568 §6.4.1 (6.4.1-3).
#[test]
fn nothing_is_sent_before_the_start() {
    for (name, stage) in STAGES.iter().filter(|(name, _)| name.starts_with("INIT")) {
        for (input_name, input) in INPUTS {
            let (_, after, lines) = step(*stage, input);
            let is_sent = lines.iter().any(|line| line.contains(" advert ") || line.contains("announce"));
            assert!(!is_sent || after == State::Master, "{name}, {input_name}: {lines:?}");
        }
    }
}

/// Every change of state with the reasons that are given for it, as the stream of transitions shows them.
#[test]
fn the_causes_of_every_change() {
    let mut causes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (_, stage) in STAGES {
        for (_, input) in INPUTS {
            for line in step(stage, input).2 {
                let told = line.split_once(' ').and_then(|(_, what)| what.split_once(" ("));
                let Some((change, reason)) = told.filter(|(change, _)| change.contains(" -> ")) else {
                    continue;
                };
                causes.entry(change.into()).or_default().insert(reason.trim_end_matches(')').into());
            }
        }
    }
    let mut text = String::new();
    for (change, reasons) in causes {
        writeln!(text, "{change}").unwrap();
        for reason in reasons {
            writeln!(text, "  {reason}").unwrap();
        }
    }
    insta::assert_snapshot!(text);
}

/// The states as a graph that `dot -Tsvg` draws, each edge with the inputs that lead along it.
#[test]
fn the_graph_of_the_states() {
    let mut edges: BTreeMap<(State, State), Vec<&str>> = BTreeMap::new();
    for (_, stage) in STAGES {
        for (name, input) in INPUTS {
            let (before, after, _) = step(stage, input);
            if before != after && !edges.entry((before, after)).or_default().contains(&name) {
                edges.entry((before, after)).or_default().push(name);
            }
        }
    }
    let mut legal = LEGAL;
    legal.sort_unstable();
    assert_eq!(edges.keys().copied().collect::<Vec<_>>(), legal, "each edge is taken, and there is no other");
    let mut graph = String::from("digraph instance {\n");
    for ((from, to), inputs) in edges {
        writeln!(graph, "    {from} -> {to} [label=\"{}\"];", inputs.join("\\n")).unwrap();
    }
    insta::assert_snapshot!(graph + "}");
}
