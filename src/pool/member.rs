//! A real server in its pool: whether its checks let it serve, and with which weight.

use std::net::{IpAddr, SocketAddr};

use crate::{
    config::{
        plan::KeptServer,
        settings::{Check, Forwarding, RealServer},
    },
    kernel::ipvs::DestinationKey,
};

/// A real server.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) address: IpAddr,
    /// As it is written; what reaches the kernel depends on the method.
    pub(super) port: u16,
    pub(super) method: Forwarding,
    pub(super) thresholds: (u32, u32),
    pub(super) inhibit: bool,
    /// `weight`, or what an order has put in its place.
    pub(super) weight: i64,
    checks: Vec<State>,
    /// What was last told of it; `None` as long as nothing is known.
    pub(super) told: Option<bool>,
}

/// What a check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    failed: bool,
    /// It has had a result.
    ran: bool,
    /// What it adds to the weight.
    adds: i64,
}

impl Member {
    pub(super) fn new(config: &RealServer) -> Self {
        let checks: Vec<State> = config
            .checks
            .iter()
            .map(|check| State { failed: is_alpha(check), ran: false, adds: 0 })
            .collect();
        let up = checks.iter().all(|check| !check.failed);
        Self {
            address: config.heading.address,
            port: config.heading.port,
            method: *config.lvs_method,
            thresholds: (*config.uthreshold, *config.lthreshold),
            inhibit: *config.inhibit_on_failure,
            weight: (*config.weight).into(),
            checks,
            told: up.then_some(true),
        }
    }

    /// Goes on as what it was before a reload; an order for its weight holds unless the configuration has another one now.
    pub(super) fn take_over(&mut self, known: &Self, kept: &KeptServer, is_same_weight: bool) {
        // Of what one that is no more has found, one that is new has to find the opposite.
        let failed = kept.ended.iter().any(|place| known.checks[*place].failed);
        for (check, before) in self.checks.iter_mut().zip(&kept.checks) {
            *check = match before.and_then(|before| known.checks.get(before)) {
                Some(state) => *state,
                None => State { failed, ran: false, adds: 0 },
            };
        }
        self.told = known.told;
        if is_same_weight {
            self.weight = known.weight;
        }
    }

    /// Which destination of a service with that port it is.
    pub(super) fn destination_key(&self, port: u16) -> DestinationKey {
        SocketAddr::new(self.address, self.method.port(self.port, port))
    }

    /// Every check lets it serve.
    pub(super) fn is_alive(&self) -> bool {
        self.checks.iter().all(|check| !check.failed)
    }

    /// What the kernel gets, and what counts for the quorum.
    pub(super) fn effective_weight(&self) -> u32 {
        let sum = self.checks.iter().fold(self.weight, |sum, check| sum.saturating_add(check.adds));
        u32::try_from(sum.clamp(0, i32::MAX.into())).unwrap_or_default()
    }

    /// What is known of a check: whether it has failed, whether that is a result, and what it adds. Checks that are not there
    /// are none of this server's.
    pub(super) fn recall(&mut self, check: usize, (failed, ran, adds): (bool, bool, i64)) {
        if let Some(state) = self.checks.get_mut(check) {
            *state = State { failed, ran, adds };
        }
    }

    /// Whether a check lets it serve.
    pub(super) fn passes(&self, check: usize) -> bool {
        self.checks.get(check).is_none_or(|state| !state.failed)
    }

    /// Whether a check has had a result.
    pub(super) fn has_result(&self, check: usize) -> bool {
        self.checks.get(check).is_none_or(|state| state.ran)
    }

    /// What a check adds to the weight.
    pub(super) fn adds(&self, check: usize) -> i64 {
        self.checks.get(check).map_or(0, |state| state.adds)
    }

    /// How many checks fail, and how many have had no result.
    pub(super) fn checks(&self) -> (u32, u32) {
        let count = |which: fn(&State) -> bool| {
            u32::try_from(self.checks.iter().filter(|check| which(check)).count()).unwrap_or(u32::MAX)
        };
        (count(|check| check.failed), count(|check| !check.ran))
    }
}

/// Whether a check keeps its server down until it has passed. A file says at once how it is.
fn is_alpha(check: &Check) -> bool {
    match check {
        Check::Bfd(check) => *check.alpha,
        _ => check.schedule().is_some_and(|schedule| *schedule.alpha),
    }
}
