//! Stories told in a guest, seen from both sides.

use std::any::type_name_of_val;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;
use std::{env, thread};

use super::machine::Machine;
use super::report::Report;
use crate::error::{Error, Result};
use crate::note::{NOTE, note};

/// Says to the test program that it runs in the guest.
const INSIDE: &str = "LAB_GUEST";
/// What the stories of a guest may take together: the processor is an emulated one.
const LIMIT: Duration = Duration::from_secs(1500);
/// How much slower than its machine a guest is.
const SLOWER: u32 = 8;
/// Guests at the most: each takes a processor, and a gibibyte of memory as it is used.
const AT_ONCE: usize = 4;
/// What a story may be told by the environment outside.
const HANDED_IN: [&str; 4] = ["SUBJECT", "SCALE", "PATH", "RUST_BACKTRACE"];
/// Says outside that time in the guest is counted in instructions: [`Machine::counting`].
const COUNTING: &str = "COUNTING";

/// The machines in which the stories of a test program are told, for a `static`.
#[derive(Debug)]
pub struct Guest {
    files: &'static str,
    told: OnceLock<Result<Vec<Share>, String>>,
}

/// The stories that one machine tells, and what it said.
#[derive(Debug)]
struct Share {
    stories: Vec<String>,
    report: Result<Report, String>,
}

impl Guest {
    /// Machines from what `tests/vm/kernel.sh` made: `target_dir` is `env!("CARGO_TARGET_TMPDIR")`.
    pub const fn new(target_dir: &'static str) -> Self {
        Self { files: target_dir, told: OnceLock::new() }
    }

    /// Tells a story: in a guest itself; outside, the verdict of the guest that has told it. All guests are booted, side by
    /// side, for the first story that asks, and run all those that this program was started for.
    ///
    /// To be called with a closure of the test function itself, whose name is the story's.
    pub fn tells<S: FnOnce() -> Result<()>>(&self, story: S) -> Result<()> {
        if is_inside() {
            return story();
        }
        let told = self.told.get_or_init(|| self.tell_all().map_err(|error| error.to_string()));
        let shares = told.as_ref().map_err(|error| Error::Unexpected(error.clone()))?;
        let name = name(&story);
        let share = shares.iter().find(|share| share.stories.contains(&name));
        let share = share.ok_or_else(|| Error::Unexpected(format!("{name} was given to no guest")))?;
        let report = share.report.as_ref().map_err(|error| Error::Unexpected(error.clone()))?;
        report.verdict(&name).map_err(Error::Unexpected)
    }

    fn tell_all(&self) -> Result<Vec<Share>> {
        let machine = Machine::at(PathBuf::from(self.files).join("vm"))?;
        let machine = if env::var_os(COUNTING).is_some() { machine.counting() } else { machine };
        let shares = dealt(wanted()?, guests());
        Ok(thread::scope(|scope| {
            let tell = |stories: Vec<String>| {
                let machine = &machine;
                scope.spawn(move || {
                    let report = tell(machine, &stories).map_err(|error| error.to_string());
                    Share { stories, report }
                })
            };
            let told: Vec<_> = shares.into_iter().map(tell).collect();
            told.into_iter().map(|told| told.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
        }))
    }
}

/// Boots a machine that tells these stories, one after the other.
fn tell(machine: &Machine, stories: &[String]) -> Result<Report> {
    let mut script = format!("export {INSIDE}=1\n");
    for name in HANDED_IN {
        if let Ok(value) = env::var(name) {
            script += &format!("export {name}={}\n", quoted(&value));
        }
    }
    script += &quoted(&this_program()?.to_string_lossy());
    for story in stories {
        script += " ";
        script += &quoted(story);
    }
    script += " --exact --include-ignored --test-threads=1 --color=never";
    let (said, notes) = parted(&machine.run(&script, LIMIT)?);
    for text in notes {
        note(&text);
    }
    Ok(Report::new(said))
}

/// What a guest said without the notes, which came between a story's name and its verdict, and the notes.
fn parted(said: &str) -> (String, Vec<String>) {
    let mark = format!("\n{NOTE}");
    let mut lines = said.split(&mark);
    let mut rest = lines.next().unwrap_or_default().to_owned();
    let mut notes = Vec::new();
    for line in lines {
        let (text, after) = line.split_once('\n').unwrap_or((line, ""));
        notes.push(text.to_owned());
        rest += after;
    }
    (rest, notes)
}

/// The stories that this program was started for, as it lists them itself.
fn wanted() -> Result<Vec<String>> {
    let mut command = Command::new(this_program()?);
    command.args(env::args_os().skip(1)).args(["--list", "--format", "terse"]);
    let output = command.output().map_err(|e| Error::io("have the stories listed", e))?;
    Ok(listed(&String::from_utf8_lossy(&output.stdout)))
}

/// `module::story: test`, a line each.
fn listed(text: &str) -> Vec<String> {
    text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
}

/// One machine for each processor: theirs are emulated by one thread each.
fn guests() -> usize {
    thread::available_parallelism().map_or(1, usize::from).min(AT_ONCE)
}

/// Deals stories out in turn: neighbours, which take about as long, to different guests.
fn dealt(stories: Vec<String>, guests: usize) -> Vec<Vec<String>> {
    let mut shares = vec![Vec::new(); guests.min(stories.len())];
    for (number, story) in stories.into_iter().enumerate() {
        let share = number % shares.len();
        shares[share].push(story);
    }
    shares
}

fn this_program() -> Result<PathBuf> {
    env::current_exe().map_err(|e| Error::io("find the test program", e))
}

/// Whether this program runs in a guest.
pub(crate) fn is_inside() -> bool {
    env::var_os(INSIDE).is_some()
}

/// What the lab itself waits at the most, where it is told no deadline: longer in a guest, whose processor is an emulated one.
pub(crate) fn limit(usual: Duration) -> Duration {
    if is_inside() { usual * SLOWER } else { usual }
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
    fn stories_are_dealt_out_in_turn() {
        let stories = listed("a::one: test\na::two: test\nb::one: benchmark\nb::two: test\n");
        assert_eq!(stories, ["a::one", "a::two", "b::two"]);
        assert_eq!(dealt(stories, 2), [vec!["a::one", "b::two"], vec!["a::two"]]);
        assert_eq!(dealt(vec!["a::one".into()], 2), [["a::one"]]);
        assert!(dealt(Vec::new(), 2).is_empty());
    }

    #[test]
    fn notes_do_not_come_between_a_story_and_its_verdict() {
        let said = "test a::one ... \nnote: 3 s\nok\ntest a::two ... ok\n";
        let (rest, notes) = parted(said);
        assert_eq!(rest, "test a::one ... ok\ntest a::two ... ok\n");
        assert_eq!(notes, ["3 s"]);
    }

    #[test]
    fn words_reach_the_shell_as_they_are() {
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
