//! `steadfast config …` as people and scripts call it.

#![expect(clippy::expect_used, reason = "a failed expectation is a failed test, in helpers too")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use proptest::{
    prelude::any,
    sample,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use steadfast::config::{self, Elsewhere, Options, catalogue, explain};

const MASTER: &str = "vrrp_instance VI_1 {
    state MASTER
    interface eth0
    virtual_router_id 51
    priority 150
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass s3cret
    }
    unicast_src_ip 192.0.2.1
    unicast_peer {
        192.0.2.2
    }
    virtual_ipaddress {
        192.0.2.10/24
    }
}
";

fn backup() -> String {
    MASTER
        .replace("state MASTER", "state BACKUP")
        .replace("priority 150", "priority 100")
        .replace("unicast_src_ip 192.0.2.1", "unicast_src_ip 192.0.2.2")
        .replace("        192.0.2.2\n", "        192.0.2.1\n")
}

fn steadfast(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_steadfast"))
        .args(["-i", "router1", "config"])
        .args(arguments)
        .output()
        .expect("the program starts")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Writes a file and returns its name.
fn file(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    fs::write(&path, text).expect("the file can be written");
    path.display().to_string()
}

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

#[test]
fn a_file_that_cannot_be_read_is_said_by_every_command() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let there = file(directory.path(), "a.conf", MASTER);
    let missing = directory.path().join("nope.conf").display().to_string();
    for arguments in [
        vec!["status", &missing],
        vec!["show", &missing],
        vec!["show", "--json", &missing],
        vec!["diff", &there, &missing],
        vec!["diff", &missing, &there],
        vec!["diff", "--json", &there, &missing],
    ] {
        let output = steadfast(&arguments);
        assert_eq!((text(&output), output.status.code()), (String::new(), Some(6)), "{arguments:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("[no-configuration]") && said.contains("nope.conf"), "{arguments:?}: {said}");
    }
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

/// Every command that shows something of two files.
fn showings<'a>(first: &'a str, second: &'a str) -> Vec<Vec<&'a str>> {
    vec![
        vec!["config", "check", first, second],
        vec!["config", "check", "--format", "short", first, second],
        vec!["config", "check", "--format", "json", first, second],
        vec!["config", "show", first],
        vec!["config", "show", "--json", first],
        vec!["config", "show", "--written", first],
        vec!["config", "diff", first, second],
        vec!["config", "diff", "--json", first, second],
        vec!["config", "status", first],
        vec!["-t", "-f", first],
        // It ends before it does anything, for without -n it would have to leave the terminal.
        vec!["-l", "-D", "-f", first],
    ]
}

/// What is shown of two files, and by which command, if it has the word in it.
fn leaks(first: &str, second: &str, secret: &str) -> Option<String> {
    showings(first, second).into_iter().find_map(|arguments| {
        let output = Command::new(env!("CARGO_BIN_EXE_steadfast"))
            .args(["-i", "router1"])
            .args(&arguments)
            .output()
            .expect("the program starts");
        let shown = text(&output) + &String::from_utf8_lossy(&output.stderr);
        shown.contains(secret).then(|| format!("{arguments:?}:\n{shown}"))
    })
}

#[test]
fn no_command_shows_a_secret() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let first = file(directory.path(), "a.conf", &format!("{MASTER}SSL {{\n    password s3cret\n}}\n"));
    let second = file(directory.path(), "b.conf", &backup().replace("s3cret", "s3cret-too-long"));
    assert_eq!(leaks(&first, &second, "s3cret"), None);
}

/// Ways to define a parameter with a password, of which `SECRET` is a part.
const DEFINITIONS: &[&str] = &[
    "$PW=SECRET\n",
    "$PW= \\\n    SECRET\n",
    "$PW=SECRET # today's\n",
    "$PW=SECRET! of the day\n",
    "$PW=x\n$PW=SECRET\n",
    "$INNER=SECRET\n$PW=${INNER}\n",
    "@router1 $PW=SECRET\n",
    "~LST(PW, SECRET) $UNUSED=1\n",
    "$PW=SECRET\n$PW=SECRET\\\n",
];
/// Ways to use it behind a word that takes a secret.
const SECRET_USES: &[&str] = &[
    "auth_type PASS\n        auth_pass $PW",
    "auth_type PASS\n        auth_pass ${PW}",
    "auth_type PASS\n        auth_pass \"${PW}\"",
    "auth_type PASS\n        auth_pass x${PW}y",
    "auth_type PASS\n        auth_pas $PW",
    "auth_pass $PW auth_type PASS",
];
/// Ways to use it somewhere else beside that.
const OTHER_USES: &[&str] = &[
    "notify \"/bin/notify --password $PW\"",
    "notify /bin/notify $PW",
    "virtual_router_id $PW",
    "priority ${PW}",
    "prioirty $PW",
    "$PW",
    "interface $PW",
    "virtual_ipaddress {\n        $PW\n    }",
    "virtual_ipaddress {\n        192.0.2.1 label $PW\n    }",
    "track_script {\n        $PW\n    }",
    "unicast_peer {\n        ${PW}\n    }",
    "$PW {\n        a b\n    }",
    "state $PW",
    "include $PW",
    "~LST(A, $PW, b) mcast_src_ip $A",
];

#[test]
fn no_command_shows_a_secret_that_a_parameter_stands_for() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let mut runner = TestRunner::deterministic();
    let uses = (sample::select(SECRET_USES), sample::select(OTHER_USES), any::<bool>());
    let choices = (sample::select(DEFINITIONS), uses);
    for _ in 0..60 {
        let (definition, (secret_use, other, above)) =
            choices.new_tree(&mut runner).expect("there are choices").current();
        let write = |name: &str, secret: &str| {
            let definition = definition.replace("SECRET", secret);
            let (before, behind) = if above { (other, "") } else { ("", other) };
            let text = format!(
                "{definition}vrrp_instance VI_1 {{\n    interface eth0\n    virtual_router_id 51\n    {before}\n    \
                 authentication {{\n        {secret_use}\n    }}\n    {behind}\n}}\n"
            );
            file(directory.path(), name, &text)
        };
        let (first, second) = (write("a.conf", "geheimnis7"), write("b.conf", "geheimnis7-too"));
        let leak = leaks(&first, &second, "geheimnis7");
        assert_eq!(leak, None, "{definition}, {secret_use}, {other}, above {above}");
    }
}

/// The last line of every list of differences.
const NO_RELOAD: &str = "a reload has no effect yet: only a restart brings these differences about\n";

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
    for (one, other) in SPELLINGS {
        let changed = usual.replace(one, other);
        assert_ne!(changed, usual, "{one}");
        let base = if other.contains("192.0.2.12") { &two } else { &usual };
        assert_eq!(difference(base, &changed), (String::new(), Some(0)), "{one}, {other}");
        assert_eq!(difference(&changed, base), (String::new(), Some(0)), "{other}, {one}");
    }
    let owner = MASTER.replace("    priority 150\n", "");
    assert_eq!(difference(&owner, &MASTER.replace("priority 150", "priority 255")).0, "");
    // Digits of a password or a name are no number.
    for (one, other) in [("auth_pass s3cret", "auth_pass 0123"), ("VI_1", "01")] {
        let (old, new) = (usual.replace(one, other), usual.replace(one, &other.replace('0', "")));
        assert_eq!(difference(&old, &new).1, Some(1), "{other}");
    }
}

#[test]
fn a_difference_names_words_without_effect_and_both_files_errors() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let old = file(directory.path(), "a.conf", &(MASTER.to_owned() + "nonsense\n"));
    let new = MASTER.replace("advert_int 1\n", "advert_int 1\n    debug 2\n    nonsense\n");
    let new = file(directory.path(), "b.conf", &new);
    let output = steadfast(&["diff", &old, &new]);
    assert!(text(&output).contains("debug 2 is new") && text(&output).contains("the word has no effect yet"));
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
    assert_eq!(difference(MASTER), (String::new(), Some(0)));
    assert_eq!(
        difference(&MASTER.replace("150", "120")),
        (
            "vrrp_instance VI_1: priority 150 becomes priority 120 (changes while it runs, without a transition)\n"
                .to_owned()
                + NO_RELOAD,
            Some(1)
        )
    );
    assert_eq!(
        difference(&MASTER.replace("_id 51", "_id 7")).0,
        "vrrp_instance VI_1: virtual_router_id 51 becomes virtual_router_id 7 \
         (is another virtual router: it stops and starts anew)\n"
            .to_owned()
            + NO_RELOAD
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
            + NO_RELOAD
    );
    assert_eq!(
        difference(&MASTER.replace("        192.0.2.2\n", "        192.0.2.2\n        192.0.2.3\n")),
        "vrrp_instance VI_1, unicast_peer: 192.0.2.3 is new (is sent advertisements from the next one on)\n"
            .to_owned()
            + NO_RELOAD
    );
    let multicast = MASTER.replace("    unicast_peer {\n        192.0.2.2\n    }\n", "");
    assert!(difference(&multicast).contains("another virtual router"), "{}", difference(&multicast));
}

/// A configuration without its places.
fn without_places(config: Option<config::Config>) -> String {
    let text = format!("{config:#?}");
    let place = |line: &&str| {
        let line = line.trim_start();
        ["file: \"", "line: ", "column: ", "length: "].iter().any(|start| line.starts_with(start))
    };
    text.lines().filter(|line| !place(line)).map(|line| format!("{line}\n")).collect()
}

#[test]
fn what_is_shown_loads_as_the_same_configuration() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> = Vec::new();
    for place in ["tests/config/bad", "examples", "../shared/corpus/configs", "../shared/corpus/seeds"] {
        let Ok(entries) = fs::read_dir(root.join(place)) else { continue };
        files.extend(entries.map(|entry| entry.expect("the directory can be read").path()));
    }
    files.retain(|file| file.extension().is_some_and(|end| end == "conf"));
    assert!(files.len() >= 30, "only {} files", files.len());
    let options = Options { config_id: Some("router1"), ..Options::default() };
    for path in files {
        let output = steadfast(&["show", &path.display().to_string()]);
        let shown = file(directory.path(), "shown.conf", &text(&output));
        let (before, _) = config::load_with(&path, &options, &Elsewhere);
        let (after, _) = config::load_with(Path::new(&shown), &options, &Elsewhere);
        if before.is_none() {
            continue;
        }
        similar(&without_places(before), &without_places(after), &path);
    }
}

fn similar(before: &str, after: &str, path: &Path) {
    if let Some((left, right)) = before.lines().zip(after.lines()).find(|(left, right)| left != right) {
        panic!("{}: {left:?} became {right:?}", path.display());
    }
    assert_eq!(before.lines().count(), after.lines().count(), "{}", path.display());
}

#[test]
fn the_reference_page_is_current() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/keywords.md");
    let written = fs::read_to_string(&page).unwrap_or_default();
    assert!(written == explain::page(), "write it anew: cargo run -- config reference > docs/keywords.md");
}

/// The names of findings that the sources use.
fn used_names() -> BTreeSet<String> {
    fn gather(folder: &Path, names: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).expect("the directory can be read") {
            let path = entry.expect("the directory can be read").path();
            let aside = ["catalogue", "tests.rs", "tests"];
            if aside.iter().any(|name| path.ends_with(name)) {
                continue;
            }
            if path.is_dir() {
                gather(&path, names);
                continue;
            }
            let text = fs::read_to_string(&path).expect("the file can be read");
            let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            for before in ["Diagnostic::new(", "error(", "refusal(", "say(", ".id(", "id: "] {
                let after = text.split(before).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
                let words = after.filter_map(|rest| Some(rest.split_once('"')?.0));
                let plain = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
                names.extend(words.filter(plain).map(str::to_owned));
            }
        }
    }
    let mut names = BTreeSet::new();
    gather(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config"), &mut names);
    names
}

#[test]
fn every_finding_is_in_the_catalogue_and_on_its_page() {
    let known: BTreeSet<_> =
        catalogue::CHAPTERS.iter().flat_map(|(_, kinds)| *kinds).map(|kind| kind.id.to_owned()).collect();
    let used = used_names();
    assert!(used.len() > 80, "only {} names were found in the sources", used.len());
    assert_eq!(used.symmetric_difference(&known).collect::<Vec<_>>(), [] as [&String; 0]);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/diagnostics.md");
    let written = fs::read_to_string(&page).unwrap_or_default();
    assert!(
        written == catalogue::page(),
        "write it anew: cargo run -- config findings > docs/diagnostics.md"
    );
    let output = steadfast(&["explain", "owner-by-default"]);
    assert!(text(&output).contains("priority 255"), "{}", text(&output));
}

#[test]
fn a_keyword_is_explained_and_a_typo_answered() {
    let output = steadfast(&["explain", "advert_int"]);
    assert!(text(&output).contains("seconds from 0.01 to 255"), "{}", text(&output));
    let output = steadfast(&["explain", "virtual_ipadress"]);
    assert_eq!(
        (text(&output).as_str(), output.status.code()),
        ("there is no keyword virtual_ipadress; did you mean virtual_ipaddress?\n", Some(1))
    );
}

#[test]
fn an_included_file_is_named_with_the_line_that_included_it() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    file(directory.path(), "part.conf", "nonsense\n");
    let main = file(directory.path(), "main.conf", "\ninclude part.conf\n");
    for format in ["text", "short", "json"] {
        let shown = text(&steadfast(&["check", "--format", format, &main]));
        assert!(shown.contains(&format!("included from {main}:2:9")), "{shown}");
        assert!(!shown.contains('\u{1b}'), "no colour in a pipe");
    }
}

/// What `steadfast ARGUMENTS` comes to: exit status and what it says on stderr.
fn said(arguments: &[&str]) -> (Option<i32>, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_steadfast")).args(arguments).output().expect("the program starts");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_configuration_test_sums_up_what_it_found() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let text = "net_namespace x\nglobal_defs {\n    smtp_alert\n}\nvrrp_sync_group G {\n}\nnonsense\n";
    let main = file(directory.path(), "main.conf", text);
    let (code, found) = said(&["-t", "-f", &main]);
    assert_eq!(code, Some(5));
    let summary = found.split("\n\n").last().unwrap_or_default();
    assert_eq!(
        summary,
        "2 errors, 1 warning, 1 note\n\
         without effect yet, though failover or the way of packets depends on them: net_namespace\n\
         without effect yet: smtp_alert\n"
    );
    let lines: Vec<_> =
        found.lines().filter_map(|line| line.split_once("main.conf:")?.1.split(':').next()).collect();
    assert!(lines.len() == 4 && lines.is_sorted(), "{lines:?} in order of the lines:\n{found}");
    let clean = file(directory.path(), "clean.conf", "");
    assert_eq!(said(&["-t", "-f", &clean]), (Some(0), String::new()));
}

#[test]
fn a_file_behind_the_test_flag_is_answered_with_what_was_meant() {
    let (code, said) = said(&["-t", "/etc/keepalived/keepalived.conf"]);
    assert_eq!(code, Some(2));
    assert!(
        said.starts_with("-t takes no file after a blank: `-t -f /etc/keepalived/keepalived.conf`"),
        "{said}"
    );
}

#[test]
fn what_has_no_effect_yet_is_listed() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let main =
        file(directory.path(), "main.conf", "garp_group {\n    garp_interval 0.1\n    interface eth0\n}\n");
    let output = steadfast(&["status", &main]);
    assert_eq!(text(&output).lines().count(), 1);
    assert!(text(&output).contains("garp_group is not supported yet"), "{}", text(&output));
}

/// What bash offers for the last of these words.
fn completed(words: &[&str]) -> Vec<String> {
    let script = Command::new(env!("CARGO_BIN_EXE_steadfast"))
        .args(["completion", "bash"])
        .output()
        .expect("the program starts");
    assert!(script.status.success() && script.stderr.is_empty());
    // As readline does it: the words and the place of the cursor's, then the function that `complete` names.
    let ask = "eval \"$1\"; shift; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1))
        read -ra rule <<< \"$(complete -p steadfast)\"
        for ((at = 0; at < ${#rule[@]}; at++)); do [[ ${rule[at]} = -F ]] && function=${rule[at + 1]}; done
        $function steadfast \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD - 1]}\"
        printf '%s\\n' \"${COMPREPLY[@]}\"";
    let output = Command::new("bash")
        .args(["--norc", "--noprofile", "-c", ask, "bash", &text(&script)])
        .args(words)
        .output()
        .expect("bash starts");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    text(&output).lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_flags_and_the_words_of_the_language() {
    assert_eq!(completed(&["steadfast", "conf"]), ["config"]);
    assert_eq!(completed(&["steadfast", "--use-f"]), ["--use-file"]);
    assert_eq!(completed(&["steadfast", "config", "exp"]), ["explain"]);
    assert_eq!(completed(&["steadfast", "config", "explain", "virtual_router_i"]), ["virtual_router_id"]);
    assert_eq!(
        completed(&["steadfast", "config", "explain", "garp_master_refresh_"]),
        ["garp_master_refresh_repeat"]
    );
    let formats = completed(&["steadfast", "config", "check", "--format", ""]);
    assert_eq!(formats, ["text", "short", "json"]);
}
