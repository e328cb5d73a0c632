//! What is wrong with a file that is to be the configuration, and whether that stands in its way.

use std::{
    collections::HashSet,
    fs::OpenOptions,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use tracing::{error, warn};

use crate::{
    config::{Diagnostic, Report, Severity},
    kernel::own_file,
};

/// As many findings are answered with.
const MOST_FINDINGS: usize = 100;

/// Mistakes of a configuration that it can be run with, whatever their places.
#[derive(Clone, Debug, Default)]
pub(in crate::daemon) struct Mistakes(HashSet<(&'static str, String)>);

impl Mistakes {
    /// Those that were found.
    pub(in crate::daemon) fn of(report: &Report) -> Self {
        let errors = report.diagnostics.iter().filter(|found| found.severity == Severity::Error);
        Self(errors.map(Self::key).collect())
    }

    fn has(&self, found: &Diagnostic) -> bool {
        self.0.contains(&Self::key(found))
    }

    fn key(found: &Diagnostic) -> (&'static str, String) {
        (found.id, found.headline.to_string())
    }
}

/// What is found in a file that is to be the configuration.
pub(super) struct Findings {
    /// Each with how bad it is here: a mistake that the running configuration has too is none.
    lines: Vec<(Severity, String)>,
    pub(super) mistakes: Mistakes,
}

impl Findings {
    /// Those of a report; `accepted` are those of the configuration that runs.
    pub(super) fn of(report: &Report, accepted: &Mistakes) -> Self {
        let found = report.diagnostics.iter().zip(report.lines()).map(|(found, line)| match found.severity {
            Severity::Error if accepted.has(found) => (Severity::Warning, line),
            severity => (severity, line),
        });
        Self { lines: found.collect(), mistakes: Mistakes::of(report) }
    }

    /// The worst, if it stands in the way: a start goes on with what is right in a file; whoever runs already has something
    /// better than that, unless it has the same mistakes.
    pub(super) fn obstacle(&self) -> Option<&str> {
        let errors = || self.lines.iter().filter(|(severity, _)| *severity == Severity::Error);
        let worse = self
            .lines
            .iter()
            .rev()
            .find(|(severity, _)| is_obstacle(*severity) && *severity != Severity::Error);
        worse.or_else(|| errors().next()).map(|(_, line)| &**line)
    }

    /// For whoever asked.
    pub(super) fn told(&self) -> Vec<String> {
        let told = self.lines.iter().filter(|(severity, _)| *severity != Severity::Notice);
        let mut lines: Vec<_> = told.map(|(_, line)| line.clone()).take(MOST_FINDINGS + 1).collect();
        if lines.len() > MOST_FINDINGS {
            lines.truncate(MOST_FINDINGS);
            lines.push("and more: the log has them all".to_owned());
        }
        lines
    }

    /// For whoever looks after the daemon.
    pub(super) fn log(&self) {
        for (severity, line) in &self.lines {
            match severity {
                Severity::Notice => {}
                severity if is_obstacle(*severity) => error!("{line}"),
                _ => warn!("{line}"),
            }
        }
    }
}

fn is_obstacle(severity: Severity) -> bool {
    !matches!(severity, Severity::Notice | Severity::Warning | Severity::Security)
}

/// Leaves what is found in a configuration for whoever asks for it (`reload_check_config`).
pub(super) fn write(path: &Path, report: &Report) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = own_file::open_own(options.write(true).create(true).mode(0o600), path)?;
    file.set_len(0)?;
    file.write_all(report.render().as_bytes())
}
