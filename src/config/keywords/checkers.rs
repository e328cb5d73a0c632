//! The words of the checkers inside a `real_server`.

use super::{
    Block, Keyword, Table,
    Value::{Address, Body, Boolean, Flag, Integer, Interface, OneOfAnyCase, Script, Seconds, Text},
    keyword,
};

// Words that several lists share.
const RETRY: Keyword =
    keyword("retry", "N", Integer(0, 4_294_967_295), "extra attempts before declaring down")
        .supported()
        .required()
        .inherits(&[("real_server", "retry"), ("virtual_server", "retry")])
        .or("1");
const DELAY_BEFORE_RETRY: Keyword =
    keyword("delay_before_retry", "SECS", Seconds(0, 4_294_967_295_000), "gap between attempts")
        .supported()
        .required()
        .inherits(&[("real_server", "delay_before_retry"), ("virtual_server", "delay_before_retry")])
        .or("1");
const WARMUP: Keyword = keyword(
    "warmup",
    "SECS",
    Seconds(0, 4_294_967_295_000),
    "maximum random start delay (1 s is always added)",
)
.supported()
.required()
.inherits(&[
    ("real_server", "warmup"),
    ("virtual_server", "warmup"),
    ("", "delay_loop"),
    ("real_server", "delay_loop"),
    ("virtual_server", "delay_loop"),
])
.or("60");
const DELAY_LOOP: Keyword =
    keyword("delay_loop", "SECS", Seconds(1, 4_294_967_295_000), "interval between checks")
        .supported()
        .required()
        .inherits(&[("real_server", "delay_loop"), ("virtual_server", "delay_loop")])
        .or("60");
const START_DOWN: Keyword = keyword("alpha", "[BOOL]", Boolean, "start down")
    .supported()
    .inherits(&[("real_server", "alpha"), ("virtual_server", "alpha")])
    .or("off");
const LOG_ALL_FAILURES: Keyword = keyword("log_all_failures", "[BOOL]", Boolean, "log each failed attempt")
    .supported()
    .inherits(&[("global_defs", "checker_log_all_failures")])
    .or("off");

/// What every checker that opens a connection understands.
static CONNECTION: &[Keyword] = &[
    keyword("connect_ip", "ADDR", Address, "address to check").supported().or("real server").required(),
    keyword("connect_port", "N", Integer(1, 65535), "port to check")
        .supported()
        .or("real server port")
        .required(),
    keyword("bindto", "ADDR", Address, "local source address").supported().required(),
    keyword("bind_port", "N", Integer(1, 65535), "local source port").supported().required(),
    keyword("bind_if", "IF", Interface, "interface to bind to").supported().required(),
    keyword("connect_timeout", "SECS", Seconds(1, 4_294_967_295_000), "time limit of a check")
        .supported()
        .required()
        .inherits(&[("real_server", "connect_timeout"), ("virtual_server", "connect_timeout")])
        .or("5"),
    keyword("fwmark", "N", Integer(0, 4_294_967_295), "mark on checker packets")
        .supported()
        .or("0")
        .required(),
    RETRY,
    DELAY_BEFORE_RETRY,
    WARMUP,
    DELAY_LOOP,
    START_DOWN,
    LOG_ALL_FAILURES,
];

/// What the checkers without a connection understand beside their own words.
static SCHEDULE: &[Keyword] = &[RETRY, DELAY_BEFORE_RETRY, WARMUP, DELAY_LOOP, START_DOWN, LOG_ALL_FAILURES];

static ALPHA: &[Keyword] = &[START_DOWN];

pub(super) static TCP_CHECK: Block =
    Block::new(Table { name: "TCP_CHECK", keywords: &[], shared: CONNECTION, defaults: &[] });

pub(super) static HTTP_GET: Block = Block::new(Table {
    name: "HTTP_GET or SSL_GET",
    keywords: &[
        keyword("url", "", Body(&URL), "a page to test, in order").supported().or("at least one"),
        keyword("virtualhost", "STRING", Text, "Host header")
            .supported()
            .expected()
            .inherits(&[("real_server", "virtualhost"), ("virtual_server", "virtualhost")]),
        keyword(
            "http_protocol",
            "1.0 | 1.0C | 1.1",
            OneOfAnyCase(&["1.0", "1.0C", "1.1"]),
            "request version; C and 1.1 add Connection: close",
        )
        .supported()
        .or("1.0")
        .expected(),
        keyword(
            "fast_recovery",
            "[BOOL]",
            Boolean,
            "check the remaining URLs without delay at start and after recovery",
        )
        .supported()
        .or("off"),
        keyword("nb_get_retry", "N", Integer(0, 4_294_967_295), "as retry")
            .required()
            .outdated("retry")
            .same_as("retry"),
        keyword("enable_sni", "[BOOL]", Boolean, "send SNI (the virtual host)").supported().or("off"),
        keyword("sni_name", "[NAME]", Text, "SNI value")
            .supported()
            .or("virtual host")
            .since("2.2.8 or later"),
        keyword("tls_compliant", "[BOOL]", Boolean, "send close_notify")
            .supported()
            .or("off")
            .since("2.2.8 or later"),
    ],
    shared: CONNECTION,
    defaults: &[("delay_before_retry", "3")],
});

static URL: Block = Block::new(Table {
    name: "url",
    keywords: &[
        keyword("path", "STRING", Text, "request target").supported().required(),
        keyword("digest", "HEX", Text, "MD5 of the body").supported().or("not checked").required(),
        keyword("status_code", "N|N-M …", Text, "accepted status codes").supported().or("200-299").expected(),
        keyword("virtualhost", "STRING", Text, "Host header").supported().expected().inherits(&[
            ("HTTP_GET or SSL_GET", "virtualhost"),
            ("real_server", "virtualhost"),
            ("virtual_server", "virtualhost"),
        ]),
        keyword("regex", "STRING", Text, "body must match").supported().expected(),
        keyword("regex_no_match", "", Flag, "body must not match").supported(),
        keyword("regex_options", "WORD…", Text, "compile options").supported().expected(),
        keyword("regex_min_offset", "N", Integer(0, 4_294_967_295), "earliest match offset")
            .supported()
            .or("0")
            .expected(),
        keyword("regex_max_offset", "N", Integer(0, 4_294_967_295), "latest match start")
            .supported()
            .or("unlimited")
            .expected(),
        keyword("regex_stack", "START MAX", Text, "JIT stack size").supported().or("default").expected(),
        keyword("tls_compliant", "[BOOL]", Boolean, "send close_notify")
            .supported()
            .inherits(&[("HTTP_GET or SSL_GET", "tls_compliant")])
            .or("off")
            .since("2.2.8 or later"),
    ],
    shared: &[],
    defaults: &[],
});

pub(super) static SMTP_CHECK: Block = Block::new(Table {
    name: "SMTP_CHECK",
    keywords: &[
        keyword("helo_name", "STRING", Text, "name in HELO")
            .supported()
            .or("smtpchecker.keepalived.org")
            .expected(),
        keyword("host", "{ connection keywords }", Body(&HOST), "several connections in one checker")
            .supported(),
    ],
    shared: CONNECTION,
    defaults: &[],
});

static HOST: Block = Block::new(Table { name: "host", keywords: &[], shared: CONNECTION, defaults: &[] });

pub(super) static DNS_CHECK: Block = Block::new(Table {
    name: "DNS_CHECK",
    keywords: &[
        keyword(
            "type",
            "A NS CNAME SOA MX TXT AAAA RRSIG DNSKEY",
            OneOfAnyCase(&["A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA", "RRSIG", "DNSKEY"]),
            "query type",
        )
        .supported()
        .or("SOA")
        .required(),
        keyword("name", "DOMAIN", Text, "query name").supported().required().or("."),
    ],
    shared: CONNECTION,
    defaults: &[("retry", "3"), ("delay_before_retry", "delay_loop")],
});

pub(super) static MISC_CHECK: Block = Block::new(Table {
    name: "MISC_CHECK",
    keywords: &[
        keyword("misc_path", "STRING | \"STRING\"", Script, "command to run").supported().expected(),
        keyword("misc_timeout", "SECS", Integer(0, 4294), "kill after this time (counts as failure)")
            .supported()
            .required()
            .inherits(&[("virtual_server", "delay_loop")])
            .or("60"),
        keyword("misc_dynamic", "", Flag, "exit 2..255 sets the weight to status-2").supported(),
        keyword("user", "USER [[:]GROUP]", Text, "identity to run as")
            .supported()
            .or("script_user")
            .expected(),
    ],
    shared: SCHEDULE,
    defaults: &[("retry", "0")],
});

pub(super) static UDP_CHECK: Block = Block::new(Table {
    name: "UDP_CHECK",
    keywords: &[
        keyword("payload", "HEX", Text, "datagram to send")
            .supported()
            .expected()
            .or("keepalived check - keepalived ch"),
        keyword("require_reply", "[HEX with x wildcards]", Text, "reply needed, optionally compared")
            .supported()
            .or("not required"),
        keyword("min_reply_length", "N", Integer(0, 65535), "shortest accepted reply")
            .supported()
            .or("0")
            .required(),
        keyword("max_reply_length", "N", Integer(0, 65535), "longest accepted reply")
            .supported()
            .or("255")
            .required(),
    ],
    shared: CONNECTION,
    defaults: &[],
});

pub(super) static PING_CHECK: Block =
    Block::new(Table { name: "PING_CHECK", keywords: &[], shared: CONNECTION, defaults: &[] });

pub(super) static BFD_CHECK: Block = Block::new(Table {
    name: "BFD_CHECK",
    keywords: &[keyword("name", "NAME", Text, "BFD session to follow").until("BFD sessions run").expected()],
    shared: ALPHA,
    defaults: &[],
});

pub(super) static FILE_CHECK: Block = Block::new(Table {
    name: "FILE_CHECK",
    keywords: &[
        keyword("track_file", "NAME", Text, "file to follow").supported().required(),
        keyword(
            "weight",
            "N [reverse|noreverse]",
            Integer(-2_147_483_647, 2_147_483_647),
            "multiplier; 0 = non-zero means down",
        )
        .supported()
        .or("track_file's weight")
        .expected(),
        keyword("dynamic", "", Flag, "unknown keyword in current code")
            .removed("it stands in the manual page but never was in the program; delete the line"),
    ],
    shared: ALPHA,
    defaults: &[],
});
