//! The language and its findings: reference pages, explanations, the list of what has no effect yet, completion.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use steadfast::config::{catalogue, explain};

use super::{file, steadfast, text};

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
    let output = steadfast(&["explain", "vrrp_script", "weight"]);
    assert_eq!((text(&output).matches("(in ").count(), output.status.code()), (1, Some(0)));
    let output = steadfast(&["explain", "virtual_ipadress"]);
    assert_eq!(
        (text(&output).as_str(), output.status.code()),
        ("there is no keyword virtual_ipadress; did you mean virtual_ipaddress?\n", Some(1))
    );
}

#[test]
fn what_has_no_effect_yet_is_listed() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let main = file(directory.path(), "main.conf", "bfd_instance S {\n    neighbor_ip 192.0.2.9\n}\n");
    let output = steadfast(&["status", &main]);
    assert_eq!(text(&output).lines().count(), 1);
    assert!(text(&output).contains("bfd_instance is not supported yet"), "{}", text(&output));
    let all = file(directory.path(), "all.conf", "instance here\n");
    assert_eq!(text(&steadfast(&["status", &all])), format!("every word of {all} has an effect\n"));
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
