//! The rules that keep the host's own housekeeping off the virtual MAC.
//!
//! A host tells its link which groups it listens to (IGMP, MLD) and asks for routers (router solicitations), on each of
//! its interfaces. On a macvlan that is a virtual router's it would do so from the virtual MAC, also while it is
//! BACKUP: switches would then take it for the MASTER and send it the MASTER's traffic. Reports of groups leave by the
//! parent interface instead, for the switches need them; solicitations are dropped, for the parent makes its own.

use super::{OUT, Ruleset, icmpv6};
use crate::{
    kernel::nft::{Batch, DataType, Element, Expression, Family, Header, Meta, Register, Set, Verdict},
    units::IfIndex,
};

/// From a macvlan to its parent.
const PARENTS: Set =
    Set { values: Some(DataType::InterfaceIndex), ..Set::of("vmac_map", DataType::InterfaceIndex) };
/// The macvlans.
const LINKS: Set = Set::of("vmac_set", DataType::InterfaceIndex);
/// The name of the kind, as long as the kernel compares it (IFNAMSIZ).
const MACVLAN: &[u8; 16] = b"macvlan\0\0\0\0\0\0\0\0\0";

/// Protocol numbers (IANA) and ICMPv6 types (RFC 3810 §5.2, RFC 4861 §4.1).
const IGMP: u8 = 2;
const MLD2_REPORT: u8 = 143;
const ROUTER_SOLICITATION: u8 = 133;

/// A macvlan and the interface it is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diversion {
    /// The macvlan.
    pub link: IfIndex,
    /// Its parent.
    pub parent: IfIndex,
}

impl Ruleset {
    /// The macvlans that send packets of a family.
    pub(super) fn diversions(&self, family: Family) -> &[Diversion] {
        match family {
            Family::Ipv4 => &self.ipv4,
            Family::Ipv6 => &self.ipv6,
        }
    }

    /// Adds the rules for the macvlans of a family, if there are any.
    pub(super) fn divert(&self, family: Family, batch: &mut Batch) {
        let diversions = self.diversions(family);
        if diversions.is_empty() {
            return;
        }
        let pair = |known: &Diversion| Element {
            key: known.link.0.to_ne_bytes().into(),
            value: Some(known.parent.0.to_ne_bytes().into()),
        };
        batch.add_set(family, &PARENTS, &diversions.iter().map(pair).collect::<Vec<_>>());
        match family {
            Family::Ipv4 => batch.add_rule(family, OUT, &self.reports_by_parent(igmp(), 16, 4)),
            Family::Ipv6 => {
                let link = |known: &Diversion| Element::key(known.link.0.to_ne_bytes());
                batch.add_set(family, &LINKS, &diversions.iter().map(link).collect::<Vec<_>>());
                batch.add_rule(family, OUT, &self.reports_by_parent(of_type(MLD2_REPORT), 24, 16));
                batch.add_rule(family, OUT, &self.no_solicitations());
            }
        }
    }

    /// What is recognised leaves by the parent, to the same address, which the IP header has at `offset`.
    fn reports_by_parent(&self, what: Vec<Expression>, offset: u32, length: u32) -> Vec<Expression> {
        let mut rule = what;
        rule.extend(by_macvlan());
        rule.extend([
            Expression::Load(Header::Network, offset, length, Register::One),
            Expression::Know(Meta::OutputInterface, Register::Two),
            Expression::Map(Register::Two, PARENTS.name, Register::Two),
            Expression::Copy(Register::One, Register::Two),
        ]);
        self.rule(rule, Verdict::Drop)
    }

    fn no_solicitations(&self) -> Vec<Expression> {
        let mut rule = of_type(ROUTER_SOLICITATION);
        rule.extend(by_macvlan());
        rule.extend([
            Expression::Know(Meta::OutputInterface, Register::One),
            Expression::IsIn(Register::One, LINKS.name),
        ]);
        self.rule(rule, Verdict::Drop)
    }
}

fn igmp() -> Vec<Expression> {
    vec![Expression::Load(Header::Network, 9, 1, Register::One), Expression::Is(Register::One, vec![IGMP])]
}

fn of_type(kind: u8) -> Vec<Expression> {
    let mut rule = icmpv6();
    rule.push(Expression::Is(Register::One, vec![kind]));
    rule
}

fn by_macvlan() -> [Expression; 2] {
    [Expression::Know(Meta::OutputKind, Register::One), Expression::Is(Register::One, MACVLAN.to_vec())]
}
