//! The processes: parent and engine, lanes, signals, pid files, log; everything between the command line and the machines.
//!
//! The `parent` starts the engine and watches over it; the engine, a process of its own, does everything else. There, the
//! *vrrp* lane is a thread of its own with the engine and nothing else; beside it a thread carries its netlink
//! requests, and another, the *host* lane, makes what virtual routers need of the host. The *manage* lane, on the main
//! thread, holds what reads the registry: notify scripts, tracked scripts, operators' questions. The SNMP subagent, its notifications of our own, tracked
//! files and processes have a thread each beside it. The *check* lane, a thread of its own, has real servers checked, and one beside it has IPVS
//! follow. The lanes share the registry and one bounded channel of commands.

mod agent;
mod checks;
mod connections;
mod control;
mod dumps;
mod engine;
mod errands;
mod heart;
mod host;
mod ipvs_namespace;
mod journal;
mod log;
mod manage;
mod names;
mod netlink;
mod orders;
mod panics;
mod parent;
mod pid_file;
mod real_time;
mod recorder;
mod reload;
mod secrets;
mod signum;
mod tether;
mod thrift;
mod trackers;
mod udp_agent;
mod udp_notify;

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    thread,
    time::Duration,
};

use tokio::{
    runtime,
    sync::{mpsc, oneshot, watch},
};
use tracing::{error, info, warn};

use self::{
    checks::Checks,
    connections::Connections,
    engine::{Engine, Neighbours, buffers},
    host::{Host, Wanted},
    manage::{LAST_WORDS, Manage},
    netlink::Netlink,
    orders::Desk,
    pid_file::PidFile,
    real_time::RealTime,
    recorder::Recorder,
    reload::{Mistakes, Reloader, Source},
    tether::Voice,
    trackers::Followers,
};
use crate::{
    cli::{self, Arguments, Part, PidFiles},
    config::{
        self, Config, Environment as _, Report, Severity, System,
        settings::{Check, GlobalDefs},
    },
    dump::{Baseline, Moment},
    kernel::{
        KernelError,
        capabilities::{self, Capability},
        clock, own_file,
        process::Owner,
        schedule,
    },
    notify,
    registry::{InstanceRow, Orders, Registry, Topology},
    snmp::Told,
    units::Time,
    vrrp::SyncRequest,
};

/// keepalived's exit statuses.
mod exit {
    pub(super) const OK: u8 = 0;
    pub(super) const FATAL: u8 = 1;
    pub(super) const CONFIG: u8 = 2;
    pub(super) const NO_PERMISSION: u8 = 4;
    pub(super) const NO_CONFIG: u8 = 6;
    pub(super) const INTERNAL: u8 = 70;
}

/// Commands that may wait for the engine; whoever finds the channel full waits, never the engine.
const COMMANDS: usize = 1024;

/// Why the daemon cannot run.
struct Refused {
    status: u8,
    message: String,
}

impl Refused {
    fn fatal(error: impl Display) -> Self {
        Self { status: exit::FATAL, message: error.to_string() }
    }
}

/// Does what the command line asks for.
pub fn run(arguments: &Arguments) -> ExitCode {
    if let Some(function) = &arguments.signum {
        return show_signal(function);
    }
    let stays = arguments.dont_fork || arguments.config_test.is_some();
    match arguments.part {
        Part::Whole if !stays => on_terminal(parent::detach()),
        Part::Parent => match parent::leave_terminal() {
            Ok(()) => stay(arguments),
            Err(error) => on_terminal(Err(Refused::fatal(error))),
        },
        Part::Whole | Part::Engine => stay(arguments),
    }
}

/// The exit status of what ends before there is a log.
fn on_terminal(outcome: Result<(), Refused>) -> ExitCode {
    let Err(refused) = outcome else { return ExitCode::from(exit::OK) };
    tell_terminal(&refused.message);
    ExitCode::from(refused.status)
}

/// `--signum`.
#[expect(clippy::print_stdout, reason = "the number is what was asked for")]
fn show_signal(function: &str) -> ExitCode {
    let Some(number) = signum::of(function) else {
        tell_terminal(&format!("Unknown sigfunc {function}"));
        return ExitCode::from(exit::FATAL);
    };
    println!("{number}");
    ExitCode::from(exit::OK)
}

/// For whoever has started the program. A terminal that is gone is no trouble.
fn tell_terminal(text: &str) {
    if !text.is_empty() {
        let _ = writeln!(io::stderr(), "{text}");
    }
}

/// What is done by the process that this is.
fn stay(arguments: &Arguments) -> ExitCode {
    if let Some(name) = &arguments.namespace
        && let Err(error) = System.enter_namespace(name)
    {
        let needs = match error.kind() {
            io::ErrorKind::PermissionDenied => " (needs CAP_SYS_ADMIN)",
            _ => "",
        };
        let why = format!("the network namespace {name} cannot be entered: {error}{needs}");
        return on_terminal(Err(Refused::fatal(why)));
    }
    let (config, report) = config::load_with(&arguments.use_file, &arguments.options(), &System);
    // No other thread is there yet, which would keep them.
    let kept = config.as_ref().map_or(Ok(()), keep_capabilities);
    if let Some(file) = &arguments.config_test {
        let status = test_config(&report, file.as_deref());
        // Giving back a large configuration block by block takes as long as checking it; the end of the process gives
        // it back at once.
        std::mem::forget((config, report));
        return status;
    }
    let process = config.as_ref().map(|config| config.process.clone()).unwrap_or_default();
    let outcome = match log::start(arguments, &process) {
        Ok(log) => {
            if let Some(config) = &config {
                be_as_asked(arguments, &config.global.settings);
            }
            if let Err(error) = kept {
                warn!("{error}: the daemon keeps more privileges than it needs");
            }
            let outcome = match arguments.part {
                Part::Engine => start(arguments, config, report, &log),
                Part::Whole | Part::Parent => watch_over(arguments, config, report),
            };
            if let Err(refused) = &outcome {
                error!("{}", refused.message);
            }
            outcome
        }
        Err(error) => Err(Refused::fatal(error)),
    };
    match outcome {
        Ok(()) => ExitCode::from(exit::OK),
        Err(refused) => ExitCode::from(refused.status),
    }
}

/// What the process is called, and whether a crash leaves a file of its memory.
fn be_as_asked(arguments: &Arguments, settings: &GlobalDefs) {
    let mut done = Vec::new();
    if let Some(name) = names::of(arguments.part, settings) {
        done.push(schedule::name_process(name));
    }
    if arguments.leaves_cores() {
        done.push(schedule::permit_cores());
    }
    if arguments.core_dump_pattern.is_some() {
        warn!(
            "--core-dump-pattern: where the memory of a crash is written is left to the host (core_pattern)"
        );
    }
    for error in done.into_iter().filter_map(Result::err) {
        warn!("{error}");
    }
}

/// `-t`: shows everything that is wrong and says so in the exit status.
fn test_config(report: &Report, file: Option<&Path>) -> ExitCode {
    let rendered = match file {
        Some(_) => report.render(),
        None => config::render::terminal(report, io::stderr().is_terminal()),
    };
    let written = match file {
        Some(file) => std::fs::write(file, rendered),
        None => io::stderr().write_all(rendered.as_bytes()),
    };
    match written {
        Ok(()) => ExitCode::from(report.test_exit()),
        Err(_) => ExitCode::from(exit::FATAL),
    }
}

/// The parent: sees that the configuration can be run, and has an engine run it.
fn watch_over(arguments: &Arguments, config: Option<Config>, report: Report) -> Result<(), Refused> {
    let config = runnable(arguments, config, &report).inspect_err(|refused| {
        log_findings(&report);
        // The log may be elsewhere; who has started the daemon is here.
        if arguments.part == Part::Parent {
            tell_terminal(&refused.message);
        }
    })?;
    let plan = parent::Plan::new(arguments, &config);
    // With its keys; the engine reads it for itself.
    drop((config, report));
    parent::run(arguments, &plan)
}

/// The configuration, if there is one to be run.
fn runnable(arguments: &Arguments, config: Option<Config>, report: &Report) -> Result<Config, Refused> {
    let refused = report.start_exit();
    match (config, refused) {
        (Some(config), None) => Ok(config),
        _ => {
            let file = arguments.use_file.display();
            let message = format!("the configuration cannot be run; `steadfast -t -f {file}` shows where");
            Err(Refused { status: refused.unwrap_or(exit::FATAL), message })
        }
    }
}

fn log_findings(report: &Report) {
    for (found, line) in report.diagnostics.iter().zip(report.lines()) {
        match found.severity {
            Severity::Notice => info!("{line}"),
            Severity::Warning | Severity::Error | Severity::Security => warn!("{line}"),
            Severity::Refused | Severity::Unreadable | Severity::NoFile | Severity::Fatal => error!("{line}"),
        }
    }
}

/// The engine.
fn start(
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
    check_capabilities(&config)?;
    let release = !arguments.dont_release_vrrp;
    let died_at = arguments.died_at.map(|at| Time(Duration::from_micros(at)));
    let (host, host_lane) = start_host(&mut config, &files.parent, release)?;
    let reloads = {
        let (links, notes) = (host.links.clone(), host_notes(&files.parent));
        Source::new(arguments, &files.parent, notes, links, mistakes)
    };
    let sinks = notify::rows(&config);
    let registry = Arc::new(Registry::new(Topology::new(config, cli::banner(), sinks)));
    let rows = Arc::clone(&registry);
    panics::note_in(&registry);
    if arguments.dump_conf {
        log.write_all(configuration(&registry.topology()));
    }
    let recorder = arguments.record.as_deref().and_then(start_recorder);
    let source = recorder.as_ref().map(Recorder::source);
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
    let host = (host, reloader, &*files.parent);
    let outputs = (snmp, (told, marks), backlogs, &mut journal);
    let outcome =
        run_lanes(registry, outputs, host, (release, source, died_at), checks::Flags::new(arguments));
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
fn configuration(topology: &Topology) -> String {
    let baseline = &Baseline::default();
    Moment { topology, now: clock::now(), wall: clock::wall(), baseline }.data()
}

/// Leaves out what only virtual routers need (`-C` without `-P`); files and sessions may be what checks follow.
fn leave_out_vrrp(config: &mut Config) {
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

/// Says what is missing before the first instance fails for it. Without the capabilities of VRRP nothing works;
/// without those of scripts only scripts of other users do not.
fn check_capabilities(config: &Config) -> Result<(), Refused> {
    let of_instances = config.instances.iter().map(|instance| &instance.notify);
    let of_groups = config.sync_groups.iter().map(|group| &group.notify);
    let notify = of_instances.chain(of_groups).flat_map(|notify| {
        let config::Notify { master, backup, fault, stop, all } = notify;
        [master, backup, fault, stop, all].into_iter().flatten().filter_map(|script| script.user.as_ref())
    });
    let settings = &config.global.settings;
    let of_fifos = [&settings.notify_fifo_script, &settings.vrrp_notify_fifo_script];
    let of_fifos = of_fifos.into_iter().flatten().filter_map(|line| line.script.as_ref()?.user.as_ref());
    let of_contests = config.instances.iter().filter_map(|instance| {
        instance.settings.notify_master_rx_lower_pri.as_ref()?.script.as_ref()?.user.as_ref()
    });
    let of_trackers = config.scripts.iter().filter_map(|script| script.user.as_ref());
    let mut users = of_trackers.chain(notify).chain(of_fifos).chain(of_contests);
    if users.any(|user| Owner::new(user.uid, user.gid).is_another_user()) {
        for capability in missing_of(&Capability::OF_SCRIPTS) {
            warn!("missing permission: {capability}");
        }
    }
    if config.instances.is_empty() {
        return Ok(());
    }
    let missing: Vec<_> = missing_of(&Capability::OF_VRRP).iter().map(ToString::to_string).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("missing permission: {}; run as root or grant it", missing.join(", "));
    Err(Refused { status: exit::NO_PERMISSION, message })
}

/// Gives up what the daemon needs for nothing; a script that runs as root still has all of it.
fn keep_capabilities(config: &Config) -> Result<(), KernelError> {
    let in_namespace = [config.process.net_namespace.is_some(), config.process.net_namespace_ipvs.is_some()]
        .contains(&true)
        .then_some(Capability::SysAdmin);
    let kept: Vec<_> = Capability::KEPT.into_iter().chain(in_namespace).collect();
    capabilities::keep(&kept)
}

/// Which of these are missing; none where /proc is not there to ask: the kernel's own refusal will say it.
fn missing_of(capabilities: &[Capability]) -> Vec<Capability> {
    capabilities::missing_of(capabilities).unwrap_or_default()
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

/// What SNMP is made of: what the command line says of it, how far the master and the targets have taken transitions, those
/// that an earlier run left, and where they are kept.
type Outputs<'a> = (
    agent::Flags,
    (watch::Sender<Told>, udp_notify::Marks),
    Option<journal::Backlogs>,
    &'a mut journal::Keeper,
);

/// Runs both lanes until the engine has ended.
fn run_lanes(
    registry: Arc<Registry>,
    (snmp, (told, marks), backlogs, journal): Outputs<'_>,
    (host, reloader, pid_file): (Host, Reloader, &Path),
    (release, recorder, died_at): (bool, Option<recorder::Source>, Option<Time>),
    flags: checks::Flags,
) -> Result<(), Refused> {
    let (commands, receiver) = mpsc::channel(COMMANDS);
    let topology = registry.topology();
    if topology.global.settings.snmp_set {
        let desk: Arc<dyn Orders> = Arc::new(Desk::new(&commands));
        topology.instances.iter().for_each(|row| row.take_orders(Arc::clone(&desk)));
    }
    let (ended, engine_ended) = oneshot::channel();
    let rows = Arc::clone(&registry);
    let real_time = Arc::new(RealTime::new(&registry.topology().global.settings));
    real_time.begin();
    trackers::first_answers(&registry.topology().interfaces);
    let (voice, said) = Voice::new();
    let runtime = runtime().map_err(Refused::fatal)?;
    // Before a lane says that it runs: signals follow that.
    let signals = {
        let _entered = runtime.enter();
        (manage::Signals::new().map_err(Refused::fatal)?, dumps::Asked::new().map_err(Refused::fatal)?)
    };
    let (connections, ipvs) = start_connections(&topology).map_err(Refused::fatal)?.unzip();
    let neighbours = Neighbours {
        host,
        commands: receiver,
        real_time: Arc::clone(&real_time),
        recorder,
        ipvs,
        voice: voice.clone(),
        died_at,
    };
    let vrrp = thread::Builder::new()
        .name("vrrp".to_owned())
        .spawn(move || {
            // Dropped when the lane ends, also by a panic, which then ends the manage lane too.
            let _ended: oneshot::Sender<()> = ended;
            vrrp_lane(rows, neighbours, release)
        })
        .map_err(Refused::fatal)?;
    let followers = Followers::start(&registry, &commands).map_err(Refused::fatal)?;
    let checks = Checks::start(&registry, flags).map_err(Refused::fatal)?;
    let (reload_desk, orders) = reload::Desk::new();
    let control = {
        let _entered = runtime.enter();
        control::server((pid_file, journal.path()), &registry, &commands, reload_desk.clone())
    };
    let (parent, checks) = ((voice, said), (checks, flags));
    let manage = Manage {
        registry,
        snmp,
        told,
        marks,
        backlogs,
        journal,
        checks,
        engine: commands,
        real_time,
        signals,
        parent,
        control,
        reloads: (reloader, reload_desk, orders),
        followers,
    };
    // A mistake in an output must not end the process with the addresses still in place: with the lane its end
    // of the command channel is dropped, and the engine then releases them in order.
    let managed = catch_unwind(AssertUnwindSafe(|| runtime.block_on(manage.run(engine_ended))));
    // What the name service is asked for may take as long as it likes: nobody waits for it.
    runtime.shutdown_background();
    let ran = vrrp.join();
    if let Some(connections) = connections {
        connections.finish(LAST_WORDS);
    }
    outcome(ran, managed)
}

/// What the ends of both lanes come to for the process.
fn outcome(
    ran: thread::Result<Result<(), KernelError>>,
    managed: thread::Result<io::Result<()>>,
) -> Result<(), Refused> {
    match (ran, managed) {
        (Err(_), _) => Err(Refused { status: exit::INTERNAL, message: "the vrrp lane panicked".to_owned() }),
        (Ok(Err(error)), _) => Err(Refused::fatal(error)),
        (Ok(Ok(())), Err(_)) => {
            Err(Refused { status: exit::INTERNAL, message: "the manage lane panicked".to_owned() })
        }
        (Ok(Ok(())), Ok(Err(error))) => Err(Refused::fatal(error)),
        (Ok(Ok(())), Ok(Ok(()))) => Ok(()),
    }
}

/// The thread for `lvs_sync_daemon`, and where to ask it, where there is something to ask for.
fn start_connections(topology: &Topology) -> io::Result<Option<(Connections, mpsc::Sender<SyncRequest>)>> {
    let by_instance = |row: &Arc<InstanceRow>| row.config.settings.lvs_sync_daemon_interface.is_some();
    let wanted =
        topology.global.settings.lvs_sync_daemon.is_some() || topology.instances.iter().any(by_instance);
    wanted.then(|| Connections::start(ipvs_namespace::of(&topology.process))).transpose()
}

fn vrrp_lane(registry: Arc<Registry>, neighbours: Neighbours, release: bool) -> Result<(), KernelError> {
    let buffer = buffers::of_requests(&registry.topology().global.settings);
    let netlink = Netlink::start(Arc::clone(&neighbours.real_time), buffer)?;
    neighbours.real_time.enter();
    let runtime = runtime().map_err(|error| KernelError::from_io("starting the vrrp lane", &error))?;
    runtime.block_on(async { Engine::new(registry, netlink, neighbours, release)?.run().await })
}

/// A lane's own runtime: one thread, which is the caller.
fn runtime() -> io::Result<runtime::Runtime> {
    runtime::Builder::new_current_thread().enable_all().build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_a_lane_ends_the_process_with_the_status_on_which_the_parent_starts_another() {
        let panicked = || thread::spawn(|| panic!("a mistake of a lane")).join().map(|()| Ok(()));
        let status = |outcome: Result<(), Refused>| outcome.err().map(|refused| refused.status);
        assert_eq!(status(outcome(panicked(), Ok(Ok(())))), Some(exit::INTERNAL));
        let managed = panicked().map(|_: Result<(), KernelError>| Ok(()));
        assert_eq!(status(outcome(Ok(Ok(())), managed)), Some(exit::INTERNAL));
        assert_eq!(status(outcome(Ok(Ok(())), Ok(Ok(())))), None);
    }
}
