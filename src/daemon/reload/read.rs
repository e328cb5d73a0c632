//! Reading a configuration that is to take the place of the one that runs.

use std::{
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
        settings::GlobalDefs,
    },
    daemon::{
        engine::{Remains, Succession},
        host::{self, PlannedLink},
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
    /// The mistakes that the start went on with, by their names and in words.
    accepted: Vec<(&'static str, String)>,
    /// What is noted there of links that are ours.
    notes: PathBuf,
    /// Where the pid file is.
    folder: PathBuf,
    /// The links of routers' own that there are to be.
    links: Vec<PlannedLink>,
}

/// What a file comes to beside what runs.
#[derive(Debug)]
pub(in crate::daemon) struct Prepared {
    /// The rows from then on.
    pub(super) topology: Arc<Topology>,
    /// For the engine.
    pub(super) succession: Box<Succession>,
    /// When the engine has it in place.
    pub(super) done: oneshot::Receiver<Remains>,
}

impl Source {
    /// Where the command line says. The configuration that runs was read with these `mistakes`, and `links` were planned
    /// for it.
    pub(in crate::daemon) fn new(
        arguments: &cli::Arguments,
        pid_file: &Path,
        mistakes: Vec<(&'static str, String)>,
        (notes, links): (PathBuf, Vec<PlannedLink>),
    ) -> Self {
        Self {
            folder: pid_file.parent().map(Path::to_owned).unwrap_or_default(),
            file: arguments.use_file.clone(),
            config_id: arguments.config_id.clone(),
            check_includes: arguments.check_includes,
            namespace: arguments.namespace.clone(),
            umask: arguments.umask,
            runs_vrrp: arguments.runs_vrrp(),
            accepted: mistakes,
            notes,
            links,
        }
    }

    /// Reads the file and compares it with what runs. The error says in words why it cannot take the place of that.
    pub(super) fn prepare(&self, registry: &Registry) -> Result<Prepared, String> {
        let running = registry.topology();
        let mut config = self.read(&running.global.settings)?;
        if !self.runs_vrrp {
            leave_out_vrrp(&mut config);
        }
        let links = host::plan_links(&mut config, &self.notes).map_err(|error| error.to_string())?;
        if links != self.links {
            return Err(
                "links of virtual routers' own (use_vmac, use_ipvlan) would be others: restart".to_owned()
            );
        }
        keep_what_needs_a_restart(&mut config, &running);
        let plan = Plan::new(&running.outline(), &(&config).into());
        let sinks = notify::rows(&config.global);
        let topology = Arc::new(running.succeed(config, &plan, sinks));
        let (succession, done) = Succession::new(&running, Arc::clone(&topology), plan);
        Ok(Prepared { topology, succession: Box::new(succession), done })
    }

    /// As the running configuration says: with a marker, and with a log of what is found.
    fn read(&self, settings: &GlobalDefs) -> Result<Config, String> {
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
                Severity::Error if self.is_accepted(found) => warn!("{line}"),
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
        // A start goes on with what is right in a file; whoever runs already has something better than that, unless it runs
        // with the same mistakes.
        match (config, worst) {
            (Some(config), None) => Ok(config),
            (_, Some(line)) => Err(line),
            (None, None) => Err(format!("{} cannot be read", self.file.display())),
        }
    }

    fn is_accepted(&self, found: &Diagnostic) -> bool {
        self.accepted.contains(&mistake(found))
    }
}

/// The mistakes of a file that a start goes on with.
pub(in crate::daemon) fn mistakes(report: &Report) -> Vec<(&'static str, String)> {
    let accepted = report.diagnostics.iter().filter(|found| found.severity == Severity::Error);
    accepted.map(mistake).collect()
}

/// What a mistake is told from others by, on whatever line it is.
fn mistake(found: &Diagnostic) -> (&'static str, String) {
    (found.id, found.headline.to_string())
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
    if *config.process != *running.process {
        config.process.clone_from(&running.process);
        kept.push("namespaces, instance name and linkbeat");
    }
    kept.extend(plan::keep_fixed(&mut config.global, &running.global));
    if !kept.is_empty() {
        warn!("a restart is needed for what differs in {}: it stays as it is", kept.join(", "));
    }
}
