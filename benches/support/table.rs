//! Medians, and tables that can be pasted into the documentation.

use std::fmt;
use std::time::Duration;

/// The middle and the ends of a series.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summary {
    /// The middle value, the mean of two in a series of even length.
    pub(crate) median: f64,
    /// The smallest.
    pub(crate) min: f64,
    /// The largest.
    pub(crate) max: f64,
}

impl Summary {
    /// Of a series; all NaN for an empty one.
    pub(crate) fn of(series: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = series.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let half = sorted.len() / 2;
        let at = |place: usize| sorted.get(place).copied().unwrap_or(f64::NAN);
        let median = match sorted.len() % 2 {
            1 => at(half),
            _ => f64::midpoint(at(half.saturating_sub(1)), at(half)),
        };
        Self { median, min: at(0), max: at(sorted.len().saturating_sub(1)) }
    }
}

/// Median and, in parentheses, smallest and largest.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(2);
        write!(f, "{:.digits$} ({:.digits$}–{:.digits$})", self.median, self.min, self.max)
    }
}

/// Milliseconds from one instant to a later one; negative where it is earlier.
pub(crate) fn millis_between(from: Duration, to: Duration) -> f64 {
    (to.as_secs_f64() - from.as_secs_f64()) * 1e3
}

/// Prints one row of a Markdown table.
#[expect(clippy::print_stdout, reason = "the table is what a benchmark is for")]
pub(crate) fn row(cells: &[&dyn fmt::Display]) {
    let cells: Vec<String> = cells.iter().map(ToString::to_string).collect();
    println!("| {} |", cells.join(" | "));
}

/// Prints a title, with the load of the machine, and the head of a Markdown table.
#[expect(clippy::print_stdout, reason = "the table is what a benchmark is for")]
pub(crate) fn head(title: &str, columns: &[&str]) {
    println!("\n{title} (load average {})\n", super::load());
    println!("| {} |", columns.join(" | "));
    println!("|{}", "---|".repeat(columns.len()));
}
