//! genhash: the digest of a page, as `HTTP_GET` and `SSL_GET` compare it with what is configured. A program of its own, and
//! `steadfast --genhash`; it knows nothing of the daemon.
//!
//! | file | what |
//! |---|---|
//! | `options` | the command line, which is keepalived's |
//! | `fetch` | the connection, with or without TLS |
//! | `response` | where the header ends and the body begins; without I/O |
//! | `digest` | MD5 and SHA-1 |
//! | `report` | what is printed, `-v` included |
//!
//! It may use `kernel` for the clock, and `units` for what that says.

mod digest;
mod fetch;
mod options;
mod report;
mod response;

use std::{
    ffi::OsString,
    io::{self, Write as _},
    process::ExitCode,
};

use clap::{Command, CommandFactory as _, Parser as _};

use self::{digest::Digest, options::Options, report::Report, response::Part};
use crate::kernel::clock;

/// The exit status of whatever goes wrong.
const FAILED: u8 = 1;

/// The command line, for its manual page.
pub fn command() -> Command {
    Options::command()
}

/// Does what the words behind the program's name ask for.
pub fn run(words: impl Iterator<Item = OsString>) -> ExitCode {
    let words = [OsString::from("genhash")].into_iter().chain(words);
    let options = match Options::try_parse_from(words) {
        Ok(options) => options,
        Err(error) => {
            let failed = error.use_stderr();
            // A terminal that is gone is no trouble.
            let _ = error.print();
            return if failed { ExitCode::from(FAILED) } else { ExitCode::SUCCESS };
        }
    };
    match print(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::from(FAILED)
        }
    }
}

fn print(options: &Options) -> Result<(), fetch::Error> {
    let begun = clock::now();
    let mut digest = Digest::new(options.hash);
    let mut report = Report::new(io::stdout().lock(), options.verbose);
    report.begin()?;
    fetch::fetch(options, &mut |part| match part {
        Part::Header(header) => report.header(header),
        Part::Body(bytes) => {
            digest.update(bytes);
            report.body(bytes)
        }
    })?;
    report.end(&digest.finish(), &options.url, clock::now().since(begun))?;
    Ok(())
}
