//! The engine's process from its first moment to its last: what has to be there before the lanes, and what is left after them.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::sync::watch;
use tracing::{error, info, warn};

use super::{
    Refused, agent, checks,
    host::{self, Host, Wanted},
    journal,
    lanes::Lanes,
    log, log_findings,
    manage::Telling,
    panics,
    pid_file::PidFile,
    privileges,
    recorder::Recorder,
    reload::{Mistakes, Reloader, Source},
    runnable, secrets, udp_notify,
};
use crate::{
    cli::{self, Arguments, PidFiles},
    config::{Config, Report, settings::Check},
    dump::{Baseline, Moment},
    kernel::{clock, own_file},
    notify,
    registry::{Registry, Topology},
    snmp::Told,
    units::Time,
};

/// Runs the engine until its end.
pub(super) fn run(
    arguments: &Arguments,
    config: Option<Config>,
    report: Report,
    log: &log::Log,
) -> Result<(), Refused> {
    info!("{} starting with {}", cli::banner(), arguments.use_file.display());
    log_findings(&report);
    let mut config = runnable(arguments, config, &report)?;
    if !arguments.runs_vrrp() {
        leave_out_vrrp(&mut config);
    }
    if !arguments.leaves_cores() {
        secrets::keep(&config);
    }
    let mistakes = Mistakes::of(&report);
    // It holds the whole text.
    drop(report);
    let files = PidFiles::new(arguments, &config.process);
    let _pid_file = take_pid_file(&files.vrrp, &config);
    // The pid file is for everybody to read.
    own_file::set_umask(config.global.settings.umask.0);
    privileges::check(&config)?;
    let release = !arguments.dont_release_vrrp;
    let (host, host_lane) = start_host(&mut config, &files.parent, release)?;
    let reloads = {
        let (links, notes) = (host.links.clone(), host_notes(&files.parent));
        Source::new(arguments, &files.parent, notes, links, mistakes)
    };
    let sinks = notify::rows(&config);
    let registry = Arc::new(Registry::new(Topology::new(config, cli::banner(), sinks)));
    let rows = Arc::clone(&registry);
    panics::note_in(&registry);
    host_lane.tell_in(&registry);
    if arguments.dump_conf {
        log.write_all(configuration(&registry.topology()));
    }
    let recorder = arguments.record.as_deref().and_then(start_recorder);
    let (told, hear) = watch::channel(Told::default());
    let snmp = agent::Flags::new(arguments);
    let (marks, targets) = watch::channel(udp_notify::marks(&registry.topology()));
    let heard = journal::Heard { master: hear, targets };
    let mut journal = journal::Keeper::new(&files.parent, &registry, heard);
    let backlogs = {
        let global = &registry.topology().global;
        journal.begin(global, agent::Setup::notifies(snmp.setup(global).as_ref()))
    };
    let reloader = Reloader::new(&registry, reloads);
    let lanes = Lanes {
        registry,
        telling: Telling { snmp, told, marks, backlogs, journal: &mut journal },
        host,
        reloader,
        pid_file: &files.parent,
        release,
        recorder: recorder.as_ref().map(Recorder::source),
        died_at: arguments.died_at.map(|at| Time(Duration::from_micros(at))),
        checks: checks::Flags::new(arguments),
    };
    let outcome = lanes.run();
    journal.finish();
    if let Some(recorder) = recorder {
        recorder.finish();
    }
    if let Err(why) = host_lane.finish() {
        error!("{why}: links, rules and settings of the network may be left behind");
    }
    outcome?;
    let lost = log.lost();
    if lost > 0 {
        warn!("{lost} log lines were lost because the log could not take them in time");
    }
    info!("The vrrp lane: {}", rows.lag.seen());
    info!("Stopped");
    // Emptying the places of its streams one by one takes longer than the rest of the end; the process gives back all at once.
    std::mem::forget(rows);
    Ok(())
}

/// What `-d` has in the log: the registry as in a dump file, before anything happens.
pub(super) fn configuration(topology: &Topology) -> String {
    let baseline = &Baseline::default();
    Moment { topology, now: clock::now(), wall: clock::wall(), baseline }.data()
}

/// Leaves out what only virtual routers need (`-C` without `-P`); files and sessions may be what checks follow.
pub(super) fn leave_out_vrrp(config: &mut Config) {
    let servers = config.virtual_servers.iter().flat_map(|service| &service.real_server);
    let followed: Vec<&str> = servers
        .flat_map(|server| &server.checks)
        .filter_map(|check| match check {
            Check::File(check) => check.track_file.as_deref(),
            _ => None,
        })
        .collect();
    config.files.retain(|file| followed.contains(&file.name.as_str()));
    config.instances.clear();
    config.sync_groups.clear();
    config.interfaces.clear();
    config.scripts.clear();
    config.processes.clear();
    config.track_groups.clear();
    config.garp_groups.clear();
    config.static_addresses.clear();
    config.static_routes.clear();
    config.static_rules.clear();
    // The bus is told of virtual routers only, and so are the readers of this FIFO.
    config.global.settings.enable_dbus = false;
    config.global.settings.vrrp_notify_fifo = None;
    config.global.settings.vrrp_notify_fifo_script = None;
}

/// The engine's pid file, which is for others to read only: the parent's says that the daemon runs.
fn take_pid_file(path: &Path, config: &Config) -> Option<PidFile> {
    if config.instances.is_empty() {
        return None;
    }
    PidFile::take(path).inspect_err(|error| warn!("the engine has no pid file: {error}")).ok()
}

/// Where the host lane says what it does. Behind the whole name: two daemons have two files, whatever the extensions of their
/// pid files.
fn host_notes(pid_file: &Path) -> PathBuf {
    own_file::beside(pid_file, ".host")
}

/// Plans the links of the routers' own and starts the lane that makes them.
fn start_host(config: &mut Config, pid_file: &Path, release: bool) -> Result<(Host, host::Lane), Refused> {
    let notes = host_notes(pid_file);
    let links = host::plan_links(config, &notes, &[]).map_err(Refused::fatal)?;
    let started = Host::start(Wanted::new(config, links), config, &notes, release);
    started.map_err(|error| Refused::fatal(format!("starting the host lane: {error}")))
}

/// Starts the recording; without one everything else works.
fn start_recorder(path: &Path) -> Option<Recorder> {
    let recorder = Recorder::start(path);
    recorder.inspect_err(|cause| error!("nothing is recorded, cannot make {}: {cause}", path.display())).ok()
}
