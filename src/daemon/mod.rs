//! The processes: parent and engine, lanes, signals, pid files, log; everything between the command line and the machines.
//!
//! The `parent` starts the engine and watches over it; the engine, a process of its own, does everything else. There, the
//! *vrrp* lane is a thread of its own with the engine and nothing else; beside it a thread carries its netlink
//! requests, and another, the *host* lane, makes what virtual routers need of the host. The *manage* lane, on the main
//! thread, holds what reads the registry: notify scripts, tracked scripts, operators' questions. The SNMP subagent, its notifications of our own, tracked
//! files and processes have a thread each beside it. The *check* lane, a thread of its own, has real servers checked, and one beside it has IPVS
//! follow. The lanes share the registry and one bounded channel of commands.
//!
//! `start` is the engine's process from its first moment to its last, and `lanes` what runs in between; `privileges` is what
//! it may do.

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
mod lanes;
mod log;
mod manage;
mod names;
mod netlink;
mod orders;
mod panics;
mod parent;
mod pid_file;
mod privileges;
mod real_time;
mod recorder;
mod reload;
mod secrets;
mod signum;
mod start;
mod tether;
mod thrift;
mod trackers;
mod udp_agent;
mod udp_notify;

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
    path::Path,
    process::ExitCode,
};

use tracing::{error, info, warn};

use self::lanes::runtime;
use crate::{
    cli::{Arguments, Part},
    config::{self, Config, Environment as _, Report, Severity, System, settings::GlobalDefs},
    kernel::schedule,
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
    let kept = config.as_ref().map_or(Ok(()), privileges::keep);
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
                Part::Engine => start::run(arguments, config, report, &log),
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
    let duties = parent::Duties::new(arguments, &config);
    // With its keys; the engine reads it for itself.
    drop((config, report));
    parent::run(arguments, &duties)
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
