//! IPv4 and IPv6 in one instance.

use super::*;
use crate::units::Family;

fn alone(lines: &str) -> (Instance, Vec<&'static str>) {
    let text = format!("vrrp_instance V {{\ninterface eth0\nvirtual_router_id 7\n{lines}\n}}\n");
    let (mut config, report) = read(&text);
    let found = ids(&report).into_iter().filter(|id| *id != "not-supported-yet");
    (config.instances.pop().expect("an instance"), found.collect())
}

fn shown(addresses: &[AddressLine]) -> Vec<String> {
    addresses.iter().map(|line| format!("{}/{}", line.address, line.prefix)).collect()
}

#[test]
fn the_first_address_decides_the_family_of_an_instance() {
    let (instance, found) = alone("virtual_ipaddress {\nfe80::1/64\n192.0.2.1\n2001:db8::1\n}");
    assert_eq!((instance.family, instance.version, found), (Family::V6, Version::V3, vec!["other-family"]));
    assert_eq!(shown(&instance.virtual_addresses), ["fe80::1/64", "2001:db8::1/128"]);
    assert_eq!(instance.multicast_group.to_string(), "ff02::12");
    let (instance, found) = alone(
        "unicast_src_ip 192.0.2.8\nunicast_peer {\n2001:db8::2\n192.0.2.9\n}\nvirtual_ipaddress {\n192.0.2.1\n}",
    );
    assert_eq!((instance.family, found), (Family::V4, vec!["other-family"]));
    assert_eq!(instance.peers.len(), 1);
}

#[test]
fn addresses_that_are_not_advertised_are_of_any_family() {
    let (instance, found) = alone(
        "virtual_ipaddress_excluded {\n2001:db8::1/64\n192.0.2.2\n}\nvirtual_ipaddress {\n192.0.2.1\n}",
    );
    assert_eq!((instance.family, found.len()), (Family::V4, 0));
    assert_eq!(shown(&instance.excluded_addresses), ["2001:db8::1/64", "192.0.2.2/32"]);
}

#[test]
fn native_ipv6_decides_unless_an_address_did() {
    assert_eq!(alone("native_ipv6\nvirtual_ipaddress {\nfe80::1\n}").1, [] as [&str; 0]);
    let (instance, found) = alone("virtual_ipaddress {\n192.0.2.1\n}\nnative_ipv6");
    assert_eq!((instance.family, found), (Family::V4, vec!["other-family"]));
}

#[test]
fn peers_may_limit_the_hops_of_what_they_send() {
    let (instance, found) = alone(
        "unicast_peer {\n192.0.2.2 min_ttl 254 max_ttl 255\n192.0.2.3 max_ttl 300\n}\nvirtual_ipaddress {\n192.0.2.1\n}",
    );
    let limits: Vec<_> = instance.peers.iter().map(|peer| (peer.min_ttl, peer.max_ttl)).collect();
    assert_eq!((limits, found), (vec![(Some(254), Some(255)), (None, None)], vec!["invalid-value"]));
}

#[test]
fn a_group_is_multicast_of_the_link_and_of_the_family() {
    let group = |lines: &str| {
        let (instance, found) = alone(lines);
        (instance.multicast_group.to_string(), found)
    };
    let address = "virtual_ipaddress {\n192.0.2.1\n}";
    assert_eq!(group(&format!("mcast_dst_ip 224.0.0.19\n{address}")), ("224.0.0.19".into(), vec![]));
    for (wrong, id) in
        [("10.0.0.1", "invalid-address"), ("ff05::1", "invalid-address"), ("ff02::1", "other-family")]
    {
        assert_eq!(group(&format!("{address}\nmcast_dst_ip {wrong}")), ("224.0.0.18".into(), vec![id]));
    }
    let (config, _) = read(&format!(
        "global_defs {{\nvrrp_mcast_group4 224.0.0.20\n}}\nvrrp_instance V {{\ninterface eth0\nvirtual_router_id 7\n{address}\n}}\n"
    ));
    assert_eq!(config.instances[0].multicast_group.to_string(), "224.0.0.20");
}

#[test]
fn every_option_of_an_address_has_its_place() {
    let (instance, found) = alone(
        "virtual_ipaddress {\n192.0.2.1 peer 192.0.2.2 no_track use_vmac noprefixroute autojoin preferred_lft 60\n192.0.2.3/24 brd + peer 192.0.2.4\n}\n\
         virtual_ipaddress_excluded {\nfe80::1 -nodad home mngtmpaddr\nfe80::2/64 label x scope link\n}",
    );
    assert_eq!(found, ["beside-peer", "beside-peer", "other-family", "other-family"]);
    let [first, second] = &instance.virtual_addresses[..] else { panic!("two addresses") };
    assert!(first.no_track && first.use_vmac && first.noprefixroute && first.autojoin && !first.nodad);
    assert_eq!((first.peer, first.preferred), (Some([192, 0, 2, 2].into()), Preferred::Seconds(60)));
    assert_eq!((second.prefix, second.broadcast), (32, None));
    let [host, net] = &instance.excluded_addresses[..] else { panic!("two addresses") };
    assert!(host.home && host.mngtmpaddr && !host.nodad && net.nodad);
    assert_eq!((host.preferred, net.preferred), (Preferred::Seconds(0), Preferred::Forever));
    assert_eq!((&net.label, net.scope), (&None, Scope::GLOBAL));
}

#[test]
fn over_ipv6_the_first_address_should_be_link_local_unless_there_are_peers() {
    let found = |lines: &str| alone(lines).1;
    let global_first = "virtual_ipaddress {\n2001:db8::1/64\nfe80::1\n}";
    assert_eq!(found(global_first), ["not-link-local"]);
    assert_eq!(found(&format!("unicast_peer {{\n2001:db8::2\n}}\n{global_first}")), [] as [&str; 0]);
    assert_eq!(found("virtual_ipaddress {\nfe80::1\n2001:db8::1/64\n}"), [] as [&str; 0]);
}

#[test]
fn over_ipv6_there_is_no_room_for_a_password() {
    let text = "vrrp_instance V {\ninterface eth0\nvirtual_router_id 7\nversion 2\n\
                authentication {\nauth_type PASS\nauth_pass x\n}\nvirtual_ipaddress {\nfe80::1\n}\n}\n";
    let (config, report) = read(text);
    assert_eq!((config.instances.len(), ids(&report)), (0, vec!["no-authentication"]));
}
