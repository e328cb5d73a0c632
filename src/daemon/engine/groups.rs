//! Sync groups: after every input to a member its group has its say, before anything else happens to another member.

use std::sync::Arc;

use super::Engine;
use crate::{
    config::{
        InitialState,
        plan::{Origin, Plan},
    },
    kernel::clock,
    registry::{Change, GroupRow, InstanceRow, Subject, Topology},
    units::{Priority, Time},
    vrrp::{self, GroupAction, Membership},
};

/// A sync group as the engine drives it.
#[derive(Debug)]
pub(super) struct Group {
    machine: vrrp::SyncGroup,
    row: Arc<GroupRow>,
}

impl Group {
    fn new(row: &Arc<GroupRow>, instances: &[Arc<InstanceRow>]) -> Self {
        let names = row.config.members.iter().map(|member| instances[*member].config.name.clone());
        Self { machine: vrrp::SyncGroup::new(names), row: Arc::clone(row) }
    }

    /// Goes on with what it was before a reload.
    pub(super) fn take_over(&mut self, before: Self) {
        self.machine = before.machine;
    }

    /// The router that is the member of that position.
    fn router(&self, position: usize) -> usize {
        self.row.config.members[position]
    }
}

/// A router's place in a group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    group: usize,
    position: usize,
}

impl Place {
    /// The group's row.
    pub(super) fn row(self, topology: &Topology) -> &GroupRow {
        &topology.groups[self.group]
    }
}

/// Every group of a topology.
pub(super) fn groups(topology: &Topology) -> Vec<Group> {
    topology.groups.iter().map(|row| Group::new(row, &topology.instances)).collect()
}

/// The place of each router of a topology that is in a group.
pub(super) fn places(topology: &Topology) -> Vec<Option<Place>> {
    let mut places = vec![None; topology.instances.len()];
    for (group, row) in topology.groups.iter().enumerate() {
        for (position, member) in row.config.members.iter().enumerate() {
            places[*member] = Some(Place { group, position });
        }
    }
    places
}

/// What the machine of an instance has to know of its group.
pub(super) fn membership(group: Option<&GroupRow>, topology: &Topology) -> Membership {
    match group {
        None => Membership::Alone,
        Some(row) if are_owners(row, &topology.instances) => Membership::AmongOwners,
        Some(_) => Membership::Member,
    }
}

/// Whether all members begin as MASTER.
fn are_owners(row: &GroupRow, instances: &[Arc<InstanceRow>]) -> bool {
    row.config.members.iter().map(|member| &instances[*member].config).all(|instance| {
        instance.priority == Priority::OWNER && instance.initial_state == InitialState::Master
    })
}

/// The groups that are new, or have other members or settings than before.
fn formed(plan: &Plan) -> impl Iterator<Item = usize> {
    let origins = plan.groups.origins.iter().enumerate();
    origins.filter(|(_, origin)| !matches!(origin, Origin::Same(_))).map(|(group, _)| group)
}

impl Engine {
    /// Lets every group know what keeps its members from starting, and begin.
    pub(super) fn start_groups(&mut self) {
        let now = clock::now();
        for number in 0..self.routers.len() {
            self.settle_group(number, now);
        }
        for group in 0..self.groups.len() {
            if let Some(change) = self.groups[group].machine.handle_start(now) {
                self.note_group(group, now, change);
            }
        }
    }

    /// Something has happened to a router and was carried out: if it is in a group, the others follow, then the group.
    pub(super) fn settle_group(&mut self, number: usize, now: Time) {
        let Some(Place { group, position }) = self.places[number] else { return };
        // What a group knows of its members is not true of all of them at once then.
        if self.is_forming_groups {
            return;
        }
        let member = self.routers[number].machine.member();
        self.groups[group].machine.handle_member(now, position, member);
        if !self.groups[group].machine.is_settled() {
            self.settle(group, now);
        }
    }

    /// After a reload, when every router has its new settings: groups that are new, or have other members than before,
    /// know who these are and how they are now, and that has its consequences. New routers have not begun yet.
    pub(super) fn form_groups(&mut self, plan: &Plan, now: Time) {
        self.is_forming_groups = false;
        for group in formed(plan) {
            let Group { machine, row } = &self.groups[group];
            let member = |number: &usize| {
                let router = &self.routers[*number];
                (router.row.config.name.clone(), router.machine.member())
            };
            let machine = machine.regroup(now, row.config.members.iter().map(member));
            self.groups[group].machine = machine;
            let begins = self.groups[group].machine.has_not_begun();
            if let Some(change) = begins.then(|| self.groups[group].machine.handle_start(now)).flatten() {
                self.note_group(group, now, change);
            }
            self.settle(group, now);
        }
    }

    fn settle(&mut self, group: usize, now: Time) {
        while let Some(action) = self.groups[group].machine.poll_action() {
            match action {
                GroupAction::Order(position, order) => {
                    let number = self.groups[group].router(position);
                    self.routers[number].machine.handle_order(now, order);
                    self.carry_out_alone(number, now);
                    let member = self.routers[number].machine.member();
                    self.groups[group].machine.handle_obeyed(position, member);
                }
                GroupAction::Transition(change) => self.note_group(group, now, change),
            }
        }
        let Group { machine, row } = &self.groups[group];
        let status = machine.status();
        if *row.status() != status {
            row.set_status(status);
        }
    }

    /// A member has announced its addresses because of a router that should give way: the others do, too, when the
    /// group has its say.
    pub(super) fn note_announcement(&mut self, number: usize) {
        if let Some(Place { group, position }) = self.places[number] {
            self.groups[group].machine.handle_announced(position);
        }
    }

    fn note_group(&mut self, group: usize, now: Time, change: Change) {
        let Group { machine, row } = &self.groups[group];
        row.set_status(machine.status());
        let subject = Subject::Group { index: row.index, name: row.config.name.clone() };
        self.news.of_transition(now, subject, change);
    }
}
