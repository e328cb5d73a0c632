//! Reading a configuration that is to take the place of the one that runs.

use std::{path::PathBuf, sync::Arc};

use tracing::{error, warn};

use crate::{
    cli,
    config::{self, Config, Options, Severity, System, plan::Plan},
    daemon::{
        engine::{Remains, Succession},
        host::{self, PlannedLink},
    },
    notify,
    registry::{Registry, Topology},
};
use tokio::sync::oneshot;

/// Where a configuration comes from.
#[derive(Clone, Debug)]
pub(in crate::daemon) struct Source {
    /// The file.
    file: PathBuf,
    config_id: Option<String>,
    check_includes: bool,
    /// What is noted there of links that are ours.
    notes: PathBuf,
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
    /// Where the command line says; `links` were planned for the configuration that runs.
    pub(in crate::daemon) fn new(
        arguments: &cli::Arguments,
        notes: PathBuf,
        links: Vec<PlannedLink>,
    ) -> Self {
        Self {
            file: arguments.use_file.clone(),
            config_id: arguments.config_id.clone(),
            check_includes: arguments.check_includes,
            notes,
            links,
        }
    }

    /// Reads the file and compares it with what runs. The error says in words why it cannot take the place of that.
    pub(super) fn prepare(&self, registry: &Registry) -> Result<Prepared, String> {
        let mut config = self.read()?;
        let links = host::plan_links(&mut config, &self.notes).map_err(|error| error.to_string())?;
        if links != self.links {
            return Err(
                "links of virtual routers' own (use_vmac, use_ipvlan) would be others: restart".to_owned()
            );
        }
        let running = registry.topology();
        keep_what_needs_a_restart(&mut config, &running);
        let plan = Plan::new(&running.outline(), &(&config).into());
        let sinks = notify::rows(&config.global);
        let topology = Arc::new(running.succeed(config, &plan, sinks));
        let (succession, done) = Succession::new(&running, Arc::clone(&topology), plan);
        Ok(Prepared { topology, succession: Box::new(succession), done })
    }

    fn read(&self) -> Result<Config, String> {
        let options = Options {
            config_id: self.config_id.as_deref(),
            check_includes: self.check_includes,
            look_up_hosts: false,
        };
        let (config, report) = config::load_with(&self.file, &options, &System);
        let mut worst = None;
        for (found, line) in report.diagnostics.iter().zip(report.lines()) {
            match found.severity {
                Severity::Notice => {}
                Severity::Warning | Severity::Security => warn!("{line}"),
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
        // A start goes on with what is right in a file; whoever runs already has something better than that.
        match (config, worst) {
            (Some(config), None) => Ok(config),
            (_, Some(line)) => Err(line),
            (None, None) => Err(format!("{} cannot be read", self.file.display())),
        }
    }
}

/// What a reload cannot change stays as it is, and is said to.
fn keep_what_needs_a_restart(config: &mut Config, running: &Topology) {
    let mut kept = Vec::new();
    if *config.process != *running.process {
        config.process.clone_from(&running.process);
        kept.push("namespaces, instance name and linkbeat");
    }
    let (new, old) = (&mut config.global.settings, &running.global.settings);
    if new.disable_local_igmp != old.disable_local_igmp {
        new.disable_local_igmp = old.disable_local_igmp;
        kept.push("disable_local_igmp");
    }
    if new.nftables != old.nftables {
        new.nftables.clone_from(&old.nftables);
        kept.push("nftables");
    }
    if !kept.is_empty() {
        warn!("a restart is needed for what differs in {}: it stays as it is", kept.join(", "));
    }
}
