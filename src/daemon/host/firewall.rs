//! The rules of the firewall as they have to be, and whether the kernel has them so.

use std::collections::{BTreeMap, BTreeSet};

use tracing::warn;

use crate::kernel::{Diversion, KernelError, Refusal, Ruleset};

/// The rules of all virtual routers.
#[derive(Debug)]
pub(super) struct Firewall {
    rules: Ruleset,
    /// The kernel has the rules.
    in_place: bool,
    /// Tables may be there, ours or those of an earlier run.
    may_be_there: bool,
    /// The routers that refuse packets of an address: several may have the same one.
    routers: BTreeMap<Refusal, BTreeSet<usize>>,
}

impl Firewall {
    /// No rules yet, in the `frame` that all have. `left_over` says that an earlier run may have left some.
    pub(super) fn new(frame: Ruleset, left_over: bool) -> Self {
        Self { rules: frame, in_place: false, may_be_there: left_over, routers: BTreeMap::new() }
    }

    /// Removes what an earlier run left, in tables of that name too. Those that are `replaced` soon stay until then, in
    /// one step.
    pub(super) fn begin(&mut self, left: Option<String>, replaced: bool) {
        match left {
            Some(table) if table != self.rules.table => {
                if let Err(error) = (Ruleset { table, ..self.rules.clone() }).apply() {
                    warn!("{error}: rules of an earlier run may be left");
                }
            }
            Some(_) => self.may_be_there = true,
            None => {}
        }
        if self.may_be_there && !replaced {
            self.apply();
        }
    }

    /// Whether the kernel has its rules.
    pub(super) fn is_in_place(&self) -> Result<(), KernelError> {
        let lack = || KernelError::other("changing the firewall", "its rules are not in place");
        self.in_place.then_some(()).ok_or_else(lack)
    }

    /// What the kernel has is not known any more: the next change makes the tables anew.
    pub(super) fn doubt(&mut self) {
        self.in_place = false;
    }

    /// Whether its tables can be there, now or later in this run.
    pub(super) fn may_be_there(&self) -> bool {
        self.may_be_there
    }

    /// The name of its tables.
    pub(super) fn name(&self) -> &str {
        &self.rules.table
    }

    /// Keeps the host's own housekeeping off these macvlans. Without the rules everything works, but switches may be
    /// misled, so a refusal of the kernel is only reported.
    pub(super) fn divert(&mut self, ipv4: Vec<Diversion>, ipv6: Vec<Diversion>) {
        if self.in_place && self.rules.ipv4 == ipv4 && self.rules.ipv6 == ipv6 {
            return;
        }
        self.rules.ipv4 = ipv4;
        self.rules.ipv6 = ipv6;
        self.apply();
    }

    /// Throws packets of routers' addresses away, which are not on the host yet.
    pub(super) fn refuse(&mut self, addresses: impl IntoIterator<Item = (usize, Refusal)>) {
        let mut added = Vec::new();
        let mut refusing = self.rules.refusing;
        for (router, refusal) in addresses {
            self.routers.entry(refusal).or_default().insert(router);
            refusing = refusing.and(&refusal);
            if self.rules.refused.insert(refusal) {
                added.push(refusal);
            }
        }
        let has_rules = self.in_place && refusing == self.rules.refusing;
        self.rules.refusing = refusing;
        self.change(has_rules, &added, &[]);
    }

    /// Takes packets of a router's addresses again, which are no longer on the host.
    pub(super) fn accept(&mut self, router: usize) {
        let mut removed = Vec::new();
        self.routers.retain(|refusal, routers| {
            if routers.remove(&router) && routers.is_empty() {
                removed.push(*refusal);
            }
            !routers.is_empty()
        });
        for refusal in &removed {
            self.rules.refused.remove(refusal);
        }
        self.change(self.in_place, &[], &removed);
    }

    /// Removes everything. Returns whether nothing is left.
    pub(super) fn clear(&mut self) -> bool {
        self.routers.clear();
        self.rules = Ruleset {
            ipv4: Vec::new(),
            ipv6: Vec::new(),
            refused: BTreeSet::new(),
            refusing: Default::default(),
            ..self.rules.clone()
        };
        self.apply();
        self.in_place
    }

    /// Has the kernel change elements of its sets, or where that is not enough, make the tables anew: somebody may have
    /// removed them.
    fn change(&mut self, has_rules: bool, added: &[Refusal], removed: &[Refusal]) {
        let nothing = added.is_empty() && removed.is_empty();
        if !has_rules || (!nothing && self.rules.change(added, removed).is_err()) {
            self.apply();
        }
    }

    fn apply(&mut self) {
        if self.rules.is_empty() && !self.may_be_there {
            self.in_place = true;
            return;
        }
        self.may_be_there = true;
        let applied: Result<(), KernelError> = self.rules.apply();
        self.in_place = applied.is_ok();
        if let Err(error) = applied {
            warn!("{error}: {}", self.consequence());
        }
    }

    fn consequence(&self) -> &'static str {
        match (self.rules.refused.is_empty(), self.rules.ipv4.is_empty() && self.rules.ipv6.is_empty()) {
            (false, _) => "packets to virtual addresses are taken, as without no_accept",
            (true, false) => "IGMP, MLD and router solicitations may leave from a virtual MAC",
            (true, true) => "rules of an earlier run may be left",
        }
    }
}
