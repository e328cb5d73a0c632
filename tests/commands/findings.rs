//! One file: where its findings are, and what they come to.

use std::process::Command;

use super::{file, steadfast, text};

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
    let text = "bfd_instance B {\n  neighbor_ip 10.9.0.2\n}\nvrrp_sync_group G {\n  track_bfd {\n    B\n  }\n}\nnonsense\n";
    let main = file(directory.path(), "main.conf", text);
    let (code, found) = said(&["-t", "-f", &main]);
    assert_eq!(code, Some(5));
    let summary = found.split("\n\n").last().unwrap_or_default();
    assert_eq!(
        summary,
        "2 errors, 1 warning, 1 note\n\
         without effect yet, though failover or the way of packets depends on them: track_bfd\n\
         without effect yet: bfd_instance\n"
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
