//! Why an instance is in its state: the cause in one sentence, what is known about it, and what would have to change.
//!
//! Made of rows alone, so that every situation is a test. The first line is for somebody who was woken for it: it names
//! the cause, not the mechanism.

mod cause;
mod facts;
mod remedy;
#[cfg(test)]
mod tests;

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::view::Moment;
use crate::registry::{GroupRow, InstanceRow, InstanceStatus, Intervention, Reason, Standing, State};

/// Why an instance is in its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// The cause, in one sentence.
    cause: String,
    /// What is known.
    facts: Vec<Fact>,
    /// What would have to change for it to be in another state.
    to_change: Vec<String>,
}

/// Something that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Fact {
    about: String,
    text: String,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cause, facts, to_change } = self;
        writeln!(f, "{cause}\n")?;
        let width = facts.iter().map(|fact| fact.about.chars().count()).max().unwrap_or_default();
        let mut before = "";
        for Fact { about, text } in facts {
            let shown = if about == before { "" } else { about };
            before = about;
            writeln!(f, "  {shown:width$}  {text}")?;
        }
        if !to_change.is_empty() {
            writeln!(f, "\nWhat would change it:")?;
        }
        to_change.iter().try_for_each(|line| writeln!(f, "  - {line}"))
    }
}

/// An instance with all that its state follows from.
struct Case<'a> {
    moment: &'a Moment<'a>,
    row: &'a InstanceRow,
    status: &'a InstanceStatus,
    group: Option<&'a GroupRow>,
}

/// Why it is in its state.
pub(super) fn why(moment: &Moment<'_>, row: &InstanceRow) -> Why {
    let status = row.status();
    let mut groups = moment.topology.groups.iter();
    let group = groups.find(|group| row.group.as_ref() == Some(&group.config.name));
    let case = Case { moment, row, status: &status, group: group.map(|group| &**group) };
    Why { cause: case.cause(), facts: case.facts(), to_change: case.remedies() }
}

impl Case<'_> {
    fn name(&self) -> &str {
        &self.row.config.name
    }

    fn priority(&self) -> u8 {
        self.status.effective_priority.unwrap_or(self.row.config.priority).0
    }

    /// What an operator wants, of that kind.
    fn intervention(&self, what: Intervention) -> Option<&Standing> {
        self.status.interventions.iter().find(|standing| what.replaces(standing.what))
    }

    /// The member of the sync group that keeps this one from what it would do alone.
    fn held_back_by(&self) -> Option<(String, &str)> {
        let group = self.group?;
        let member = group.status().held_back_by.clone().filter(|member| member != self.name())?;
        Some((member, &group.config.name))
    }

    /// What it waits for before it takes part, when it is shown in FAULT and nothing is wrong.
    fn is_waiting(&self) -> bool {
        self.status.state == State::Fault && !self.wrong().any(|_| true)
    }

    /// What is wrong; not what is only waited for.
    fn wrong(&self) -> impl Iterator<Item = &Reason> {
        let is_silent = |reason: &&Reason| {
            matches!(reason, Reason::Started | Reason::AwaitingAddress { .. } | Reason::AwaitingSocket { .. })
        };
        self.status.faults.iter().filter(move |reason| !is_silent(reason))
    }

    /// When something is due, from now on.
    fn due_in(&self) -> Option<Duration> {
        self.row.due_at().map(|at| at.since(self.moment.now))
    }
}

/// A span of time for people.
fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", span.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}
