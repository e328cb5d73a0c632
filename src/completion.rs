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

/// When fish is at the word behind `config explain`; the function is the generated script's own.
const FISH_EXPLAINS: &str =
    "__fish_steadfast_using_subcommand config; and __fish_seen_subcommand_from explain";

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
    if shell == Shell::Fish {
        // The generator leaves out what stands without a flag.
        let words: Vec<_> = words().into_iter().collect();
        let line = format!("complete -c steadfast -n \"{FISH_EXPLAINS}\" -f -a \"{}\"\n", words.join(" "));
        script.extend(line.bytes());
    }
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
            for word in [
                "config",
                "use-file",
                "ctl",
                "events",
                "step-down",
                "instance",
                "virtual_router_id",
                "SSL_GET",
            ] {
                assert!(script.contains(word), "{word} is not in the script for {shell}");
            }
        }
    }

    #[test]
    fn what_is_added_for_fish_asks_as_the_rest_of_the_script_does() {
        let script = String::from_utf8(script(Shell::Fish)).unwrap();
        let conditions = script.lines().filter(|line| line.contains(FISH_EXPLAINS)).count();
        assert!(conditions > 1 && script.contains("function __fish_steadfast_using_subcommand"), "{script}");
    }
}
