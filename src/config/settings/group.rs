//! Blocks that put several things together.

use std::time::Duration;

use super::{Effective, Named, section};

section! {
    /// `vrrp_sync_group`: instances that change state together.
    SyncGroup of "vrrp_sync_group" {
        group: Vec<Named> = "group",
        notify_priority_changes: Effective<bool> = "notify_priority_changes",
        smtp_alert: Effective<bool> = "smtp_alert",
        global_tracking: bool = "global_tracking",
        sync_group_tracking_weight: bool = "sync_group_tracking_weight",
    }
    resolved {
        "track_interface" | "track_script" | "track_file" | "track_process" | "track_bfd" | "notify_master" | "notify_backup" | "notify_fault" | "notify_stop" | "notify"
    }
}

section! {
    /// `track_group`: instances that follow static addresses, routes and rules.
    TrackGroup of "track_group" {
        group: Vec<Named> = "group",
    }
}

section! {
    /// `garp_group`: pacing of gratuitous ARP.
    GarpGroup of "garp_group" {
        garp_interval: Option<Duration> = "garp_interval",
        gna_interval: Option<Duration> = "gna_interval",
        interface: Option<Box<str>> = "interface",
        interfaces: Vec<Named> = "interfaces",
    }
}
