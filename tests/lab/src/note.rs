//! Words for whoever runs the tests: what a story has measured, and what is not told here, and why.

use std::io::{self, Write as _};

/// How such a line begins, also where it has to be found again: in what a guest says.
pub(crate) const NOTE: &str = "note: ";

/// Says `text`, one line, also when the story passes: past what the harness keeps to itself.
pub fn note(text: &str) {
    // Who cannot be told is not told.
    let _ = writeln!(io::stderr(), "\n{NOTE}{text}");
}
