//! `steadfast config …` as people and scripts call it.

#![expect(clippy::expect_used, reason = "a failed expectation is a failed test, in helpers too")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use steadfast::config::{self, Elsewhere, Options, explain};

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
fn each_disagreement_of_two_routers_is_named_with_both_places() {
    let multicast = backup().replace("    unicast_peer {\n        192.0.2.1\n    }\n", "");
    let cases = [
        ("peer-vrid", backup().replace("_id 51", "_id 52")),
        ("peer-version", backup().replace("advert_int 1\n", "advert_int 1\n    version 3\n")),
        ("peer-auth", backup().replace("s3cret", "other")),
        ("peer-auth", backup().replace("auth_type PASS\n        auth_pass s3cret\n", "")),
        ("peer-interval", backup().replace("advert_int 1", "advert_int 3")),
        ("peer-addresses", backup().replace("192.0.2.10/24", "192.0.2.11/24")),
        ("peer-addresses", backup().replace("192.0.2.10/24", "192.0.2.10/32")),
        ("peer-priority", backup().replace("priority 100", "priority 150")),
        ("peer-state", backup().replace("state BACKUP", "state MASTER")),
        ("peer-preempt", backup().replace("advert_int 1", "nopreempt")),
        ("peer-unicast", backup().replace("        192.0.2.1\n", "        192.0.2.3\n")),
        ("peer-unicast", multicast),
        ("peer-missing", backup().replace("VI_1", "VI_2").replace("_id 51", "_id 53")),
    ];
    for (id, second) in cases {
        let found = disagreements(MASTER, &second);
        assert!(found.contains(&format!("[{id}]")), "{id}:\n{found}");
        assert!(found.contains("a.conf:1") && found.contains("b.conf:1"), "{id}: both places:\n{found}");
    }
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

#[test]
fn no_command_shows_a_secret() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let first = file(directory.path(), "a.conf", &format!("{MASTER}SSL {{\n    password s3cret\n}}\n"));
    let second = file(directory.path(), "b.conf", &backup().replace("s3cret", "s3cret-too-long"));
    for arguments in [
        &["check", &first, &second][..],
        &["check", "--format", "json", &first, &second],
        &["show", &first],
        &["show", "--json", &first],
        &["diff", &first, &second],
        &["diff", "--json", &first, &second],
        &["status", &first],
    ] {
        let output = steadfast(arguments);
        let shown = text(&output) + &String::from_utf8_lossy(&output.stderr);
        assert!(!shown.contains("s3cret"), "{arguments:?}:\n{shown}");
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
                .to_owned(),
            Some(1)
        )
    );
    assert_eq!(
        difference(&MASTER.replace("_id 51", "_id 7")).0,
        "vrrp_instance VI_1: virtual_router_id 51 becomes virtual_router_id 7 \
         (is another virtual router: it stops and starts anew)\n"
    );
    let (shown, _) = difference(&MASTER.replace("192.0.2.10/24", "192.0.2.11/24"));
    assert!(shown.contains("192.0.2.11/24 is new") && shown.contains("192.0.2.10/24 is gone"), "{shown}");
    assert!(difference("").0.starts_with("vrrp_instance VI_1 is gone (stops: it sends priority 0"));
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
    assert_eq!(written, explain::page(), "write it anew: cargo run -- config reference > docs/keywords.md");
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
