//! The checks of a `real_server`.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use super::{
    Account, CommandLine, Digest, Effective, HttpProtocol, Literal, Parsed, Pattern, Payload, RegexOptions,
    RegexStack, Section, Setting, SniName, StatusCodes, Weight, part, report_invalid, section,
};
use crate::config::{Report, Span, keywords::Keyword, tree::Node};

/// A check of a real server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// `TCP_CHECK`
    Tcp(Box<Tcp>),
    /// `HTTP_GET`
    Http(Box<HttpCheck>),
    /// `SSL_GET`
    Ssl(Box<HttpCheck>),
    /// `SMTP_CHECK`
    Smtp(Box<SmtpCheck>),
    /// `DNS_CHECK`
    Dns(Box<DnsCheck>),
    /// `MISC_CHECK`
    Misc(Box<MiscCheck>),
    /// `UDP_CHECK`
    Udp(Box<UdpCheck>),
    /// `PING_CHECK`
    Ping(Box<PingCheck>),
    /// `BFD_CHECK`
    Bfd(Box<BfdCheck>),
    /// `FILE_CHECK`
    File(Box<FileCheck>),
}

fn read<S: Section>(node: &Node, report: &mut Report) -> Option<Box<S>> {
    S::read(node, report).map(Box::new)
}

impl Setting for Vec<Check> {
    fn take(&mut self, node: &Node, report: &mut Report) {
        // Nearly every server has one, and there may be tens of thousands.
        self.reserve_exact(1);
        self.extend(match node.keyword.name {
            "TCP_CHECK" => read(node, report).map(Check::Tcp),
            "HTTP_GET" => read(node, report).map(Check::Http),
            "SSL_GET" => read(node, report).map(Check::Ssl),
            "SMTP_CHECK" => read(node, report).map(Check::Smtp),
            "DNS_CHECK" => read(node, report).map(Check::Dns),
            "MISC_CHECK" => read(node, report).map(Check::Misc),
            "UDP_CHECK" => read(node, report).map(Check::Udp),
            "PING_CHECK" => read(node, report).map(Check::Ping),
            "BFD_CHECK" => read(node, report).map(Check::Bfd),
            "FILE_CHECK" => read(node, report).map(Check::File),
            _ => None,
        });
    }
}

impl Check {
    /// When it runs; `None` for a check that follows something else.
    pub(in crate::config) fn schedule_mut(&mut self) -> Option<&mut Schedule> {
        match self {
            Self::Misc(check) => Some(&mut check.schedule),
            Self::Bfd(_) | Self::File(_) => None,
            other => other.connection_mut().map(|(_, schedule)| schedule),
        }
    }

    /// When it runs; `None` for a check that follows something else.
    pub fn schedule(&self) -> Option<&Schedule> {
        match self {
            Self::Tcp(check) => Some(&check.schedule),
            Self::Http(check) | Self::Ssl(check) => Some(&check.schedule),
            Self::Smtp(check) => Some(&check.schedule),
            Self::Dns(check) => Some(&check.schedule),
            Self::Misc(check) => Some(&check.schedule),
            Self::Udp(check) => Some(&check.schedule),
            Self::Ping(check) => Some(&check.schedule),
            Self::Bfd(_) | Self::File(_) => None,
        }
    }

    /// Whether another check asks the same, if perhaps at other times.
    pub fn asks_the_same(&self, other: &Self) -> bool {
        let alone = |check: &Self| {
            let mut check = check.clone();
            check.schedule_mut().map(std::mem::take);
            check
        };
        self == other
            || std::mem::discriminant(self) == std::mem::discriminant(other) && alone(self) == alone(other)
    }

    /// Where it connects to and when it runs; `None` for a check without a connection.
    pub(in crate::config) fn connection_mut(&mut self) -> Option<(&mut Connection, &mut Schedule)> {
        Some(match self {
            Self::Tcp(check) => (&mut check.connection, &mut check.schedule),
            Self::Http(check) | Self::Ssl(check) => (&mut check.connection, &mut check.schedule),
            Self::Smtp(check) => (&mut check.connection, &mut check.schedule),
            Self::Dns(check) => (&mut check.connection, &mut check.schedule),
            Self::Udp(check) => (&mut check.connection, &mut check.schedule),
            Self::Ping(check) => (&mut check.connection, &mut check.schedule),
            Self::Misc(_) | Self::Bfd(_) | Self::File(_) => return None,
        })
    }

    /// Where the block begins.
    pub fn at(&self) -> &Span {
        match self {
            Self::Tcp(check) => &check.at,
            Self::Http(check) | Self::Ssl(check) => &check.at,
            Self::Smtp(check) => &check.at,
            Self::Dns(check) => &check.at,
            Self::Misc(check) => &check.at,
            Self::Udp(check) => &check.at,
            Self::Ping(check) => &check.at,
            Self::Bfd(check) => &check.at,
            Self::File(check) => &check.at,
        }
    }
}

part! {
    /// When a check runs and when it counts.
    Schedule {
        retry: Effective<u32> = "retry",
        delay_before_retry: Effective<Duration> = "delay_before_retry",
        warmup: Effective<Duration> = "warmup",
        delay_loop: Effective<Duration> = "delay_loop",
        alpha: Effective<bool> = "alpha",
        log_all_failures: Effective<bool> = "log_all_failures",
    }
}

part! {
    /// Where a check connects to.
    Connection {
        connect_ip: Effective<Address> = "connect_ip",
        connect_port: Effective<Port> = "connect_port",
        bindto: Option<IpAddr> = "bindto",
        bind_port: Option<u16> = "bind_port",
        bind_if: Option<Box<str>> = "bind_if",
        connect_timeout: Effective<Duration> = "connect_timeout",
        fwmark: Effective<u32> = "fwmark",
    }
}

/// An address to check: the real server's, unless another is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address(pub IpAddr);

/// Nowhere, until the real server is known.
impl Default for Address {
    fn default() -> Self {
        Self(Ipv4Addr::UNSPECIFIED.into())
    }
}

impl Parsed for Address {
    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        IpAddr::parse(node, report).map(Self)
    }
}

impl Literal for Address {
    fn literal(_: &Keyword, default: &'static str) -> Option<Self> {
        (default == "real server").then(Self::default)
    }
}

/// A port to check: the real server's, unless another is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Port(pub u16);

impl Parsed for Port {
    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        u16::parse(node, report).map(Self)
    }
}

impl Literal for Port {
    fn literal(_: &Keyword, default: &'static str) -> Option<Self> {
        (default == "real server port").then(Self::default)
    }
}

section! {
    /// `TCP_CHECK`.
    Tcp of "TCP_CHECK" {
    }
    with {
        connection: Connection,
        schedule: Schedule,
    }
}

section! {
    /// `HTTP_GET` and `SSL_GET`.
    HttpCheck of "HTTP_GET or SSL_GET" {
        url: Vec<Url> = "url",
        virtualhost: Option<Arc<str>> = "virtualhost",
        http_protocol: Effective<HttpProtocol> = "http_protocol",
        fast_recovery: Effective<bool> = "fast_recovery",
        nb_get_retry: Option<u32> = "nb_get_retry",
        enable_sni: Effective<bool> = "enable_sni",
        sni_name: Option<SniName> = "sni_name",
        tls_compliant: Effective<bool> = "tls_compliant",
    }
    with {
        connection: Connection,
        schedule: Schedule,
    }
}

section! {
    /// `url` of an `HTTP_GET` or `SSL_GET`.
    Url of "url" {
        path: Option<Box<str>> = "path",
        digest: Option<Digest> = "digest",
        status_code: Effective<StatusCodes> = "status_code",
        virtualhost: Option<Arc<str>> = "virtualhost",
        regex: Option<Box<str>> = "regex",
        regex_no_match: bool = "regex_no_match",
        regex_options: Option<RegexOptions> = "regex_options",
        regex_min_offset: Effective<u32> = "regex_min_offset",
        regex_max_offset: Option<u32> = "regex_max_offset",
        regex_stack: Option<RegexStack> = "regex_stack",
        tls_compliant: Effective<bool> = "tls_compliant",
    }
}

section! {
    /// `SMTP_CHECK`.
    SmtpCheck of "SMTP_CHECK" {
        helo_name: Effective<Box<str>> = "helo_name",
        host: Vec<SmtpHost> = "host",
    }
    with {
        connection: Connection,
        schedule: Schedule,
    }
}

section! {
    /// `host` of an `SMTP_CHECK`.
    SmtpHost of "host" {
    }
    with {
        connection: Connection,
        schedule: Schedule,
    }
}

section! {
    /// `DNS_CHECK`.
    DnsCheck of "DNS_CHECK" {
        record_type: Effective<&'static str> = "type",
        name: Effective<DomainName> = "name",
    }
    with {
        connection: Connection,
        schedule: Schedule,
    }
}

/// `name` of a `DNS_CHECK`: labels with dots between, or a single dot for the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DomainName(pub Box<str>);

impl Parsed for DomainName {
    const FIRST_COUNTS: bool = true;

    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        let word = node.argument()?;
        let labels = word.text.strip_suffix('.').unwrap_or(word.text);
        if word.text != "." && labels.split('.').any(str::is_empty) {
            let help = "write labels with one dot between, as www.example.com";
            report_invalid(word, "a domain name", "the line is ignored", help, report);
            return None;
        }
        Some(Self(word.text.into()))
    }
}

impl Literal for DomainName {
    fn literal(_: &Keyword, default: &'static str) -> Option<Self> {
        (default == ".").then(|| Self(default.into()))
    }
}

section! {
    /// `MISC_CHECK`.
    MiscCheck of "MISC_CHECK" {
        misc_path: Option<Box<CommandLine>> = "misc_path",
        misc_timeout: Effective<MiscTimeout> = "misc_timeout",
        misc_dynamic: bool = "misc_dynamic",
        user: Option<Account> = "user",
    }
    with {
        schedule: Schedule,
    }
}

/// `misc_timeout`, in whole seconds; `delay_loop` of the service unless it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct MiscTimeout(pub Duration);

impl Parsed for MiscTimeout {
    fn parse(node: &Node, _: &mut Report) -> Option<Self> {
        Some(Self(Duration::from_secs(node.integer()?.try_into().ok()?)))
    }
}

impl Literal for MiscTimeout {
    fn literal(keyword: &Keyword, default: &'static str) -> Option<Self> {
        Duration::literal(keyword, default).map(Self)
    }
}

section! {
    /// `UDP_CHECK`.
    UdpCheck of "UDP_CHECK" {
        payload: Effective<Payload> = "payload",
        require_reply: Option<Pattern> = "require_reply",
        min_reply_length: Effective<u16> = "min_reply_length",
        max_reply_length: Effective<u16> = "max_reply_length",
    }
    with {
        connection: Connection,
        schedule: Schedule,
    }
}

section! {
    /// `PING_CHECK`.
    PingCheck of "PING_CHECK" {
    }
    with {
        connection: Connection,
        schedule: Schedule,
    }
}

section! {
    /// `BFD_CHECK`.
    BfdCheck of "BFD_CHECK" {
        name: Option<Box<str>> = "name",
        alpha: Effective<bool> = "alpha",
    }
}

section! {
    /// `FILE_CHECK`.
    FileCheck of "FILE_CHECK" {
        track_file: Option<Box<str>> = "track_file",
        weight: Option<Weight> = "weight",
        alpha: Effective<bool> = "alpha",
    }
}
