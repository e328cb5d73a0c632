use super::*;
use crate::config::{Elsewhere, Options, load_with};

fn config(text: &str) -> Config {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let (config, report) = load_with(file.path(), &Options::default(), &Elsewhere);
    config.unwrap_or_else(|| panic!("{}", report.render()))
}

fn instance(name: &str, vrid: u8, lines: &str) -> String {
    format!(
        "vrrp_instance {name} {{\ninterface eth0\nvirtual_router_id {vrid}\n{lines}\nvirtual_ipaddress {{\n10.9.0.{vrid}\n}}\n}}\n"
    )
}

fn plan(old: &str, new: &str) -> Plan {
    Plan::from((&config(old), &config(new)))
}

#[test]
fn what_stands_elsewhere_and_means_the_same_is_the_same() {
    let blocks = instance("A", 1, "") + &instance("B", 2, "notify_master /bin/true");
    let apart = format!("! a comment\n\n{}", blocks.replace('\n', "\n\n  "));
    assert!(plan(&blocks, &apart).is_empty());
}

#[test]
fn a_router_is_known_by_what_the_network_knows_of_it() {
    let old = [instance("A", 1, ""), instance("B", 2, ""), instance("C", 3, "")].concat();
    let new = [instance("C", 3, "priority 7"), instance("X", 2, ""), instance("A", 9, "")].concat();
    let Plan { instances, .. } = plan(&old, &new);
    assert_eq!(instances.origins, [Origin::Changed(2), Origin::Changed(1), Origin::Added]);
    assert_eq!(instances.gone, [0]);
    assert_eq!(instances.counts(), [1, 2, 1]);
}

#[test]
fn routers_that_only_their_peers_tell_apart_go_on_under_their_names() {
    let to = |name: &str, peer: &str| instance(name, 1, &format!("unicast_peer {{\n{peer}\n}}"));
    let old = to("A", "10.9.0.201") + &to("B", "10.9.0.202");
    let new = to("B", "10.9.0.202") + &to("A", "10.9.0.203");
    assert_eq!(plan(&old, &new).instances.origins, [Origin::Same(1), Origin::Changed(0)]);
}

#[test]
fn another_script_does_not_change_who_tracks_the_ones_before() {
    let script = |name: &str| format!("vrrp_script {name} {{\nscript /bin/true\n}}\n");
    let tracks = |name: &str| instance("A", 1, &format!("track_script {{\n{name}\n}}"));
    let other = instance("B", 2, "track_script {\ns0\n}");
    let old = script("s1") + &tracks("s1");
    let new = script("s0") + &script("s1") + &tracks("s1") + &other;
    let Plan { instances, scripts, .. } = plan(&old, &new);
    assert_eq!(instances.origins, [Origin::Same(0), Origin::Added]);
    assert_eq!(scripts.origins, [Origin::Added, Origin::Same(0)]);
}

#[test]
fn a_group_is_the_same_when_its_members_go_on() {
    let group = "vrrp_sync_group G {\ngroup {\nA\nB\n}\n}\n";
    let old = format!("{group}{}{}", instance("A", 1, ""), instance("B", 2, ""));
    let shifted = format!("{group}{}{}{}", instance("N", 9, ""), instance("A", 1, ""), instance("B", 2, ""));
    assert_eq!(plan(&old, &shifted).groups.origins, [Origin::Same(0)]);
    let moved = format!("{group}{}{}", instance("A", 1, ""), instance("B", 3, ""));
    assert_eq!(plan(&old, &moved).groups.origins, [Origin::Changed(0)]);
}

#[test]
fn static_lines_are_what_they_say() {
    let statics = |lines: &str| format!("static_ipaddress {{\n{lines}\n}}\n");
    let old = statics("10.8.0.1/24 dev eth0\n10.8.0.2/24 dev eth0");
    let new = statics("10.8.0.2/24 dev eth0\n10.8.0.1/25 dev eth0");
    let Plan { static_addresses, .. } = plan(&old, &new);
    assert_eq!(static_addresses.origins, [Origin::Same(1), Origin::Added]);
    assert_eq!(static_addresses.gone, [0]);
}
