//! The words of `vrrp_script`.

use super::{
    Block, Table,
    Value::{Flag, Integer, Script, Seconds, Text},
    keyword,
};

pub(super) static BLOCK: Block = Block::new(Table {
    name: "vrrp_script",
    keywords: &[
        keyword("script", "STRING | \"STRING\"", Script, "command to run; executed directly, not by a shell")
            .supported()
            .expected(),
        keyword("interval", "SECS", Seconds(0, 4_294_967_295), "time between runs")
            .or("1")
            .supported()
            .required(),
        keyword(
            "timeout",
            "SECS",
            Seconds(0, 4_294_967_295),
            "run time after which the script is killed and counted as failed",
        )
        .or("= interval")
        .supported()
        .required(),
        keyword(
            "weight",
            "N [reverse]",
            Integer(-253, 253),
            "default priority adjustment; 0 = fault on failure",
        )
        .or("0")
        .supported()
        .required(),
        keyword("rise", "N", Integer(1, 2_147_483_647), "consecutive successes needed to become OK")
            .or("1")
            .supported()
            .required(),
        keyword("fall", "N", Integer(1, 2_147_483_647), "consecutive failures needed to become KO")
            .or("1")
            .supported()
            .required(),
        keyword("user", "USER [[:]GROUP]", Text, "identity to run as")
            .or("script_user, else keepalived_script, else root")
            .supported()
            .required(),
        keyword("init_fail", "", Flag, "meant: start in the failed state")
            .or("first result decides")
            .supported(),
    ],
    shared: &[],
    defaults: &[],
});
