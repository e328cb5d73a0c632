//! The rules of virtual routers, in nf_tables: what keeps the host's own housekeeping off the virtual MAC (`vmac`), and
//! what keeps packets to and from virtual addresses out (`refusals`).
//!
//! The tables are keepalived's, name by name and rule by rule, so that who knows the one knows the other.

mod refusals;
mod vmac;

use std::collections::BTreeSet;

pub use self::{refusals::Refusal, vmac::Diversion};
use crate::kernel::{
    KernelError,
    nft::{Batch, Chain, Expression, Family, Header, Hook, Meta, Register, Verdict},
};

/// The chains of packets that this host sends, and of those it receives.
const OUT: &str = "out";
const IN: &str = "in";

/// ICMPv6 (IANA).
const ICMPV6: u8 = 58;

/// Both families that there are tables for.
const FAMILIES: [Family; 2] = [Family::Ipv4, Family::Ipv6];

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
    /// The virtual addresses whose packets are thrown away.
    pub refused: BTreeSet<Refusal>,
    /// The kinds of addresses that there are rules for, whether or not there is one to refuse.
    pub refusing: Refusing,
}

/// Kinds of addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refusing {
    /// IPv4.
    pub ipv4: bool,
    /// IPv6.
    pub ipv6: bool,
    /// IPv6 that is valid on one link alone.
    pub link_local: bool,
}

impl Ruleset {
    /// Whether no rule is needed.
    pub fn is_empty(&self) -> bool {
        FAMILIES.into_iter().all(|family| !self.has_rules(family))
    }

    /// Makes the tables what is said here, in one step and whatever they were; a family without a rule has none. Waits
    /// for the kernel.
    pub fn apply(&self) -> Result<(), KernelError> {
        self.batch().commit(&format!("making the nf_tables tables `{}`", self.table))
    }

    fn batch(&self) -> Batch {
        let mut batch = Batch::new(&self.table);
        for family in FAMILIES {
            // A table that is not there cannot be deleted; one that is can be added.
            batch.add_table(family);
            batch.delete_table(family);
            if !self.has_rules(family) {
                continue;
            }
            batch.add_table(family);
            batch.add_chain(family, Chain { name: OUT, hook: Hook::Output, priority: self.priority });
            self.divert(family, &mut batch);
            self.refuse(family, &mut batch);
        }
        batch
    }

    fn has_rules(&self, family: Family) -> bool {
        !self.diversions(family).is_empty() || self.is_refusing(family)
    }

    /// A rule that decides, and counts if rules are to.
    fn rule(&self, mut what: Vec<Expression>, verdict: Verdict) -> Vec<Expression> {
        what.extend(self.counters.then_some(Expression::Count));
        what.push(Expression::Decide(verdict));
        what
    }
}

/// Messages of ICMPv6; their type is in the first register.
fn icmpv6() -> Vec<Expression> {
    vec![
        Expression::Know(Meta::Protocol, Register::One),
        Expression::Is(Register::One, vec![ICMPV6]),
        Expression::Load(Header::Transport, 0, 1, Register::One),
    ]
}
