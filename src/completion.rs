//! `steadfast completion …`: scripts with which shells complete the command line, the words of the configuration
//! language included.

use std::{
    collections::BTreeSet,
    io::{self, Write},
    process::ExitCode,
};

use clap::{CommandFactory, builder::PossibleValuesParser};
use clap_complete::Shell;

use crate::{cli::Arguments, config::keywords};

/// Prints the script for a shell.
pub fn run(shell: Shell) -> ExitCode {
    match io::stdout().write_all(&script(shell)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// What the shell has to read.
fn script(shell: Shell) -> Vec<u8> {
    // Only the script knows a list of words: `config explain` itself takes any, to name the nearest.
    let known = PossibleValuesParser::new(words());
    let mut command = Arguments::command().mut_subcommand("config", |config| {
        config
            .mut_subcommand("explain", |explain| explain.mut_arg("keyword", |word| word.value_parser(known)))
    });
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "steadfast", &mut script);
    script
}

/// Every keyword once.
fn words() -> BTreeSet<&'static str> {
    let mut words = BTreeSet::new();
    keywords::visit(keywords::ROOT, &mut |block| words.extend(block.all().map(|keyword| keyword.name)));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_knows_the_words_of_the_language() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = String::from_utf8(script(shell)).unwrap();
            for word in ["config", "--use-file", "virtual_router_id", "SSL_GET"] {
                let long = word.trim_start_matches('-');
                assert!(script.contains(long), "{word} is not in the script for {shell}");
            }
        }
    }
}
