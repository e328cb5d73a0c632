//! Which MIBs are served: each has a keyword of its own.

use agentx::{Oid, Region};

use crate::{
    config::Global,
    snmp::{KEEPALIVED, notification::STEADFAST, rfc},
};

/// What is switched on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// `enable_snmp_vrrp`: KEEPALIVED-MIB::vrrp.
    pub vrrp: bool,
    /// `enable_snmp_checker`: KEEPALIVED-MIB::check.
    pub checker: bool,
    /// `enable_snmp_rfcv2` or `enable_snmp_rfc`: VRRP-MIB.
    pub rfc_v2: bool,
    /// `enable_snmp_rfcv3` or `enable_snmp_rfc`: VRRPV3-MIB.
    pub rfc_v3: bool,
}

impl Parts {
    /// Everything there is (`-x`).
    pub const ALL: Self = Self { vrrp: true, checker: true, rfc_v2: true, rfc_v3: true };

    /// All of KEEPALIVED-MIB.
    pub const KEEPALIVED: Self = Self { vrrp: true, checker: true, rfc_v2: false, rfc_v3: false };

    /// What the configuration asks for.
    pub fn of(global: &Global) -> Self {
        let settings = &global.settings;
        Self {
            vrrp: global.enable_snmp_vrrp,
            checker: settings.enable_snmp_checker,
            rfc_v2: settings.enable_snmp_rfc || settings.enable_snmp_rfcv2,
            rfc_v3: settings.enable_snmp_rfc || settings.enable_snmp_rfcv3,
        }
    }

    /// Whether anything is.
    pub fn any(self) -> bool {
        self != Self::default()
    }

    /// The subtrees to register. KEEPALIVED-MIB::global comes with the rest of its module, STEADFAST-MIB with any.
    pub fn regions(self) -> Vec<Region> {
        let keepalived = Oid::from(KEEPALIVED);
        let all = [
            (self.vrrp || self.checker, keepalived.child(1), "The MIB module for global"),
            (self.vrrp, keepalived.child(2), "The MIB module for VRRP"),
            (self.checker, keepalived.child(3), "The MIB module for checkers"),
            (self.any(), keepalived.child(STEADFAST), "The MIB module for Steadfast itself"),
            (self.rfc_v2, Oid::from(rfc::V2), "The MIB module for VRRP version 2"),
            (self.rfc_v3, Oid::from(rfc::V3), "The MIB module for VRRP version 3"),
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
        assert_eq!(Parts { checker: true, ..Parts::default() }.regions().len(), 3);
        assert_eq!(Parts::ALL.regions().len(), 6);
    }
}
