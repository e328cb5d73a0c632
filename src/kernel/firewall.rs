//! The rules that keep the host's own housekeeping off the virtual MAC, in nf_tables.
//!
//! A host tells its link which groups it listens to (IGMP, MLD) and asks for routers (router solicitations), on each of
//! its interfaces. On a macvlan that is a virtual router's it would do so from the virtual MAC, also while it is
//! BACKUP: switches would then take it for the MASTER and send it the MASTER's traffic. Reports of groups leave by the
//! parent interface instead, for the switches need them; solicitations are dropped, for the parent makes its own.
//!
//! The tables are keepalived's, name by name and rule by rule, so that who knows the one knows the other.

use crate::{
    kernel::{
        KernelError,
        nft::{Batch, Chain, DataType, Expression, Family, Header, Hook, Meta, Register, Set},
    },
    units::IfIndex,
};

/// The chain of packets that this host sends.
const OUT: &str = "out";
/// From a macvlan to its parent.
const PARENTS: Set =
    Set { name: "vmac_map", keys: DataType::InterfaceIndex, values: Some(DataType::InterfaceIndex) };
/// The macvlans.
const LINKS: Set = Set { name: "vmac_set", keys: DataType::InterfaceIndex, values: None };
/// The name of the kind, as long as the kernel compares it (IFNAMSIZ).
const MACVLAN: &[u8; 16] = b"macvlan\0\0\0\0\0\0\0\0\0";
/// Protocol numbers (IANA) and ICMPv6 types (RFC 3810 §5.2, RFC 4861 §4.1).
const IGMP: u8 = 2;
const ICMPV6: u8 = 58;
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

/// Everything that the tables hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruleset {
    /// `nftables`: the tables' name.
    pub table: String,
    /// `nftables_priority`: the chains' place among others of their hook, lower ones first.
    pub priority: i32,
    /// `nftables_counters`: the rules count what they match.
    pub counters: bool,
    /// The macvlans that send IPv4.
    pub ipv4: Vec<Diversion>,
    /// The macvlans that send IPv6.
    pub ipv6: Vec<Diversion>,
}

impl Ruleset {
    /// Whether there is no macvlan, and so no rule.
    pub fn is_empty(&self) -> bool {
        self.ipv4.is_empty() && self.ipv6.is_empty()
    }

    /// Makes the tables what is said here, in one step and whatever they were; a family without a macvlan has
    /// none. Waits for the kernel.
    pub fn apply(&self) -> Result<(), KernelError> {
        self.batch().commit(&format!("making the nf_tables tables `{}`", self.table))
    }

    fn batch(&self) -> Batch {
        let mut batch = Batch::new(&self.table);
        for (family, diversions) in [(Family::Ipv4, &self.ipv4), (Family::Ipv6, &self.ipv6)] {
            // A table that is not there cannot be deleted; one that is can be added.
            batch.add_table(family);
            batch.delete_table(family);
            if diversions.is_empty() {
                continue;
            }
            batch.add_table(family);
            batch.add_chain(family, Chain { name: OUT, hook: Hook::Output, priority: self.priority });
            let elements: Vec<_> = diversions.iter().map(|known| (known.link.0, known.parent.0)).collect();
            batch.add_set(family, PARENTS, &elements);
            match family {
                Family::Ipv4 => batch.add_rule(family, OUT, &self.reports_by_parent(igmp(), 16, 4)),
                Family::Ipv6 => {
                    batch.add_set(family, LINKS, &elements);
                    batch.add_rule(family, OUT, &self.reports_by_parent(icmpv6(MLD2_REPORT), 24, 16));
                    batch.add_rule(family, OUT, &self.no_solicitations());
                }
            }
        }
        batch
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
        self.dropped(rule)
    }

    fn no_solicitations(&self) -> Vec<Expression> {
        let mut rule = icmpv6(ROUTER_SOLICITATION);
        rule.extend(by_macvlan());
        rule.extend([
            Expression::Know(Meta::OutputInterface, Register::One),
            Expression::IsIn(Register::One, LINKS.name),
        ]);
        self.dropped(rule)
    }

    fn dropped(&self, mut rule: Vec<Expression>) -> Vec<Expression> {
        rule.extend(self.counters.then_some(Expression::Count));
        rule.push(Expression::Drop);
        rule
    }
}

fn igmp() -> Vec<Expression> {
    vec![Expression::Load(Header::Network, 9, 1, Register::One), Expression::Is(Register::One, vec![IGMP])]
}

fn icmpv6(kind: u8) -> Vec<Expression> {
    vec![
        Expression::Know(Meta::Protocol, Register::One),
        Expression::Is(Register::One, vec![ICMPV6]),
        Expression::Load(Header::Transport, 0, 1, Register::One),
        Expression::Is(Register::One, vec![kind]),
    ]
}

fn by_macvlan() -> [Expression; 2] {
    [Expression::Know(Meta::OutputKind, Register::One), Expression::Is(Register::One, MACVLAN.to_vec())]
}
