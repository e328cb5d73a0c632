//! Reading a configuration that is to take the place of the one that runs.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::sync::oneshot;
use tracing::warn;

use super::{
    findings::{self, Findings, Mistakes},
    marker::Marker,
    saved::Saved,
};
use crate::{
    cli,
    config::{
        self, Config, Options, Report, System,
        compare::Forecast,
        plan::{self, Plan},
        settings::{GlobalDefs, ProcessSettings},
        show,
    },
    daemon::{
        engine::{Remains, Succession},
        host::{self, PlannedLink, Wanted},
        secrets,
        start::leave_out_vrrp,
    },
    notify,
    registry::{NotReloaded, Registry, Topology},
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
    /// Whether a crash is to leave a file of the memory.
    leaves_cores: bool,
    /// What is noted there of links that are ours.
    notes: PathBuf,
    /// Where the pid file is.
    folder: PathBuf,
    /// What is wrong with the configuration that runs.
    accepted: Mistakes,
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
    /// The links of routers' own that there are to be from then on, and what is wrong with the file all the same.
    pub(super) noted: (Vec<PlannedLink>, Mistakes),
    /// What is new, where somebody wants to know.
    pub(super) forecast: Option<Forecast>,
    /// When the engine has it in place.
    pub(super) done: oneshot::Receiver<Remains>,
}

/// A configuration that may take the place of the one that runs.
struct Next {
    config: Config,
    links: Vec<PlannedLink>,
    plan: Plan,
    /// What differs and stays as it is.
    kept: Vec<&'static str>,
}

impl Next {
    fn forecast(&self, running: &Topology, findings: &Findings) -> Forecast {
        let forecast = Forecast::new(&self.plan, &running.outline(), &(&self.config).into());
        Forecast { needs_restart: self.kept.clone(), findings: findings.told(), ..forecast }
    }
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
            leaves_cores: arguments.leaves_cores(),
            notes,
            links,
        }
    }

    /// These are the links and the mistakes from now on.
    pub(super) fn note(&mut self, (links, accepted): (Vec<PlannedLink>, Mistakes)) {
        (self.links, self.accepted) = (links, accepted);
    }

    /// Reads the file and compares it with what runs; `told` has it say in words what is new. The error says why it cannot
    /// take the place of what runs. `number` is that of the reload.
    pub(super) fn prepare(
        &self,
        registry: &Registry,
        (told, number): (bool, u64),
    ) -> Result<Prepared, NotReloaded> {
        let running = registry.topology();
        if let Some(saved) = Saved::new(&running.global.settings, number) {
            saved.save_text(&self.text());
            saved.save_before(&running);
        }
        let (config, findings) = self.read_in_public(&running.global.settings);
        findings.log();
        let next = self.next(config, &findings, &running)?;
        if !self.leaves_cores {
            secrets::keep(&next.config);
        }
        if !next.kept.is_empty() {
            warn!("a restart is needed for what differs in {}: it stays as it is", next.kept.join(", "));
        }
        let forecast = told.then(|| next.forecast(&running, &findings));
        let Next { config, links, plan, .. } = next;
        let wanted = Wanted::new(&config, links.clone());
        let sinks = notify::rows(&config);
        let topology = Arc::new(running.succeed(config, &plan, sinks));
        let (succession, done) = Succession::new(&running, Arc::clone(&topology), plan, wanted);
        let noted = (links, findings.mistakes);
        Ok(Prepared { topology, succession: Box::new(succession), noted, forecast, done })
    }

    /// What a reload would do, without a trace of the question.
    pub(super) fn foresee(&self, registry: &Registry) -> Result<Forecast, NotReloaded> {
        let running = registry.topology();
        let (config, report) = self.read();
        let findings = Findings::of(&report, &self.accepted);
        Ok(self.next(config, &findings, &running)?.forecast(&running, &findings))
    }

    /// What is to run, unless something stands in its way.
    fn next(
        &self,
        config: Option<Config>,
        findings: &Findings,
        running: &Topology,
    ) -> Result<Next, NotReloaded> {
        let refused = |why: &str| NotReloaded { why: why.to_owned(), findings: findings.told() };
        if let Some(why) = findings.obstacle() {
            return Err(refused(why));
        }
        let unread = || refused(&format!("{} cannot be read", self.file.display()));
        let mut config = config.ok_or_else(unread)?;
        if !self.runs_vrrp {
            leave_out_vrrp(&mut config);
        }
        let links = host::plan_links(&mut config, &self.notes, &self.links);
        let links = links.map_err(|error| error.to_string())?;
        let kept = keep_what_needs_a_restart(&mut config, running);
        let plan = Plan::new(&running.outline(), &(&config).into());
        Ok(Next { config, links, plan, kept })
    }

    /// As the running configuration says: with a marker, and with a file of what is found.
    fn read_in_public(&self, settings: &GlobalDefs) -> (Option<Config>, Findings) {
        let marker = settings.reload_file.as_deref().and_then(|path| Marker::set(self.folder.join(path)));
        let (config, report) = self.read();
        drop(marker);
        if let Some(path) = settings.reload_check_config.as_deref().filter(|path| *path != "/dev/null")
            && let Err(error) = findings::write(Path::new(path), &report)
        {
            warn!("reload_check_config {path}: {error}");
        }
        (config, Findings::of(&report, &self.accepted))
    }

    fn read(&self) -> (Option<Config>, Report) {
        config::load_with(&self.file, &self.options(), &System)
    }

    /// What there is to read, as one text.
    pub(super) fn text(&self) -> String {
        let (items, _) = config::effective(&self.file, &self.options(), false, &System);
        show::text(&items)
    }

    fn options(&self) -> Options<'_> {
        Options {
            config_id: self.config_id.as_deref(),
            check_includes: self.check_includes,
            look_up_hosts: false,
            namespace: self.namespace.as_deref(),
            umask: self.umask,
        }
    }
}

/// What a reload cannot change stays as it is. Returns what that is.
fn keep_what_needs_a_restart(config: &mut Config, running: &Topology) -> Vec<&'static str> {
    let mut kept = Vec::new();
    // Whoever follows the interfaces has the new delays.
    let delays = config.process.interface_up_down_delays.clone();
    let process = ProcessSettings { interface_up_down_delays: delays, ..(*running.process).clone() };
    if *config.process != process {
        *config.process = process;
        kept.push("namespaces, instance name and linkbeat");
    }
    kept.extend(plan::keep_fixed(&mut config.global, &running.global));
    kept
}
