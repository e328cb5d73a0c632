//! Network namespaces: which one a thread is in.

use std::{fs::File, path::Path};

use nix::sched::{CloneFlags, setns};

use super::KernelError;

/// Takes the calling thread into the network namespace that this file stands for, for the rest of its life; sockets that it
/// opens from then on are there.
///
/// # Errors
/// Without such a file, and without CAP_SYS_ADMIN.
pub fn enter(path: &Path) -> Result<(), KernelError> {
    let doing = || format!("entering the network namespace {}", path.display());
    let file = File::open(path).map_err(|error| KernelError::from_io(doing(), &error))?;
    setns(file, CloneFlags::CLONE_NEWNET)
        .map_err(|error| KernelError::from_io(doing(), &error.into()).needing(Some("CAP_SYS_ADMIN")))
}
