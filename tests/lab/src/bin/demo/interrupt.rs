//! Ctrl-C: the story ends early, and in good order, so that namespaces and processes are removed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use lab::{Error, Result};
use nix::sys::signal::{SigSet, Signal};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Takes SIGINT and SIGTERM from now on. Call it before any other thread exists; programs started
/// later are not affected, because `Command` gives them an empty signal mask.
pub(crate) fn watch() -> Result<()> {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGINT);
    signals.add(Signal::SIGTERM);
    signals.thread_block().map_err(|e| Error::io("block SIGINT", e))?;
    thread::spawn(move || {
        // It fails only for an invalid set, which this one is not.
        if signals.wait().is_ok() {
            REQUESTED.store(true, Ordering::Relaxed);
        }
    });
    Ok(())
}

/// Whether the end was asked for.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}
