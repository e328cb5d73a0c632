//! Text → logical lines → tree → typed [`Config`], with diagnostics.
//!
//! The room reads `keepalived.conf` unchanged and says everything that is wrong with it in one run:
//!
//! * `source` reads files and does what happens before keywords matter: comments, includes, conditionals,
//!   parameters, braces; `text` keeps every character's column on the way;
//! * [`keywords`] is the language as data, one file per block;
//! * `tree` arranges lines by those tables and checks plain values;
//! * `resolve` makes a [`Config`] of the tree: names, defaults, what excludes what;
//! * [`settings`] holds what is written, word by word, in typed structs;
//! * [`Report`] collects the findings and decides exit codes, [`render`] shows them;
//! * [`show`], [`compare`], [`peers`], [`explain`] and [`catalogue`] answer questions about configurations.
//!
//! It asks the system only through [`Environment`] and may import [`crate::units`] and what [`agentx`] calls an address,
//! nothing else of the program.

pub mod catalogue;
pub mod compare;
pub mod explain;
pub mod keywords;
pub mod peers;
pub mod render;
pub mod settings;
pub mod show;

mod diagnostic;
mod environment;
mod idle;
mod json;
mod line_index;
mod model;
mod resolve;
mod secrets;
mod source;
#[cfg(test)]
mod tests;
mod text;
mod tree;
mod value;

use std::path::Path;

pub use diagnostic::{Diagnostic, Report, Severity, SourceText, Span};
use environment::Remembering;
pub use environment::{Account, Elsewhere, Environment, Program, System};
pub use model::{
    AddressLine, Auth, Config, Encap, Garp, Global, Hop, Identity, InitialState, Insertion, Instance,
    IpTunnel, IpvlanMode, MAIN_TABLE, Mark, Metric, MetricTime, Network, NextHop, Notify, NotifyScript,
    PROTOCOL, Preferred, Range, Realms, Route, RouteKind, RouteMetrics, RouterPreference, Rule, RuleAction,
    Scope, Script, ScriptCommand, SyncGroup, UnicastPeer, User, VirtualLink, VirtualLinkKind, tracking,
};

/// How a configuration is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// Selects `@ID` lines (`-i`); without it the host name up to its first dot does.
    pub config_id: Option<&'a str>,
    /// Whatever is wrong with an included file is an error (`-e`).
    pub check_includes: bool,
    /// Names of hosts are looked up, which may take its time: for a test, not for a start.
    pub look_up_hosts: bool,
}

/// Reads a configuration; `config_id` as in [`Options::config_id`]. See [`load_with`].
pub fn load(path: &Path, config_id: Option<&str>, env: &dyn Environment) -> (Option<Config>, Report) {
    load_with(path, &Options { config_id, ..Options::default() }, env)
}

/// Reads a configuration.
///
/// The configuration is `None` when reading failed as a whole; otherwise it holds what can be used, and
/// [`Report::start_exit`] says whether that is enough to run.
pub fn load_with(path: &Path, options: &Options<'_>, env: &dyn Environment) -> (Option<Config>, Report) {
    let mut report = Report::default();
    let env = &Remembering::new(env, options.look_up_hosts);
    let nodes = tree::read(path, options, env, &mut report);
    let config = resolve::resolve(nodes, env, &mut report);
    report.tell_omitted();
    report.mask_secrets();
    let failed = report.diagnostics.iter().any(|found| found.severity >= Severity::Unreadable);
    report.sort();
    ((!failed).then_some(config), report)
}

/// The effective configuration of a file: see [`show`]. `defaults` adds what is not written.
pub fn effective(
    path: &Path,
    options: &Options<'_>,
    defaults: bool,
    env: &dyn Environment,
) -> (Vec<show::Item>, Report) {
    let mut report = Report::default();
    let nodes = tree::read(path, options, env, &mut report);
    report.tell_omitted();
    report.mask_secrets();
    report.sort();
    // Other words may change what a word comes to, so the whole configuration is asked.
    let config = defaults.then(|| load_with(path, options, env).0).flatten();
    let mut items = show::items(&nodes, config.as_ref(), defaults);
    show::hide(&mut items, &report);
    (items, report)
}
