//! Which places the lines go to, from the command line and from what is there.

use std::{
    fmt, io,
    os::{fd::AsFd as _, unix::fs::MetadataExt as _},
    path::{Path, PathBuf},
};

use crate::{
    cli::{Arguments, LogFormat, Part},
    config::settings::ProcessSettings,
};

/// Where `-g` without a file writes to, as keepalived.
const USUAL_FILE: &str = "/tmp/keepalived.log";

/// A syslog facility (RFC 5424 §6.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Facility(u8);

impl Facility {
    pub(super) const DAEMON: Self = Self(3);
    const USER: Self = Self(1);
    const LOCAL0: u8 = 16;

    /// `-S`: a number of a local one, or a name.
    fn read(text: &str) -> Option<Self> {
        match text {
            "daemon" => return Some(Self::DAEMON),
            "user" => return Some(Self::USER),
            _ => {}
        }
        let number: u8 = text.strip_prefix("local").unwrap_or(text).parse().ok()?;
        (number <= 7).then_some(Self(Self::LOCAL0 + number))
    }

    /// Its number, as the journal has it.
    pub(super) const fn number(self) -> u8 {
        self.0
    }
}

/// A place that lines go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Terminal,
    Syslog(Facility),
    Journal(Facility),
    File(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Terminal => f.write_str("the terminal"),
            Self::Syslog(_) => f.write_str("syslog"),
            Self::Journal(_) => f.write_str("the journal"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// What there is to write to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Surroundings {
    /// Whether what is written to standard error becomes lines of the journal (systemd.exec(5), `JOURNAL_STREAM`).
    pub(super) journal: bool,
    /// Whether a syslogd listens.
    pub(super) syslog: bool,
}

impl Surroundings {
    /// Those of this process.
    pub(super) fn found() -> Self {
        let stream = std::env::var("JOURNAL_STREAM").ok();
        Self {
            journal: stream.is_some_and(|stream| standard_error().is_ok_and(|name| name == stream)),
            syslog: Path::new(super::syslog::SOCKET).exists(),
        }
    }
}

/// Standard error as `JOURNAL_STREAM` names a stream: device and inode.
fn standard_error() -> io::Result<String> {
    let file = std::fs::File::from(io::stderr().as_fd().try_clone_to_owned()?);
    let found = file.metadata()?;
    Ok(format!("{}:{}", found.dev(), found.ino()))
}

/// What was chosen.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) places: Vec<Place>,
    /// Of the terminal and of files.
    pub(super) format: LogFormat,
    /// What the daemon calls itself.
    pub(super) ident: String,
    /// `--flush-log-file`
    pub(super) flush: bool,
    /// What of the choice makes no sense.
    pub(super) problem: Option<String>,
}

impl Choice {
    pub(super) fn new(arguments: &Arguments, process: &ProcessSettings, around: &Surroundings) -> Self {
        let facility = arguments.log_facility.as_deref().map(|text| (text, Facility::read(text)));
        let problem = match facility {
            Some((text, None)) => Some(format!("no log facility {text}: daemon is used")),
            _ => None,
        };
        let chosen = facility.and_then(|(_, facility)| facility);
        let facility = chosen.unwrap_or(Facility::DAEMON);
        let suffix = suffix(process);
        let mut places = Vec::new();
        if arguments.logs_to_terminal() {
            places.push(Place::Terminal);
        }
        if let Some(file) = &arguments.log_file {
            let file = file.as_deref().unwrap_or(Path::new(USUAL_FILE));
            places.push(Place::File(of_process(file, arguments.part, &suffix)));
        }
        if !arguments.no_syslog && !arguments.logs_to_terminal() {
            match around {
                Surroundings { journal: true, .. } if chosen.is_none() => {
                    places.push(Place::Journal(facility))
                }
                Surroundings { syslog: true, .. } => places.push(Place::Syslog(facility)),
                _ if places.is_empty() => places.push(Place::Terminal),
                _ => {}
            }
        }
        let ident = format!("steadfast{suffix}");
        Self { places, format: arguments.log_format, ident, flush: arguments.flush_log_file, problem }
    }
}

/// What tells daemons of one host apart: `net_namespace` and `instance`.
fn suffix(process: &ProcessSettings) -> String {
    let names = [&process.net_namespace, &process.instance].into_iter().flatten();
    names.map(|name| format!("_{name}")).collect()
}

/// The file of this process: before the last dot, `_vrrp` for the engine, and what tells daemons apart.
fn of_process(file: &Path, part: Part, suffix: &str) -> PathBuf {
    let part = if part == Part::Engine { "_vrrp" } else { "" };
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let name = format!("{stem}{part}{suffix}");
    match file.extension() {
        Some(extension) => file.with_file_name(format!("{name}.{}", extension.to_string_lossy())),
        None => file.with_file_name(name),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    const SERVICE: Surroundings = Surroundings { journal: true, syslog: true };
    const HOST: Surroundings = Surroundings { journal: false, syslog: true };
    const CONTAINER: Surroundings = Surroundings { journal: false, syslog: false };

    fn places(line: &str, around: Surroundings) -> Vec<Place> {
        choice(line, around, &ProcessSettings::default()).places
    }

    fn choice(line: &str, around: Surroundings, process: &ProcessSettings) -> Choice {
        let arguments = Arguments::parse_from(["steadfast"].into_iter().chain(line.split_whitespace()));
        Choice::new(&arguments, process, &around)
    }

    fn file(path: &str) -> Place {
        Place::File(path.into())
    }

    #[test]
    fn each_surrounding_has_its_usual_place() {
        assert_eq!(places("", SERVICE), [Place::Journal(Facility::DAEMON)]);
        assert_eq!(places("", HOST), [Place::Syslog(Facility::DAEMON)]);
        assert_eq!(places("", CONTAINER), [Place::Terminal]);
        for around in [SERVICE, HOST, CONTAINER] {
            assert_eq!(places("-l", around), [Place::Terminal]);
            assert_eq!(places("-G", around), []);
        }
    }

    #[test]
    fn a_facility_is_a_choice_of_syslog() {
        assert_eq!(places("-S 3", SERVICE), [Place::Syslog(Facility(19))]);
        for (text, number) in [("0", 16), ("7", 23), ("local5", 21), ("user", 1), ("daemon", 3)] {
            assert_eq!(places(&format!("-S {text}"), HOST), [Place::Syslog(Facility(number))]);
        }
        let wrong = choice("-S 9", HOST, &ProcessSettings::default());
        assert_eq!(wrong.places, [Place::Syslog(Facility::DAEMON)]);
        assert_eq!(wrong.problem.as_deref(), Some("no log facility 9: daemon is used"));
    }

    #[test]
    fn a_file_is_written_beside_syslog_unless_that_is_not_wanted() {
        let syslog = Place::Syslog(Facility::DAEMON);
        assert_eq!(places("-g/var/log/k.log", HOST), [file("/var/log/k.log"), syslog.clone()]);
        assert_eq!(places("-G --log-file=/var/log/k.log", HOST), [file("/var/log/k.log")]);
        assert_eq!(places("-g", HOST), [file("/tmp/keepalived.log"), syslog]);
        assert_eq!(places("-l -g /a.b/log", HOST), [Place::Terminal, file("/a.b/log")]);
    }

    #[test]
    fn processes_and_daemons_have_files_and_names_of_their_own() {
        let process = ProcessSettings { instance: Some("a".into()), ..ProcessSettings::default() };
        let choice = |line| choice(line, CONTAINER, &process);
        assert_eq!(choice("-g/l/k.x.log").places, [file("/l/k.x_a.log")]);
        assert_eq!(choice("-g/l/k.x.log --part engine").places, [file("/l/k.x_vrrp_a.log")]);
        assert_eq!(choice("").ident, "steadfast_a");
    }
}
