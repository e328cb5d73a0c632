//! Whether a process is one of those looked for.

use crate::config::tracking::{Matching, Process};

/// Bytes that the kernel keeps of a process's name (TASK_COMM_LEN less the final zero).
const NAME_BYTES: usize = 15;

/// A process as /proc shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// /proc/PID/comm without its line feed.
    pub name: Vec<u8>,
    /// The words of /proc/PID/cmdline; empty for a kernel thread, or when nobody needs them.
    pub command_line: Vec<Vec<u8>>,
}

/// Whether an image is one of those that a `vrrp_track_process` looks for.
pub(super) fn matches(process: &Process, image: &Image) -> bool {
    let Some((program, parameters)) = process.command.split_first() else { return false };
    if process.matching == Matching::Name {
        let program = program.as_bytes();
        return image.name == program[..program.len().min(NAME_BYTES)];
    }
    let Some((actual_program, actual)) = image.command_line.split_first() else { return false };
    if actual_program != program.as_bytes() {
        return false;
    }
    match process.matching {
        Matching::Name | Matching::Program => true,
        Matching::Exact => equal(parameters, actual),
        Matching::Partial => actual.get(..parameters.len()).is_some_and(|first| equal(parameters, first)),
        Matching::Initial => match parameters.split_last() {
            None => true,
            Some((last, first)) => {
                let position = first.len();
                actual.get(..position).is_some_and(|actual| equal(first, actual))
                    && actual.get(position).is_some_and(|word| word.starts_with(last.as_bytes()))
            }
        },
    }
}

fn equal(wanted: &[String], actual: &[Vec<u8>]) -> bool {
    wanted.len() == actual.len()
        && wanted.iter().zip(actual).all(|(wanted, actual)| wanted.as_bytes() == actual)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::testing::process;

    fn image(name: &str, command_line: &[&str]) -> Image {
        Image { name: name.into(), command_line: command_line.iter().map(|word| (*word).into()).collect() }
    }

    #[test]
    fn a_name_is_compared_as_far_as_the_kernel_keeps_it() {
        let nginx = process(&["nginx"], Matching::Name);
        assert!(matches(&nginx, &image("nginx", &[])));
        assert!(!matches(&nginx, &image("nginx2", &[])));
        assert!(!matches(&nginx, &image("ngin", &["nginx"])));
        let long = process(&["averyveryverylongname"], Matching::Name);
        assert!(matches(&long, &image("averyveryverylo", &[])));
    }

    #[test]
    fn a_command_line_is_compared_as_the_words_ask_for() {
        // Looked for, how, found in, not found in; words apart by blanks, command lines by bars.
        let table = [
            ("a", Matching::Program, "a|a b", "|ab|b a"),
            ("a", Matching::Exact, "a", "a b|"),
            ("a b", Matching::Exact, "a b", "a|a bc|a b c"),
            ("a b", Matching::Partial, "a b|a b c", "a|a bc"),
            ("a b", Matching::Initial, "a b|a bc|a bc d", "a|a c|a c b"),
            ("a b c", Matching::Initial, "a b cd", "a bc c|a b"),
            ("a", Matching::Initial, "a|a b", "ab"),
        ];
        let words = |line: &'static str| line.split_whitespace().collect::<Vec<_>>();
        for (wanted, matching, found, not_found) in table {
            let process = process(&words(wanted), matching);
            for line in found.split('|') {
                assert!(matches(&process, &image("x", &words(line))), "{wanted:?} {matching:?} {line:?}");
            }
            for line in not_found.split('|') {
                assert!(!matches(&process, &image("a", &words(line))), "{wanted:?} {matching:?} {line:?}");
            }
        }
    }
}
