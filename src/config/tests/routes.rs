//! Routes and rules come to what they say.

use super::*;
use crate::units::Family;

fn lists(text: &str) -> (Config, Vec<&'static str>) {
    let (config, report) = read(text);
    let found = ids(&report).into_iter().filter(|id| *id != "not-supported-yet");
    (config, found.collect())
}

fn routes(lines: &str) -> Vec<Route> {
    let (config, found) = lists(&format!("static_routes {{\n{lines}\n}}\n"));
    assert_eq!(found, [] as [&str; 0], "{lines}");
    config.static_routes
}

fn rules(lines: &str) -> Vec<Rule> {
    let (config, found) = lists(&format!("static_rules {{\n{lines}\n}}\n"));
    assert_eq!(found, [] as [&str; 0], "{lines}");
    config.static_rules
}

#[test]
fn a_route_has_defaults() {
    let [route] = &routes("10.1.0.0/16 dev eth0")[..] else { panic!("one route") };
    let network = Network { address: [10, 1, 0, 0].into(), prefix: 16 };
    assert_eq!((route.destination, route.kind, route.table), (network, RouteKind::Unicast, MAIN_TABLE));
    assert_eq!((route.protocol, route.metric, route.insertion), (PROTOCOL, 0, Insertion::Prepend));
    assert_eq!((route.hop.device.as_deref(), route.scope, route.tos), (Some("eth0"), None, 0));
    let kinds = routes("blackhole 10.1.0.0/16\nprohibit 10.2.0.0/16 append\ndefault\ndefault6\ninet6 any");
    let shown: Vec<_> = kinds.iter().map(|route| (route.kind, route.insertion, route.family())).collect();
    assert_eq!(
        shown,
        [
            (RouteKind::Blackhole, Insertion::Add, Family::V4),
            (RouteKind::Prohibit, Insertion::Append, Family::V4),
            (RouteKind::Unicast, Insertion::Prepend, Family::V4),
            (RouteKind::Unicast, Insertion::Prepend, Family::V6),
            (RouteKind::Unicast, Insertion::Prepend, Family::V6),
        ]
    );
}

#[test]
fn next_hops_and_tunnels_have_their_own_words() {
    let [route] = &routes(
        "10.1.0.0/16 nexthop via 192.0.2.1 dev eth0 weight 3 nexthop via 192.0.2.2 onlink encap mpls 5/6",
    )[..] else {
        panic!("one route")
    };
    let [first, second] = &route.next_hops[..] else { panic!("two hops") };
    assert_eq!((first.hop.via, first.weight, first.hop.onlink), (Some([192, 0, 2, 1].into()), 3, false));
    assert_eq!((&second.hop.encap, second.hop.onlink), (&Some(Encap::Mpls(vec![5, 6])), true));
    let [route] = &routes("10.1.0.0/16 dev eth0 encap ip id 5 dst 192.0.2.9 ttl 7 metric 4")[..] else {
        panic!("one route")
    };
    let tunnel = IpTunnel {
        family: Family::V4,
        id: Some(5),
        destination: Some([192, 0, 2, 9].into()),
        source: None,
        tos: None,
        ttl: Some(7),
        flags: None,
    };
    assert_eq!((&route.hop.encap, route.metric), (&Some(Encap::Ip(tunnel)), 4));
}

#[test]
fn two_gateways_written_with_or_are_two_next_hops() {
    let (config, found) = lists("static_routes {\n10.1.0.0/16 via 192.0.2.1 or 192.0.2.2\n}\n");
    assert_eq!(found, ["deprecated"]);
    let hops: Vec<_> = config.static_routes[0].next_hops.iter().map(|next| next.hop.via).collect();
    assert_eq!(hops, [Some([192, 0, 2, 1].into()), Some([192, 0, 2, 2].into())]);
}

#[test]
fn metrics_may_be_locked() {
    let [route] = &routes(
        "10.1.0.0/16 dev eth0 mtu lock 1400 advmss 1300 rtt 30ms hoplimit 9 quickack 1 realms 3/4",
    )[..] else {
        panic!("one route")
    };
    let metrics = &route.metrics;
    assert_eq!(metrics.mtu, Some(Metric { value: 1400, locked: true }));
    assert_eq!(metrics.advmss, Some(Metric { value: 1300, locked: false }));
    assert_eq!(metrics.rtt, Some(Metric { value: MetricTime::Milliseconds(30), locked: false }));
    assert_eq!((metrics.hoplimit, metrics.quickack), (Some(9), Some(true)));
    assert_eq!(route.hop.realms, Some(Realms { from: 3, to: 4 }));
}

#[test]
fn names_are_those_of_iproute2() {
    let system = FakeSystem::default()
        .file("/etc/main.conf", "global_defs {\niproute_etc_dir /etc/own\n}\nstatic_routes {\n10.1.0.0/16 dev eth0 table blue tos gold no_track\n10.2.0.0/16 dev eth0 table main scope link\n10.3.0.0/16 dev eth0 table red\n}\n")
        .file("/etc/own/rt_tables", "# comment\n255 local\n0x70 blue # here\n")
        .file("/etc/own/rt_tables.d/more.conf", "113 red\n200 blue # of two numbers the smaller one\n")
        .file("/etc/own/rt_dsfield", "0x28 gold\n");
    let (config, report) = load(Path::new("/etc/main.conf"), None, &system);
    let routes = config.expect("nothing fatal").static_routes;
    let shown: Vec<_> = routes.iter().map(|route| (route.table, route.tos, route.scope)).collect();
    assert_eq!(shown, [(112, 40, None), (254, 0, Some(253)), (113, 0, None)], "{:?}", ids(&report));
}

#[test]
fn a_rule_selects_and_acts() {
    let [rule] = &rules(
        "not from 10.1.0.0/16 to any table 100 preference 5 tos 4 fwmark 0x10/0xff iif eth0 tunnel-id 7 uidrange 1-2 ipproto tcp sport 1-9 dport 80 sup_pl 3 sup_group default realms 1/2 no_track",
    )[..] else {
        panic!("one rule")
    };
    assert_eq!((rule.action, rule.inverted, rule.preference), (RuleAction::Table(100), true, 5));
    assert_eq!(rule.mark, Some(Mark { value: 16, mask: 255 }));
    assert_eq!((rule.ip_protocol, rule.uids), (Some(6), Some(Range { first: 1, last: 2 })));
    assert_eq!(rule.destination_ports, Some(Range { first: 80, last: 80 }));
    assert_eq!((rule.suppress_prefix_length, rule.suppress_group), (Some(3), Some(0)));
    let actions: Vec<_> =
        rules("goto 9 preference 1\ntype blackhole preference 2\nnop preference 3\ninet6 from all l3mdev preference 4")
            .into_iter()
            .map(|rule| (rule.action, rule.family))
            .collect();
    assert_eq!(
        actions,
        [
            (RuleAction::Goto(9), Family::V4),
            (RuleAction::Blackhole, Family::V4),
            (RuleAction::Nop, Family::V4),
            (RuleAction::L3mdev, Family::V6),
        ]
    );
}

#[test]
fn rules_without_a_preference_get_one_downward_for_each_family() {
    let (config, found) = lists(
        "static_rules {\nfrom 10.1.0.0/16 table 1\nfrom 10.2.0.0/16 table 1\nfrom fe80::/64 table 1\n}\n",
    );
    assert_eq!(found, ["no-preference"; 3]);
    let preferences: Vec<_> = config.static_rules.iter().map(|rule| rule.preference).collect();
    assert_eq!(preferences, [16384, 16383, 16384]);
}

#[test]
fn a_static_line_may_have_a_track_group_that_is_defined_above() {
    let text = |before: &str| {
        format!(
            "{before}static_ipaddress {{\n192.0.2.1 dev eth0 track_group g\n}}\n\
             static_routes {{\n10.1.0.0/16 dev eth0 track_group g\n10.2.0.0/16 via 192.0.2.1 track_group g\n}}\n"
        )
    };
    let (config, found) = lists(&text("track_group g {\ngroup {\nV\n}\n}\n"));
    assert_eq!(
        (config.static_addresses[0].track_group.as_deref(), found),
        (Some("g"), vec!["unknown-instance", "track-group-ignored"])
    );
    assert_eq!(config.static_routes.iter().filter(|route| route.track_group.is_some()).count(), 1);
    assert_eq!(lists(&text("")).1, ["unknown-group"; 3]);
}

#[test]
fn what_an_instance_has_while_master_is_typed_alike() {
    let (instance, _) = instance(
        "virtual_routes {\n10.1.0.0/16 dev eth0\n}\nvirtual_rules {\nfrom 10.1.0.0/16 table 5 preference 6\n}",
    );
    assert_eq!((instance.virtual_routes.len(), instance.virtual_rules.len()), (1, 1));
}
