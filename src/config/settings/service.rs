//! `virtual_server_group`, `virtual_server` and `real_server`.

use std::{net::IpAddr, time::Duration};

use crate::config::{Span, value};

use super::{Check, CommandLine, Entry, Words, section};

section! {
    /// `virtual_server`: an IPVS service.
    VirtualServer of "virtual_server" {
        delay_loop: Option<Duration> = "delay_loop",
        lb_algo: Option<&'static str> = "lb_algo" | "lvs_sched",
        lb_kind: Option<Words> = "lb_kind" | "lvs_method",
        protocol: Option<&'static str> = "protocol",
        persistence_timeout: Option<u32> = "persistence_timeout",
        persistence_granularity: Option<Words> = "persistence_granularity",
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
        smtp_alert: Option<bool> = "smtp_alert",
        virtualhost: Option<Box<str>> = "virtualhost",
        snmp_name: Option<Box<str>> = "snmp_name",
        alpha: bool = "alpha",
        omega: bool = "omega",
        quorum: Option<u32> = "quorum",
        hysteresis: Option<u32> = "hysteresis",
        quorum_up: Option<Box<CommandLine>> = "quorum_up",
        quorum_down: Option<Box<CommandLine>> = "quorum_down",
        weight: Option<u32> = "weight",
        sorry_server: Option<Words> = "sorry_server",
        sorry_server_inhibit: bool = "sorry_server_inhibit",
        sorry_server_lvs_method: Option<Words> = "sorry_server_lvs_method",
        connect_timeout: Option<Duration> = "connect_timeout",
        retry: Option<u32> = "retry",
        delay_before_retry: Option<Duration> = "delay_before_retry",
        warmup: Option<Duration> = "warmup",
        inhibit_on_failure: bool = "inhibit_on_failure",
        real_server: Vec<RealServer> = "real_server",
    }
}

section! {
    /// `real_server`: a member of a pool.
    RealServer of "real_server" {
        weight: Option<u32> = "weight",
        lvs_method: Option<Words> = "lvs_method",
        uthreshold: Option<u32> = "uthreshold",
        lthreshold: Option<u32> = "lthreshold",
        inhibit_on_failure: Option<bool> = "inhibit_on_failure",
        notify_up: Option<Box<CommandLine>> = "notify_up",
        notify_down: Option<Box<CommandLine>> = "notify_down",
        smtp_alert: Option<bool> = "smtp_alert",
        virtualhost: Option<Box<str>> = "virtualhost",
        snmp_name: Option<Box<str>> = "snmp_name",
        alpha: Option<bool> = "alpha",
        connect_timeout: Option<Duration> = "connect_timeout",
        retry: Option<u32> = "retry",
        delay_before_retry: Option<Duration> = "delay_before_retry",
        warmup: Option<Duration> = "warmup",
        delay_loop: Option<Duration> = "delay_loop",
        checks: Vec<Check> = "TCP_CHECK" | "HTTP_GET" | "SSL_GET" | "SMTP_CHECK" | "DNS_CHECK" | "MISC_CHECK" | "UDP_CHECK" | "PING_CHECK" | "BFD_CHECK" | "FILE_CHECK",
    }
}

/// `virtual_server_group`: addresses, ranges and firewall marks that share one pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerGroup {
    /// Its name.
    pub name: String,
    /// `ADDR[-END] [PORT]`, `ADDR/LEN [PORT]` or `fwmark N [inet|inet6]`, as written.
    pub members: Vec<Entry>,
    /// Where the block begins.
    pub at: Span,
}

/// What a `virtual_server` serves.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Destination {
    /// An address, and a port unless it serves them all.
    Address(IpAddr, u16),
    /// Packets with a firewall mark.
    Mark(u32),
    /// The members of a `virtual_server_group`.
    Group(String),
}

impl VirtualServer {
    /// What the words after the keyword say; `None` when they are not what the keyword asks for.
    pub fn destination(&self) -> Option<Destination> {
        let second = || self.heading.word(1);
        match self.heading.name() {
            "fwmark" => Some(Destination::Mark(second()?.parse().ok()?)),
            "group" => Some(Destination::Group(second()?.to_owned())),
            address => {
                let (address, port) = endpoint(address, second())?;
                Some(Destination::Address(address, port))
            }
        }
    }
}

impl RealServer {
    /// Address and port; port 0 stands for the service's own.
    pub fn address(&self) -> Option<(IpAddr, u16)> {
        endpoint(self.heading.name(), self.heading.word(1))
    }
}

fn endpoint(address: &str, port: Option<&str>) -> Option<(IpAddr, u16)> {
    let (address, _) = value::host_address(address)?;
    Some((address, port.map_or(Some(0), |port| port.parse().ok())?))
}
