//! Requests for routes and rules beside those that `ip` of iproute2 6.1 sends for the same, as strace saw them.

use netlink_packet_core::NetlinkMessage;
use netlink_packet_route::RouteNetlinkMessage;
use nix::libc;

use super::{
    route::{Devices, PreparedRoute, add_request},
    rule::{self, PreparedRule},
};
use crate::{
    config::{self, Config, Elsewhere, Options},
    units::IfIndex,
};

/// `ip route …`, the same line of a configuration, and the message. There, eth0 has the index 12.
const ROUTES: [(&str, &str, &str); 5] = [
    (
        "add 10.60.0.0/16 via 10.9.0.9 dev eth0 proto keepalived",
        "10.60.0.0/16 via 10.9.0.9 dev eth0 add",
        "34000000180005060506026b0000000002100000fe12000100000000080001000a3c0000080005000a090009080004000c000000",
    ),
    (
        "prepend 10.61.0.0/16 via 10.9.0.9 dev eth0 src 10.9.0.1 metric 5 table 300 proto keepalived \
         mtu lock 1400 advmss 1360",
        "10.61.0.0/16 via 10.9.0.9 dev eth0 src 10.9.0.1 metric 5 table 300 mtu lock 1400 advmss 1360",
        "68000000180005040606026b00000000021000000012000100000000080001000a3d0000080005000a090009080007000a090001\
         080006000500000008000f002c010000080004000c0000001c000800080002007805000008000800500500000800010004000000",
    ),
    (
        "append blackhole 10.63.0.0/16 proto keepalived",
        "blackhole 10.63.0.0/16 append",
        "240000001800050c0606026b0000000002100000fe12000600000000080001000a3f0000",
    ),
    (
        "add 10.64.0.0/16 proto keepalived nexthop via 10.9.0.7 dev eth0 weight 2 nexthop via 10.9.0.8 dev eth0",
        "10.64.0.0/16 add nexthop via 10.9.0.7 dev eth0 weight 2 nexthop via 10.9.0.8 dev eth0",
        "48000000180005060706026b0000000002100000fe12000100000000080001000a40000024000900100000010c00000008000500\
         0a090007100000000c000000080005000a090008",
    ),
    (
        "add 2001:db8:60::/48 via fe80::9 dev eth0 proto keepalived pref high",
        "2001:db8:60::/48 via fe80::9 dev eth0 pref high add",
        "54000000180005060706026b000000000a300000fe120001000000001400010020010db800600000000000000000000014000500\
         fe8000000000000000000000000000090500140001000000080004000c000000",
    ),
];

/// `ip rule add …`, and so on.
const RULES: [(&str, &str, &str); 2] = [
    (
        "from 10.60.0.0/16 to 10.61.0.0/16 iif eth0 fwmark 7/15 table 60 preference 600 protocol keepalived",
        "from 10.60.0.0/16 to 10.61.0.0/16 iif eth0 fwmark 7/15 table 60 preference 600",
        "58000000200005060806026b00000000021010003c00000100000000080002000a3c0000080001000a3d00000900030065746830\
         0000000008000a0007000000080010000f00000008000600580200000500150012000000",
    ),
    (
        "-6 not from 2001:db8:60::/48 ipproto udp dport 53-54 unreachable preference 602 protocol keepalived",
        "not from 2001:db8:60::/48 ipproto udp dport 53-54 unreachable preference 602",
        "50000000200005063d06026b000000000a00300000000007020000001400020020010db800600000000000000000000005001600\
         110000000800180035003600080006005a0200000500150012000000",
    ),
];

/// Bytes of a request's two headers: struct nlmsghdr, then struct rtmsg or fib_rule_hdr.
const HEADERS: usize = 16 + 12;
/// RTA_TABLE and FRA_TABLE.
const TABLE: u16 = 15;
/// RTA_METRICS, in which there are attributes again.
const METRICS: u16 = 8;

/// What a request says: type and flags of the message, the second header, and the attributes by their numbers.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    kind: u16,
    flags: u16,
    header: Vec<u8>,
    attributes: Vec<(u16, Vec<u8>)>,
}

/// Reads a request. A table that is in the header need not be said again.
fn said(bytes: &[u8]) -> Said {
    let number = |at: usize| u16::from_ne_bytes([bytes[at], bytes[at + 1]]);
    let header = bytes[16..HEADERS].to_vec();
    let table = header[4];
    let mut attributes = attributes(&bytes[HEADERS..]);
    attributes.retain(|(kind, value)| *kind != TABLE || u32::from(table).to_ne_bytes() != value[..]);
    let kind = number(4);
    let is_metrics = |attribute: &&mut (u16, Vec<u8>)| kind == libc::RTM_NEWROUTE && attribute.0 == METRICS;
    for (_, metrics) in attributes.iter_mut().filter(is_metrics) {
        let sorted = self::attributes(metrics).into_iter();
        *metrics = sorted.flat_map(|(kind, value)| [&kind.to_ne_bytes()[..], &value].concat()).collect();
    }
    Said { kind, flags: number(6), header, attributes }
}

fn attributes(mut bytes: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut attributes = Vec::new();
    while let [a, b, c, d, ..] = *bytes {
        let length = usize::from(u16::from_ne_bytes([a, b]));
        attributes.push((u16::from_ne_bytes([c, d]), bytes[4..length].to_vec()));
        bytes = &bytes[length.next_multiple_of(4).min(bytes.len())..];
    }
    attributes.sort();
    attributes
}

fn bytes(message: NetlinkMessage<RouteNetlinkMessage>) -> Vec<u8> {
    let mut message = message;
    message.finalize();
    // As netlink-proto does it: netlink-packet-route leaves the NUL behind a name to a buffer of zeros.
    let mut buffer = vec![0; message.buffer_len()];
    message.serialize(&mut buffer);
    buffer
}

fn unhex(text: &str) -> Vec<u8> {
    let pair = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(pair).collect()
}

fn config(block: &str, line: &str) -> Config {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("golden.conf");
    std::fs::write(&file, format!("{block} {{\n{line}\n}}\n")).unwrap();
    let (config, report) = config::load_with(&file, &Options::default(), &Elsewhere);
    config.unwrap_or_else(|| panic!("{line}: {:?}", report.lines().collect::<Vec<_>>()))
}

struct OneInterface;

impl Devices for OneInterface {
    fn index(&self, name: &str) -> Option<IfIndex> {
        (name == "eth0").then_some(IfIndex(12))
    }

    fn vrf_table(&self, _: &str) -> Option<u32> {
        None
    }
}

#[test]
fn a_route_is_asked_for_as_ip_asks_for_it() {
    for (command, line, golden) in ROUTES {
        let config = config("static_routes", line);
        let route = PreparedRoute::new(&config.static_routes[0], &OneInterface).unwrap();
        assert_eq!(said(&bytes(add_request(&route))), said(&unhex(golden)), "ip route {command}");
    }
}

#[test]
fn a_rule_is_asked_for_as_ip_asks_for_it() {
    for (command, line, golden) in RULES {
        let config = config("static_rules", line);
        let rule = PreparedRule::new(&config.static_rules[0]);
        assert_eq!(said(&bytes(rule::add_request(&rule))), said(&unhex(golden)), "ip rule add {command}");
    }
}

#[test]
fn a_route_is_possible_when_everything_that_it_names_exists() {
    for line in [
        "10.1.0.0/16 dev eth0",
        "10.1.0.0/16 dev eth1",
        "10.1.0.0/16 via 10.9.0.9",
        "10.1.0.0/16 vrf red dev eth0",
        "10.1.0.0/16 nexthop via 10.9.0.7 dev eth0 nexthop via 10.9.0.8 dev eth1",
    ] {
        let config = config("static_routes", line);
        let route = &config.static_routes[0];
        let prepared = PreparedRoute::new(route, &OneInterface);
        assert_eq!(PreparedRoute::is_possible(route, &OneInterface), prepared.is_some(), "{line}");
    }
}
