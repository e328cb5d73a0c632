//! The words of `snmp_agent`.

use super::{
    Block, Table,
    Value::{Body, Text},
    keyword,
};

pub(super) static BLOCK: Block = Block::new(Table {
    name: "snmp_agent",
    keywords: &[
        keyword(
            "listen",
            "ADDRESS | ADDRESS:PORT | [ADDRESS]:PORT",
            Text,
            "where SNMP is answered (UDP); repeatable",
        )
        .or("127.0.0.1:161 and [::1]:161")
        .since("Steadfast")
        .supported()
        .expected(),
        keyword(
            "community",
            "NAME [source PREFIX...] [view VIEW] [rw]",
            Text,
            "a community of SNMPv1 and v2c, where it may be used from, what it shows, and whether it may write; repeatable",
        )
        .or("public, from this host alone, when there is no user either")
        .secret()
        .since("Steadfast")
        .supported()
        .expected(),
        keyword(
            "usm_user",
            "NAME [auth PROTOCOL PASSWORD [priv PROTOCOL PASSWORD]] [source PREFIX...] [view VIEW] [rw]",
            Text,
            "a user of SNMPv3: MD5, SHA, SHA-224, SHA-256, SHA-384 or SHA-512; DES, AES, AES-192 or AES-256; repeatable",
        )
        .secret()
        .since("Steadfast")
        .supported()
        .expected(),
        keyword("context", "NAME", Text, "an SNMPv3 context that is answered beside the default one")
            .since("Steadfast")
            .supported()
            .expected(),
        keyword("engine_file", "PATH", Text, "file with the SNMPv3 engine's id and starts, of this daemon alone")
            .or("/var/lib/steadfast/snmp_engine")
            .since("Steadfast")
            .supported()
            .expected(),
        keyword("view", "NAME", Body(&VIEW), "a part of what is served; repeatable")
            .since("Steadfast")
            .supported()
            .expected(),
        keyword("sys_contact", "TEXT", Text, "sysContact of SNMPv2-MIB").since("Steadfast").supported().expected(),
        keyword("sys_location", "TEXT", Text, "sysLocation of SNMPv2-MIB").since("Steadfast").supported().expected(),
        keyword("sys_name", "TEXT", Text, "sysName of SNMPv2-MIB")
            .or("host name")
            .since("Steadfast")
            .supported()
            .expected(),
    ],
    shared: &[],
    defaults: &[],
});

static VIEW: Block = Block::new(Table {
    name: "view",
    keywords: &[
        keyword(
            "included",
            "OID",
            Text,
            "a subtree that is shown; of those that hold an object the longest decides",
        )
        .since("Steadfast")
        .supported()
        .expected(),
        keyword("excluded", "OID", Text, "a subtree that is not").since("Steadfast").supported().expected(),
    ],
    shared: &[],
    defaults: &[],
});
