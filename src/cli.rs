//! The command line, as keepalived's: the flags that exist, and what the first look at them says.

mod control;
mod pid_files;
mod snmp;
mod span;

use std::{
    ffi::OsString,
    io::{self, Write},
    path::PathBuf,
};

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub use self::{
    control::{Control, ControlCommand, OnOff},
    pid_files::{OF_THE_UNIT, PidFiles},
    snmp::{Asking, SecurityLevel, SnmpCommand, SnmpVersion, UsmOptions},
};
use crate::config::{Options, settings};

/// Where the configuration is when `-f` does not say.
pub const DEFAULT_CONFIG: &str = "/etc/keepalived/keepalived.conf";

/// A keepalived for people who run monitoring seriously: VRRP with its whole state in KEEPALIVED-MIB.
#[derive(Clone, Debug, Parser)]
#[command(name = "steadfast", disable_version_flag = true, after_help = AFTER_HELP)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Arguments {
    /// Configuration file
    #[arg(short = 'f', long = "use-file", value_name = "FILE", default_value = DEFAULT_CONFIG)]
    pub use_file: PathBuf,
    /// Stay in the foreground
    #[arg(short = 'n', long)]
    pub dont_fork: bool,
    /// Log to the terminal instead of syslog
    #[arg(short = 'l', long)]
    pub log_console: bool,
    /// Log in more detail
    #[arg(short = 'D', long)]
    pub log_detail: bool,
    /// Facility of lines for syslog: 0 to 7 or local0 to local7, user or daemon
    #[arg(short = 'S', long, value_name = "FACILITY")]
    pub log_facility: Option<String>,
    /// Log to a file; the engine's has _vrrp before its last dot
    #[arg(short = 'g', long, value_name = "FILE", num_args = 0..=1)]
    pub log_file: Option<Option<PathBuf>>,
    /// Write each line to the log file at once
    #[arg(long)]
    pub flush_log_file: bool,
    /// How lines for the terminal and for files are written
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// Do not log to syslog, nor to the journal
    #[arg(short = 'G', long)]
    pub no_syslog: bool,
    /// Log the configuration at the start
    #[arg(short = 'd', long)]
    pub dump_conf: bool,
    /// Check the configuration, write what is wrong with it to stderr or FILE, and exit
    #[arg(short = 't', long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    pub config_test: Option<Option<PathBuf>>,
    /// Serve the MIB, as enable_snmp_vrrp does
    #[arg(short = 'x', long)]
    pub snmp: bool,
    /// Where the AgentX master listens
    #[arg(short = 'A', long, value_name = "SOCKET")]
    pub snmp_agent_socket: Option<String>,
    /// Whatever is wrong with an included file is an error
    #[arg(short = 'e', long = "all-config")]
    pub check_includes: bool,
    /// Pid file of the parent, the process to signal; /run/steadfast.pid when absent
    #[arg(short = 'p', long, global = true, value_name = "FILE")]
    pub pid: Option<PathBuf>,
    /// Pid file of the engine while it runs virtual routers; vrrp.pid beside the parent's when absent
    #[arg(short = 'r', long = "vrrp_pid", value_name = "FILE")]
    pub vrrp_pid: Option<PathBuf>,
    /// Pid file of health checks, which run in the engine: never written
    #[arg(short = 'c', long = "checkers_pid", value_name = "FILE")]
    pub checkers_pid: Option<PathBuf>,
    /// Pid file of BFD, which runs in the engine: never written
    #[arg(short = 'b', long = "bfd_pid", value_name = "FILE")]
    pub bfd_pid: Option<PathBuf>,
    /// As -D; the letters of keepalived's insides mean nothing here
    #[arg(long, value_name = "OPTIONS", num_args = 0..=1, require_equals = true)]
    pub debug: Option<Option<String>>,
    /// Run VRRP, and without -C no health checks
    #[arg(short = 'P', long)]
    pub vrrp: bool,
    /// Run health checks, and without -P no VRRP
    #[arg(short = 'C', long)]
    pub check: bool,
    /// Do not run BFD
    #[arg(short = 'B', long = "no_bfd")]
    pub no_bfd: bool,
    /// End when the engine dies, instead of starting it again
    #[arg(short = 'R', long)]
    pub dont_respawn: bool,
    /// Go on when the terminal interrupts (SIGINT)
    #[arg(long)]
    pub ignore_sigint: bool,
    /// Print the number of the signal for FUNC and exit: STOP, RELOAD, DATA, STATS, STATS_CLEAR or JSON
    #[arg(long, value_name = "FUNC")]
    pub signum: Option<String>,
    /// Network namespace to run in, whatever net_namespace says
    #[arg(short = 's', long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// Bits that files are made without, whatever umask says: a number as in C, or names as IRWXG|IRWXO
    #[arg(short = 'u', long, value_name = "MASK", value_parser = mask)]
    pub umask: Option<u32>,
    /// Log every address that comes to the host or leaves it
    #[arg(short = 'a', long)]
    pub address_monitoring: bool,
    /// Have a process that crashes leave a file of its memory
    #[arg(short = 'm', long)]
    pub core_dump: bool,
    /// As -m; where such files go is the host's to say, the pattern is not set
    #[arg(short = 'M', long, value_name = "PATTERN", num_args = 0..=1)]
    pub core_dump_pattern: Option<Option<String>>,
    /// No effect: one engine runs whatever is configured
    #[arg(long)]
    pub all: bool,
    /// No effect: addresses are always taken away when a router is no longer MASTER
    #[arg(short = 'X', long)]
    pub release_vips: bool,
    /// Keep the services of IPVS on exit
    #[arg(short = 'I', long)]
    pub dont_release_ipvs: bool,
    /// Keep the virtual addresses on exit, and send no priority 0
    #[arg(short = 'V', long)]
    pub dont_release_vrrp: bool,
    /// Name that `@ID` lines of the configuration are matched with; the host name up to its first dot
    /// when absent
    #[arg(short = 'i', long, value_name = "ID")]
    pub config_id: Option<String>,
    /// Record what the virtual routers hear and do in a new file, for `steadfast replay`; without passwords
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Print the digest of a page, for HTTP_GET; the words behind it are those of genhash
    #[arg(short = 'T', long)]
    pub genhash: bool,
    /// Which process of the daemon this is to be
    #[arg(long, hide = true, value_enum, overrides_with = "part", default_value_t = Part::Whole)]
    pub part: Part,
    /// Where relative paths begin, when it is not the working directory
    #[arg(long, hide = true, value_name = "FOLDER")]
    pub from: Option<PathBuf>,
    /// When the engine before this one died, on the monotonic clock
    #[arg(long, hide = true, value_name = "MICROSECONDS", overrides_with = "died_at")]
    pub died_at: Option<u64>,
    /// What to do instead of running
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Print the version and exit
    #[arg(short = 'v', long)]
    pub version: bool,
}

impl Arguments {
    /// The arguments of this process. Ends it with exit status 2 when they make no sense, and with 0 for `--help`.
    pub fn read() -> Self {
        let arguments = Self::try_parse().unwrap_or_else(|error| {
            let hint = misplaced_file(std::env::args_os().skip(1));
            // Whether the hint can be shown or not: the error follows, and ends the process.
            let _ = hint.map_or(Ok(()), |hint| writeln!(io::stderr(), "{hint}"));
            error.exit()
        });
        arguments.with_absolute_paths()
    }

    /// The paths as they were meant where `--from` says that this process was started elsewhere.
    fn with_absolute_paths(mut self) -> Self {
        if let Some(from) = &self.from {
            let log_file = self.log_file.as_mut().and_then(Option::as_mut);
            let given = [&mut self.pid, &mut self.vrrp_pid, &mut self.record].into_iter().flatten();
            for path in given.chain(log_file).chain([&mut self.use_file]) {
                *path = from.join(&*path);
            }
        }
        self
    }

    /// Whether log lines go to the terminal (`-l`): not when the daemon has left it, as it then does without `-n`.
    pub const fn logs_to_terminal(&self) -> bool {
        self.log_console && self.from.is_none()
    }

    /// Whether the log is to have more than usual (`-D`).
    pub const fn logs_detail(&self) -> bool {
        self.log_detail || self.debug.is_some()
    }

    /// Whether a crash is to leave a file of the memory (`-m`, `-M`).
    pub const fn leaves_cores(&self) -> bool {
        self.core_dump || self.core_dump_pattern.is_some()
    }

    /// Whether virtual routers run: unless only health checks are asked for.
    pub const fn runs_vrrp(&self) -> bool {
        self.vrrp || !self.check
    }

    /// Whether servers are checked.
    pub const fn runs_checks(&self) -> bool {
        self.check || !self.vrrp
    }

    /// How these arguments have a configuration read.
    pub fn options(&self) -> Options<'_> {
        Options {
            config_id: self.config_id.as_deref(),
            check_includes: self.check_includes,
            namespace: self.namespace.as_deref(),
            umask: self.umask,
            look_up_hosts: self.config_test.is_some() || self.command.is_some(),
        }
    }
}

/// `-u`, as the word of `global_defs`.
fn mask(text: &str) -> Result<u32, &'static str> {
    settings::umask(text).ok_or("write a number such as 0177, or names as IXUSR|IRWXG|IRWXO")
}

/// What to say when `-t` is followed by a file's name. There it is no value of its own, and nobody means a command by it.
fn misplaced_file(arguments: impl Iterator<Item = OsString>) -> Option<String> {
    let arguments: Vec<_> = arguments.map(|argument| argument.to_string_lossy().into_owned()).collect();
    let test = |word: &str| {
        let short = word.starts_with('-') && !word.starts_with("--") && word.ends_with('t');
        short || word == "--config-test"
    };
    let file =
        arguments.windows(2).find(|pair| test(&pair[0]) && !pair[1].starts_with('-')).map(|pair| &pair[1])?;
    (file != "config").then(|| {
        format!("-t takes no file after a blank: `-t -f {file}` tests {file}, `-t={file}` writes what is found to {file}")
    })
}

/// The words behind `--genhash`, if it is there; those before it have no meaning then.
pub fn words_for_genhash(arguments: impl Iterator<Item = OsString>) -> Option<Vec<OsString>> {
    let mut arguments = arguments.skip_while(|word| word != "-T" && word != "--genhash");
    arguments.next().map(|_| arguments.collect())
}

/// What the program does instead of running.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Look at configurations
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Ask the running daemon
    Ctl(Control),
    /// Ask SNMP agents, and listen to what they tell
    #[command(subcommand)]
    Snmp(SnmpCommand),
    /// Replay a recording and say where the virtual routers act otherwise now; exit status 1 when they do
    Replay {
        /// What `--record` has written
        file: PathBuf,
    },
    /// Write the manual pages of this command line into a folder
    Man {
        /// The folder; it is made when it is not there
        folder: PathBuf,
    },
    /// Print a script with which a shell completes this command line
    Completion {
        /// The shell
        shell: Shell,
    },
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Time, level and message
    Text,
    /// One JSON object a line
    Json,
}

/// A process of the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// All of them: the one that is started by hand.
    Whole,
    /// The parent, detached from the terminal.
    Parent,
    /// The engine, which a parent starts.
    Engine,
}

/// Questions about configurations.
#[derive(Clone, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Say what is wrong with files; with several, whether the routers agree
    Check {
        /// One file for each router
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// How the findings are shown
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Print what a file comes to: everything included and replaced, defaults filled in
    Show {
        /// The file
        file: PathBuf,
        /// As JSON
        #[arg(long)]
        json: bool,
        /// Only what is written, without the defaults
        #[arg(long)]
        written: bool,
    },
    /// Say what a keyword, or the name of a finding, means
    Explain {
        /// The keyword, or the name in brackets of a finding; with two words, the block
        #[arg(index = 1)]
        keyword: String,
        /// The keyword of that block
        #[arg(index = 2)]
        inside: Option<String>,
    },
    /// Say what a reload from one file to another would do; exit status 1 when they differ
    Diff {
        /// What runs
        old: PathBuf,
        /// What would be loaded
        new: PathBuf,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// List the keywords of a file that have no effect yet
    Status {
        /// The file
        #[arg(default_value = DEFAULT_CONFIG)]
        file: PathBuf,
        /// How they are shown
        #[arg(long, value_enum, default_value_t = Format::Short)]
        format: Format,
    },
    /// Print the reference page of all keywords
    Reference,
    /// Print the reference page of all findings
    Findings,
}

/// How findings are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// With the line and a caret
    Text,
    /// One line for each
    Short,
    /// One JSON list
    Json,
}

const AFTER_HELP: &str = "\
Exit status: 0 done; 1 fatal, or already running; 2 the configuration cannot be run; 4 a permission is missing; 6 no \
configuration; 70 a mistake of the program, or with -R the engine died. With -t: 0 nothing to report; 2 a parameter is missing; 4 the file may not be read; 5 errors; 6 scripts run without \
enable_script_security.";

/// What `-v` prints and KEEPALIVED-MIB::version.0 shows.
pub fn banner() -> String {
    format!("Steadfast v{}", env!("CARGO_PKG_VERSION"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_config_test_takes_its_file_only_after_an_equals_sign() {
        let plain = Arguments::parse_from(["steadfast", "-t", "-f", "a.conf"]);
        assert_eq!(plain.config_test, Some(None));
        assert_eq!(plain.use_file, PathBuf::from("a.conf"));
        let file = Arguments::parse_from(["steadfast", "--config-test=log"]);
        assert_eq!(file.config_test, Some(Some("log".into())));
    }

    #[test]
    fn the_words_behind_genhash_are_its_own() {
        let words = |line: &str| words_for_genhash(line.split(' ').map(OsString::from));
        assert_eq!(words("-n -f x"), None);
        for line in ["--genhash -s x -n", "-T -s x -n", "-n -f y -T -s x -n"] {
            assert_eq!(words(line), Some(["-s", "x", "-n"].map(OsString::from).to_vec()), "{line}");
        }
    }

    #[test]
    fn a_file_behind_a_config_test_is_answered_with_a_hint() {
        let hint = |line: &str| misplaced_file(line.split(' ').map(OsString::from));
        assert!(hint("-t x.conf").is_some_and(|hint| hint.contains("-t -f x.conf")));
        assert!(hint("-nlt x.conf").is_some() && hint("--config-test x.conf").is_some());
        for fine in ["-t -f x.conf", "-t=x.conf", "-f x.conf", "-t", "-t config check x.conf", "-p t x.conf"]
        {
            assert_eq!(hint(fine), None, "{fine}");
        }
    }

    #[test]
    fn the_last_word_says_which_process_this_is_and_from_where() {
        let line = ["steadfast", "-f", "a.conf", "--part", "parent", "--from", "/etc/x", "-p", "/run/pid"];
        let arguments = Arguments::parse_from(line.into_iter().chain(["--part", "engine", "--died-at", "7"]));
        assert_eq!((arguments.part, arguments.died_at), (Part::Engine, Some(7)));
        let arguments = arguments.with_absolute_paths();
        assert_eq!(arguments.use_file, PathBuf::from("/etc/x/a.conf"));
        assert_eq!(arguments.pid, Some(PathBuf::from("/run/pid")));
        assert!(
            !Arguments::parse_from(["steadfast", "-l", "--from", "/"]).logs_to_terminal(),
            "it is not there"
        );
        assert!(Arguments::parse_from(["steadfast", "-nl"]).logs_to_terminal());
    }

    #[test]
    fn only_health_checks_means_no_virtual_routers() {
        let runs = |line: &str| Arguments::parse_from(line.split(' ')).runs_vrrp();
        assert!(runs("steadfast -n") && runs("steadfast -P") && runs("steadfast -P -C"));
        assert!(!runs("steadfast -C"));
    }

    #[test]
    fn the_usual_service_line_is_understood() {
        let arguments =
            Arguments::parse_from(["steadfast", "-nlDxP", "-p", "/run/x.pid", "-A", "unix:/x", "-V"]);
        assert!(arguments.dont_fork && arguments.log_console && arguments.log_detail && arguments.snmp);
        assert_eq!(arguments.snmp_agent_socket.as_deref(), Some("unix:/x"));
    }
}
