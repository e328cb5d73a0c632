//! The digest of a page: `steadfast --genhash` under keepalived's name for it.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    steadfast::genhash::run(env::args_os().skip(1))
}
