//! The words of `vrrp_track_process`.

use super::{
    Block, Table,
    Value::{Flag, Integer, OneOf, Seconds, Text},
    keyword,
};

pub(super) static BLOCK: Block = Block::new(Table {
    name: "vrrp_track_process",
    keywords: &[
        keyword(
            "process",
            "NAME [PARAMS…]",
            Text,
            "process name (comm) or, with parameters, command line to match",
        )
        .supported()
        .required(),
        keyword(
            "param_match",
            "[initial|partial]",
            OneOf(&["initial", "partial"]),
            "how parameters are compared; alone: command must have none",
        )
        .supported()
        .or("exact when parameters given")
        .alone("exact"),
        keyword("weight", "N [reverse]", Integer(-254, 254), "priority adjustment; 0 = fault")
            .supported()
            .or("0")
            .expected(),
        keyword("quorum", "N", Integer(1, 65535), "minimum number of matching processes")
            .supported()
            .or("1")
            .required(),
        keyword("quorum_max", "N", Integer(0, 65535), "maximum number of matching processes")
            .supported()
            .or("unlimited")
            .required(),
        keyword("fork_delay", "SECS", Seconds(1, 3_600_000_000), "delay before \"quorum gained\" counts")
            .supported()
            .or("0")
            .required(),
        keyword("terminate_delay", "SECS", Seconds(1, 3_600_000_000), "delay before \"quorum lost\" counts")
            .supported()
            .or("0")
            .required(),
        keyword("delay", "SECS", Seconds(1, 3_600_000_000), "sets both delays")
            .supported()
            .or("0")
            .required(),
        keyword("full_command", "", Flag, "match /proc/PID/cmdline instead of the name")
            .supported()
            .or("off (on with parameters)"),
    ],
    shared: &[],
    defaults: &[],
});
