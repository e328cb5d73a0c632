//! Which MIBs are served: each has a keyword of its own.

use agentx::{Oid, Region};

use crate::{config::Global, snmp::KEEPALIVED};

/// What is switched on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// `enable_snmp_vrrp`: KEEPALIVED-MIB::vrrp.
    pub vrrp: bool,
    /// `enable_snmp_checker`: KEEPALIVED-MIB::check.
    pub checker: bool,
}

impl Parts {
    /// Everything there is (`-x`).
    pub const ALL: Self = Self { vrrp: true, checker: true };

    /// What the configuration asks for.
    pub fn of(global: &Global) -> Self {
        Self { vrrp: global.enable_snmp_vrrp, checker: global.settings.enable_snmp_checker }
    }

    /// Whether anything is.
    pub fn any(self) -> bool {
        self != Self::default()
    }

    /// The subtrees to register. KEEPALIVED-MIB::global comes with the rest of its module.
    pub fn regions(self) -> Vec<Region> {
        let keepalived = Oid::from(KEEPALIVED);
        let all = [
            (self.vrrp || self.checker, keepalived.child(1), "The MIB module for global"),
            (self.vrrp, keepalived.child(2), "The MIB module for VRRP"),
            (self.checker, keepalived.child(3), "The MIB module for checkers"),
        ];
        let on = all.into_iter().filter(|(on, ..)| *on);
        on.map(|(_, oid, description)| Region::new(oid).describe(description)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_keyword_nothing_is_served() {
        assert!(!Parts::default().any());
        assert_eq!(Parts::default().regions().len(), 0);
        assert_eq!(Parts { checker: true, ..Parts::default() }.regions().len(), 2);
        assert_eq!(Parts::ALL.regions().len(), 3);
    }
}
