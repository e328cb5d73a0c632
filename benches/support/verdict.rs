//! Bounds that are asked for, each with what was seen of either program and whether Steadfast keeps it.

use std::fmt::Display;

use super::table::{head, row};

/// Begins a table of verdicts; `subject` says what the first column tells apart.
pub(crate) fn begin(subject: &str) {
    head("What is asked for", &[subject, "clause", "at most", "Steadfast", "keepalived", "verdict"]);
}

/// A clause: what was seen of Steadfast and of keepalived.
pub(crate) fn clause(
    subject: impl Display,
    what: &str,
    limit: impl Display,
    (ours, theirs): (f64, f64),
    is_met: bool,
) {
    let verdict = if is_met { "met" } else { "NOT MET" };
    // Numbers of events have no decimals.
    let digits = if ours.fract() == 0.0 && theirs.fract() == 0.0 { 0 } else { 2 };
    let (ours, theirs) = (format!("{ours:.digits$}"), format!("{theirs:.digits$}"));
    row(&[&subject, &what, &limit, &ours, &theirs, &verdict]);
}
