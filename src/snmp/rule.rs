//! KEEPALIVED-MIB::vrrpRuleTable: the static rules below instance 0, and per instance its virtual rules.

use std::sync::Arc;

use agentx::{Access, Column, Index, Syntax, Table, Value};

use crate::{
    config::{Network, Rule, RuleAction},
    registry::RuleRow,
    snmp::{
        INET_ADDRESS_TYPE, Snapshot, TRUTH, address::STATUS, address_octets, address_type, encap, instance,
        integer, one_or_two, position, route, text, unsigned,
    },
};

/// FR_ACT_*, the kernel's numbers.
const ACTION: Syntax = Syntax::Enum(&[
    ("table", 1),
    ("goto", 2),
    ("nop", 3),
    ("blackhole", 6),
    ("unreachable", 7),
    ("prohibit", 8),
]);

/// The rules below an instance's index; 0 has the static ones.
fn rules(topology: &Snapshot, index: u32) -> &[Arc<RuleRow>] {
    instance::rows_below(topology, index, &topology.statics.rules, |row| &row.rules)
}

/// The table.
pub(super) static TABLE: Table<Snapshot, Arc<RuleRow>> = Table {
    entry: &[1, 3, 6, 1, 4, 1, 9586, 100, 5, 2, 8, 1],
    name: "vrrpRuleEntry",
    index: &[instance::INDEX, Index { name: "vrrpRuleIndex", syntax: Syntax::Unsigned32, implied: false }],
    columns: &COLUMNS,
    seek: |topology, after, include| {
        let count = |instance| rules(topology, instance).len();
        let (instance, rule) = position::seek_below_any(topology.instances.len(), count, after, include)?;
        let row = rules(topology, instance).get(rule as usize - 1)?;
        Some((vec![instance, rule], Arc::clone(row)))
    },
};

static COLUMNS: [Column<Snapshot, Arc<RuleRow>>; 38] = [
    Column::hidden(1, "vrrpRuleIndex", Syntax::Unsigned32, Access::NotAccessible),
    Column::new(2, "vrrpRuleDirection", Syntax::DisplayString, |_, row| {
        text(match (selected(row.config.from), selected(row.config.to)) {
            (Some(_), Some(_)) => "both",
            (Some(_), None) => "from",
            (None, Some(_)) => "to",
            (None, None) => "",
        })
    }),
    Column::new(3, "vrrpRuleAddressType", INET_ADDRESS_TYPE, |_, row| {
        address_type(main(&row.config)?.address)
    }),
    Column::new(4, "vrrpRuleAddress", Syntax::OctetString, |_, row| {
        address_octets(main(&row.config)?.address)
    }),
    Column::new(5, "vrrpRuleAddressMask", Syntax::Unsigned32, |_, row| unsigned(main(&row.config)?.prefix)),
    Column::new(6, "vrrpRuleRoutingTable", Syntax::Unsigned32, |_, row| table(&row.config)),
    Column::new(7, "vrrpRuleStatus", STATUS, |_, row| one_or_two(row.status().set)),
    Column::new(8, "vrrpRuleInvert", TRUTH, |_, row| one_or_two(row.config.inverted)),
    Column::new(9, "vrrpRuleDestinationAddressType", INET_ADDRESS_TYPE, |_, row| {
        address_type(selected(row.config.to)?.address)
    }),
    Column::new(10, "vrrpRuleDestinationAddress", Syntax::OctetString, |_, row| {
        address_octets(selected(row.config.to)?.address)
    }),
    Column::new(11, "vrrpRuleDestinationAddressMask", Syntax::Unsigned32, |_, row| {
        unsigned(selected(row.config.to)?.prefix)
    }),
    Column::new(12, "vrrpRuleSourceAddressType", INET_ADDRESS_TYPE, |_, row| {
        address_type(selected(row.config.from)?.address)
    }),
    Column::new(13, "vrrpRuleSourceAddress", Syntax::OctetString, |_, row| {
        address_octets(selected(row.config.from)?.address)
    }),
    Column::new(14, "vrrpRuleSourceAddressMask", Syntax::Unsigned32, |_, row| {
        unsigned(selected(row.config.from)?.prefix)
    }),
    Column::new(15, "vrrpRuleTos", Syntax::Unsigned32, |_, row| unsigned(row.config.tos)),
    Column::new(16, "vrrpRuleFwmark", Syntax::Unsigned32, |_, row| unsigned(row.config.mark?.value)),
    Column::new(17, "vrrpRuleFwmask", Syntax::Unsigned32, |_, row| unsigned(row.config.mark?.mask)),
    Column::new(18, "vrrpRuleRealmDst", Syntax::Unsigned32, |_, row| encap::realm(row.config.realms?.to)),
    Column::new(19, "vrrpRuleRealmSrc", Syntax::Unsigned32, |_, row| encap::realm(row.config.realms?.from)),
    Column::new(20, "vrrpRuleInInterface", Syntax::DisplayString, |_, row| {
        text(row.config.input.as_deref()?)
    }),
    Column::new(21, "vrrpRuleOutInterface", Syntax::DisplayString, |_, row| {
        text(row.config.output.as_deref()?)
    }),
    Column::new(22, "vrrpRuleTarget", Syntax::Unsigned32, |_, row| match row.config.action {
        RuleAction::Goto(target) => unsigned(target),
        _ => None,
    }),
    Column::new(23, "vrrpRuleAction", ACTION, |_, row| {
        integer(match row.config.action {
            RuleAction::Table(_) | RuleAction::L3mdev => 1,
            RuleAction::Goto(_) => 2,
            RuleAction::Nop => 3,
            RuleAction::Blackhole => 6,
            RuleAction::Unreachable => 7,
            RuleAction::Prohibit => 8,
        })
    }),
    Column::new(24, "vrrpRuleTableNo", Syntax::Unsigned32, |_, row| table(&row.config)),
    Column::new(25, "vrrpRulePreference", Syntax::Unsigned32, |_, row| {
        unsigned(row.config.preference).filter(|_| row.config.preference != 0)
    }),
    Column::new(26, "vrrpRuleSuppressPrefixLen", Syntax::Unsigned32, |_, row| {
        unsigned(row.config.suppress_prefix_length?)
    }),
    Column::new(27, "vrrpRuleSuppressGroup", Syntax::DisplayString, |_, row| {
        text(&row.config.suppress_group?.to_string())
    }),
    Column::new(28, "vrrpRuleTunnelIdHigh", Syntax::Unsigned32, |_, row| {
        half(row.config.tunnel_id?, |id| id >> 32)
    }),
    Column::new(29, "vrrpRuleTunnelIdLow", Syntax::Unsigned32, |_, row| {
        half(row.config.tunnel_id?, |id| id & u64::from(u32::MAX))
    }),
    Column::new(30, "vrrpRuleUidRangeStart", Syntax::Unsigned32, |_, row| unsigned(row.config.uids?.first)),
    Column::new(31, "vrrpRuleUidRangeEnd", Syntax::Unsigned32, |_, row| unsigned(row.config.uids?.last)),
    Column::new(32, "vrrpRuleL3mdev", TRUTH, |_, row| {
        one_or_two(true).filter(|_| row.config.action == RuleAction::L3mdev)
    }),
    Column::new(33, "vrrpRuleProtocol", route::PROTOCOL, |_, row| route::protocol(row.config.protocol)),
    Column::new(34, "vrrpRuleIPProto", Syntax::Unsigned32, |_, row| unsigned(row.config.ip_protocol?)),
    Column::new(35, "vrrpRuleSrcPortStart", Syntax::Unsigned32, |_, row| {
        unsigned(row.config.source_ports?.first)
    }),
    Column::new(36, "vrrpRuleSrcPortEnd", Syntax::Unsigned32, |_, row| {
        unsigned(row.config.source_ports?.last)
    }),
    Column::new(37, "vrrpRuleDstPortStart", Syntax::Unsigned32, |_, row| {
        unsigned(row.config.destination_ports?.first)
    }),
    Column::new(38, "vrrpRuleDstPortEnd", Syntax::Unsigned32, |_, row| {
        unsigned(row.config.destination_ports?.last)
    }),
];

/// A prefix that selects something.
fn selected(network: Option<Network>) -> Option<Network> {
    network.filter(|network| network.prefix > 0)
}

/// The one prefix that the obsolete columns have room for.
fn main(rule: &Rule) -> Option<Network> {
    selected(rule.to).or_else(|| selected(rule.from))
}

fn table(rule: &Rule) -> Option<Value> {
    match rule.action {
        RuleAction::Table(table) => unsigned(table),
        _ => None,
    }
}

/// Half of a tunnel id; absent when there is none.
fn half(id: u64, half: impl Fn(u64) -> u64) -> Option<Value> {
    unsigned(half(id)).filter(|_| id != 0)
}
