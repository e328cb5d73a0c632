//! `steadfast config …`: looks at configurations and says what they mean. Changes nothing and talks to no daemon.

use std::{
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use crate::{
    cli::{ConfigCommand, Format},
    config::{
        self, Elsewhere, Options, Reading, Report, System, catalogue, compare, explain, peers, plan::Plan,
        render, show,
    },
};

/// What ends a command early.
const FAILED: u8 = 1;

/// Does what a `config` command asks for. The exit status of `check` is that of a configuration test; `diff` ends with 1
/// when there are differences. A file that cannot be read as a whole is an error of every command.
pub fn run(command: &ConfigCommand, options: &Options<'_>) -> ExitCode {
    let (text, status) = match command {
        ConfigCommand::Check { files, format } => check(files, *format, options),
        ConfigCommand::Show { file, json, written } => print_effective(file, *json, !written, options),
        ConfigCommand::Explain { keyword, inside: None } => meaning(keyword),
        ConfigCommand::Explain { keyword: block, inside: Some(keyword) } => meaning_in(block, keyword),
        ConfigCommand::Diff { old, new, json } => differences(old, new, *json, options),
        ConfigCommand::Status { file, format } => without_effect(file, *format, options),
        ConfigCommand::Reference => (explain::page(), 0),
        ConfigCommand::Findings => (catalogue::page(), 0),
    };
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::from(status),
        Err(_) => ExitCode::from(FAILED),
    }
}

/// The findings of every file, and of the routers together when there are several. Then each file is read as it is at
/// home, where its interfaces and programs exist: this machine is at most one of the routers.
fn check(files: &[PathBuf], format: Format, options: &Options<'_>) -> (String, u8) {
    if let [file] = files {
        let report = findings(file, options);
        return (formatted(&report, format), report.test_exit());
    }
    let mut all = Report::default();
    let mut routers = Vec::new();
    let mut status = 0;
    for file in files {
        let mut router = Reading::new(file, options, &Elsewhere);
        status = status.max(router.report.test_exit());
        all.absorb(std::mem::take(&mut router.report));
        routers.push(router);
    }
    let alone = all.diagnostics.len();
    for (index, second) in routers.iter().enumerate() {
        for first in &routers[..index] {
            peers::check(first, second, &mut all);
        }
    }
    if all.diagnostics.len() > alone {
        status = status.max(5);
    }
    (formatted(&all, format), status)
}

/// What a configuration test says of a file.
fn findings(file: &Path, options: &Options<'_>) -> Report {
    config::load_with(file, options, &System).1
}

fn formatted(report: &Report, format: Format) -> String {
    match format {
        Format::Text => render::terminal(report, io::stdout().is_terminal()),
        Format::Short => report.lines().map(|line| line + "\n").collect(),
        Format::Json => render::json(report),
    }
}

/// Says on stderr why a file was not read as a whole; what it says then is no answer. Returns the exit status for that.
fn unusable(report: &Report) -> Option<u8> {
    let why = report.unusable()?;
    // Whoever closed stderr still has the exit status.
    let _ = io::stderr().write_all(render::terminal(&why, io::stderr().is_terminal()).as_bytes());
    Some(report.test_exit())
}

fn print_effective(file: &Path, json: bool, defaults: bool, options: &Options<'_>) -> (String, u8) {
    let (items, report) = config::effective(file, options, defaults, &System);
    if let Some(status) = unusable(&report) {
        return (String::new(), status);
    }
    let text = if json { show::json(&items) } else { show::text(&items) };
    (text, report.test_exit())
}

fn meaning(keyword: &str) -> (String, u8) {
    if let Some(kind) = catalogue::named(keyword) {
        return (format!("{}\n    {}\n    {}\n", kind.id, kind.means, kind.remedy), 0);
    }
    match (explain::word(keyword), explain::nearest(keyword)) {
        (Some(text), _) => (text, 0),
        (None, Some(near)) => (format!("there is no keyword {keyword}; did you mean {near}?\n"), FAILED),
        (None, None) => (format!("there is no keyword {keyword}\n"), FAILED),
    }
}

/// What a keyword means in one block.
fn meaning_in(block: &str, keyword: &str) -> (String, u8) {
    match explain::word_in(block, keyword) {
        Ok(text) => (text, 0),
        Err(why) => (format!("{why}\n"), FAILED),
    }
}

fn differences(old: &Path, new: &Path, json: bool, options: &Options<'_>) -> (String, u8) {
    let old = Reading::new(old, options, &Elsewhere);
    let new = Reading::new(new, options, &Elsewhere);
    if let Some(status) = unusable(&old.report).into_iter().chain(unusable(&new.report)).max() {
        return (String::new(), status);
    }
    let changes = compare::changes(&old, &new);
    // The same that a reload carries out.
    let plan = old.config.as_ref().zip(new.config.as_ref()).map(Plan::from);
    let text = match (json, changes.is_empty()) {
        (true, _) => compare::json(&changes),
        (false, true) => "no difference\n".to_owned(),
        (false, false) => compare::text(&changes, plan.as_ref()),
    };
    for (side, name) in [(&old, "old"), (&new, "new")] {
        if side.report.test_exit() != 0 {
            // On stderr, where it disturbs no JSON. Whoever closed that does not want to know.
            let _ = writeln!(io::stderr(), "the {name} configuration has errors: config check names them");
        }
    }
    (text, u8::from(!changes.is_empty()))
}

/// The words of a file that are read and do nothing.
fn without_effect(file: &Path, format: Format, options: &Options<'_>) -> (String, u8) {
    let mut report = findings(file, options);
    if let Some(status) = unusable(&report) {
        return (String::new(), status);
    }
    report.diagnostics.retain(|found| found.id == "not-supported-yet");
    // Whoever reads it wants to know that it was looked for.
    if report.diagnostics.is_empty() && format != Format::Json {
        return (format!("every word of {} has an effect\n", file.display()), 0);
    }
    (formatted(&report, format), 0)
}
