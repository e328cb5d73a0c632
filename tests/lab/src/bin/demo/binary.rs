//! Which router plays: the steadfast binary of this checkout, built on the way, or the peer.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use lab::{Error, Result, Subject, privileges};

/// The demo's profile is the daemon's.
const PROFILE: Option<&str> = if cfg!(debug_assertions) { None } else { Some("--release") };

/// Builds the daemon where that is needed and says what to run.
pub(crate) fn subject() -> Result<Subject> {
    let path = beside_demo()?;
    let subject = Subject::from_env(&path);
    let already = privileges::entered() || subject == Subject::Keepalived;
    if !already {
        build()?;
        if !path.exists() {
            return Err(Error::Unexpected(format!("the build left no {}", path.display())));
        }
    }
    Ok(subject)
}

fn beside_demo() -> Result<PathBuf> {
    let demo = env::current_exe().map_err(|e| Error::io("find the running program", e))?;
    Ok(demo.with_file_name("steadfast"))
}

fn build() -> Result<()> {
    // Set by `cargo run`; a demo started by hand takes the cargo in PATH.
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let flags = PROFILE.map(|flag| format!(" {flag}")).unwrap_or_default();
    println!("Building the daemon: cargo build{flags} --bin steadfast\n");
    let status = Command::new(cargo)
        .arg("build")
        .args(PROFILE)
        .args(["--quiet", "--package", "steadfast", "--bin", "steadfast", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"))
        .status()
        .map_err(|e| Error::io("run cargo", e))?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Unexpected(format!("cargo build ended with {status}")))
}
