//! What operators have routers do otherwise: begun, ended, and over when its time has come.

use std::sync::Arc;

use super::{Engine, turn::PORTION};
use crate::{
    registry::{Instruction, Intervention, Lasting, Standing, Whom},
    units::{Priority, Time},
};

impl Engine {
    /// Does what an operator wants, and says to whom it was done, or why not.
    pub(super) fn intervene(&mut self, instruction: Instruction, now: Time) {
        let Instruction { whom, what, by, lasting, done } = instruction;
        let outcome = self.whom(&whom, what).map(|numbers| {
            let until = match lasting {
                Lasting::For(span) => Some(Some(now + span)),
                Lasting::UntilEnded => Some(None),
                Lasting::Ended => None,
            };
            let standing = until.map(|until| Standing { what, by: by.clone(), since: now, until });
            if what == Intervention::Maintenance {
                self.registry.maintenance.store(standing.clone().map(Arc::new));
            }
            // All of them before the first packet leaves: of a sync group each is to say farewell for itself.
            for number in &numbers {
                let machine = &mut self.routers[*number].machine;
                match &standing {
                    Some(standing) => machine.handle_intervention(now, standing.clone()),
                    None => machine.handle_relenting(now, what, Some(by.clone())),
                }
            }
            self.carry_out_all(&numbers, now);
            self.relent_at = self.next_relenting();
            numbers.iter().map(|number| self.routers[*number].row.config.name.clone()).collect()
        });
        // Whoever waits for it finds the transitions.
        self.tell();
        // Whoever has given up waiting does not matter.
        let _ = done.send(outcome);
    }

    /// Has a router that is about to begin keep out of what all others keep out of.
    pub(super) fn keep_in_maintenance(&mut self, number: usize, now: Time) {
        if let Some(standing) = self.registry.maintenance.load_full() {
            self.routers[number].machine.handle_intervention(now, (*standing).clone());
        }
    }

    /// Ends what has lasted for its time.
    pub(super) fn relent(&mut self, now: Time) {
        if self.relent_at.is_none_or(|at| at > now) {
            return;
        }
        let mut numbers = Vec::new();
        for (number, router) in self.routers.iter_mut().enumerate() {
            let is_over = |standing: &&Standing| standing.until.is_some_and(|until| until <= now);
            let over = router.machine.interventions().iter().filter(is_over).map(|standing| standing.what);
            let over: Vec<_> = over.collect();
            for what in &over {
                router.machine.handle_relenting(now, *what, None);
            }
            if !over.is_empty() {
                numbers.push(number);
            }
        }
        self.carry_out_all(&numbers, now);
        self.relent_at = self.next_relenting();
    }

    fn next_relenting(&self) -> Option<Time> {
        let standing = self.routers.iter().flat_map(|router| router.machine.interventions());
        standing.filter_map(|standing| standing.until).min()
    }

    /// Who is meant. A step-down of a member takes its sync group along, which else would follow without saying farewell.
    fn whom(&self, whom: &Whom, what: Intervention) -> Result<Vec<usize>, String> {
        let Whom::Named(name) = whom else { return Ok((0..self.routers.len()).collect()) };
        let topology = self.registry.topology();
        let groups = &topology.groups;
        let named = topology.instances.iter().position(|row| row.config.name == *name);
        let numbers = match named {
            Some(number) => {
                let mut groups = groups.iter().filter(|group| group.config.members.contains(&number));
                let together = groups.next().filter(|_| what == Intervention::StepDown);
                together.map_or_else(|| vec![number], |group| group.config.members.clone())
            }
            None => {
                let group = groups.iter().find(|group| group.config.name == *name);
                let group = group.ok_or_else(|| format!("there is no instance or sync group {name}"))?;
                group.config.members.clone()
            }
        };
        let owner = numbers.iter().map(|number| &topology.instances[*number].config);
        let owner = owner.clone().find(|config| config.priority == Priority::OWNER);
        match (what, owner) {
            (Intervention::Priority(_), Some(owner)) => {
                Err(format!("{} owns its addresses (priority 255): its priority never changes", owner.name))
            }
            _ => Ok(numbers),
        }
    }

    /// Carries out what these routers want after something has happened to each, many at a time.
    fn carry_out_all(&mut self, numbers: &[usize], now: Time) {
        if !self.has_started() {
            return numbers.iter().for_each(|number| self.routers[*number].publish());
        }
        self.gather();
        for (done, number) in numbers.iter().enumerate() {
            self.carry_out_alone(*number, now);
            if done % PORTION == PORTION - 1 {
                self.move_together(now);
                self.advertise();
                self.gather();
            }
        }
        self.move_together(now);
        for number in numbers {
            self.settle_group(*number, now);
        }
    }
}
