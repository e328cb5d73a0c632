//! A host: its clock, its links, and the machines that its process runs.

use std::{sync::Arc, time::Duration};

use steadfast::{
    record::{Recorded, Tape},
    registry::Counters,
    units::{Time, Utc},
    vrrp::{Instance, Settings, SyncGroup},
};

use crate::{
    clock::Clock,
    mutation::Mutation,
    plan::{HostPlan, Plan},
    watch::Watch,
};

#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) clock: Clock,
    /// What its wall clock shows when a story begins; it may be set.
    pub(crate) wall: Duration,
    pub(crate) is_running: bool,
    /// Its instance of each virtual router.
    pub(crate) nodes: Vec<Node>,
    /// Its sync group, when it runs and there is one.
    pub(crate) group: Option<SyncGroup>,
    /// Which of its links are up, by segment.
    pub(crate) links: Vec<bool>,
    /// Until when its process is held up, by the clock of the world.
    pub(crate) stalled_until: Time,
    /// How often it has booted: what was started in an earlier life ends nowhere.
    pub(crate) life: u32,
}

/// An instance on a host.
#[derive(Debug)]
pub(crate) struct Node {
    /// What it was configured with.
    configured: Settings,
    /// The same with what a manager has changed since it booted.
    pub(crate) settings: Settings,
    pub(crate) has_script: bool,
    /// `None` while the process does not run.
    pub(crate) machine: Option<Recorded>,
    /// Whether its kernel holds the virtual addresses.
    pub(crate) holds: bool,
    /// When the machine wants to be called, by the clock of the world.
    pub(crate) due: Option<Time>,
    pub(crate) watch: Watch,
}

impl Host {
    pub(crate) fn new(plan: &HostPlan, segments: usize) -> Self {
        let node = |(settings, script): (&Settings, &bool)| Node {
            configured: settings.clone(),
            settings: settings.clone(),
            has_script: *script,
            machine: None,
            holds: false,
            due: None,
            watch: Watch::new(settings),
        };
        Self {
            clock: plan.clock,
            wall: plan.wall,
            is_running: false,
            nodes: plan.settings.iter().zip(&plan.scripts).map(node).collect(),
            group: None,
            links: vec![true; segments],
            stalled_until: Time::default(),
            life: 0,
        }
    }

    /// Makes new machines, none of which knows anything.
    pub(crate) fn revive(
        &mut self,
        plan: &Plan,
        mutation: Option<Mutation>,
        tape: impl Fn(usize, &Settings) -> Option<Tape>,
    ) {
        self.life += 1;
        self.is_running = true;
        for (router, node) in self.nodes.iter_mut().enumerate() {
            node.settings = node.configured.clone();
            let settings = mutation.map_or(node.settings.clone(), |one| one.settings(&node.settings));
            let tape = tape(router, &settings);
            let machine = Instance::new(settings, Arc::new(Counters::default()));
            node.machine = Some(Recorded::new(machine, tape));
            node.watch = Watch::new(&node.settings);
        }
        let name = |router: &usize| self.nodes[*router].settings.name.clone();
        self.group = (!plan.group.is_empty()).then(|| SyncGroup::new(plan.group.iter().map(name)));
    }

    /// What its wall clock shows at a time of the world.
    pub(crate) fn utc(&self, world: Time) -> Utc {
        Utc(self.wall + self.clock.local(world).since(Time(self.clock.origin)))
    }

    /// The process is gone, and its addresses.
    pub(crate) fn die(&mut self) {
        self.is_running = false;
        self.group = None;
        for node in &mut self.nodes {
            node.machine = None;
            node.due = None;
            node.holds = false;
            node.watch = Watch::new(&node.settings);
        }
    }

    /// The earliest call that a machine wants, and whose it is.
    pub(crate) fn next(&self) -> Option<(Time, usize)> {
        let wanted = |(router, node): (usize, &Node)| Some((node.due?.max(self.stalled_until), router));
        self.nodes.iter().enumerate().filter_map(wanted).min()
    }
}
