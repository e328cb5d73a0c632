//! `snmp_notify`: who is told of transitions in SNMP, and how.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use super::{Effective, Heading, Literal, Parsed, Secret, Section as _, SnmpAgent, SnmpUser, section};
use crate::config::{Diagnostic, Report, Severity, keywords::Keyword, tree::Node};

/// The port that notifications have (RFC 3417 §3.2).
const PORT: u16 = 162;

section! {
    /// `snmp_notify`.
    SnmpNotify of "snmp_notify" {
        target: Vec<SnmpTarget> = "target",
        usm_user: Vec<SnmpUser> = "usm_user",
        engine_file: Option<Box<str>> = "engine_file",
    }
}

section! {
    /// `target` of `snmp_notify`.
    SnmpTarget of "target" called TargetAddress {
        version: Effective<SnmpVersion> = "version",
        community: Option<Secret> = "community",
        user: Option<Box<str>> = "user",
        context: Option<Box<str>> = "context",
        inform: Option<bool> = "inform",
        timeout: Effective<Duration> = "timeout",
        retries: Effective<u32> = "retries",
    }
}

impl SnmpNotify {
    /// Where the engine is kept: one for the daemon, so where `agent` has it, also one that is not written.
    pub fn engine_path(&self, agent: Option<&SnmpAgent>) -> PathBuf {
        let of_agent =
            || agent.map_or_else(|| SnmpAgent::unwritten().engine_file, |agent| agent.engine_file.clone());
        let path = self.engine_file.clone().unwrap_or_else(|| (*of_agent()).clone());
        PathBuf::from(&*path)
    }
}

impl SnmpTarget {
    /// Whether the receiver is to acknowledge.
    pub fn informs(&self) -> bool {
        *self.version != SnmpVersion::V1 && self.inform.unwrap_or(true)
    }
}

/// Where a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetAddress(pub SocketAddr);

/// Of a target that is none.
impl Default for TargetAddress {
    fn default() -> Self {
        Self((std::net::Ipv4Addr::UNSPECIFIED, PORT).into())
    }
}

impl Heading for TargetAddress {
    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        let word = node.argument()?;
        let alone = || word.text.parse::<IpAddr>().ok().map(|address| (address, PORT).into());
        let is_one = |at: &SocketAddr| !at.ip().is_unspecified() && at.port() > 0;
        let found = word.text.parse().ok().or_else(alone).filter(is_one);
        if found.is_none() {
            let headline = "this is no address to send notifications to: the target is ignored";
            report.add(
                Diagnostic::new("invalid-value", Severity::Error, headline, &node.span())
                    .help("write an address, perhaps as ADDRESS:PORT or [ADDRESS]:PORT"),
            );
        }
        found.map(Self)
    }
}

/// A version of SNMP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SnmpVersion {
    /// SNMPv1, which has traps alone.
    V1,
    /// SNMPv2c.
    #[default]
    V2c,
    /// SNMPv3.
    V3,
}

impl SnmpVersion {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "1" => Self::V1,
            "2c" => Self::V2c,
            "3" => Self::V3,
            _ => return None,
        })
    }
}

impl Parsed for SnmpVersion {
    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        <&str>::parse(node, report).and_then(Self::named)
    }
}

impl Literal for SnmpVersion {
    fn literal(_: &Keyword, default: &'static str) -> Option<Self> {
        Self::named(default)
    }
}
