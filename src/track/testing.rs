//! What tests track.

use std::time::Duration;

use crate::config::{
    Place, Script, ScriptCommand,
    tracking::{Matching, Process},
};

/// A `vrrp_track_process` that wants one process or more.
pub(crate) fn process(command: &[&str], matching: Matching) -> Process {
    Process {
        name: "web".into(),
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        matching,
        quorum: 1,
        quorum_max: None,
        fork_delay: Duration::ZERO,
        terminate_delay: Duration::ZERO,
        weight: 0,
        reverse: false,
        at: Place::default(),
    }
}

/// A `vrrp_script` that succeeds every two seconds.
pub(crate) fn script() -> Script {
    Script {
        name: "chk".into(),
        command: ScriptCommand {
            argv: vec!["true".into()],
            path: "/bin/true".into(),
            shown: "'/bin/true'".into(),
        },
        interval: Duration::from_secs(2),
        timeout: Some(Duration::from_secs(1)),
        rise: 1,
        fall: 1,
        weight: 0,
        reverse: false,
        init_fail: false,
        user: None,
        at: Place::default(),
    }
}
