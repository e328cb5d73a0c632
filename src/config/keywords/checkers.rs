//! The words of the checkers inside a `real_server`.

use super::{
    Block, Keyword,
    Value::{Address, Body, Boolean, Flag, Integer, OneOf, OneOfAnyCase, Script, Seconds, Text},
    keyword,
};

// Words that several lists share.
const RETRY: Keyword =
    keyword("retry", "N", Integer(0, 4_294_967_295), "extra attempts before declaring down")
        .or("RS, VS, else 1 (DNS 3, MISC 0)")
        .required();
const DELAY_BEFORE_RETRY: Keyword =
    keyword("delay_before_retry", "SECS", Seconds(0, 4_294_967_295_000), "gap between attempts")
        .or("RS, VS, else 1 (HTTP/SSL 3, DNS = delay_loop)")
        .required();
const WARMUP: Keyword = keyword(
    "warmup",
    "SECS",
    Seconds(0, 4_294_967_295_000),
    "maximum random start delay (1 s is always added)",
)
.or("RS, VS, else delay_loop")
.required();
const DELAY_LOOP: Keyword =
    keyword("delay_loop", "SECS", Seconds(1, 4_294_967_295_000), "interval between checks")
        .or("RS, VS, 60")
        .required();
const START_DOWN: Keyword = keyword("alpha", "[BOOL]", Boolean, "start down").or("RS value");
const LOG_ALL_FAILURES: Keyword =
    keyword("log_all_failures", "[BOOL]", Boolean, "log each failed attempt").or("checker_log_all_failures");

/// What every checker that opens a connection understands.
static CONNECTION: &[Keyword] = &[
    keyword("connect_ip", "ADDR", Address, "address to check").or("real server").required(),
    keyword("connect_port", "N", Integer(1, 65535), "port to check").or("real server port").required(),
    keyword("bindto", "ADDR", Address, "local source address").required(),
    keyword("bind_port", "N", Integer(1, 65535), "local source port").required(),
    keyword("bind_if", "IF", Text, "interface to bind to").required(),
    keyword("connect_timeout", "SECS", Seconds(1, 4_294_967_295_000), "time limit of a check")
        .or("RS, VS, 5")
        .required(),
    keyword("fwmark", "N", Integer(0, 4_294_967_295), "mark on checker packets").or("0").required(),
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

pub(super) static TCP_CHECK: Block = Block { name: "TCP_CHECK", keywords: &[], shared: CONNECTION };

pub(super) static HTTP_GET: Block = Block {
    name: "HTTP_GET or SSL_GET",
    keywords: &[
        keyword("url", "", Body(&URL), "a page to test, in order").or("at least one"),
        keyword("virtualhost", "STRING", Text, "Host header").or("RS, VS, else the address:port").expected(),
        keyword(
            "http_protocol",
            "1.0 | 1.0C | 1.1",
            OneOfAnyCase(&["1.0", "1.0C", "1.1"]),
            "request version; C and 1.1 add Connection: close",
        )
        .or("1.0")
        .expected(),
        keyword(
            "fast_recovery",
            "[BOOL]",
            Boolean,
            "check the remaining URLs without delay at start and after recovery",
        ),
        keyword("nb_get_retry", "N", Integer(0, 4_294_967_295), "as retry").required().deprecated("retry"),
        keyword("enable_sni", "[BOOL]", Boolean, "send SNI (the virtual host)"),
        keyword("sni_name", "[NAME]", Text, "SNI value").or("virtual host"),
        keyword("tls_compliant", "[BOOL]", Boolean, "send close_notify"),
    ],
    shared: CONNECTION,
};

static URL: Block = Block {
    name: "url",
    keywords: &[
        keyword("path", "STRING", Text, "request target").required(),
        keyword("digest", "HEX", Text, "MD5 of the body").or("not checked").required(),
        keyword("status_code", "N|N-M …", Text, "accepted status codes").or("200-299").expected(),
        keyword("virtualhost", "STRING", Text, "Host header").or("checker, RS, VS").expected(),
        keyword("regex", "STRING", Text, "body must match").expected(),
        keyword("regex_no_match", "", Flag, "body must not match"),
        keyword("regex_options", "WORDS", Text, "compile options").expected(),
        keyword("regex_min_offset", "N", Integer(0, 4_294_967_295), "earliest match offset")
            .or("0")
            .expected(),
        keyword("regex_max_offset", "N", Integer(0, 4_294_967_295), "latest match start")
            .or("unlimited")
            .expected(),
        keyword("regex_stack", "START MAX", Text, "JIT stack size").or("default").expected(),
        keyword("tls_compliant", "[BOOL]", Boolean, "send close_notify").or("checker value"),
    ],
    shared: &[],
};

pub(super) static SMTP_CHECK: Block = Block {
    name: "SMTP_CHECK",
    keywords: &[
        keyword("helo_name", "STRING", Text, "name in HELO").or("smtpchecker.keepalived.org").expected(),
        keyword("host", "{ connection keywords }", Body(&HOST), "several connections in one checker"),
    ],
    shared: CONNECTION,
};

static HOST: Block = Block { name: "host", keywords: &[], shared: CONNECTION };

pub(super) static DNS_CHECK: Block = Block {
    name: "DNS_CHECK",
    keywords: &[
        keyword(
            "type",
            "A NS CNAME SOA MX TXT AAAA RRSIG DNSKEY",
            OneOf(&["A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA", "RRSIG", "DNSKEY"]),
            "query type",
        )
        .or("SOA")
        .required(),
        keyword("name", "DOMAIN", Text, "query name").or("root (.)").required(),
    ],
    shared: CONNECTION,
};

pub(super) static MISC_CHECK: Block = Block {
    name: "MISC_CHECK",
    keywords: &[
        keyword("misc_path", "STRING | \"STRING\"", Script, "command to run").expected(),
        keyword("misc_timeout", "SECS", Integer(0, 4294), "kill after this time (counts as failure)")
            .or("VS delay_loop")
            .required(),
        keyword("misc_dynamic", "", Flag, "exit 2..255 sets the weight to status-2"),
        keyword("user", "USER [[:]GROUP]", Text, "identity to run as").or("script_user").expected(),
    ],
    shared: SCHEDULE,
};

pub(super) static UDP_CHECK: Block = Block {
    name: "UDP_CHECK",
    keywords: &[
        keyword("payload", "HEX", Text, "datagram to send")
            .or("`keepalived check - keepalived ch` (32 bytes)")
            .expected(),
        keyword("require_reply", "[HEX with x wildcards]", Text, "reply needed, optionally compared")
            .or("not required"),
        keyword("min_reply_length", "N", Integer(0, 65535), "shortest accepted reply").or("0").required(),
        keyword("max_reply_length", "N", Integer(0, 65535), "longest accepted reply").or("255").required(),
    ],
    shared: CONNECTION,
};

pub(super) static PING_CHECK: Block = Block { name: "PING_CHECK", keywords: &[], shared: CONNECTION };

pub(super) static BFD_CHECK: Block = Block {
    name: "BFD_CHECK",
    keywords: &[keyword("name", "NAME", Text, "BFD session to follow").expected()],
    shared: ALPHA,
};

pub(super) static FILE_CHECK: Block = Block {
    name: "FILE_CHECK",
    keywords: &[
        keyword("track_file", "NAME", Text, "file to follow").required(),
        keyword(
            "weight",
            "N [reverse|noreverse]",
            Integer(-2_147_483_647, 2_147_483_647),
            "multiplier; 0 = non-zero means down",
        )
        .or("track_file's weight")
        .expected(),
        keyword("dynamic", "", Flag, "unknown keyword in current code")
            .removed("it stands in the manual page but never was in the program; delete the line"),
    ],
    shared: ALPHA,
};
