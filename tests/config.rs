//! Configurations as users write them: what is said about mistakes, that real files load, and that a configuration
//! test ends as keepalived's does.

#![expect(clippy::expect_used, reason = "a failed expectation is a failed test, in helpers too")]

#[path = "config/dump.rs"]
mod dump;
#[path = "config/dump_routes.rs"]
mod dump_routes;
#[path = "config/dump_trackers.rs"]
mod dump_trackers;
#[path = "config/messages.rs"]
mod messages;
#[path = "config/peer.rs"]
mod peer;
#[path = "config/world.rs"]
mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
};

use proptest::prelude::*;
use steadfast::config::{self, Options, Report, keywords};

use crate::{peer::Namespace, world::World};

/// The id that `@ID` lines are compared with, the same for both programs.
const CONFIG_ID: &str = "router1";

/// Files whose configuration test ends otherwise than with keepalived 2.2.7: name, its code, ours, why.
const KNOWN_DIFFERENCES: &[(&str, i32, u8, &str)] = &[
    ("address-twice.conf", 0, 5, "keepalived 2.4.3 reports it too; 2.2.7 installs the address twice"),
    (
        "interface-delays.conf",
        4,
        5,
        "the delays of an interface that does not exist are an error like others",
    ),
    ("password-masked.conf", 0, 5, "the stars of `config show` are no password"),
    ("044.conf", 0, 5, "keepalived prints 39 errors and forgets them when net_namespace is set"),
    ("080.conf", 0, 5, "keepalived prints its error and forgets it when net_namespace is set"),
];

/// Words of the real configurations that are none of their blocks, with those blocks, by file: misspelt, misplaced, of
/// other programs, or of lines that are something else.
const UNKNOWN_WORDS: &[(&str, &[(&str, &str)])] = &[
    ("012.conf", &[("[...]", "global_defs"), ("[...]", "vrrp_instance")]),
    ("018.conf", &[("nb_get_retry", "TCP_CHECK")]),
    ("020.conf", &[("$ALPHA", "virtual_server"), ("$OMEGA", "virtual_server")]),
    (
        "021.conf",
        &[
            ("EOF", "the top level"),
            ("apt-get", "the top level"),
            ("cat", "the top level"),
            ("echo", "the top level"),
            ("elif", "the top level"),
            ("else", "the top level"),
            ("exit", "the top level"),
            ("fi", "the top level"),
            ("if", "the top level"),
            ("mkdir", "the top level"),
            ("systemctl", "the top level"),
            ("yum", "the top level"),
        ],
    ),
    ("023.conf", &[("/", "FILE_CHECK")]),
    ("027.conf", &[("alternatives", "the top level"), ("enable_filesystem", "global_defs")]),
    ("033.conf", &[("VI_1", "vrrp_sync_group")]),
    ("048.conf", &[("\u{a0}", "TCP_CHECK")]),
    ("052.conf", &[("weigth", "real_server")]),
    ("060.conf", &[("garp_master_delay", "global_defs")]),
    (
        "061.conf",
        &[
            ("lvs_weight", "real_server"),
            ("quorum_weight", "real_server"),
            ("quorum_weight", "virtual_server"),
        ],
    ),
    ("064.conf", &[("OS:", "the top level"), ("notificationd", "global_defs")]),
    ("068.conf", &[("laddr_group_name", "virtual_server"), ("nb_get_retry", "TCP_CHECK")]),
    ("077.conf", &[("nb_get_retry", "TCP_CHECK")]),
    (
        "078.conf",
        &[("mcast_src_ip=192.168.10.156", "vrrp_instance"), ("mcast_src_ip=192.168.10.80", "vrrp_instance")],
    ),
    ("079.conf", &[("nb_get_retry", "TCP_CHECK")]),
];

fn load(file: &Path, world: &World) -> (Option<config::Config>, Report) {
    let options = Options { config_id: Some(CONFIG_ID), look_up_hosts: true, ..Options::default() };
    config::load_with(file, &options, world)
}

fn one_interface() -> World {
    World::with(["eth0".to_owned()])
}

/// The configuration files of a directory, sorted; empty when there is no such directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.expect("the directory can be read").path());
    paths
        .filter(|path| path.extension().is_some_and(|end| end == "conf"))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

fn bad_files() -> Vec<PathBuf> {
    files(Path::new("tests/config/bad"))
}

/// Real configurations that are kept beside the repository, not in it.
fn corpus() -> Vec<PathBuf> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let found = [files(&corpus.join("configs")), files(&corpus.join("seeds"))].concat();
    if found.is_empty() {
        lab::note(
            "../shared/corpus is absent: of real configurations none is read, only the files of this checkout are",
        );
    }
    found
}

fn name(path: &Path) -> String {
    path.file_name().expect("a file has a name").to_string_lossy().into_owned()
}

#[test]
fn every_mistake_has_a_message_that_names_the_place_and_the_way_out() {
    let files = bad_files();
    assert!(files.len() >= 30, "only {} files in tests/config/bad", files.len());
    for file in files {
        let (_, report) = load(&file, &one_interface());
        assert!(!report.diagnostics.is_empty(), "{}: nothing was found", file.display());
        for finding in &report.diagnostics {
            let placed = finding.span.as_ref().is_some_and(|span| span.line > 0 && span.column > 0);
            assert!(placed, "{}: {finding:?} has no place", file.display());
            let advised = finding.help.is_some() || finding.id == "not-supported-yet";
            assert!(advised, "{}: {finding:?} has no way out", file.display());
        }
        let start = report.start_exit().map_or_else(|| "runs".to_owned(), |code| format!("exits {code}"));
        let shown = format!("{}test exits {}, start {start}\n", report.render(), report.test_exit());
        insta::with_settings!({ snapshot_path => "config/snapshots", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name(&file).trim_end_matches(".conf"), shown);
        });
    }
}

/// What many have stumbled over: the file that does, and the finding that explains it.
const TRAPS: &[(&str, &str)] = &[
    ("password-cut-by-comment", "comment-inside-word"),
    ("owner-by-default", "owner-by-default"),
    ("script-unquoted", "unquoted-command"),
    ("notify-unquoted", "unusable-script"),
    ("service-defaults", "no-protocol"),
    ("service-defaults", "invalid-value"),
    ("service-defaults", "no-method"),
    ("unknown-keyword-opens-block", "unknown-keyword"),
    ("block-misspelt", "unknown-keyword"),
    ("value-of-a-parameter", "undefined-parameter"),
    ("weight-in-group", "weight-in-group"),
    ("tracked-interface-own", "own-interface"),
    ("virtual-router-id-twice", "duplicate-vrid"),
    ("script-defined-too-late", "unknown-script"),
    ("script-does-not-exist", "unusable-script"),
    ("strict-mode", "strict-mode"),
    ("service-ports", "port-mismatch"),
];

#[test]
fn every_trap_is_explained_with_its_place_the_reason_and_the_way_out() {
    for (file, id) in TRAPS {
        let path = format!("tests/config/bad/{file}.conf");
        let rendered = load(Path::new(&path), &one_interface()).1.render();
        let finding = rendered.split("\n\n").find(|finding| finding.contains(&format!("[{id}]")));
        let finding = finding.unwrap_or_else(|| panic!("{file}: no {id} in\n{rendered}"));
        for part in [&*format!("--> {path}:"), "^", "= note: ", "= help: "] {
            assert!(finding.contains(part), "{file}: no {part} in\n{finding}");
        }
    }
}

#[test]
fn real_configurations_load_and_only_words_that_are_none_are_unknown() {
    let mut surprises = Vec::new();
    for file in corpus() {
        let (_, report) = load(&file, &one_interface());
        let found = report.diagnostics.iter().filter(|found| found.id == "unknown-keyword");
        let unknown: BTreeSet<_> = found.map(|found| unknown_word(&found.headline)).collect();
        let file = name(&file);
        let allowed = UNKNOWN_WORDS.iter().filter(|of| of.0 == file).flat_map(|of| of.1);
        let allowed: BTreeSet<_> = allowed.copied().collect();
        if unknown != allowed {
            surprises.push(format!("{file}: {unknown:?}, not {allowed:?}"));
        }
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}

/// The word and the block of "unknown keyword `word` in block".
fn unknown_word(headline: &str) -> (&str, &str) {
    let rest = headline.strip_prefix("unknown keyword `").expect("the headline names the word");
    rest.split_once("` in ").expect("the headline names the block")
}

#[test]
fn a_configuration_test_ends_as_keepalived_ends() {
    let files = [bad_files(), corpus()].concat();
    let world = World::with(interfaces_of(&files));
    let namespace = Namespace::with(world.made());
    let mut surprises = Vec::new();
    for file in &files {
        let (theirs, ours) = (namespace.test_exit(file), load(file, &world).1.test_exit());
        let known = KNOWN_DIFFERENCES.iter().find(|known| known.0 == name(file));
        let expected = known.map_or_else(|| (i32::from(ours), ours), |known| (known.1, known.2));
        if (theirs, ours) != expected {
            surprises.push(format!("{}: keepalived {theirs}, ours {ours}", file.display()));
        }
    }
    assert!(surprises.is_empty(), "{} of {} files:\n{}", surprises.len(), files.len(), surprises.join("\n"));
}

#[test]
fn script_security_judges_as_keepalived_judges() {
    let world = one_interface();
    let namespace = Namespace::with(world.made());
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let (script, file) = (directory.path().join("check"), directory.path().join("x.conf"));
    let folder = directory.path();
    fs::write(&script, "#!/bin/sh\n").expect("the file can be written");
    // Modes of the folder and of the script, the script's owner and group, and the code for a tracked script.
    for (folder_mode, mode, owner, group, code) in [
        (0o755, 0o755, 0, 0, 0),
        (0o755, 0o777, 0, 0, 5),
        (0o755, 0o777, 65534, 0, 5),
        (0o755, 0o755, 65534, 0, 5),
        (0o755, 0o775, 0, 65534, 5),
        (0o755, 0o775, 0, 0, 0),
        (0o777, 0o755, 0, 0, 5),
        (0o1777, 0o755, 0, 0, 0),
    ] {
        chown(&script, Some(owner), Some(group)).expect("changing owners needs root");
        for (path, mode) in [(folder, folder_mode), (&*script, mode)] {
            fs::set_permissions(path, Permissions::from_mode(mode)).expect("modes can be changed");
        }
        for (tracked, security, expected) in
            [(true, true, code), (false, true, 0), (true, false, 6), (false, false, 6)]
        {
            fs::write(&file, scripted(&script, tracked, security)).expect("the file can be written");
            let (theirs, ours) = (namespace.test_exit(&file), load(&file, &world).1.test_exit());
            let case =
                format!("{folder_mode:o} {mode:o} {owner} {group} tracked {tracked} security {security}");
            assert_eq!((theirs, ours), (i32::from(expected), expected), "{case}");
        }
    }
}

/// An instance with a script that root runs, tracked or told of changes.
fn scripted(script: &Path, tracked: bool, security: bool) -> String {
    let script = script.display();
    let security = if security { "enable_script_security" } else { "" };
    let (block, line) = if tracked {
        (format!("vrrp_script chk {{\nscript {script}\n}}"), "track_script {\nchk\n}".to_owned())
    } else {
        (String::new(), format!("notify_master {script}"))
    };
    format!(
        "global_defs {{\n{security}\nscript_user root\n}}\n{block}\n\
         vrrp_instance V {{\ninterface eth0\nvirtual_router_id 7\n{line}\nvirtual_ipaddress {{\n192.0.2.9/24\n}}\n}}\n"
    )
}

/// The interfaces that files name, but for eth7, which a bad file names because it does not exist.
fn interfaces_of(files: &[PathBuf]) -> BTreeSet<String> {
    let mut names = named_interfaces(files);
    names.remove("eth7");
    names
}

/// Every word after `interface` or `dev` that could be an interface's name.
fn named_interfaces(files: &[PathBuf]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in files {
        let text = String::from_utf8_lossy(&fs::read(file).expect("the file can be read")).into_owned();
        let words: Vec<_> = text.split_whitespace().collect();
        let named = words
            .windows(2)
            .filter(|pair| matches!(pair[0], "interface" | "dev" | "lvs_sync_daemon_interface"));
        let plain = |name: &str| {
            name.len() < 16 && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.')
        };
        found.extend(named.map(|pair| pair[1]).filter(|name| plain(name)).map(str::to_owned));
        // A usual name for the parameter that holds one.
        let defined = words.iter().filter_map(|word| word.strip_prefix("$IF="));
        found.extend(defined.filter(|name| plain(name)).map(str::to_owned));
    }
    found
}

#[test]
fn every_keyword_of_the_reference_is_in_the_table_of_its_block() {
    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/config-keywords.tsv");
    let Ok(table) = fs::read_to_string(&reference) else {
        lab::note("../shared/reference/config-keywords.tsv is absent: the table is not compared with it");
        return;
    };
    let mut known: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    keywords::visit(keywords::ROOT, &mut |block| {
        known.entry(block.name).or_default().extend(block.all().map(|keyword| keyword.name));
        let lists = block.all().filter_map(|keyword| match keyword.value {
            keywords::Value::Lines(options) => Some(options),
            _ => None,
        });
        for options in lists {
            known.entry(options.name).or_default().extend(options.all().map(|keyword| keyword.name));
        }
    });
    let mut missing = Vec::new();
    for row in table.lines().skip(1).map(|row| row.split('\t').collect::<Vec<_>>()) {
        let (block, word) = (row[0], row[1]);
        let Some(ours) = named_here(block) else { continue };
        // The subject of a line is no word.
        let subject = word.starts_with("ADDR") || word.starts_with("[TYPE]");
        if !subject && !known.get(ours).is_some_and(|words| words.contains(word)) {
            missing.push(format!("{block}: {word}"));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// The blocks of the table that a block of the reference is; `None` for what is no block of keywords.
fn named_here(block: &str) -> Option<&str> {
    Some(match block {
        "(language)" | "(command line)" | "(genhash)" | "(signals)" => return None,
        "(root)" => "the top level",
        "(address line)" => "an address line",
        "(route line)" => "a route line",
        "(rule line)" => "a rule line",
        "virtual_server_group" => "a group line",
        "(checker common)" => "TCP_CHECK",
        "HTTP_GET|SSL_GET" => "HTTP_GET or SSL_GET",
        "HTTP_GET|SSL_GET/url" => "url",
        other => other.rsplit('/').next().unwrap_or(other),
    })
}

/// A file of keywords, braces, quotes and noise: more likely to reach odd corners than plain noise.
fn half_sensible() -> impl Strategy<Value = String> {
    let mut words: Vec<&'static str> =
        vec!["{", "}", "\n", "\n", "\"", "'", "\\", "!", "#", "$", "@", "~SEQ(", "=", "\0"];
    words.extend([
        "$A=",
        "$A=$A",
        "${A}",
        "$A",
        "@x",
        "@^x",
        "include",
        "weight",
        "reverse",
        "10.0.0.1/24",
        "::1",
        "-1",
        "7x",
    ]);
    keywords::visit(keywords::ROOT, &mut |block| words.extend(block.all().map(|keyword| keyword.name)));
    prop::collection::vec((prop::sample::select(words), prop::sample::select(vec![" ", "\n", ""])), 0..60)
        .prop_map(|parts| parts.into_iter().map(|(word, gap)| format!("{word}{gap}")).collect())
}

fn survives(text: &[u8]) {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let file = directory.path().join("x.conf");
    fs::write(&file, text).expect("the file can be written");
    let (_, report) = load(&file, &one_interface());
    let rendered = report.render();
    assert_eq!(rendered.is_empty(), report.diagnostics.is_empty());
    assert_eq!(report.lines().count(), report.diagnostics.len());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_to_the_end(text in prop::collection::vec(any::<u8>(), 0..400)) {
        survives(&text);
    }

    #[test]
    fn any_mixture_of_words_is_read_to_the_end(text in half_sensible()) {
        survives(text.as_bytes());
    }
}
