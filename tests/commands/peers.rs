//! Several files: whether the routers they describe agree.

use super::{MASTER, backup, file, steadfast, text};

/// The findings about a pair of files, those of single files left out.
fn disagreements(first: &str, second: &str) -> String {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let files = [file(directory.path(), "a.conf", first), file(directory.path(), "b.conf", second)];
    let output = steadfast(&["check", "--format", "short", &files[0], &files[1]]);
    text(&output).lines().filter(|line| line.contains("[peer-")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn two_routers_that_agree_are_not_complained_about() {
    assert_eq!(disagreements(MASTER, &backup()), "");
}

#[test]
fn a_pair_of_files_is_judged_without_regard_to_this_machine() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let script = "vrrp_script chk {\n    script /no/such/program\n}\n";
    let there = |text: &str| {
        script.to_owned() + &text.replace("eth0", "nosuch7\n    track_script {\n        chk\n    }")
    };
    let files = [
        file(directory.path(), "a.conf", &there(MASTER)),
        file(directory.path(), "b.conf", &there(&backup())),
    ];
    let pair = steadfast(&["check", "--format", "short", &files[0], &files[1]]);
    assert_eq!((text(&pair), pair.status.code()), (String::new(), Some(0)));
    let alone = text(&steadfast(&["check", "--format", "short", &files[0]]));
    assert!(alone.contains("[no-interface]") && alone.contains("/no/such/program"), "{alone}");
}

#[test]
fn what_any_block_of_global_defs_says_is_named() {
    let blocks = "global_defs {\n    vrrp_version 3\n}\nglobal_defs {\n    router_id b\n}\n";
    let found = disagreements(
        &without_authentication(MASTER),
        &(blocks.to_owned() + &without_authentication(&backup())),
    );
    assert!(found.contains("[peer-version]") && found.contains("b.conf:2:"), "{found}");
}

/// Each disagreement: its id, the word whose lines are named, and the second router's file.
fn deliberate_disagreements() -> Vec<(&'static str, &'static str, String)> {
    let multicast = |text: &str| {
        let peers = [
            "    unicast_peer {\n        192.0.2.1\n    }\n",
            "    unicast_peer {\n        192.0.2.2\n    }\n",
        ];
        peers.iter().fold(text.to_owned(), |text, peer| text.replace(peer, ""))
    };
    vec![
        ("peer-vrid", "virtual_router_id", backup().replace("_id 51", "_id 52")),
        ("peer-version", "version", backup().replace("advert_int 1\n", "advert_int 1\n    version 3\n")),
        ("peer-auth", "auth_pass", backup().replace("s3cret", "other")),
        ("peer-auth", "authentication", without_authentication(&backup())),
        ("peer-interval", "advert_int", backup().replace("advert_int 1", "advert_int 3")),
        ("peer-addresses", "virtual_ipaddress", backup().replace("192.0.2.10/24", "192.0.2.11/24")),
        ("peer-addresses", "virtual_ipaddress", backup().replace("192.0.2.10/24", "192.0.2.10/32")),
        ("peer-addresses", "virtual_ipaddress_excluded", excluding(&backup())),
        ("peer-priority", "priority", backup().replace("priority 100", "priority 150")),
        ("peer-state", "state", backup().replace("state BACKUP", "state MASTER")),
        ("peer-preempt", "nopreempt", backup().replace("advert_int 1", "nopreempt")),
        ("peer-unicast", "unicast_peer", backup().replace("        192.0.2.1\n", "        192.0.2.3\n")),
        ("peer-unicast", "unicast_peer", multicast(&backup())),
        ("peer-family", "virtual_ipaddress", ipv6(&multicast(&backup()))),
        ("peer-missing", "vrrp_instance", other_router()),
    ]
}

fn without_authentication(text: &str) -> String {
    text.replace("    authentication {\n        auth_type PASS\n        auth_pass s3cret\n    }\n", "")
}

fn excluding(text: &str) -> String {
    text.replace("    advert_int 1\n", "    virtual_ipaddress_excluded {\n        192.0.2.77\n    }\n")
}

fn ipv6(text: &str) -> String {
    let source = text.replace("    unicast_src_ip 192.0.2.2\n", "");
    without_authentication(&source).replace("192.0.2.10/24", "fe80::10/64")
}

fn other_router() -> String {
    backup().replace("VI_1", "VI_2").replace("_id 51", "_id 53").replace("192.0.2.10/24", "192.0.2.20/24")
}

/// The line that begins with a word; the first, where the block begins, if none does.
fn line_of(text: &str, word: &str) -> usize {
    let begins = |line: &str| line.split_whitespace().next() == Some(word);
    text.lines().position(begins).map_or(1, |at| at + 1)
}

#[test]
fn each_disagreement_of_two_routers_is_named_with_both_places() {
    for (id, word, second) in deliberate_disagreements() {
        let found = disagreements(MASTER, &second);
        let (here, there) = (line_of(&second, word), line_of(MASTER, word));
        let named = |line: &str| {
            line.contains(&format!("[{id}]"))
                && (line.contains(&format!("b.conf:{here}:")) && line.contains(&format!("a.conf:{there})"))
                    || id == "peer-missing")
        };
        assert!(found.lines().any(named), "{id}, b.conf:{here} and a.conf:{there}:\n{found}");
    }
    let (missing, both) = (disagreements(MASTER, &other_router()), ["a.conf:1:", "b.conf:1:"]);
    assert!(both.iter().all(|place| missing.contains(place)), "{missing}");
}

#[test]
fn groups_and_checksums_of_multicast_routers_must_agree() {
    let multicast = |priority: u8, version: u8, global: &str, line: &str| {
        format!(
            "global_defs {{\n    {global}\n}}\nvrrp_instance VI_1 {{\n    interface eth0\n    virtual_router_id 51\n    \
             version {version}\n    priority {priority}\n    {line}\n    virtual_ipaddress {{\n        192.0.2.10/24\n    }}\n}}\n"
        )
    };
    let first = multicast(150, 3, "", "");
    assert_eq!(disagreements(&first, &multicast(100, 3, "", "")), "");
    let group = disagreements(&first, &multicast(100, 3, "vrrp_mcast_group4 224.0.0.55", ""));
    assert!(
        group.contains("[peer-multicast]") && group.contains("b.conf:2:") && group.contains("a.conf:4)"),
        "{group}"
    );
    let group = disagreements(&first, &multicast(100, 3, "", "mcast_dst_ip 224.0.0.55"));
    assert!(group.contains("[peer-multicast]") && group.contains("b.conf:9:"), "{group}");
    let checksum = disagreements(&first, &multicast(100, 3, "", "v3_checksum_as_v2"));
    assert!(checksum.contains("[peer-checksum]") && checksum.contains("b.conf:9:"), "{checksum}");
    assert_eq!(disagreements(&multicast(150, 2, "", ""), &multicast(100, 2, "", "v3_checksum_as_v2")), "");
}

#[test]
fn groups_that_prefer_different_routers_are_named() {
    let group = "vrrp_sync_group G {\n    group {\n        VI_1\n        VI_2\n    }\n}\n";
    let second =
        |text: &str| text.replace("VI_1", "VI_2").replace("_id 51", "_id 52").replace("2.10/24", "2.11/24");
    let first = group.to_owned() + MASTER + &second(MASTER);
    let agreeing = group.to_owned() + &backup() + &second(&backup());
    assert_eq!(disagreements(&first, &agreeing), "");
    let mixed = group.to_owned() + &backup() + &second(&backup()).replace("priority 100", "priority 200");
    let found = disagreements(&first, &mixed);
    assert!(found.contains("[peer-group]") && found.contains("VI_2 this one, VI_1 its peer"), "{found}");
    let alone = disagreements(&(MASTER.to_owned() + &second(MASTER)), &agreeing);
    assert_eq!(alone.matches("[peer-group]").count(), 2, "{alone}");
}

#[test]
fn a_weight_that_cannot_move_the_address_is_named() {
    let tracked = |text: &str, weight: i8| {
        let script =
            format!("vrrp_script chk {{\n    script /bin/true\n    user root\n    weight {weight}\n}}\n");
        let text =
            text.replace("    advert_int 1\n", "    advert_int 1\n    track_script {\n        chk\n    }\n");
        script + &text
    };
    let weak = disagreements(&tracked(MASTER, -20), &tracked(&backup(), -20));
    assert!(
        weak.contains("[peer-weight]") && weak.contains("still 130, above the other router's 100"),
        "{weak}"
    );
    assert_eq!(disagreements(&tracked(MASTER, -60), &tracked(&backup(), -60)), "");
    assert_eq!(disagreements(&tracked(MASTER, 60), &tracked(&backup(), 60)), "");
    assert_eq!(disagreements(&tracked(MASTER, 0), &tracked(&backup(), 0)), "");
}
