//! Policy rules: installed as the configuration says, and recognised when the kernel reports them.

use std::fmt;

use netlink_packet_core::{NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, NetlinkMessage, Nla as _};
use netlink_packet_route::{
    AddressFamily, IpProtocol, RouteNetlinkMessage,
    route::RouteRealm,
    rule::{self, RuleAttribute, RuleFlags, RuleHeader, RuleMessage, RulePortRange, RuleUidRange},
};

use super::{
    Requests,
    route::{address_family, header_table},
};
use crate::{
    config::{Range, Rule, RuleAction},
    kernel::KernelError,
};

/// A rule ready to be installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreparedRule {
    message: RuleMessage,
    shown: String,
}

/// What tells a rule from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleInfo {
    header: RuleHeader,
    /// By their numbers.
    attributes: Vec<RuleAttribute>,
}

impl RuleInfo {
    /// `preference`.
    pub fn preference(&self) -> u32 {
        let preference = |attribute: &RuleAttribute| match attribute {
            RuleAttribute::Priority(preference) => Some(*preference),
            _ => None,
        };
        self.attributes.iter().find_map(preference).unwrap_or(0)
    }
}

impl PreparedRule {
    /// The interfaces of a rule need not exist.
    pub fn new(rule: &Rule) -> Self {
        Self { message: message(rule), shown: rule.to_string() }
    }

    /// How the kernel will report it.
    pub fn info(&self) -> RuleInfo {
        info(&self.message)
    }
}

impl fmt::Display for PreparedRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Requests {
    /// Every rule of both families.
    pub async fn rules(&self) -> Result<Vec<RuleInfo>, KernelError> {
        let mut rules = Vec::new();
        for family in [AddressFamily::Inet, AddressFamily::Inet6] {
            let request = || {
                let mut message = RuleMessage::default();
                message.header.family = family;
                RouteNetlinkMessage::GetRule(message)
            };
            let messages = self.listing("listing the rules", request).await?;
            rules.extend(messages.into_iter().filter_map(|message| match message {
                RouteNetlinkMessage::NewRule(rule) => Some(info(&rule)),
                _ => None,
            }));
        }
        Ok(rules)
    }
}

/// RTM_NEWRULE for a rule that is not there yet.
pub(super) fn add_request(rule: &PreparedRule) -> NetlinkMessage<RouteNetlinkMessage> {
    let mut request = NetlinkMessage::from(RouteNetlinkMessage::NewRule(rule.message.clone()));
    request.header.flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
    request
}

/// RTM_DELRULE for a rule with everything that it has.
pub(super) fn remove_request(rule: &PreparedRule) -> NetlinkMessage<RouteNetlinkMessage> {
    let mut request = NetlinkMessage::from(RouteNetlinkMessage::DelRule(rule.message.clone()));
    request.header.flags = NLM_F_REQUEST | NLM_F_ACK;
    request
}

fn message(rule: &Rule) -> RuleMessage {
    let mut message = RuleMessage::default();
    let (action, table, target) = match rule.action {
        RuleAction::Table(table) => (rule::RuleAction::ToTable, table, None),
        RuleAction::L3mdev => (rule::RuleAction::ToTable, 0, None),
        RuleAction::Goto(target) => (rule::RuleAction::Goto, 0, Some(target)),
        RuleAction::Nop => (rule::RuleAction::Nop, 0, None),
        RuleAction::Blackhole => (rule::RuleAction::Blackhole, 0, None),
        RuleAction::Unreachable => (rule::RuleAction::Unreachable, 0, None),
        RuleAction::Prohibit => (rule::RuleAction::Prohibit, 0, None),
    };
    let header = &mut message.header;
    header.family = address_family(rule.family);
    header.dst_len = rule.to.map_or(0, |to| to.prefix);
    header.src_len = rule.from.map_or(0, |from| from.prefix);
    header.tos = rule.tos;
    header.table = header_table(table);
    header.action = action;
    if rule.inverted {
        header.flags = RuleFlags::Invert;
    }
    let attributes = &mut message.attributes;
    attributes.extend(rule.to.filter(|to| to.prefix > 0).map(|to| RuleAttribute::Destination(to.address)));
    attributes
        .extend(rule.from.filter(|from| from.prefix > 0).map(|from| RuleAttribute::Source(from.address)));
    attributes.extend(rule.input.clone().map(RuleAttribute::Iifname));
    attributes.extend(rule.output.clone().map(RuleAttribute::Oifname));
    attributes.extend(target.map(RuleAttribute::Goto));
    attributes.push(RuleAttribute::Priority(rule.preference));
    if let Some(mark) = rule.mark {
        attributes.extend([RuleAttribute::FwMark(mark.value), RuleAttribute::FwMask(mark.mask)]);
    }
    attributes.extend(
        rule.realms
            .map(|realms| RuleAttribute::Realm(RouteRealm { source: realms.from, destination: realms.to })),
    );
    attributes.extend(rule.tunnel_id.map(RuleAttribute::TunId));
    attributes.extend(rule.suppress_group.map(RuleAttribute::SuppressIfGroup));
    attributes
        .extend(rule.suppress_prefix_length.map(|length| RuleAttribute::SuppressPrefixLen(length.into())));
    if table != 0 {
        attributes.push(RuleAttribute::Table(table));
    }
    if rule.action == RuleAction::L3mdev {
        attributes.push(RuleAttribute::L3MDev(true));
    }
    attributes.extend(
        rule.uids
            .map(|Range { first, last }| RuleAttribute::UidRange(RuleUidRange { start: first, end: last })),
    );
    attributes.push(RuleAttribute::Protocol(rule.protocol.into()));
    attributes.extend(rule.ip_protocol.map(|number| RuleAttribute::IpProtocol(IpProtocol::from(number))));
    let ports = |Range { first, last }: Range<u16>| RulePortRange { start: first, end: last };
    attributes.extend(rule.source_ports.map(|range| RuleAttribute::SourcePortRange(ports(range))));
    attributes.extend(rule.destination_ports.map(|range| RuleAttribute::DestinationPortRange(ports(range))));
    message
}

/// What of a message tells a rule from others: without what the kernel says in two ways, what it adds to every rule, and
/// what depends on whether interfaces exist.
pub(super) fn info(message: &RuleMessage) -> RuleInfo {
    let mut header = message.header.clone();
    header.table = 0;
    header.flags &= RuleFlags::Invert;
    let is_telling = |attribute: &&RuleAttribute| match attribute {
        RuleAttribute::Table(table) => *table != 0,
        RuleAttribute::SuppressPrefixLen(length) => *length != u32::MAX,
        RuleAttribute::Priority(number) | RuleAttribute::FwMark(number) => *number != 0,
        RuleAttribute::L3MDev(on) => *on,
        RuleAttribute::Other(_) => false,
        _ => true,
    };
    let mut attributes: Vec<_> = message.attributes.iter().filter(is_telling).cloned().collect();
    attributes.sort_by_key(RuleAttribute::kind);
    RuleInfo { header, attributes }
}
