//! `steadfast man …`: manual pages of the command line, one for each command.

use std::{
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
};

use clap::CommandFactory as _;

use crate::cli::Arguments;

/// Writes the pages into a folder, which is made when it is not there.
pub fn run(folder: &Path) -> ExitCode {
    let written =
        std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Arguments::command(), folder));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            // Whoever closed stderr still has the exit status.
            let _ = writeln!(io::stderr(), "{}: {cause}", folder.display());
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_page_for_each_command_with_its_words() {
        let folder = tempfile::tempdir().unwrap();
        let pages = folder.path().join("man1");
        assert_eq!(run(&pages), ExitCode::SUCCESS);
        let page = |name: &str| std::fs::read_to_string(pages.join(name)).unwrap();
        assert!(page("steadfast.1").contains("use\\-file"), "{}", page("steadfast.1"));
        assert!(page("steadfast-ctl.1").contains("watch"));
        assert!(page("steadfast-ctl-events.1").contains("since"));
        assert!(page("steadfast-config-explain.1").contains(".TH"));
    }
}
