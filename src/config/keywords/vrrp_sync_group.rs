//! The words of `vrrp_sync_group`.

use super::{
    Block, NO_OPTIONS, Table,
    Value::{Boolean, Flag, Lines, Script},
    keyword,
};

pub(super) static BLOCK: Block = Block::new(Table {
    name: "vrrp_sync_group",
    keywords: &[
        keyword("group", "{ NAMES }", Lines(&NO_OPTIONS), "member instances").supported(),
        keyword(
            "track_interface",
            "{ IF [weight N [reverse]] }",
            Lines(&NO_OPTIONS),
            "interfaces tracked by every member",
        )
        .supported()
        .or("weight 0"),
        keyword(
            "track_script",
            "{ NAME [weight N [reverse|noreverse]] }",
            Lines(&NO_OPTIONS),
            "scripts tracked by every member",
        )
        .supported()
        .or("script's weight"),
        keyword(
            "track_file",
            "{ NAME [weight N [reverse|noreverse]] }",
            Lines(&NO_OPTIONS),
            "files tracked by every member",
        )
        .supported()
        .or("file's weight"),
        keyword(
            "track_process",
            "{ NAME [weight N [reverse|noreverse]] }",
            Lines(&NO_OPTIONS),
            "processes tracked by every member",
        )
        .supported()
        .or("process's weight"),
        keyword(
            "track_bfd",
            "{ NAME [weight N [reverse|noreverse]] }",
            Lines(&NO_OPTIONS),
            "BFD sessions tracked by every member",
        )
        .until("BFD sessions run")
        .or("bfd's weight"),
        keyword("notify_master", "SCRIPT [USER [[:]GROUP]]", Script, "run when the group becomes MASTER")
            .supported()
            .required(),
        keyword("notify_backup", "SCRIPT [USER [[:]GROUP]]", Script, "run when the group becomes BACKUP")
            .supported()
            .required(),
        keyword("notify_fault", "SCRIPT [USER [[:]GROUP]]", Script, "run when the group goes to FAULT")
            .supported()
            .required(),
        keyword("notify_stop", "SCRIPT [USER [[:]GROUP]]", Script, "run at shutdown").supported().required(),
        keyword(
            "notify",
            "SCRIPT [USER [[:]GROUP]]",
            Script,
            "run on every change with GROUP, name, state, 0 appended",
        )
        .supported()
        .required(),
        keyword(
            "notify_priority_changes",
            "[BOOL]",
            Boolean,
            "default for the members' FIFO priority events",
        )
        .supported()
        .inherits(&[("global_defs", "vrrp_notify_priority_changes")])
        .or("off"),
        keyword("smtp_alert", "[BOOL]", Boolean, "mail on group state changes")
            .supported()
            .inherits(&[("global_defs", "smtp_alert_vrrp"), ("global_defs", "smtp_alert")])
            .or("off"),
        keyword("global_tracking", "", Flag, "same effect as sync_group_tracking_weight")
            .outdated("sync_group_tracking_weight"),
        keyword("sync_group_tracking_weight", "", Flag, "allow weighted trackers on members").supported(),
    ],
    shared: &[],
    defaults: &[],
});
