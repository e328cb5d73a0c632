//! What happened, line by line: written only when somebody is to read it.

use std::{
    fmt::{Arguments, Write},
    time::Duration,
};

use steadfast::{
    units::Time,
    vrrp::{Action, Input},
};

use crate::plan::Plan;

/// The lines, or nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Story(Option<String>);

impl Story {
    /// A story that is written down.
    pub(crate) fn told() -> Self {
        Self(Some(String::new()))
    }

    pub(crate) fn into_text(self) -> String {
        self.0.unwrap_or_default()
    }

    pub(crate) fn line(&mut self, now: Time, what: Arguments<'_>) {
        if let Some(text) = &mut self.0 {
            let _ = writeln!(text, "{:>10.6} {what}", now.0.as_secs_f64());
        }
    }

    pub(crate) fn plan(&mut self, plan: &Plan) {
        let Some(text) = &mut self.0 else { return };
        let _ = writeln!(text, "sync group {:?}, mixed {}", plan.group, plan.is_mixed);
        for host in &plan.hosts {
            let _ = writeln!(text, "{:?}", host.clock);
            for settings in &host.settings {
                let _ = writeln!(text, "  {settings:?}");
            }
        }
    }

    pub(crate) fn input(&mut self, now: Time, host: usize, router: usize, local: Time, input: &Input) {
        let origin = Duration::from_secs(local.0.as_secs() / 1000 * 1000);
        let local = local.since(Time(origin)).as_secs_f64();
        self.line(now, format_args!("host {host}, router {router} (reads …{local:.6}): {input:?}"));
    }

    pub(crate) fn actions(&mut self, actions: &[Action]) {
        if let Some(text) = &mut self.0 {
            for action in actions {
                let _ = match action {
                    Action::Log(log) => writeln!(text, "{:>16}{}", "", log.text),
                    Action::Transition(change) => {
                        writeln!(text, "{:>16}{} to {} ({})", "", change.from, change.to, change.reason)
                    }
                    other => writeln!(text, "{:>16}{other:?}", ""),
                };
            }
        }
    }
}
