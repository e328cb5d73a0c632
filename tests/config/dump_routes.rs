//! What both programs understand of the same virtual routes and rules: keepalived's dump beside ours.

use std::{fmt::Write as _, fs};

use proptest::test_runner::TestRunner;
use steadfast::config::{Network, PROTOCOL, Route, RouteKind, Rule, RuleAction};

use crate::{
    dump::{draw, one_of},
    peer::Namespace,
    world::World,
};

/// Instances, and lines in each of their lists.
const INSTANCES: u64 = 100;
const LINES: u64 = 6;

const KINDS: &[&str] = &["", "", "", "blackhole ", "unreachable ", "prohibit "];
const ROUTE_OPTIONS: &[&[&str]] = &[
    &["", " src 10.0.0.7"],
    &["", " tos 16", " dsfield 0x08"],
    &["", " table 100", " table 1000"],
    &["", " scope link", " scope 200"],
    &["", " metric 1", " priority 4000"],
    &["", "", " no_track", " no_track protocol 77"],
];
const RULE_OPTIONS: &[&[&str]] = &[
    &["", " fwmark 4", " fwmark 0x100"],
    &["", " iif eth1"],
    &["", " tos 16"],
    &["", "", " no_track", " no_track protocol 77"],
];
const ACTIONS: &[&str] = &["table 100", "lookup 7", "blackhole", "unreachable", "prohibit"];

/// A file of instances with drawn routes and rules.
fn file(runner: &mut TestRunner) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    for vrid in 1..=INSTANCES {
        let _ = writeln!(
            text,
            "vrrp_instance V{vrid} {{\n    interface eth0\n    virtual_router_id {vrid}\n    virtual_ipaddress {{\n        \
             10.1.{vrid}.1\n    }}\n    virtual_routes {{"
        );
        for line in 0..LINES {
            let kind = one_of(KINDS, runner);
            let way = if kind.is_empty() {
                one_of(&[" dev eth0", " via 10.0.0.9 dev eth1", " dev eth1"], runner)
            } else {
                ""
            };
            let prefix = one_of(&["", "/24", "/32", "/9"], runner);
            let _ = write!(text, "        {kind}10.2.{vrid}.{line}{prefix}{way}");
            options(&mut text, ROUTE_OPTIONS, runner);
        }
        text.push_str("    }\n    virtual_rules {\n");
        for line in 0..LINES {
            let (from, to) = (format!("from 10.3.{vrid}.{line}"), format!("to 10.4.{vrid}.{line}/24"));
            let _ = match draw(runner, 0..3u64) {
                0 => write!(text, "        {from}"),
                1 => write!(text, "        {to}"),
                _ => write!(text, "        {from}/29 {to}"),
            };
            let preference = draw(runner, 1..16_000u64);
            let _ = write!(text, " priority {preference} {}", one_of(ACTIONS, runner));
            options(&mut text, RULE_OPTIONS, runner);
        }
        text.push_str("    }\n}\n");
    }
    text
}

fn options(text: &mut String, all: &'static [&'static [&'static str]], runner: &mut TestRunner) {
    text.extend(all.iter().map(|choices| one_of(choices, runner)));
    text.push('\n');
}

fn network(network: Network) -> String {
    if network.prefix == network.family().bits() {
        network.address.to_string()
    } else {
        format!("{}/{}", network.address, network.prefix)
    }
}

/// The word and the value, where there is one.
fn word(name: &str, value: Option<impl std::fmt::Display>) -> String {
    value.map_or_else(String::new, |value| format!(" {name} {value}"))
}

/// A protocol is shown where the file names one, or tracking needs ours.
fn protocol(protocol: u8, no_track: bool) -> Option<u8> {
    Some(protocol).filter(|protocol| !no_track || *protocol != PROTOCOL)
}

fn route(route: &Route) -> String {
    let kind = match route.kind {
        RouteKind::Blackhole => "add blackhole ",
        RouteKind::Unreachable => "add unreachable ",
        RouteKind::Prohibit => "add prohibit ",
        _ => "prepend ",
    };
    [
        format!("{kind}{}", network(route.destination)),
        word("src", route.source),
        word("tos", Some(route.tos).filter(|tos| *tos != 0)),
        word("via inet", route.hop.via),
        word("dev", route.hop.device.as_ref()),
        word("table", Some(route.table).filter(|table| *table != 254)),
        word("proto", protocol(route.protocol, route.no_track)),
        word("scope", route.scope),
        word("metric", Some(route.metric).filter(|metric| *metric != 0)),
        // keepalived tracks no route without an interface.
        if route.no_track || route.hop.device.is_none() { " no_track".to_owned() } else { String::new() },
    ]
    .concat()
}

fn rule(rule: &Rule) -> String {
    let action = match rule.action {
        RuleAction::Table(table) => format!(" lookup {table}"),
        RuleAction::Blackhole => " type blackhole".to_owned(),
        RuleAction::Unreachable => " type unreachable".to_owned(),
        RuleAction::Prohibit => " type prohibit".to_owned(),
        other => format!(" {other:?}"),
    };
    [
        format!("from {}", rule.from.map_or("all".to_owned(), network)),
        word("to", rule.to.map(network)),
        word("priority", Some(rule.preference)),
        format!(" tos {:#x}", rule.tos),
        word("fwmark", rule.mark.map(|mark| format!("{:#x}", mark.value))),
        word("iif", rule.input.as_ref()),
        word("protocol", protocol(rule.protocol, rule.no_track)),
        action,
        if rule.no_track { " no_track".to_owned() } else { String::new() },
    ]
    .concat()
}

/// The lines of every list below a heading, up to the next.
fn below(dump: &[String], heading: &str, end: &str) -> Vec<String> {
    let mut inside = false;
    let lines = dump.iter().filter(|line| {
        let (begins, ends) = (*line == heading, line.starts_with(end));
        inside = begins || inside && !ends;
        inside && !begins
    });
    lines.cloned().collect()
}

#[test]
fn both_programs_understand_the_same_of_generated_routes_and_rules() {
    let world = World::with(["eth0", "eth1"].map(str::to_owned));
    let namespace = Namespace::with(world.made());
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let file_name = directory.path().join("generated.conf");
    let text = file(&mut TestRunner::deterministic());
    fs::write(&file_name, &text).expect("the file can be written");
    let dump = namespace.dump(&file_name);
    let (config, report) = super::load(&file_name, &world);
    let config = config.unwrap_or_else(|| panic!("{}", report.render()));
    let routes = config.instances.iter().flat_map(|instance| &instance.virtual_routes).map(route);
    let rules = config.instances.iter().flat_map(|instance| &instance.virtual_rules).map(rule);
    let theirs = below(&dump, "Virtual Routes :", "Virtual Rules");
    same(&theirs, &routes.collect::<Vec<_>>());
    let theirs = below(&dump, "Virtual Rules :", "Using smtp");
    same(&theirs, &rules.collect::<Vec<_>>());
}

fn same(theirs: &[String], ours: &[String]) {
    let count = usize::try_from(INSTANCES * LINES).expect("it is small");
    assert_eq!((theirs.len(), ours.len()), (count, count));
    let differing: Vec<_> = theirs.iter().zip(ours).filter(|(theirs, ours)| theirs != ours).collect();
    let shown: Vec<_> = differing.iter().take(20).map(|(theirs, ours)| format!("{theirs}\n{ours}")).collect();
    assert!(shown.is_empty(), "{}: keepalived's line, then ours:\n{}", differing.len(), shown.join("\n\n"));
}
