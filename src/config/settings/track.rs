//! What can be tracked beside scripts and interfaces.

use std::time::Duration;

use super::{Effective, Weight, Words, section};

section! {
    /// `track_file`: a file whose number moves priorities.
    TrackFile of "track_file" {
        file: Option<Box<str>> = "file",
        weight: Effective<Weight> = "weight",
        init_file: Option<Words> = "init_file",
    }
}

section! {
    /// `vrrp_track_process`: processes that must run, or must not.
    TrackProcess of "vrrp_track_process" {
        process: Option<Words> = "process",
        param_match: Option<&'static str> = "param_match",
        weight: Effective<Weight> = "weight",
        quorum: Option<u16> = "quorum",
        quorum_max: Option<u16> = "quorum_max",
        fork_delay: Option<Duration> = "fork_delay",
        terminate_delay: Option<Duration> = "terminate_delay",
        delay: Option<Duration> = "delay",
        full_command: bool = "full_command",
    }
}
