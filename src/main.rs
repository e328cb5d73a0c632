//! The daemon's command: arguments in, exit status out.

use std::process::ExitCode;

use clap::Parser as _;

use steadfast::{cli, daemon};

#[expect(clippy::print_stdout, reason = "-v prints the version")]
fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    if arguments.version {
        println!("{}", cli::banner());
        return ExitCode::SUCCESS;
    }
    daemon::run(&arguments)
}
