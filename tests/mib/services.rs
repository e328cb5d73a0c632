//! The subtree of virtual and real servers beside keepalived's: one configuration, what keepalived 2.2.7 showed of it
//! where the kernel had IPVS, and what the view shows from a registry that is told the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::Arc,
    time::Duration,
};

use agentx::{Oid, Value};
use steadfast::{
    config::{self, System},
    kernel::clock,
    registry::{Rate, RealServerRow, RealServerStatus, Topology, Traffic, VirtualServerStatus},
    snmp::{self, Snapshot},
    units::Time,
};

use crate::file;

const CONFIG: &str = "tests/mib/services.conf";
/// Everything below check, as `snmpwalk -On` shows it, by the numbers below keepalived's arc.
const RECORDED: &str = include_str!("services.walk");

/// Objects that differ, by the beginning of their numbers, and why; `docs/differences.md` has a row that begins so.
const KNOWN: &[(&[u32], &str)] = &[
    (&[3, 3, 1, 15, 7], GRANULARITY),
    (&[3, 3, 1, 43, 1], LOW),
    (&[3, 3, 1, 45, 1], LOW),
    (&[3, 3, 1, 47, 1], LOW),
    (&[3, 3, 1, 49, 1], LOW),
    (&[3, 3, 1, 51, 5], GRANULARITY),
    (&[3, 3, 1, 51, 6], GRANULARITY),
    (&[3, 3, 1, 51, 7], GRANULARITY),
    (&[3, 3, 1, 54, 3], FLAGS),
    (&[3, 3, 1, 62, 2], FLAGS),
    (&[3, 3, 1, 63, 2], FLAGS),
    (&[3, 3, 1, 72], ADDED),
    (&[3, 3, 1, 73], ADDED),
    (&[3, 3, 1, 74], ADDED),
    (&[3, 3, 1, 75], ADDED),
    (&[3, 3, 1, 76], ADDED),
    (&[3, 3, 1, 77], ADDED),
    (&[3, 3, 1, 78], ADDED),
    (&[3, 4, 1, 32, 1], LOW),
    (&[3, 4, 1, 34, 1], LOW),
    (&[3, 4, 1, 36, 1], LOW),
    (&[3, 4, 1, 38, 1], LOW),
    (&[3, 4, 1, 56], ADDED),
    (&[3, 4, 1, 57], ADDED),
    (&[3, 4, 1, 58], ADDED),
    (&[3, 4, 1, 59], ADDED),
    (&[3, 4, 1, 60], ADDED),
    (&[3, 4, 1, 61], ADDED),
    (&[3, 4, 1, 62], ADDED),
    (&[3, 4, 1, 63], ADDED),
];
const ADDED: &str = "| objects added after 2.2.7 ";
const GRANULARITY: &str = "| `virtualServerPersistGranularity`, `virtualServerPersistGranularity6` ";
const FLAGS: &str = "| `virtualServerSHPort`, `virtualServerMHPort` ";
const LOW: &str = "| `virtualServerRateCpsLow`, `realServerRateCpsLow` ";

/// The rows of the configuration.
fn topology() -> Topology {
    let (config, report) = config::load(&file(CONFIG), None, &System);
    let config = config.unwrap_or_else(|| panic!("{report:?}"));
    Topology::new(config, "Steadfast".to_owned(), Vec::new())
}

fn traffic(connections: u64, rate: Rate) -> Traffic {
    Traffic {
        connections,
        packets_in: 5 * connections,
        packets_out: 5 * connections,
        bytes_in: 286 * connections,
        bytes_out: 1287 * connections,
        rate,
        ..Traffic::default()
    }
}

/// The registry of a router whose servers all answer, after nine connections to the first service.
fn at_work() -> Topology {
    let topology = topology();
    for service in &topology.virtual_servers {
        let servers_up = u32::try_from(service.servers.len()).unwrap();
        service.set_status(VirtualServerStatus { installed: true, has_quorum: true, servers_up });
        let alive = RealServerStatus { alive: true, ..RealServerStatus::default() };
        service.servers.iter().for_each(|server| server.set_status(alive));
    }
    let first = &topology.virtual_servers[0];
    // 1, and 2 for each of the 3 that the tracked file holds.
    first.servers[2].set_status(RealServerStatus { alive: true, weight: Some(7), ..Default::default() });
    let rates = |packets: u64, bytes_in: u64, bytes_out: u64| Rate {
        connections: 0,
        packets_in: packets,
        packets_out: packets,
        bytes_in,
        bytes_out,
    };
    first.set_traffic(traffic(9, rates(2, 136, 611)));
    let served = |row: &RealServerRow, connections: u64, rate: Rate| {
        let inactive = u32::try_from(connections).unwrap();
        row.set_traffic(Traffic { inactive, ..traffic(connections, rate) });
    };
    served(&first.servers[0], 1, rates(0, 15, 68));
    served(&first.servers[1], 1, rates(0, 15, 68));
    served(&first.servers[2], 7, rates(2, 106, 475));
    topology
}

type Walk = BTreeMap<Vec<u32>, String>;

/// `TYPE: value` as net-snmp prints it, where it has no names for the objects.
fn shown(value: &Value) -> String {
    match value {
        Value::Integer(number) => format!("INTEGER: {number}"),
        Value::Gauge32(number) => format!("Gauge32: {number}"),
        Value::Counter32(number) => format!("Counter32: {number}"),
        Value::Counter64(number) => format!("Counter64: {number}"),
        Value::OctetString(octets) => match std::str::from_utf8(octets) {
            Ok(text) if !text.chars().any(char::is_control) => format!("STRING: \"{text}\""),
            _ => {
                let octets: Vec<_> = octets.iter().map(|octet| format!("{octet:02X}")).collect();
                format!("Hex-STRING: {}", octets.join(" "))
            }
        },
        other => format!("{other:?}"),
    }
}

fn recorded() -> Walk {
    let line = |line: &str| {
        let (object, value) = line.split_once(" = ").unwrap();
        (object.split('.').map(|number| number.parse().unwrap()).collect(), value.trim().to_owned())
    };
    RECORDED.lines().map(line).collect()
}

/// Everything below check, by GetNext; every cell is got as well.
fn walk(topology: Topology) -> Walk {
    let snapshot = &Snapshot::new(Arc::new(topology), None, (Time::default(), Time::default));
    let view = snmp::view();
    let root = Oid::from(snmp::KEEPALIVED);
    let end = root.child(4);
    let mut walk = Walk::new();
    let mut at = root.child(3);
    while let Some(found) = view.next(snapshot, &at, false, Some(&end)) {
        assert_eq!(view.value(snapshot, &found.name), found.value, "GET and GETNEXT of {}", found.name);
        walk.insert(found.name.suffix(&root).unwrap().to_vec(), shown(&found.value));
        at = found.name;
    }
    walk
}

#[test]
fn the_walk_of_a_router_at_work_is_keepalived_s() {
    let (theirs, ours) = (recorded(), walk(at_work()));
    let mut seen = BTreeSet::new();
    let mut unknown = Vec::new();
    for object in theirs.keys().chain(ours.keys()).collect::<BTreeSet<_>>() {
        if theirs.get(object) == ours.get(object) {
            continue;
        }
        match KNOWN.iter().position(|(known, _)| object.starts_with(known)) {
            Some(at) => drop(seen.insert(at)),
            None => {
                unknown.push(format!("{object:?}: {:?}, ours {:?}", theirs.get(object), ours.get(object)))
            }
        }
    }
    assert!(unknown.is_empty(), "not in docs/differences.md:\n{}", unknown.join("\n"));
    let page = fs::read_to_string(file("docs/differences.md")).unwrap();
    for (at, (object, row)) in KNOWN.iter().enumerate() {
        assert!(seen.contains(&at), "{object:?} does not differ any more");
        assert!(page.lines().any(|line| line.starts_with(row)), "docs/differences.md has no row {row}");
    }
}

#[test]
fn a_server_that_nobody_has_checked_is_dead_and_nothing_is_installed() {
    let walk = walk(topology());
    let column = |column: [u32; 4]| -> Vec<&str> {
        walk.range(column.to_vec()..)
            .take_while(|(object, _)| object.starts_with(&column))
            .map(|(_, value)| value.as_str())
            .collect()
    };
    assert_eq!(column([3, 3, 1, 11]), ["INTEGER: 2"; 7], "virtualServerStatus");
    assert_eq!(column([3, 3, 1, 21]), ["Gauge32: 0"; 7], "virtualServerRealServersUp");
    assert_eq!(column([3, 3, 1, 23]), ["INTEGER: 2"; 7], "virtualServerQuorumStatus");
    assert_eq!(column([3, 4, 1, 6]), ["INTEGER: 2"; 12], "realServerStatus");
}

#[test]
fn numbers_of_64_bits_stay_in_their_types() {
    let topology = topology();
    let many = (7 << 32) + 5;
    let rate = Rate { bytes_out: many, ..Rate::default() };
    topology.virtual_servers[0].set_traffic(Traffic { rate, ..traffic(many, rate) });
    let walk = walk(topology);
    let cell = |column: u32| walk[&vec![3, 3, 1, column, 1]].as_str();
    assert_eq!(cell(27), "Gauge32: 4294967295", "a gauge stays at its end");
    assert_eq!(cell(28), "Counter32: 25", "a counter wraps");
    assert_eq!(cell(38), format!("Counter64: {many}"));
    assert_eq!(cell(36), "Gauge32: 4294967295");
    assert_eq!((cell(49), cell(50)), ("Gauge32: 5", "Gauge32: 7"), "the halves of the rate");
    assert_eq!(cell(78), format!("Counter64: {many}"));
}

#[test]
fn a_row_of_a_hundred_thousand_costs_what_one_of_the_first_does() {
    const SERVICES: usize = 100;
    const SERVERS: usize = 1000;
    let mut text = String::new();
    for service in 0..SERVICES {
        text += &format!("virtual_server 10.68.0.{service} 80 {{\nprotocol TCP\n");
        for server in 0..SERVERS {
            text += &format!("real_server 10.69.{}.{} 80 {{\n}}\n", server / 250, server % 250);
        }
        text += "}\n";
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("many.conf");
    fs::write(&path, text).unwrap();
    let (config, _) = config::load(&path, None, &System);
    let topology = Topology::new(config.unwrap(), String::new(), Vec::new());
    let snapshot = Snapshot::new(Arc::new(topology), None, (Time::default(), Time::default));
    let view = snmp::view();
    // realServerStatus
    let column = Oid::from(snmp::KEEPALIVED).child(3).child(4).child(1).child(6);
    let mut at = column.clone();
    let mut times = Vec::new();
    for _ in 0..SERVICES {
        let began = clock::now();
        for _ in 0..SERVERS {
            let found = view.next(&snapshot, &at, false, None).unwrap();
            assert!(found.name.starts_with(&column), "the column ends after {at}");
            at = found.name;
        }
        times.push(clock::now().since(began));
    }
    assert_eq!(at.suffix(&column), Some(&[100, 1000][..]));
    // The best of each half: whatever else the machine does lengthens others.
    let best = |times: &[Duration]| times.iter().min().copied().unwrap();
    let (first, last) = (best(&times[..SERVICES / 2]), best(&times[SERVICES / 2..]));
    println!("{SERVERS} rows: {first:?} at the beginning, {last:?} at the end");
    assert!(last < first * 2, "{last:?} for {SERVERS} rows at the end, {first:?} at the beginning");
}

#[test]
fn a_topology_can_be_read_while_it_is_written() {
    let topology = Arc::new(at_work());
    let writer = Arc::clone(&topology);
    let thread = std::thread::spawn(move || {
        for connections in 0..2000 {
            writer.virtual_servers[0].set_traffic(traffic(connections, Rate::default()));
        }
    });
    while !thread.is_finished() {
        let seen = topology.virtual_servers[0].traffic();
        assert_eq!(seen.packets_in, 5 * seen.connections, "all numbers are of one look at the kernel");
    }
    thread.join().unwrap();
}
