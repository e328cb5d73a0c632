//! What is known of an instance.

use super::{Case, Fact, span};
use crate::{
    control::view::tracker,
    registry::{Contest, Intervention, Peer, Reason, State},
};

impl Case<'_> {
    pub(super) fn facts(&self) -> Vec<Fact> {
        let mut facts = Facts::default();
        self.add_state(&mut facts);
        self.add_priority(&mut facts);
        self.add_others(&mut facts);
        self.add_timers(&mut facts);
        // What is only waited for has no reason of its own.
        for reason in self.status.faults.iter().filter(|reason| **reason != Reason::Started) {
            facts.add("fault", reason);
        }
        if let Some(group) = self.group {
            let members =
                group.config.members.iter().filter_map(|member| self.moment.topology.instances.get(*member));
            let members = members.map(|row| format!("{} {}", row.config.name, row.status().state));
            let members: Vec<_> = members.collect();
            let group = format!("{} {}: {}", group.config.name, group.status().state, members.join(", "));
            facts.add("sync group", group);
        }
        facts.0
    }

    fn add_state(&self, facts: &mut Facts) {
        let (status, moment) = (self.status, self.moment);
        let since =
            format!("since {} ({})", moment.label(status.since), span(moment.now.since(status.since)));
        facts.add("state", format_args!("{} {since}", status.state));
        if let Some(reason) = &status.reason {
            facts.add("because", reason);
        }
        for standing in &status.interventions {
            let until = standing.until.map_or_else(|| "it is ended".into(), |until| moment.label(until));
            facts.add("operators", format_args!("{} until {until}, by {}", standing.what, standing.by));
        }
    }

    fn add_priority(&self, facts: &mut Facts) {
        let (written, base) = (self.row.config.priority, self.row.base_priority());
        facts.add("priority", format_args!("{} effective, {base} without trackers", self.priority()));
        if written != base {
            facts.add("priority", format_args!("{written} in the configuration, {base} by SNMP SET"));
        }
        for standing in &self.status.interventions {
            if let Intervention::Priority(by) = standing.what {
                facts.add("priority", format_args!("{by:+} by {}", standing.by));
            }
        }
        for line in tracker::of_instance(self.moment, self.row) {
            let mut known = self.status.contributions.iter();
            let added = known.find(|(tracker, _)| *tracker == line.tracker).map_or(0, |(_, added)| *added);
            let effect = match line.weight {
                0 => "decides about FAULT".into(),
                weight => format!("{added:+} (weight {weight})"),
            };
            facts.add("tracks", format_args!("{}: {effect}", line.words()));
        }
        let preempts = if self.row.preempt() { "takes over from a lower priority" } else { "nopreempt" };
        facts.add("preemption", preempts);
    }

    fn add_others(&self, facts: &mut Facts) {
        let moment = self.moment;
        let ago = self.row.heard_at().map(|at| format!("{} ago", span(moment.now.since(at))));
        match (self.status.master, ago) {
            (Some(Peer { address, priority }), Some(ago)) => {
                facts.add("last advert", format_args!("from {address}, priority {priority}, {ago}"));
            }
            (None, Some(ago)) => facts.add("last advert", format_args!("{ago}")),
            (_, None) => facts.add("last advert", "none was ever believed"),
        }
        if let Some(Contest { rival, since, heard }) = self.status.contest {
            let Peer { address, priority } = rival;
            facts.add(
                "rival",
                format_args!(
                    "{address}, priority {priority}, {heard} adverts in {}",
                    span(moment.now.since(since))
                ),
            );
        }
        if let Some(source) = self.status.source {
            facts.add("sends from", format_args!("{source} on {}", self.row.config.transport()));
        }
    }

    fn add_timers(&self, facts: &mut Facts) {
        facts.add("interval", span(self.row.config.advert_interval));
        if let Some(adopted) = self.status.adopted_interval {
            facts.add("interval", format_args!("{} of the master it follows", span(adopted)));
        }
        if self.status.state == State::Backup
            && self.intervention(Intervention::Maintenance).is_none()
            && let Some(left) = self.due_in()
        {
            facts.add("timer", format_args!("takes over in {} if it hears nothing else", span(left)));
        }
    }
}

/// Facts in the making.
#[derive(Default)]
struct Facts(Vec<Fact>);

impl Facts {
    fn add(&mut self, about: &str, text: impl ToString) {
        self.0.push(Fact { about: about.into(), text: text.to_string() });
    }
}
