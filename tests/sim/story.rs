//! What happened, line by line: written only when somebody is to read it.

use std::{
    fmt::{Arguments, Write},
    iter,
    sync::{Arc, Mutex},
    time::Duration,
};

use steadfast::{
    record::{Header, Line, Tape, VERSION},
    units::Time,
    vrrp::{Action, Input, Settings},
};

use crate::plan::Plan;

/// The lines, or nothing.
#[derive(Debug, Default)]
pub(crate) struct Story(Option<String>, Arc<Mutex<Vec<Line>>>);

impl Story {
    /// A story that is written down.
    pub(crate) fn told() -> Self {
        Self(Some(String::new()), Arc::default())
    }

    /// The story, and the recording of all of its machines.
    pub(crate) fn into_texts(self) -> (String, String) {
        let header = Header { steadfast_recording: VERSION, program: "tests/sim".into() };
        let lines = self.1.lock().expect("nobody panicked");
        let json = |line: &Line| serde_json::to_string(line).expect("a line can be written");
        let header = serde_json::to_string(&header).expect("a header can be written");
        let recording = iter::once(header).chain(lines.iter().map(json)).map(|line| line + "\n").collect();
        (self.0.clone().unwrap_or_default(), recording)
    }

    /// The tape of a router, when the story is written down.
    pub(crate) fn tape(&self, router: usize, settings: &Settings) -> Option<Tape> {
        self.0.as_ref()?;
        let lines = Arc::clone(&self.1);
        let sink = move |line| lines.lock().expect("nobody panicked").push(line);
        Some(Tape::new(router, settings, Box::new(sink)))
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
