//! The words of `snmp_notify`.

use super::{
    Block, Table,
    Value::{Body, Boolean, Integer, OneOf, Seconds, Text},
    keyword,
};

pub(super) static BLOCK: Block = Block::new(Table {
    name: "snmp_notify",
    keywords: &[
        keyword(
            "target",
            "ADDRESS | ADDRESS:PORT | [ADDRESS]:PORT",
            Body(&TARGET),
            "a receiver of notifications (UDP), at port 162 unless another is named; up to 16 of them",
        )
        .since("Steadfast")
        .supported()
        .expected(),
        keyword(
            "usm_user",
            "NAME [auth PROTOCOL PASSWORD [priv PROTOCOL PASSWORD]]",
            Text,
            "a user of SNMPv3 beside those of snmp_agent: MD5, SHA, SHA-224, SHA-256, SHA-384 or SHA-512; DES, AES, AES-192 or AES-256; repeatable",
        )
        .secret()
        .since("Steadfast")
        .supported()
        .expected(),
        keyword("engine_file", "PATH", Text, "file with the SNMPv3 engine's id and starts, of this daemon alone")
            .or("that of snmp_agent, also where there is no such block")
            .since("Steadfast")
            .supported()
            .expected(),
    ],
    shared: &[],
    defaults: &[],
});

static TARGET: Block = Block::new(Table {
    name: "target",
    keywords: &[
        keyword("version", "1|2c|3", OneOf(&["1", "2c", "3"]), "version of SNMP")
            .or("2c")
            .since("Steadfast")
            .supported()
            .expected(),
        keyword("community", "NAME", Text, "community of SNMPv1 and v2c")
            .secret()
            .since("Steadfast")
            .supported()
            .expected(),
        keyword("user", "NAME", Text, "user of SNMPv3: a usm_user of snmp_notify, else of snmp_agent")
            .since("Steadfast")
            .supported()
            .expected(),
        keyword("context", "NAME", Text, "SNMPv3 context that is named")
            .or("the default one")
            .since("Steadfast")
            .supported()
            .expected(),
        keyword(
            "inform",
            "[BOOL]",
            Boolean,
            "whether the receiver acknowledges; what it has not acknowledged is repeated, in order, over any outage and restart",
        )
        .or("on; off with version 1, which has no informs")
        .since("Steadfast")
        .supported(),
        keyword("timeout", "SECS", Seconds(100_000, 60_000_000), "how long an acknowledgement is waited for")
            .or("1")
            .since("Steadfast")
            .supported()
            .expected(),
        keyword(
            "retries",
            "N",
            Integer(0, 100),
            "how often an inform is repeated at this pace; from then on the receiver counts as away, and is asked less often, up to every 15 s",
        )
        .or("3")
        .since("Steadfast")
        .supported()
        .expected(),
    ],
    shared: &[],
    defaults: &[],
});
