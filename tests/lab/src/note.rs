//! Words for whoever runs the tests: what a story has measured, and what is not told here, and why.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};

/// How such a line begins, also where it has to be found again: in what a guest says.
pub(crate) const NOTE: &str = "note: ";

/// What has been said.
static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Says `text`, one line, once, also when the story passes: past what the harness keeps to itself.
pub fn note(text: &str) {
    if SAID.lock().unwrap_or_else(PoisonError::into_inner).insert(text.to_owned()) {
        // Who cannot be told is not told.
        let _ = writeln!(io::stderr(), "\n{NOTE}{text}");
    }
}
