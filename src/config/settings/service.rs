//! `virtual_server` and `real_server`.

use std::{net::IpAddr, sync::Arc, time::Duration};

use super::{
    Check, CommandLine, Destination, Effective, Endpoint, Forwarding, Literal, Parsed, report_invalid,
    section,
};
use crate::config::{Report, keywords::Keyword, tree::Node, value};

section! {
    /// `virtual_server`: an IPVS service.
    VirtualServer of "virtual_server" called Destination {
        delay_loop: Effective<Duration> = "delay_loop",
        lb_algo: Effective<&'static str> = "lb_algo" | "lvs_sched",
        lb_kind: Effective<Forwarding> = "lb_kind" | "lvs_method",
        protocol: Effective<Protocol> = "protocol",
        persistence_timeout: Option<u32> = "persistence_timeout",
        persistence_granularity: Option<Granularity> = "persistence_granularity",
        persistence_engine: Option<Box<str>> = "persistence_engine",
        ops: bool = "ops",
        hashed: bool = "hashed",
        flag_1: bool = "flag-1",
        flag_2: bool = "flag-2",
        flag_3: bool = "flag-3",
        sh_port: bool = "sh-port",
        sh_fallback: bool = "sh-fallback",
        mh_port: bool = "mh-port",
        mh_fallback: bool = "mh-fallback",
        ha_suspend: bool = "ha_suspend",
        ip_family: Option<&'static str> = "ip_family",
        smtp_alert: Effective<bool> = "smtp_alert",
        virtualhost: Option<Arc<str>> = "virtualhost",
        snmp_name: Option<Box<str>> = "snmp_name",
        alpha: bool = "alpha",
        omega: bool = "omega",
        quorum: Effective<u32> = "quorum",
        hysteresis: Effective<u32> = "hysteresis",
        quorum_up: Option<Box<CommandLine>> = "quorum_up",
        quorum_down: Option<Box<CommandLine>> = "quorum_down",
        weight: Effective<u32> = "weight",
        sorry_server: Option<Endpoint> = "sorry_server",
        sorry_server_inhibit: bool = "sorry_server_inhibit",
        sorry_server_lvs_method: Effective<Forwarding> = "sorry_server_lvs_method",
        connect_timeout: Effective<Duration> = "connect_timeout",
        retry: Option<u32> = "retry",
        delay_before_retry: Option<Duration> = "delay_before_retry",
        warmup: Effective<Duration> = "warmup",
        inhibit_on_failure: bool = "inhibit_on_failure",
        real_server: Vec<RealServer> = "real_server",
    }
}

section! {
    /// `real_server`: a member of a pool.
    RealServer of "real_server" called Endpoint {
        weight: Effective<u32> = "weight",
        lvs_method: Effective<Forwarding> = "lvs_method",
        uthreshold: Effective<u32> = "uthreshold",
        lthreshold: Effective<u32> = "lthreshold",
        inhibit_on_failure: Effective<bool> = "inhibit_on_failure",
        notify_up: Option<Box<CommandLine>> = "notify_up",
        notify_down: Option<Box<CommandLine>> = "notify_down",
        smtp_alert: Effective<bool> = "smtp_alert",
        virtualhost: Option<Arc<str>> = "virtualhost",
        snmp_name: Option<Box<str>> = "snmp_name",
        alpha: Effective<bool> = "alpha",
        connect_timeout: Effective<Duration> = "connect_timeout",
        retry: Option<u32> = "retry",
        delay_before_retry: Option<Duration> = "delay_before_retry",
        warmup: Effective<Duration> = "warmup",
        delay_loop: Effective<Duration> = "delay_loop",
        checks: Vec<Check> = "TCP_CHECK" | "HTTP_GET" | "SSL_GET" | "SMTP_CHECK" | "DNS_CHECK" | "MISC_CHECK" | "UDP_CHECK" | "PING_CHECK" | "BFD_CHECK" | "FILE_CHECK",
    }
}

/// `protocol`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// `TCP`
    Tcp,
    /// `UDP`, also when nothing is written.
    #[default]
    Udp,
    /// `SCTP`
    Sctp,
}

impl Protocol {
    /// Its name in lower case, as services are called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }
}

impl Parsed for Protocol {
    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        <&str>::parse(node, report).map(|word| match word {
            "TCP" => Self::Tcp,
            "UDP" => Self::Udp,
            _ => Self::Sctp,
        })
    }
}

impl Literal for Protocol {
    fn literal(_: &Keyword, default: &'static str) -> Option<Self> {
        (default == "UDP").then_some(Self::Udp)
    }
}

/// `persistence_granularity`: which bits of a client's address count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Granularity {
    /// An IPv4 netmask.
    Mask(std::net::Ipv4Addr),
    /// The length of an IPv6 prefix.
    Prefix(u8),
}

/// A number is a prefix length for IPv6 and, by keepalived's reading, the netmask 0.0.0.N for IPv4. Which of them is
/// known with the family of the service, so here it is a prefix length.
impl Parsed for Granularity {
    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        let word = node.argument()?;
        let number = value::integer(word.text).and_then(|length| u8::try_from(length).ok());
        let found = match number {
            Some(length) => Some(Self::Prefix(length)),
            None => word.text.parse().ok().map(Self::Mask),
        };
        if found.is_none() {
            let help = "write a netmask such as 255.255.255.0, or for IPv6 a prefix length";
            report_invalid(word, "a netmask", "the line is ignored", help, report);
        }
        found
    }
}

impl VirtualServer {
    /// Its address, where it has one.
    pub fn address(&self) -> Option<IpAddr> {
        match &self.heading {
            Destination::Address(endpoint) => Some(endpoint.address),
            _ => None,
        }
    }
}
