//! The checks of a `real_server`.

use std::{net::IpAddr, time::Duration};

use super::{CommandLine, Section, Setting, Weight, Words, part, section};
use crate::config::{Report, tree::Node};

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

impl Setting for Vec<Check> {
    fn take(&mut self, node: &Node, report: &mut Report) {
        self.extend(match node.keyword.name {
            "TCP_CHECK" => Some(Check::Tcp(Box::new(Section::read(node, report)))),
            "HTTP_GET" => Some(Check::Http(Box::new(Section::read(node, report)))),
            "SSL_GET" => Some(Check::Ssl(Box::new(Section::read(node, report)))),
            "SMTP_CHECK" => Some(Check::Smtp(Box::new(Section::read(node, report)))),
            "DNS_CHECK" => Some(Check::Dns(Box::new(Section::read(node, report)))),
            "MISC_CHECK" => Some(Check::Misc(Box::new(Section::read(node, report)))),
            "UDP_CHECK" => Some(Check::Udp(Box::new(Section::read(node, report)))),
            "PING_CHECK" => Some(Check::Ping(Box::new(Section::read(node, report)))),
            "BFD_CHECK" => Some(Check::Bfd(Box::new(Section::read(node, report)))),
            "FILE_CHECK" => Some(Check::File(Box::new(Section::read(node, report)))),
            _ => None,
        });
    }
}

part! {
    /// When a check runs and when it counts.
    Schedule {
        retry: Option<u32> = "retry",
        delay_before_retry: Option<Duration> = "delay_before_retry",
        warmup: Option<Duration> = "warmup",
        delay_loop: Option<Duration> = "delay_loop",
        alpha: Option<bool> = "alpha",
        log_all_failures: Option<bool> = "log_all_failures",
    }
}

part! {
    /// Where a check connects to, and when it runs.
    Connection {
        connect_ip: Option<IpAddr> = "connect_ip",
        connect_port: Option<u16> = "connect_port",
        bindto: Option<IpAddr> = "bindto",
        bind_port: Option<u16> = "bind_port",
        bind_if: Option<Box<str>> = "bind_if",
        connect_timeout: Option<Duration> = "connect_timeout",
        fwmark: Option<u32> = "fwmark",
        retry: Option<u32> = "retry",
        delay_before_retry: Option<Duration> = "delay_before_retry",
        warmup: Option<Duration> = "warmup",
        delay_loop: Option<Duration> = "delay_loop",
        alpha: Option<bool> = "alpha",
        log_all_failures: Option<bool> = "log_all_failures",
    }
}

section! {
    /// `TCP_CHECK`.
    Tcp of "TCP_CHECK" {
    }
    with {
        connection: Connection,
    }
}

section! {
    /// `HTTP_GET` and `SSL_GET`.
    HttpCheck of "HTTP_GET or SSL_GET" {
        url: Vec<Url> = "url",
        virtualhost: Option<Box<str>> = "virtualhost",
        http_protocol: Option<&'static str> = "http_protocol",
        fast_recovery: Option<bool> = "fast_recovery",
        nb_get_nb_get_retry: Option<u32> = "nb_get_retry",
        enable_sni: Option<bool> = "enable_sni",
        sni_name: Option<Words> = "sni_name",
        tls_compliant: Option<bool> = "tls_compliant",
    }
    with {
        connection: Connection,
    }
}

section! {
    /// `url` of an `HTTP_GET` or `SSL_GET`.
    Url of "url" {
        path: Option<Box<str>> = "path",
        digest: Option<Box<str>> = "digest",
        status_code: Option<Words> = "status_code",
        virtualhost: Option<Box<str>> = "virtualhost",
        regex: Option<Box<str>> = "regex",
        regex_no_match: bool = "regex_no_match",
        regex_options: Option<Box<str>> = "regex_options",
        regex_min_offset: Option<u32> = "regex_min_offset",
        regex_max_offset: Option<u32> = "regex_max_offset",
        regex_stack: Option<Words> = "regex_stack",
        tls_compliant: Option<bool> = "tls_compliant",
    }
}

section! {
    /// `SMTP_CHECK`.
    SmtpCheck of "SMTP_CHECK" {
        helo_name: Option<Box<str>> = "helo_name",
        host: Vec<SmtpHost> = "host",
    }
    with {
        connection: Connection,
    }
}

section! {
    /// `host` of an `SMTP_CHECK`.
    SmtpHost of "host" {
    }
    with {
        connection: Connection,
    }
}

section! {
    /// `DNS_CHECK`.
    DnsCheck of "DNS_CHECK" {
        record_type: Option<&'static str> = "type",
        name: Option<Box<str>> = "name",
    }
    with {
        connection: Connection,
    }
}

section! {
    /// `MISC_CHECK`.
    MiscCheck of "MISC_CHECK" {
        misc_path: Option<Box<CommandLine>> = "misc_path",
        misc_timeout: Option<u16> = "misc_timeout",
        misc_dynamic: bool = "misc_dynamic",
        user: Option<Words> = "user",
    }
    with {
        schedule: Schedule,
    }
}

section! {
    /// `UDP_CHECK`.
    UdpCheck of "UDP_CHECK" {
        payload: Option<Box<str>> = "payload",
        require_reply: Option<Words> = "require_reply",
        min_reply_length: Option<u16> = "min_reply_length",
        max_reply_length: Option<u16> = "max_reply_length",
    }
    with {
        connection: Connection,
    }
}

section! {
    /// `PING_CHECK`.
    PingCheck of "PING_CHECK" {
    }
    with {
        connection: Connection,
    }
}

section! {
    /// `BFD_CHECK`.
    BfdCheck of "BFD_CHECK" {
        name: Option<Box<str>> = "name",
        alpha: Option<bool> = "alpha",
    }
}

section! {
    /// `FILE_CHECK`.
    FileCheck of "FILE_CHECK" {
        track_file: Option<Box<str>> = "track_file",
        weight: Option<Weight> = "weight",
        alpha: Option<bool> = "alpha",
    }
}
