//! What the view shows where keepalived's MIB and keepalived do not agree: one short configuration each, and one cell.
//! `docs/differences.md` has them by their numbers, together with those that need a whole router.

use std::{fs, sync::Arc};

use agentx::{Oid, Value};
use steadfast::{
    config::{self, Elsewhere},
    registry::Topology,
    snmp::{self, Snapshot},
    units::Time,
};

/// The cells that a configuration has.
struct Shown {
    snapshot: Snapshot,
}

impl Shown {
    fn of(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("one.conf");
        fs::write(&path, text).unwrap();
        let (config, report) = config::load(&path, None, &Elsewhere);
        let config = config.unwrap_or_else(|| panic!("{report:?}"));
        let topology = Topology::new(config, String::new(), Vec::new());
        Self { snapshot: Snapshot::new(Arc::new(topology), None, (Time::default(), Time::default)) }
    }

    /// One router with these blocks in it.
    fn of_a_router(blocks: &str) -> Self {
        Self::of(&format!(
            "vrrp_instance VI {{\n  interface eth0\n  virtual_router_id 51\n  virtual_ipaddress {{\n    192.0.2.1\n  }}\n\
             {blocks}\n}}\n"
        ))
    }

    /// A cell or scalar by its numbers below keepalived's arc, by GET.
    fn cell(&self, numbers: &[u32]) -> Value {
        let root = Oid::from(snmp::KEEPALIVED);
        self.object(&numbers.iter().fold(root, |oid, number| oid.child(*number)))
    }

    fn object(&self, oid: &Oid) -> Value {
        let view = snmp::view();
        let got = view.value(&self.snapshot, oid);
        let found = view.next(&self.snapshot, oid, true, Some(&oid.child(0)));
        match found {
            Some(found) => assert_eq!(found.value, got, "GETNEXT left, GET right"),
            None => assert!(matches!(got, Value::NoSuchInstance | Value::NoSuchObject), "{got:?}"),
        }
        got
    }
}

#[test]
fn tracked_interfaces_are_numbered_by_their_lines() {
    let shown = Shown::of_a_router("  track_interface {\n    gone weight 5\n    eth1 weight 7\n  }");
    assert_eq!(shown.cell(&[2, 4, 1, 2, 1, 1]), Value::Integer(5));
    assert_eq!(shown.cell(&[2, 4, 1, 2, 1, 2]), Value::Integer(7));
    assert_eq!(shown.cell(&[2, 4, 1, 2, 1, 3]), Value::NoSuchInstance);
}

#[test]
fn what_is_not_accessible_is_not_served() {
    let route = "10.65.0.0/16 nexthop via 192.0.2.7 dev eth0 encap ip id 5 dst 192.0.2.9";
    let shown = Shown::of_a_router(&format!("  virtual_routes {{\n    {route}\n  }}"));
    assert_eq!(shown.cell(&[2, 11, 1, 10, 1, 1, 1]), Value::NoSuchObject);
    assert_eq!(shown.cell(&[2, 11, 1, 12, 1, 1, 1]), Value::Counter64(5), "vrrpRouteNextHopEncapId");
}

/// vrrpRouteHopLimit, vrrpRouteAdvmss and vrrpRouteQuickAck of a route with these words.
fn route(words: &str) -> [Value; 3] {
    let shown = Shown::of_a_router(&format!("  virtual_routes {{\n    10.65.0.0/16 dev eth0 {words}\n  }}"));
    [24, 25, 20].map(|column| shown.cell(&[2, 7, 1, column, 1, 1]))
}

#[test]
fn each_metric_of_a_route_is_there_for_itself() {
    let off = Value::Integer(2);
    assert_eq!(route(""), [Value::NoSuchInstance, Value::NoSuchInstance, off.clone()]);
    assert_eq!(route("hoplimit 9"), [Value::Gauge32(9), Value::NoSuchInstance, off.clone()]);
    assert_eq!(route("advmss 1000"), [Value::NoSuchInstance, Value::Gauge32(1000), off]);
}

#[test]
fn quickack_is_what_was_written_not_that_it_was() {
    let [_, _, off] = route("quickack 0");
    let [_, _, on] = route("quickack 1");
    assert_eq!((off, on), (Value::Integer(2), Value::Integer(1)));
}

#[test]
fn a_scope_without_a_name_is_left_out() {
    let scopes = ["link", "global", "77"].map(|scope| {
        let text = format!(
            "static_ipaddress {{\n  192.0.2.9/24 dev eth0 scope {scope}\n}}\nvrrp_instance VI {{\n  interface eth0\n  \
             virtual_router_id 51\n  virtual_ipaddress {{\n    192.0.2.1\n  }}\n}}\n"
        );
        Shown::of(&text).cell(&[2, 6, 1, 6, 0, 1])
    });
    assert_eq!(scopes, [Value::Integer(2), Value::Integer(14), Value::NoSuchInstance]);
}

/// The columns of a service with these words.
fn service(heading: &str, words: &str) -> Shown {
    Shown::of(&format!("virtual_server {heading} {{\n{words}\n  real_server 192.0.2.2 80 {{\n  }}\n}}\n"))
}

#[test]
fn a_service_has_the_protocol_of_the_enumeration_and_a_mark_none() {
    let protocol = |heading: &str, words: &str| service(heading, words).cell(&[3, 3, 1, 8, 1]);
    for (word, number) in [("TCP", 1), ("UDP", 2), ("SCTP", 3)] {
        assert_eq!(protocol("192.0.2.1 80", &format!("  protocol {word}")), Value::Integer(number), "{word}");
    }
    assert_eq!(protocol("fwmark 7", ""), Value::NoSuchInstance);
}

#[test]
fn microseconds_stay_at_the_end_and_seconds_lose_their_fraction() {
    let delay = |seconds: &str| {
        let shown = service("192.0.2.1 80", &format!("  delay_loop {seconds}"));
        [16, 64].map(|column| shown.cell(&[3, 3, 1, column, 1]))
    };
    assert_eq!(delay("1.75"), [Value::Gauge32(1), Value::Gauge32(1_750_000)]);
    assert_eq!(delay("4294"), [Value::Gauge32(4294), Value::Gauge32(4_294_000_000)]);
    assert_eq!(delay("5000"), [Value::Gauge32(5000), Value::Gauge32(u32::MAX)]);
}

#[test]
fn without_instances_a_time_is_a_time() {
    let shown = Shown::of("global_defs {\n  enable_snmp_rfc\n}\n");
    let discontinuity = Oid::from([1, 3, 6, 1, 2, 1, 207, 1, 2, 4, 0]);
    assert_eq!(shown.object(&discontinuity), Value::TimeTicks(0));
}
