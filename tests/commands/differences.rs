//! `config diff`: what a reload would do.

use super::{MASTER, file, steadfast, text};

/// The last line of every list of differences: what becomes of instances and groups.
const ONE_CHANGES: &str = "a reload: 0 added, 1 changed, 0 removed\n";

/// What two files that mean the same may write differently: one way, the other way.
const SPELLINGS: &[(&str, &str)] = &[
    ("virtual_router_id 51", "virtual_router_id 051"),
    ("interface eth0", "interface $I"),
    ("interface eth0", "interface \"eth0\""),
    ("priority 150", "priority +150"),
    ("advert_int 1", "advert_int 1.0"),
    ("auth_pass s3cret", "auth_pass \"s3cret\""),
    ("unicast_src_ip 192.0.2.1", "mcast_src_ip 192.0.2.1"),
    ("192.0.2.10/24\n", "192.0.2.10/24\n        192.0.2.12/32\n"),
    ("{\n        192.0.2.10/24\n", "{\n        192.0.2.12\n        192.0.2.10/24\n"),
    ("lb_algo rr", "lvs_sched \"rr\""),
    ("lb_kind DR", "lvs_method DR"),
    ("real_server 192.0.2.3 80", "real_server 192.0.2.3 080"),
];

#[test]
fn what_means_the_same_is_no_difference_however_it_is_written() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let service = "virtual_server 192.0.2.10 80 {\n    lb_algo rr\n    lb_kind DR\n    real_server 192.0.2.3 80 {\n    }\n}\n";
    let usual = format!("$I=eth0\n{MASTER}{service}");
    let two = usual.replace("192.0.2.10/24\n", "192.0.2.10/24\n        192.0.2.12\n");
    let difference = |old: &str, new: &str| {
        let (old, new) = (file(directory.path(), "a.conf", old), file(directory.path(), "b.conf", new));
        let output = steadfast(&["diff", &old, &new]);
        (text(&output), output.status.code())
    };
    let same = || ("no difference\n".to_owned(), Some(0));
    for (one, other) in SPELLINGS {
        let changed = usual.replace(one, other);
        assert_ne!(changed, usual, "{one}");
        let base = if other.contains("192.0.2.12") { &two } else { &usual };
        assert_eq!(difference(base, &changed), same(), "{one}, {other}");
        assert_eq!(difference(&changed, base), same(), "{other}, {one}");
    }
    let owner = MASTER.replace("    priority 150\n", "");
    assert_eq!(difference(&owner, &MASTER.replace("priority 150", "priority 255")), same());
    // Digits of a password or a name are no number.
    for (one, other) in [("auth_pass s3cret", "auth_pass 0123"), ("VI_1", "01")] {
        let (old, new) = (usual.replace(one, other), usual.replace(one, &other.replace('0', "")));
        assert_eq!(difference(&old, &new).1, Some(1), "{other}");
    }
}

#[test]
fn a_difference_names_words_without_effect_and_both_files_errors() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let with = |words: &str| format!("{MASTER}nonsense\nglobal_defs {{\n    router_id one\n{words}}}\n");
    let old = file(directory.path(), "a.conf", &with(""));
    let new = file(directory.path(), "b.conf", &with("    bfd_process_name sessions\n"));
    let output = steadfast(&["diff", &old, &new]);
    assert!(
        text(&output).contains("bfd_process_name sessions is new")
            && text(&output).contains("the word has no effect yet")
    );
    let json = steadfast(&["diff", "--json", &old, &new]);
    assert!(text(&json).contains("\"idle\":true"), "{}", text(&json));
    for output in [output, json] {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("the old configuration has errors"), "{said}");
        assert!(said.contains("the new configuration has errors"), "{said}");
    }
}

#[test]
fn a_difference_says_what_a_reload_would_do() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let first = file(directory.path(), "a.conf", MASTER);
    let difference = |second: &str| {
        let second = file(directory.path(), "b.conf", second);
        let output = steadfast(&["diff", &first, &second]);
        (text(&output), output.status.code())
    };
    assert_eq!(difference(MASTER), ("no difference\n".to_owned(), Some(0)));
    assert_eq!(
        difference(&MASTER.replace("150", "120")),
        (
            "vrrp_instance VI_1: priority 150 becomes priority 120 (changes while it runs, without a transition)\n"
                .to_owned()
                + ONE_CHANGES,
            Some(1)
        )
    );
    assert_eq!(
        difference(&MASTER.replace("_id 51", "_id 7")).0,
        "vrrp_instance VI_1: virtual_router_id 51 becomes virtual_router_id 7 \
         (is another virtual router: it stops and starts anew)\n"
            .to_owned()
            + "a reload: 1 added, 0 changed, 1 removed\n"
    );
    let (shown, _) = difference(&MASTER.replace("192.0.2.10/24", "192.0.2.11/24"));
    assert!(shown.contains("192.0.2.11/24 is new") && shown.contains("192.0.2.10/24 is gone"), "{shown}");
    assert!(difference("").0.starts_with("vrrp_instance VI_1 is gone (stops: it sends priority 0"));
}

/// Two files, one block of each kind in both, with one difference each, and what a reload makes of it.
const EVERY_BLOCK: &[(&str, &str, &str)] = &[
    (
        "global_defs {\n    router_id a\n}\n",
        "global_defs {\n    router_id b\n}\n",
        "takes effect with the reload",
    ),
    ("global_defs {\n    nftables\n}\n", "global_defs {\n}\n", "needs a restart"),
    ("net_namespace a\n", "net_namespace b\n", "needs a restart"),
    ("static_ipaddress {\n    192.0.2.9 dev eth0\n}\n", "static_ipaddress {\n}\n", "is taken away at once"),
    ("", "static_routes {\n    192.0.2.0/24 dev eth0\n}\n", "is put in place at once"),
    (
        "static_rules {\n}\n",
        "static_rules {\n    from 192.0.2.9 table 7 preference 9\n}\n",
        "is put in place at once",
    ),
    ("", "vrrp_script c {\n    script /bin/true\n}\n", "is run from now on"),
    (
        "vrrp_script c {\n    script /bin/true\n}\n",
        "vrrp_script c {\n    script /bin/false\n}\n",
        "from its next turn",
    ),
    ("track_file f {\n    file /tmp/f\n}\n", "", "is no longer followed"),
    (
        "vrrp_track_process p {\n    process a\n}\n",
        "vrrp_track_process p {\n    process b\n}\n",
        "is followed anew",
    ),
    (
        "bfd_instance b {\n    neighbor_ip 192.0.2.8\n}\n",
        "bfd_instance b {\n    neighbor_ip 192.0.2.9\n}\n",
        "ends the session and starts another",
    ),
    (
        "vrrp_sync_group G {\n    group {\n        A\n    }\n}\n",
        "vrrp_sync_group G {\n    group {\n        A\n        B\n    }\n}\n",
        "B is new (changes state with the group from now on)",
    ),
    (
        "track_group T {\n    group {\n        A\n    }\n}\n",
        "track_group T {\n    group {\n        B\n    }\n}\n",
        "decides from now on",
    ),
    (
        "garp_group {\n    garp_interval 1\n}\n",
        "garp_group {\n    garp_interval 2\n}\n",
        "paces gratuitous ARP from the next burst on",
    ),
    ("SSL {\n    ca /a\n}\n", "SSL {\n    ca /b\n}\n", "the next check that opens a TLS connection"),
    (
        "virtual_server_group G {\n    192.0.2.1 80\n}\n",
        "virtual_server_group G {\n    192.0.2.2 80\n}\n",
        "192.0.2.2 80 is new (is added as a service",
    ),
    (
        "virtual_server 192.0.2.1 80 {\n    lb_algo rr\n}\n",
        "virtual_server 192.0.2.1 80 {\n    lb_algo wrr\n}\n",
        "in place",
    ),
    (
        "virtual_server 192.0.2.1 80 {\n}\n",
        "virtual_server 192.0.2.1 80 {\n    real_server 192.0.2.3 80 {\n    }\n}\n",
        "real_server 192.0.2.3 80 is new (is added and checked from the start)",
    ),
    (
        "virtual_server 192.0.2.1 80 {\n    real_server 192.0.2.3 80 {\n        TCP_CHECK {\n            retry 1\n        }\n    }\n}\n",
        "virtual_server 192.0.2.1 80 {\n    real_server 192.0.2.3 80 {\n        TCP_CHECK {\n            retry 2\n        }\n    }\n}\n",
        "retry 1 becomes retry 2 (begins this check anew)",
    ),
];

#[test]
fn what_a_reload_would_do_is_said_for_every_block() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    for (old, new, effect) in EVERY_BLOCK {
        let (old, new) = (file(directory.path(), "a.conf", old), file(directory.path(), "b.conf", new));
        let shown = text(&steadfast(&["diff", &old, &new]));
        assert!(shown.contains(effect.trim_end_matches(')')), "{effect}:\n{shown}");
        let json = text(&steadfast(&["diff", "--json", &old, &new]));
        let effects = effect.rsplit_once(" (").map_or(*effect, |(_, effect)| effect).trim_end_matches(')');
        assert!(json.contains(effects), "{effect}:\n{json}");
    }
}

#[test]
fn another_name_or_one_more_peer_makes_no_other_router() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let first = file(directory.path(), "a.conf", MASTER);
    let difference = |second: &str| {
        let second = file(directory.path(), "b.conf", second);
        text(&steadfast(&["diff", &first, &second]))
    };
    assert_eq!(
        difference(&MASTER.replace("VI_1", "uplink")),
        "vrrp_instance VI_1 becomes vrrp_instance uplink (goes on under another name)\n".to_owned()
            + ONE_CHANGES
    );
    assert_eq!(
        difference(&MASTER.replace("        192.0.2.2\n", "        192.0.2.2\n        192.0.2.3\n")),
        "vrrp_instance VI_1, unicast_peer: 192.0.2.3 is new (is sent advertisements from the next one on)\n"
            .to_owned()
            + ONE_CHANGES
    );
    let multicast = MASTER.replace("    unicast_peer {\n        192.0.2.2\n    }\n", "");
    assert!(difference(&multicast).contains("another virtual router"), "{}", difference(&multicast));
}
