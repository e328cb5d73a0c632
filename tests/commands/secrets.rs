//! No command shows a password.

use std::process::Command;

use proptest::{
    prelude::any,
    sample,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

use super::{MASTER, backup, file, text};

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
