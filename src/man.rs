//! `steadfast man …`: manual pages of the command line, one for each command, of genhash, and of the configuration language.

mod language;

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
};

use clap::CommandFactory as _;

use crate::{cli::Arguments, genhash};

/// Writes the pages into a folder, which is made when it is not there.
pub fn run(folder: &Path) -> ExitCode {
    match write(folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            // Whoever closed stderr still has the exit status.
            let _ = writeln!(io::stderr(), "{}: {cause}", folder.display());
            ExitCode::FAILURE
        }
    }
}

fn write(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for command in [Arguments::command(), genhash::command()] {
        clap_mangen::generate_to(command.version(env!("CARGO_PKG_VERSION")), folder)?;
    }
    fs::write(folder.join(language::FILE), language::page())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_page_for_each_command_with_its_words() {
        let folder = tempfile::tempdir().unwrap();
        let pages = folder.path().join("man1");
        assert_eq!(run(&pages), ExitCode::SUCCESS);
        let page = |name: &str| fs::read_to_string(pages.join(name)).unwrap();
        assert!(page("steadfast.1").contains("use\\-file"), "{}", page("steadfast.1"));
        assert!(page("steadfast-ctl.1").contains("watch"));
        assert!(page("steadfast-ctl-events.1").contains("since"));
        assert!(page("steadfast-config-explain.1").contains(".TH"));
        assert!(page("genhash.1").contains("use\\-virtualhost"));
        assert!(page("steadfast.conf.5").contains("virtual_router_id"));
    }
}
