//! Stories told in a guest, seen from both sides.

use std::any::type_name_of_val;
use std::env;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use super::machine::Machine;
use super::report::Report;
use crate::error::{Error, Result};

/// Says to the test program that it runs in the guest.
const INSIDE: &str = "LAB_GUEST";
/// What the stories of a program may take together: the processor is an emulated one.
const LIMIT: Duration = Duration::from_secs(1500);
/// What a story may be told by the environment outside.
const HANDED_IN: [&str; 3] = ["SUBJECT", "PATH", "RUST_BACKTRACE"];

/// The machine in which the stories of a test program are told, for a `static`.
#[derive(Debug)]
pub struct Guest {
    files: &'static str,
    report: OnceLock<Result<Report, String>>,
}

impl Guest {
    /// A machine from what `tests/vm/kernel.sh` made: `target_dir` is `env!("CARGO_TARGET_TMPDIR")`.
    pub const fn new(target_dir: &'static str) -> Self {
        Self { files: target_dir, report: OnceLock::new() }
    }

    /// Tells a story: in the guest itself; outside, the verdict of the guest, which is booted for the first story that
    /// asks and runs all those that this program was started for.
    ///
    /// To be called with a closure of the test function itself, whose name is the story's.
    pub fn tells<S: FnOnce() -> Result<()>>(&self, story: S) -> Result<()> {
        if env::var_os(INSIDE).is_some() {
            return story();
        }
        let report = self.report.get_or_init(|| self.boot().map_err(|error| error.to_string()));
        let report = report.as_ref().map_err(|error| Error::Unexpected(error.clone()))?;
        report.verdict(&name(&story)).map_err(Error::Unexpected)
    }

    fn boot(&self) -> Result<Report> {
        let machine = Machine::at(PathBuf::from(self.files).join("vm"))?;
        let mut script = format!("export {INSIDE}=1\n");
        for name in HANDED_IN {
            if let Ok(value) = env::var(name) {
                script += &format!("export {name}={}\n", quoted(&value));
            }
        }
        let program = env::current_exe().map_err(|e| Error::io("find the test program", e))?;
        script += &quoted(&program.to_string_lossy());
        for argument in filters() {
            script += " ";
            script += &quoted(&argument);
        }
        script += " --test-threads=1 --color=never";
        Ok(Report::new(machine.run(&script, LIMIT)?))
    }
}

/// The names of stories, and how they are compared, that this program was started with.
fn filters() -> impl Iterator<Item = String> {
    let known = |argument: &String| !argument.starts_with('-') || argument == "--exact";
    env::args().skip(1).filter(known)
}

/// The path of a test in its program, from the type of a closure in it: `program::module::test::{{closure}}`.
fn name<S>(story: &S) -> String {
    let path = type_name_of_val(story).trim_end_matches("::{{closure}}");
    path.split_once("::").map_or(path, |(_, name)| name).to_owned()
}

/// A word for sh.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_story_has_the_name_of_its_test() {
        assert_eq!(name(&|| ()), "vm::guest::tests::a_story_has_the_name_of_its_test");
    }

    #[test]
    fn words_reach_the_shell_as_they_are() {
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
