//! What a seed is about: the hosts, their virtual routers and the sync groups, as an operator would have configured them.

mod features;
mod router;
mod secret;
mod words;

use std::time::Duration;

use steadfast::{
    units::Priority,
    vrrp::{Membership, Settings},
};

use self::secret::Stage;
pub(crate) use self::{features::FEATURES, router::VirtualRouter, secret::Secret};
use crate::{clock::Clock, random::Random};

/// The network and everybody on it.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) routers: Vec<VirtualRouter>,
    pub(crate) hosts: Vec<HostPlan>,
    /// The virtual routers that are in the one sync group of each host; none, or two and more.
    pub(crate) group: Vec<usize>,
    /// The members have different priorities on the hosts, so that they may wait for one another.
    pub(crate) is_mixed: bool,
    pub(crate) segments: usize,
}

/// One host.
#[derive(Clone, Debug)]
pub(crate) struct HostPlan {
    pub(crate) clock: Clock,
    /// What its wall clock shows at the begin.
    pub(crate) wall: Duration,
    /// `vrrp_startup_delay`
    pub(crate) delay: Duration,
    /// Settings of its instance of each virtual router.
    pub(crate) settings: Vec<Settings>,
    /// Of each instance, whether a script decides about its FAULT.
    pub(crate) scripts: Vec<bool>,
}

impl Plan {
    pub(crate) fn new(random: &mut Random) -> Self {
        let hosts = 2 + random.index(3);
        let segments = 1 + random.index(2);
        let count = 1 + random.index(3);
        let routers: Vec<_> = (0..count).map(|number| VirtualRouter::new(random, number, segments)).collect();
        let group = if count > 1 && random.percent(50) {
            (0..2 + random.index(count - 1)).collect()
        } else {
            Vec::new()
        };
        let mut plan = Self {
            routers,
            hosts: Vec::new(),
            is_mixed: !group.is_empty() && random.percent(15),
            group,
            segments,
        };
        let all_preempt = random.percent(60);
        let owners = if random.percent(15) { random.pick(&[1, 1, 2]) } else { 0 };
        for host in 0..hosts {
            let is_owner = host < owners;
            let planned = plan.host(random, (host, hosts), all_preempt, is_owner);
            plan.hosts.push(planned);
        }
        plan
    }

    fn host(
        &self,
        random: &mut Random,
        (host, hosts): (usize, usize),
        all_preempt: bool,
        is_owner: bool,
    ) -> HostPlan {
        let clock = Clock {
            origin: random.duration(Duration::from_secs(1_000_000)),
            drift: random.pick(&[0, 0, -2000, -500, 500, 2000]),
        };
        let common = Claim::new(random, all_preempt, is_owner);
        let settings: Vec<_> = (0..self.routers.len())
            .map(|number| {
                let is_member = self.group.contains(&number);
                let follows = is_member && !self.is_mixed;
                let claim = if follows { common.clone() } else { Claim::new(random, all_preempt, is_owner) };
                let mut settings = self.routers[number].settings(random, claim, (host, hosts));
                settings.name = format!("host {host}, router {number}");
                settings
            })
            .collect();
        let scripts = settings.iter().map(|_| random.percent(30)).collect();
        let delay =
            if random.percent(10) { Duration::from_secs(1 + random.below(4)) } else { Duration::ZERO };
        let mut planned = HostPlan { clock, wall: wall(random), delay, settings, scripts };
        let owners = self.group.iter().all(|number| {
            let settings = &planned.settings[*number];
            settings.is_owner() && settings.start_as_master
        });
        for number in &self.group {
            planned.settings[*number].membership =
                if owners { Membership::AmongOwners } else { Membership::Member };
        }
        planned
    }

    /// Whether the router is a member of the sync group.
    pub(crate) fn is_member(&self, number: usize) -> bool {
        self.group.contains(&number)
    }

    /// The longest time after which a healthy network must have its masters.
    pub(crate) fn bound(&self) -> Duration {
        let all = || self.hosts.iter().flat_map(|host| &host.settings);
        let interval = all().map(|settings| settings.advert_interval).max().unwrap_or_default();
        let tolerated = all().map(|settings| settings.preempt_delay).max().unwrap_or_default();
        let adverts = all().map(|settings| settings.down_timer_adverts).max().unwrap_or_default();
        let skew = interval.max(Duration::from_secs(1));
        let down = interval * adverts + skew;
        // The last lower master may be accepted just before the delay ends, or be heard for the first time an interval
        // after the healing, or become master only when nobody else would have waited longer; then it is silent, or
        // ignored, for the master down interval. Clocks differ a little.
        let first = if tolerated.is_zero() { Duration::ZERO } else { down };
        let delay = self.hosts.iter().map(|host| host.delay).max().unwrap_or_default();
        // An owner lowers itself only when another does not give way for so long.
        let quarrel = if all().any(Settings::is_owner) { interval * 5 } else { Duration::ZERO };
        let bound = delay + quarrel + first + tolerated + down + interval * 2 + Duration::from_millis(200);
        bound + bound / 100
    }

    /// Whether the router with the highest priority ends up as master, whatever happened before.
    pub(crate) fn best_wins(&self, number: usize) -> bool {
        let preempts = |settings: &Settings| settings.preempt || settings.start_as_master;
        let numbers = if self.is_member(number) { self.group.clone() } else { vec![number] };
        let all = |number: &usize| self.hosts.iter().all(|host| preempts(&host.settings[*number]));
        !(self.is_member(number) && self.is_mixed) && numbers.iter().all(all)
    }
}

/// What the wall clock of a host shows, the others' being nearly right; some were never set.
fn wall(random: &mut Random) -> Duration {
    if random.percent(3) {
        return Duration::from_secs(1_000_000);
    }
    Duration::from_secs(1_790_000_000) + random.duration(Duration::from_millis(900))
}

/// What members of a group have in common on one host.
#[derive(Clone, Debug)]
struct Claim {
    priority: Priority,
    start_as_master: bool,
    preempt: bool,
    preempt_delay: Duration,
}

impl Claim {
    fn new(random: &mut Random, all_preempt: bool, is_owner: bool) -> Self {
        let delay = if random.percent(20) { random.below(3) } else { 0 };
        // Few values, so that equal ones are common.
        let priority = Priority(random.pick(&[50, 100, 100, 150, 200, 254]));
        Self {
            priority: if is_owner { Priority::OWNER } else { priority },
            start_as_master: random.percent(20),
            preempt: all_preempt || random.percent(50),
            preempt_delay: Duration::from_secs(delay),
        }
    }
}
