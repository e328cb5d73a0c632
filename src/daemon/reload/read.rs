//! Reading a configuration that is to take the place of the one that runs.

use std::{
    collections::HashSet,
    fs::OpenOptions,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::sync::oneshot;
use tracing::{error, warn};

use super::marker::Marker;
use crate::{
    cli,
    config::{
        self, Config, Diagnostic, Options, Report, Severity, System,
        plan::{self, Plan},
        settings::{GlobalDefs, ProcessSettings},
    },
    daemon::{
        engine::{Remains, Succession},
        host::{self, PlannedLink, Wanted},
        leave_out_vrrp,
    },
    kernel::own_file,
    notify,
    registry::{Registry, Topology},
};

/// Where a configuration comes from.
#[derive(Clone, Debug)]
pub(in crate::daemon) struct Source {
    /// The file.
    file: PathBuf,
    config_id: Option<String>,
    check_includes: bool,
    namespace: Option<String>,
    umask: Option<u32>,
    /// Whether virtual routers run.
    runs_vrrp: bool,
    /// What is noted there of links that are ours.
    notes: PathBuf,
    /// Where the pid file is.
    folder: PathBuf,
    /// What is wrong with the configuration that runs.
    accepted: Mistakes,
    /// The links of routers' own that there are to be.
    links: Vec<PlannedLink>,
}

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

/// What a file comes to beside what runs.
#[derive(Debug)]
pub(in crate::daemon) struct Prepared {
    /// The rows from then on.
    pub(super) topology: Arc<Topology>,
    /// For the engine.
    pub(super) succession: Box<Succession>,
    /// The links of routers' own that there are to be from then on, and what is wrong with the file all the same.
    pub(super) noted: (Vec<PlannedLink>, Mistakes),
    /// When the engine has it in place.
    pub(super) done: oneshot::Receiver<Remains>,
}

impl Source {
    /// Where the command line says; `links` were planned for the configuration that runs, which has these mistakes.
    pub(in crate::daemon) fn new(
        arguments: &cli::Arguments,
        pid_file: &Path,
        notes: PathBuf,
        links: Vec<PlannedLink>,
        accepted: Mistakes,
    ) -> Self {
        Self {
            accepted,
            folder: pid_file.parent().map(Path::to_owned).unwrap_or_default(),
            file: arguments.use_file.clone(),
            config_id: arguments.config_id.clone(),
            check_includes: arguments.check_includes,
            namespace: arguments.namespace.clone(),
            umask: arguments.umask,
            runs_vrrp: arguments.runs_vrrp(),
            notes,
            links,
        }
    }

    /// These are the links and the mistakes from now on.
    pub(super) fn note(&mut self, (links, accepted): (Vec<PlannedLink>, Mistakes)) {
        (self.links, self.accepted) = (links, accepted);
    }

    /// Reads the file and compares it with what runs. The error says in words why it cannot take the place of that.
    pub(super) fn prepare(&self, registry: &Registry) -> Result<Prepared, String> {
        let running = registry.topology();
        let (mut config, mistakes) = self.read(&running.global.settings)?;
        if !self.runs_vrrp {
            leave_out_vrrp(&mut config);
        }
        let links = host::plan_links(&mut config, &self.notes, &self.links);
        let links = links.map_err(|error| error.to_string())?;
        keep_what_needs_a_restart(&mut config, &running);
        let plan = Plan::new(&running.outline(), &(&config).into());
        let wanted = Wanted::new(&config, links.clone());
        let sinks = notify::rows(&config.global);
        let topology = Arc::new(running.succeed(config, &plan, sinks));
        let (succession, done) = Succession::new(&running, Arc::clone(&topology), plan, wanted);
        Ok(Prepared { topology, succession: Box::new(succession), noted: (links, mistakes), done })
    }

    /// As the running configuration says: with a marker, and with a log of what is found.
    fn read(&self, settings: &GlobalDefs) -> Result<(Config, Mistakes), String> {
        let marker = settings.reload_file.as_deref().and_then(|path| Marker::set(self.folder.join(path)));
        let options = Options {
            config_id: self.config_id.as_deref(),
            check_includes: self.check_includes,
            look_up_hosts: false,
            namespace: self.namespace.as_deref(),
            umask: self.umask,
        };
        let (config, report) = config::load_with(&self.file, &options, &System);
        drop(marker);
        if let Some(path) = settings.reload_check_config.as_deref().filter(|path| *path != "/dev/null")
            && let Err(error) = write_findings(Path::new(path), &report)
        {
            warn!("reload_check_config {path}: {error}");
        }
        let mut worst = None;
        for (found, line) in report.diagnostics.iter().zip(report.lines()) {
            match found.severity {
                Severity::Notice => {}
                Severity::Warning | Severity::Security => warn!("{line}"),
                Severity::Error if self.accepted.has(found) => warn!("{line}"),
                Severity::Error => {
                    error!("{line}");
                    worst = worst.or(Some(line));
                }
                Severity::Refused | Severity::Unreadable | Severity::NoFile | Severity::Fatal => {
                    error!("{line}");
                    worst = Some(line);
                }
            }
        }
        // A start goes on with what is right in a file; whoever runs already has something better than that, unless it has
        // the same mistakes.
        match (config, worst) {
            (Some(config), None) => Ok((config, Mistakes::of(&report))),
            (_, Some(line)) => Err(line),
            (None, None) => Err(format!("{} cannot be read", self.file.display())),
        }
    }
}

/// Leaves what is found in a configuration for whoever asks for it (`reload_check_config`).
fn write_findings(path: &Path, report: &Report) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = own_file::open_own(options.write(true).create(true).mode(0o600), path)?;
    file.set_len(0)?;
    file.write_all(report.render().as_bytes())
}

/// What a reload cannot change stays as it is, and is said to.
fn keep_what_needs_a_restart(config: &mut Config, running: &Topology) {
    let mut kept = Vec::new();
    // Whoever follows the interfaces has the new delays.
    let delays = config.process.interface_up_down_delays.clone();
    let process = ProcessSettings { interface_up_down_delays: delays, ..(*running.process).clone() };
    if *config.process != process {
        *config.process = process;
        kept.push("namespaces, instance name and linkbeat");
    }
    kept.extend(plan::keep_fixed(&mut config.global, &running.global));
    if !kept.is_empty() {
        warn!("a restart is needed for what differs in {}: it stays as it is", kept.join(", "));
    }
}
