//! A notification as SNMPv1 has it (RFC 3584 §3.2).

use std::net::Ipv4Addr;

use agentx::{Notification, Oid, Value, VarBind};
use rasn::types::{Any, FixedOctetString};
use rasn_smi::v1::{
    ApplicationSyntax, Counter, Gauge, IpAddress, NetworkAddress, ObjectSyntax, SimpleSyntax, TimeTicks,
    ToOpaque as _,
};
use rasn_snmp::v1;

use crate::snmp_wire::oid;

/// SNMPv2-MIB::snmpTraps, below which the generic traps are, from 1 on.
const GENERIC: [u32; 9] = [1, 3, 6, 1, 6, 3, 1, 1, 5];
/// enterpriseSpecific.
const SPECIFIC: u32 = 6;

/// The Trap-PDU; `None` when there is a value that SNMPv1 does not have, which is Counter64.
pub(super) fn trap(notification: &Notification, uptime: u32, from: Ipv4Addr) -> Option<v1::Trap> {
    let (enterprise, generic, specific) = kind(&notification.trap_oid)?;
    Some(v1::Trap {
        enterprise: oid(&enterprise)?,
        agent_addr: address(from.octets()),
        generic_trap: generic.into(),
        specific_trap: specific.into(),
        time_stamp: TimeTicks(uptime),
        variable_bindings: notification.varbinds.iter().map(varbind).collect::<Option<_>>()?,
    })
}

/// enterprise, generic-trap and specific-trap.
fn kind(trap_oid: &Oid) -> Option<(Oid, u32, u32)> {
    if let Some([generic @ 1..=6]) = trap_oid.subids().strip_prefix(&GENERIC) {
        return Some((Oid::from(GENERIC), generic - 1, 0));
    }
    // The 0 before the last number is there for this translation alone (RFC 2578 §8.5).
    let (specific, above) = trap_oid.subids().split_last()?;
    let enterprise = above.strip_suffix(&[0]).unwrap_or(above);
    Some((Oid::try_from(enterprise).ok()?, SPECIFIC, *specific))
}

fn address(octets: [u8; 4]) -> NetworkAddress {
    NetworkAddress::Internet(IpAddress(FixedOctetString::new(octets)))
}

fn varbind(VarBind { name, value }: &VarBind) -> Option<v1::VarBind> {
    let application = ObjectSyntax::ApplicationWide;
    let value = match value {
        Value::Integer(number) => ObjectSyntax::Simple(SimpleSyntax::Number((*number).into())),
        Value::OctetString(bytes) => ObjectSyntax::Simple(SimpleSyntax::String(bytes.clone().into())),
        Value::ObjectIdentifier(id) => ObjectSyntax::Simple(SimpleSyntax::Object(oid(id)?)),
        Value::Null => ObjectSyntax::Simple(SimpleSyntax::Empty),
        Value::IpAddress(octets) => application(ApplicationSyntax::Address(address(*octets))),
        Value::Counter32(number) => application(ApplicationSyntax::Counter(Counter(*number))),
        Value::Gauge32(number) => application(ApplicationSyntax::Gauge(Gauge(*number))),
        Value::TimeTicks(number) => application(ApplicationSyntax::Ticks(TimeTicks(*number))),
        Value::Opaque(bytes) => {
            application(ApplicationSyntax::Arbitrary(Any::new(bytes.clone()).to_opaque().ok()?))
        }
        Value::Counter64(_) | Value::NoSuchObject | Value::NoSuchInstance | Value::EndOfMibView => {
            return None;
        }
    };
    Some(v1::VarBind { name: oid(name)?, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_enterprise_is_what_is_above_the_last_number_and_a_zero_before_that() {
        let kind = |oid: &str| {
            kind(&oid.parse().unwrap()).map(|(oid, generic, specific)| (oid.to_string(), generic, specific))
        };
        let said = |enterprise: &str, generic, specific| {
            Some((enterprise.parse::<Oid>().unwrap().to_string(), generic, specific))
        };
        assert_eq!(kind("1.3.6.1.4.1.9586.100.5.2.10.0.2"), said("1.3.6.1.4.1.9586.100.5.2.10", 6, 2));
        assert_eq!(kind("1.3.6.1.4.1.9586.7"), said("1.3.6.1.4.1.9586", 6, 7));
        assert_eq!(kind("1.3.6.1.6.3.1.1.5.1"), said("1.3.6.1.6.3.1.1.5", 0, 0));
        assert_eq!(kind("1.3.6.1.6.3.1.1.5.7"), said("1.3.6.1.6.3.1.1.5", 6, 7));
    }

    #[test]
    fn what_version_1_cannot_say_it_does_not_say() {
        let of = |value| Notification {
            id: 1,
            at: std::time::Duration::ZERO,
            trap_oid: "1.3.6.1.4.1.9586.0.1".parse().unwrap(),
            varbinds: vec![VarBind::new("1.3.6.1".parse().unwrap(), value)],
        };
        assert_eq!(trap(&of(Value::Counter64(1)), 0, Ipv4Addr::LOCALHOST), None);
        assert!(trap(&of(Value::Counter32(1)), 0, Ipv4Addr::LOCALHOST).is_some());
    }
}
