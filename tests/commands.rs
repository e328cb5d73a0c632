//! `steadfast config …` as people and scripts call it.

#![expect(clippy::expect_used, reason = "a failed expectation is a failed test, in helpers too")]

#[path = "commands/differences.rs"]
mod differences;
#[path = "commands/effective.rs"]
mod effective;
#[path = "commands/findings.rs"]
mod findings;
#[path = "commands/flags.rs"]
mod flags;
#[path = "commands/language.rs"]
mod language;
#[path = "commands/manual.rs"]
mod manual;
#[path = "commands/peers.rs"]
mod peers;
#[path = "commands/secrets.rs"]
mod secrets;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

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
