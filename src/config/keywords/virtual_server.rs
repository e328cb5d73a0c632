//! The words of `virtual_server`.

use super::{
    Block, Table,
    Value::{Body, Boolean, Flag, Integer, OneOf, OneOfAnyCase, Script, Seconds, Text},
    keyword, real_server,
};

pub(super) static BLOCK: Block = Block::new(Table {
    name: "virtual_server",
    keywords: &[
        keyword("delay_loop", "SECS", Seconds(1, 4_294_967_295_000), "interval between checks")
            .supported()
            .or("60")
            .required(),
        keyword(
            "lb_algo",
            "rr wrr lc wlc lblc sh mh dh fo ovf lblcr sed nq twos",
            OneOf(SCHEDULERS),
            "IPVS scheduler",
        )
        .supported()
        .required()
        .or("wlc"),
        keyword(
            "lvs_sched",
            "rr wrr lc wlc lblc sh mh dh fo ovf lblcr sed nq twos",
            OneOf(SCHEDULERS),
            "IPVS scheduler",
        )
        .supported()
        .required()
        .same_as("lb_algo"),
        keyword(
            "lb_kind",
            "NAT | DR | TUN [type ipip|gue port N|gre] [nocsum|csum|remcsum]",
            OneOf(METHODS),
            "forwarding method",
        )
        .supported()
        .required()
        .or("NAT"),
        keyword(
            "lvs_method",
            "NAT | DR | TUN [type ipip|gue port N|gre] [nocsum|csum|remcsum]",
            OneOf(METHODS),
            "forwarding method",
        )
        .supported()
        .required()
        .same_as("lb_kind"),
        keyword("protocol", "TCP|UDP|SCTP", OneOfAnyCase(&["TCP", "UDP", "SCTP"]), "transport protocol")
            .supported()
            .required()
            .or("UDP"),
        keyword("persistence_timeout", "[SECS]", Integer(1, 2678400), "client persistence")
            .supported()
            .or("off")
            .alone("360"),
        keyword("persistence_granularity", "NETMASK | PREFIXLEN", Text, "persistence mask")
            .supported()
            .or("host")
            .required(),
        keyword("persistence_engine", "NAME", Text, "IPVS persistence engine").supported().required(),
        keyword("ops", "", Flag, "one-packet scheduling").supported(),
        keyword("hashed", "", Flag, "only with lb_algo sh; otherwise ignored and reported").supported(),
        keyword("flag-1", "", Flag, "generic scheduler flags").supported(),
        keyword("flag-2", "", Flag, "generic scheduler flags").supported(),
        keyword("flag-3", "", Flag, "generic scheduler flags").supported(),
        keyword("sh-port", "", Flag, "flags of the sh scheduler").supported(),
        keyword("sh-fallback", "", Flag, "flags of the sh scheduler").supported(),
        keyword("mh-port", "", Flag, "flags of the mh scheduler").supported(),
        keyword("mh-fallback", "", Flag, "flags of the mh scheduler").supported(),
        keyword("ha_suspend", "", Flag, "run checks only while the VS address is configured locally")
            .supported(),
        keyword("ip_family", "inet|inet6", OneOf(&["inet", "inet6"]), "family of a fwmark service")
            .supported()
            .or("from servers, else inet")
            .required(),
        keyword("smtp_alert", "[BOOL]", Boolean, "mail on quorum change")
            .supported()
            .inherits(&[("global_defs", "smtp_alert_checker"), ("global_defs", "smtp_alert")])
            .or("off"),
        keyword("virtualhost", "STRING", Text, "default Host header for HTTP/SSL checks")
            .supported()
            .expected(),
        keyword("snmp_name", "STRING", Text, "label in SNMP").supported().expected(),
        keyword("alpha", "", Flag, "servers start down until checks pass").supported(),
        keyword("omega", "", Flag, "run down notifiers at shutdown").supported(),
        keyword("quorum", "N", Integer(1, 4_294_967_295), "minimum live weight")
            .supported()
            .or("1")
            .required(),
        keyword("hysteresis", "N", Integer(0, 4_294_967_295), "margin around the quorum")
            .supported()
            .or("0")
            .required(),
        keyword("quorum_up", "SCRIPT [USER [[:]GROUP]]", Script, "run when quorum is gained")
            .supported()
            .required(),
        keyword("quorum_down", "SCRIPT [USER [[:]GROUP]]", Script, "run when quorum is lost")
            .supported()
            .required(),
        keyword("weight", "N", Integer(1, 2_147_483_647), "default weight of real servers")
            .supported()
            .or("1")
            .required(),
        keyword("sorry_server", "ADDR [PORT]", Text, "server used while there is no quorum")
            .supported()
            .required(),
        keyword("sorry_server_inhibit", "", Flag, "keep it in IPVS with weight 0 when unused").supported(),
        keyword(
            "sorry_server_lvs_method",
            "as lvs_method",
            OneOf(METHODS),
            "forwarding method of the sorry server",
        )
        .supported()
        .expected()
        .inherits(&[("virtual_server", "lb_kind")])
        .or("NAT"),
        keyword("connect_timeout", "SECS", Seconds(1, 4_294_000_000), "default connect timeout of checkers")
            .supported()
            .or("5")
            .required(),
        keyword("retry", "N", Integer(1, 4_294_967_295), "default retries")
            .supported()
            .or("checker default")
            .required(),
        keyword("delay_before_retry", "SECS", Seconds(0, 4_294_967_295_000), "default gap between retries")
            .supported()
            .or("checker default")
            .required(),
        keyword("warmup", "SECS", Seconds(0, 4_294_967_295_000), "maximum random delay of the first check")
            .supported()
            .required()
            .inherits(&[("virtual_server", "delay_loop")])
            .or("60"),
        keyword("inhibit_on_failure", "", Flag, "set weight 0 instead of removing a failed server")
            .supported(),
        keyword("real_server", "ADDR [PORT]", Body(&real_server::BLOCK), "a pool member")
            .supported()
            .or("port of the VS")
            .required(),
        keyword("nat_mask", "MASK", Text, "old NAT granularity")
            .expected()
            .removed("it only ever applied to Linux 2.2; delete the line"),
    ],
    shared: &[],
    defaults: &[],
});

pub(super) const METHODS: &[&str] = &["NAT", "DR", "TUN"];

const SCHEDULERS: &[&str] =
    &["rr", "wrr", "lc", "wlc", "lblc", "sh", "mh", "dh", "fo", "ovf", "lblcr", "sed", "nq", "twos"];
