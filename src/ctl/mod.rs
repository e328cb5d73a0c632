//! `steadfast ctl …`: asks the running daemon over its control socket, and prints the answer: tables for people, JSON for
//! programs.

mod events;
mod link;
mod node;
mod page;

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use serde::Deserialize;

use self::{
    events::Events,
    link::Link,
    node::{Node, harmless},
    page::Page,
};
use crate::{
    cli::{Arguments, Control, ControlCommand, DEFAULT_CONFIG, OF_THE_UNIT, OnOff, PidFiles},
    config::{Elsewhere, Reading},
    control::{self, Request, Why},
};

/// The daemon has ended, or had enough.
const HUNG_UP: &str = "the daemon hung up";

/// What ends a command early: nobody answers, or the answer is no.
const FAILED: u8 = 1;

/// Asks what a `ctl` command asks for. The exit status is 0 when the daemon has answered it, else 1.
pub fn run(control: &Control, arguments: &Arguments) -> ExitCode {
    let sockets = control.socket.clone().map_or_else(|| sockets_of(arguments), |socket| Ok(vec![socket]));
    match sockets.and_then(|sockets| converse(&sockets, control)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            // Whoever closed stderr still has the exit status.
            let _ = writeln!(io::stderr(), "{why}");
            ExitCode::from(FAILED)
        }
    }
}

/// Where the daemon may listen that runs this configuration, or has that pid file, the likeliest place first. Who may not read
/// the configuration is taken to mean the one daemon of a host. The unit for systemd names a pid file of its own: who names
/// neither a pid file nor another configuration means that daemon, too.
fn sockets_of(arguments: &Arguments) -> Result<Vec<PathBuf>, String> {
    let config = match arguments.pid {
        Some(_) => None,
        None => Reading::new(&arguments.use_file, &arguments.options(), &Elsewhere).config,
    };
    let written = config.as_ref().and_then(|config| config.global.settings.control_socket.as_deref());
    match written {
        Some("none") => {
            Err(format!("{} has control_socket none: its daemon is not asked", arguments.use_file.display()))
        }
        Some(path) => Ok(vec![path.into()]),
        None => {
            let process = config.map(|config| config.process).unwrap_or_default();
            let is_usual = arguments.pid.is_none() && arguments.use_file == Path::new(DEFAULT_CONFIG);
            Ok(places(&PidFiles::new(arguments, &process).parent, is_usual))
        }
    }
}

/// Beside that pid file, and beside the unit's where the usual daemon is meant.
fn places(pid_file: &Path, is_usual: bool) -> Vec<PathBuf> {
    let of_the_unit = is_usual.then(|| Path::new(OF_THE_UNIT)).filter(|file| *file != pid_file);
    [Some(pid_file), of_the_unit].into_iter().flatten().map(control::socket_beside).collect()
}

/// Asks, and prints what is answered.
fn converse(sockets: &[PathBuf], control: &Control) -> Result<(), String> {
    let request = match &control.command {
        ControlCommand::Status => Request::Status,
        ControlCommand::Show { kind, name } => Request::Show { kind: *kind, name: name.clone() },
        ControlCommand::Why { name } => Request::Why { name: name.clone() },
        ControlCommand::Events { since } => Request::Events { since: *since },
        ControlCommand::Watch => Request::Watch,
        ControlCommand::StepDown { name, lasting } => {
            Request::StepDown { name: name.clone(), seconds: lasting.as_secs() }
        }
        ControlCommand::Priority { name, by, lasting } => {
            let seconds = lasting.map(|lasting| lasting.as_secs());
            Request::Priority { name: name.clone(), by: *by, seconds }
        }
        ControlCommand::Maintenance { switch } => Request::Maintenance { on: *switch == OnOff::On },
        ControlCommand::Reload { dry_run } => Request::Reload { dry_run: *dry_run },
    };
    let mut link = Link::open(sockets)?;
    link.ask(&request)?;
    match request {
        Request::Events { .. } => follow(&mut link, control.json, true),
        Request::Watch => {
            link.wait(None)?;
            follow(&mut link, control.json, false)
        }
        Request::Reload { .. } => {
            // The daemon answers in time also when it has no outcome yet.
            link.wait(Some(control::RELOAD + link::PATIENCE))?;
            let line = link.answer()?.ok_or(HUNG_UP)?;
            print(&line, control.json)
        }
        _ => {
            let line = link.answer()?.ok_or(HUNG_UP)?;
            print(&line, control.json)
        }
    }
}

/// Prints transitions as they come; with `ends` until the line that says that there are no more.
fn follow(link: &mut Link, json: bool, ends: bool) -> Result<(), String> {
    let events = Events::new(io::stdout().is_terminal());
    while let Some(line) = link.answer()? {
        let node = read(&line)?;
        if node.field("end").is_some() {
            if ends {
                return Ok(());
            }
            continue;
        }
        let text = if json { line } else { events.line(&node) };
        if writeln!(io::stdout(), "{text}").and_then(|()| io::stdout().flush()).is_err() {
            // Whoever has closed it has read enough.
            return Ok(());
        }
    }
    Err(HUNG_UP.into())
}

/// Why an instance is in its state, as it is answered.
#[derive(Deserialize)]
struct Explained {
    why: Why,
}

/// Reads an answer; one that says why not is an error.
fn read(line: &str) -> Result<Node, String> {
    let answer: Node = serde_json::from_str(line).map_err(|_| format!("this is no answer: {line}"))?;
    match answer.field("error").and_then(Node::text) {
        Some(why) => Err(why.to_owned()),
        None => Ok(answer),
    }
}

/// Prints an answer that has one line.
fn print(line: &str, json: bool) -> Result<(), String> {
    let answer = read(line)?;
    let text = if json {
        format!("{line}\n")
    } else if answer.field("why").is_some() {
        let Explained { why } = serde_json::from_str(line).map_err(|error| error.to_string())?;
        harmless(&why.to_string())
    } else {
        Page::new(io::stdout().is_terminal()).of(answer.only())
    };
    // Whoever has closed it has read enough.
    let _ = io::stdout().write_all(text.as_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn sockets(lines: &str, pid: &str) -> Result<Vec<PathBuf>, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), lines).unwrap();
        let words = ["steadfast", "-f", file.path().to_str().unwrap()];
        sockets_of(&Arguments::parse_from(words.into_iter().chain(pid.split_whitespace())))
    }

    #[test]
    fn the_socket_is_where_the_daemon_of_this_configuration_has_it() {
        let instance = "/run/steadfast/steadfast_web.sock";
        for (lines, pid, expected) in [
            ("", "", "/run/steadfast.sock"),
            ("instance web\n", "", instance),
            ("use_pid_dir\n", "", "/run/steadfast/steadfast.sock"),
            ("global_defs {\ncontrol_socket /x/y\n}\n", "", "/x/y"),
            ("instance web\n", "-p /x/pid.pid", "/x/pid.sock"),
        ] {
            assert_eq!(sockets(lines, pid), Ok(vec![PathBuf::from(expected)]), "{lines}");
        }
        assert!(sockets("global_defs {\ncontrol_socket none\n}\n", "").is_err());
    }

    #[test]
    fn who_names_nothing_means_the_daemon_of_the_unit_as_well() {
        let [by_hand, unit] = ["/run/steadfast.sock", "/run/steadfast/steadfast.sock"].map(PathBuf::from);
        let own = Path::new("/run/steadfast.pid");
        assert_eq!(places(own, true), [by_hand.clone(), unit.clone()]);
        assert_eq!(places(own, false), [by_hand]);
        assert_eq!(places(Path::new(OF_THE_UNIT), true), [unit]);
    }
}
