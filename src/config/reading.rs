//! One reading of a configuration: the text is read and arranged once, whatever is asked of it afterwards.

use std::path::Path;

use super::{
    Config, Environment, Report, Severity,
    environment::Remembering,
    resolve,
    show::{self, Item},
    tree,
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
    /// The network namespace that the process has entered already (`-s`), in place of `net_namespace`.
    pub namespace: Option<&'a str>,
    /// In place of `umask` (`-u`).
    pub umask: Option<u32>,
}

/// A configuration that was read: as it is written, what it comes to, and what is wrong with it.
#[derive(Debug)]
pub struct Reading {
    /// What is written, includes and parameters carried out.
    pub items: Vec<Item>,
    /// What it comes to; `None` when it cannot be read as a whole.
    pub config: Option<Config>,
    /// What was found.
    pub report: Report,
}

impl Reading {
    /// Reads a configuration where `env` says what there is.
    pub fn new(path: &Path, options: &Options<'_>, env: &dyn Environment) -> Self {
        let mut report = Report::default();
        let env = &Remembering::new(env, options);
        let nodes = tree::read(path, options, env, &mut report);
        let mut items = show::items(&nodes, None, false);
        let config = resolve::resolve(nodes, env, &mut report);
        let config = finish(&mut report).then_some(config);
        show::hide(&mut items, &report);
        Self { items, config, report }
    }
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
    let env = &Remembering::new(env, options);
    let nodes = tree::read(path, options, env, &mut report);
    let mut config = resolve::resolve(nodes, env, &mut report);
    overrule(&mut config, options);
    (finish(&mut report).then_some(config), report)
}

/// What the command line says of the configuration's own.
fn overrule(config: &mut Config, options: &Options<'_>) {
    if let Some(name) = options.namespace {
        config.process.net_namespace = Some(name.into());
    }
    if let Some(mask) = options.umask {
        config.global.settings.umask.replace(super::settings::Umask(mask));
    }
}

/// The effective configuration of a file, see [`show`], with what was found while reading its lines. `defaults` adds what
/// is not written.
pub fn effective(
    path: &Path,
    options: &Options<'_>,
    defaults: bool,
    env: &dyn Environment,
) -> (Vec<Item>, Report) {
    let mut report = Report::default();
    let env = &Remembering::new(env, options);
    let nodes = tree::read(path, options, env, &mut report);
    let usable = finish(&mut report);
    // Other words may change what a word comes to, so the whole configuration is asked. What that finds is a test's to say.
    let mut unsaid = Report::default();
    let config = (defaults && usable).then(|| resolve::resolve(&*nodes, env, &mut unsaid));
    let mut items = show::items(&nodes, config.as_ref().filter(|_| is_usable(&unsaid)), defaults);
    show::hide(&mut items, &report);
    (items, report)
}

/// Ends a report: what was left out is told, secrets are masked, everything is in order. Whether the configuration could
/// be read as a whole.
fn finish(report: &mut Report) -> bool {
    report.tell_omitted();
    report.mask_secrets();
    report.sort();
    is_usable(report)
}

fn is_usable(report: &Report) -> bool {
    report.diagnostics.iter().all(|found| found.severity < Severity::Unreadable)
}
