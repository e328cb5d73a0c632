//! The whole transition matrix: what every input does in every state, in one word and in full, and the graph of the states.

use std::{collections::BTreeMap, fmt::Write};

use super::*;

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

const STAGES: [Stage; 7] = [
    ("INIT", || Lan::new([router(100)])),
    ("INIT, owner", || Lan::new([Settings { start_as_master: true, ..router(255) }])),
    ("INIT, held", || faulty(Fault::Pending(Tracker::Script(0)))),
    ("BACKUP", || Lan::started(router(100))),
    ("MASTER", || Lan::master(router(100))),
    ("FAULT", || faulty(Fault::Interface)),
    ("STOP", || {
        let mut lan = Lan::started(router(100));
        lan.input(0, |instance, now| instance.handle_shutdown(now, true));
        lan
    }),
];

const INPUTS: [Input; 16] = [
    ("start", |instance, now| instance.handle_start(now)),
    ("timeout, a minute later", |instance, now| instance.handle_timeout(now + Duration::from_secs(60))),
    ("advert, priority 0", |instance, now| hear(instance, now, 0)),
    ("advert, lower", |instance, now| hear(instance, now, 50)),
    ("advert, same, higher address", |instance, now| hear(instance, now, 100)),
    ("advert, higher", |instance, now| hear(instance, now, 200)),
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
    ("no source address", |instance, now| instance.handle_source(now, Source::Missing)),
    ("weight", |instance, now| instance.handle_weight(now, Tracker::Script(0), -50)),
    ("address removed", |instance, now| instance.handle_address_removed(now, VIP)),
    ("addresses installed", |instance, now| instance.handle_addresses_installed(now, true)),
    ("shutdown", |instance, now| instance.handle_shutdown(now, true)),
];

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
        write!(table, "{stage:<13}").unwrap();
    }
    for (name, input) in INPUTS {
        write!(table, "\n{name:<30}").unwrap();
        for (_, stage) in STAGES {
            let (before, after, _) = step(stage, input);
            let changed = if before == after { "-" } else { after.word() };
            write!(table, "{changed:<13}").unwrap();
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
