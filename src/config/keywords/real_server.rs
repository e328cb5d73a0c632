//! The words of `real_server`.

use super::{
    Block, Table,
    Value::{Body, Boolean, Integer, OneOf, Script, Seconds, Text},
    checkers, keyword,
    virtual_server::METHODS,
};

pub(super) static BLOCK: Block = Block::new(Table {
    name: "real_server",
    keywords: &[
        keyword("weight", "N", Integer(0, 2_147_483_647), "IPVS weight")
            .supported()
            .required()
            .inherits(&[("virtual_server", "weight")])
            .or("1"),
        keyword("lvs_method", "as virtual_server", OneOf(METHODS), "forwarding method")
            .supported()
            .required()
            .inherits(&[("virtual_server", "lb_kind")])
            .or("NAT"),
        keyword("uthreshold", "N", Integer(0, 4_294_967_295), "upper connection limit")
            .supported()
            .required()
            .or("0"),
        keyword("lthreshold", "N", Integer(0, 4_294_967_295), "lower connection limit")
            .supported()
            .required()
            .or("0"),
        keyword("inhibit_on_failure", "[BOOL]", Boolean, "weight 0 instead of removal")
            .supported()
            .inherits(&[("virtual_server", "inhibit_on_failure")])
            .or("off"),
        keyword("notify_up", "SCRIPT [USER [[:]GROUP]]", Script, "run when the server comes up")
            .supported()
            .required(),
        keyword("notify_down", "SCRIPT [USER [[:]GROUP]]", Script, "run when the server goes down")
            .supported()
            .required(),
        keyword("smtp_alert", "[BOOL]", Boolean, "mail on state change")
            .supported()
            .inherits(&[("global_defs", "smtp_alert_checker"), ("global_defs", "smtp_alert")])
            .or("on"),
        keyword("virtualhost", "STRING", Text, "default Host header")
            .supported()
            .expected()
            .inherits(&[("virtual_server", "virtualhost")]),
        keyword("snmp_name", "STRING", Text, "label in SNMP").supported().expected(),
        keyword("alpha", "[BOOL]", Boolean, "start down")
            .supported()
            .inherits(&[("virtual_server", "alpha")])
            .or("off"),
        keyword("connect_timeout", "SECS", Seconds(1, 4_294_967_295_000), "default for its checkers")
            .supported()
            .required()
            .inherits(&[("virtual_server", "connect_timeout")])
            .or("5"),
        keyword("retry", "N", Integer(1, 4_294_967_295), "default for its checkers")
            .supported()
            .required()
            .inherits(&[("virtual_server", "retry")])
            .or("checker default"),
        keyword("delay_before_retry", "SECS", Seconds(0, 4_294_967_295_000), "default for its checkers")
            .supported()
            .required()
            .inherits(&[("virtual_server", "delay_before_retry")])
            .or("checker default"),
        keyword("warmup", "SECS", Seconds(0, 4_294_967_295_000), "default for its checkers")
            .supported()
            .required()
            .inherits(&[
                ("virtual_server", "warmup"),
                ("real_server", "delay_loop"),
                ("virtual_server", "delay_loop"),
            ])
            .or("60"),
        keyword("delay_loop", "SECS", Seconds(1, 4_294_967_295_000), "default for its checkers")
            .supported()
            .required()
            .inherits(&[("virtual_server", "delay_loop")])
            .or("60"),
        keyword("TCP_CHECK", "", Body(&checkers::TCP_CHECK), "health check: TCP connect").supported(),
        keyword("HTTP_GET", "", Body(&checkers::HTTP_GET), "health check: HTTP request").supported(),
        keyword("SSL_GET", "", Body(&checkers::HTTP_GET), "health check: HTTPS request").supported(),
        keyword("SMTP_CHECK", "", Body(&checkers::SMTP_CHECK), "health check: SMTP greeting and HELO")
            .supported(),
        keyword("DNS_CHECK", "", Body(&checkers::DNS_CHECK), "health check: DNS query over UDP").supported(),
        keyword("MISC_CHECK", "", Body(&checkers::MISC_CHECK), "health check: external command").supported(),
        keyword(
            "UDP_CHECK",
            "",
            Body(&checkers::UDP_CHECK),
            "health check: UDP datagram, ICMP errors or a reply",
        )
        .supported(),
        keyword("PING_CHECK", "", Body(&checkers::PING_CHECK), "health check: ICMP echo").supported(),
        keyword("BFD_CHECK", "", Body(&checkers::BFD_CHECK), "health check: BFD session state")
            .until("BFD sessions run"),
        keyword("FILE_CHECK", "", Body(&checkers::FILE_CHECK), "health check: value in a track_file")
            .supported(),
    ],
    shared: &[],
    defaults: &[],
});
