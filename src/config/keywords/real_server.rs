//! The words of `real_server`.

use super::{
    Block,
    Value::{Body, Boolean, Integer, OneOf, Script, Seconds, Text},
    checkers, keyword,
    virtual_server::METHODS,
};

pub(super) static BLOCK: Block = Block {
    name: "real_server",
    keywords: &[
        keyword("weight", "N", Integer(0, 2_147_483_647), "IPVS weight").or("VS weight (1)").required(),
        keyword("lvs_method", "as virtual_server", OneOf(METHODS), "forwarding method")
            .or("VS method")
            .required(),
        keyword("uthreshold", "N", Integer(0, 4_294_967_295), "upper connection limit")
            .or("0 (none)")
            .required(),
        keyword("lthreshold", "N", Integer(0, 4_294_967_295), "lower connection limit")
            .or("0 (none)")
            .required(),
        keyword("inhibit_on_failure", "[BOOL]", Boolean, "weight 0 instead of removal").or("VS value"),
        keyword("notify_up", "SCRIPT [USER [[:]GROUP]]", Script, "run when the server comes up").required(),
        keyword("notify_down", "SCRIPT [USER [[:]GROUP]]", Script, "run when the server goes down")
            .required(),
        keyword("smtp_alert", "[BOOL]", Boolean, "mail on state change")
            .or("smtp_alert_checker, smtp_alert, else ON"),
        keyword("virtualhost", "STRING", Text, "default Host header").or("VS value").expected(),
        keyword("snmp_name", "STRING", Text, "label in SNMP").expected(),
        keyword("alpha", "[BOOL]", Boolean, "start down").or("VS value"),
        keyword("connect_timeout", "SECS", Seconds(1, 4_294_967_295_000), "default for its checkers")
            .or("VS value (5)")
            .required(),
        keyword("retry", "N", Integer(1, 4_294_967_295), "default for its checkers")
            .or("VS value")
            .required(),
        keyword("delay_before_retry", "SECS", Seconds(0, 4_294_967_295_000), "default for its checkers")
            .or("VS value")
            .required(),
        keyword("warmup", "SECS", Seconds(0, 4_294_967_295_000), "default for its checkers")
            .or("VS value")
            .required(),
        keyword("delay_loop", "SECS", Seconds(1, 4_294_967_295_000), "default for its checkers")
            .or("VS value (60)")
            .required(),
        keyword("TCP_CHECK", "", Body(&checkers::TCP_CHECK), "health check: TCP connect"),
        keyword("HTTP_GET", "", Body(&checkers::HTTP_GET), "health check: HTTP request"),
        keyword("SSL_GET", "", Body(&checkers::HTTP_GET), "health check: HTTPS request"),
        keyword("SMTP_CHECK", "", Body(&checkers::SMTP_CHECK), "health check: SMTP greeting and HELO"),
        keyword("DNS_CHECK", "", Body(&checkers::DNS_CHECK), "health check: DNS query over UDP"),
        keyword("MISC_CHECK", "", Body(&checkers::MISC_CHECK), "health check: external command"),
        keyword(
            "UDP_CHECK",
            "",
            Body(&checkers::UDP_CHECK),
            "health check: UDP datagram, ICMP errors or a reply",
        ),
        keyword("PING_CHECK", "", Body(&checkers::PING_CHECK), "health check: ICMP echo"),
        keyword("BFD_CHECK", "", Body(&checkers::BFD_CHECK), "health check: BFD session state"),
        keyword("FILE_CHECK", "", Body(&checkers::FILE_CHECK), "health check: value in a track_file"),
    ],
    shared: &[],
};
