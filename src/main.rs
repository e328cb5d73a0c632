//! The daemon's command: arguments in, exit status out.

use std::process::ExitCode;

use steadfast::{
    cli::{self, Command},
    completion, ctl, daemon, genhash, inspect, man, manager, replay,
};

#[expect(clippy::print_stdout, reason = "-v prints the version")]
fn main() -> ExitCode {
    if let Some(words) = cli::words_for_genhash(std::env::args_os().skip(1)) {
        return genhash::run(words.into_iter());
    }
    let arguments = cli::Arguments::read();
    if arguments.version {
        println!("{}", cli::banner());
        return ExitCode::SUCCESS;
    }
    match &arguments.command {
        Some(Command::Config(command)) => inspect::run(command, &arguments.options()),
        Some(Command::Ctl(control)) => ctl::run(control, &arguments),
        Some(Command::Completion { shell }) => completion::run(*shell),
        Some(Command::Man { folder }) => man::run(folder),
        Some(Command::Snmp(command)) => manager::run(command),
        Some(Command::Replay { file }) => replay::run(file),
        None => daemon::run(&arguments),
    }
}
