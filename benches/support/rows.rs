//! Rows of the registry without a daemon: what a configuration comes to.

use std::{fmt::Write as _, fs};

use lab::{Error, Result};
use steadfast::{
    config::{self, Elsewhere},
    registry::Topology,
};

/// `count` real servers of as many virtual ones as it takes, a hundred each.
pub(crate) fn servers(count: usize) -> String {
    let mut text = String::new();
    for service in 0..count / 100 {
        let (high, low) = (service / 250, service % 250 + 1);
        let _ = writeln!(text, "virtual_server 10.100.{high}.{low} 80 {{\n  lvs_sched rr\n  protocol TCP");
        for server in 1..=100 {
            // As short as it can be: a file holds 4 MiB.
            let _ = writeln!(text, "real_server 10.{}.{low}.{server} 80 {{\n}}", 110 + high);
        }
        text.push_str("}\n");
    }
    text
}

/// The rows of a configuration.
pub(crate) fn topology(text: &str) -> Result<Topology> {
    let failed = |error: &dyn ToString| Error::Unexpected(error.to_string());
    let file = tempfile::NamedTempFile::new().map_err(|error| failed(&error))?;
    fs::write(file.path(), text).map_err(|error| failed(&error))?;
    let (config, report) = config::load(file.path(), None, &Elsewhere);
    let config = config.ok_or_else(|| failed(&report.render()))?;
    Ok(Topology::new(config, String::new(), Vec::new()))
}
