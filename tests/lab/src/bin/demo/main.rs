//! The first run of a newcomer: two routers in network namespaces of this machine, one virtual
//! address, three failures, and a management station that sees all of it.
//!
//! `cargo run -p lab --bin demo`; where net-snmp is not installed the daemon's own agent and manager take its place.
//! `SUBJECT=keepalived` plays the same story with Debian's
//! keepalived. Exit code 0 only if everything happened as expected.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that people watch")]

mod binary;
mod interrupt;
mod scene;
mod service;
mod stage;
mod station;
mod timeline;

use std::env;
use std::process::ExitCode;

use lab::{Error, Result, Subject, privileges};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.as_slice() {
        [verb, name, address] if verb == service::VERB => service::serve(name, address).map(|()| true),
        [] => demo(),
        _ => Err(Error::Unexpected("usage: cargo run -p lab --bin demo".into())),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The binary is built before the user namespace is entered: inside there is no network for cargo.
fn demo() -> Result<bool> {
    let subject = binary::subject()?;
    privileges::enter()?;
    if privileges::entered() && subject == Subject::Keepalived {
        let reason = "it calls setgroups before each check, which a user namespace refuses";
        return Err(Error::Unexpected(format!("SUBJECT=keepalived needs root: {reason}")));
    }
    interrupt::watch()?;
    scene::play(&subject)
}
