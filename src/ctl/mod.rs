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
    cli::{Arguments, Control, ControlCommand, OnOff},
    control::{self, Request, Why},
};

/// Where the pid file is when nobody says.
const PID_FILE: &str = "/run/steadfast.pid";

/// The daemon has ended, or had enough.
const HUNG_UP: &str = "the daemon hung up";

/// What ends a command early: nobody answers, or the answer is no.
const FAILED: u8 = 1;

/// Asks what a `ctl` command asks for. The exit status is 0 when the daemon has answered it, else 1.
pub fn run(control: &Control, arguments: &Arguments) -> ExitCode {
    let socket = control.socket.clone().unwrap_or_else(|| socket_of(arguments.pid.as_deref()));
    match converse(&socket, control) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            // Whoever closed stderr still has the exit status.
            let _ = writeln!(io::stderr(), "{why}");
            ExitCode::from(FAILED)
        }
    }
}

fn socket_of(pid_file: Option<&Path>) -> PathBuf {
    control::socket_beside(pid_file.unwrap_or(Path::new(PID_FILE)))
}

/// Asks, and prints what is answered.
fn converse(socket: &Path, control: &Control) -> Result<(), String> {
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
    let mut link = Link::open(socket)?;
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
