//! Files to logical lines: physical lines, comments, includes, conditionals, parameters, braces, in keepalived's
//! order (each step sees what the one before left over).
//!
//! [`Reader`] gives one logical line after the other, so that no more of a file than a line is here at a time. What it
//! still has to read is a stack of [`Input`]s: `files` opens what there is to read, `lines` makes physical lines
//! logical ones, `expansion` replaces parameters and repeats lines.
//!
//! Not here: what the words mean. Two words are looked at all the same, because they change the reading itself:
//! `include_check` and `random_seed`.

mod expansion;
mod files;
mod include;
mod iteration;
mod lines;
mod lookalike;
mod parameter;
mod secrets;
mod undefined;

use std::{
    collections::{HashSet, VecDeque},
    path::{Path, PathBuf},
    sync::Arc,
};

use self::{
    expansion::{Repetition, Rounds},
    files::OpenFile,
    include::{Checks, Included},
    parameter::Parameters,
    secrets::Secrets,
    undefined::Undefined,
};
use super::{
    Environment, Options, Report, Span,
    text::{Line, Text},
    value,
};

/// A logical line.
#[derive(Debug)]
pub(super) enum Item {
    /// `{` alone.
    Open(Text),
    /// `}` alone.
    Close(Text),
    /// A keyword with its words.
    Line(Line),
}

/// Reads the main file and all it includes.
pub(super) fn read<'a>(
    path: &Path,
    options: &Options<'_>,
    env: &'a dyn Environment,
    report: &'a mut Report,
) -> Reader<'a> {
    let host = || env.host_name().split('.').next().unwrap_or_default().to_owned();
    let id = options.config_id.map_or_else(host, str::to_owned);
    let mut reader = Reader {
        env,
        report,
        parameters: Parameters::new(id, env.random_seed()),
        secrets: Secrets::default(),
        undefined: Vec::new(),
        defining: None,
        whole: Span { file: path.to_string_lossy().into(), line: 0, column: 0, length: 0 },
        inputs: Vec::new(),
        items: VecDeque::new(),
        open: Vec::new(),
        known: HashSet::new(),
        checks: if options.check_includes { Checks::ALL } else { Checks::default() },
        included: 0,
        read: 0,
        replayed: 0,
        written: 0,
    };
    reader.main_file(path);
    reader
}

/// Logical lines, one after the other.
pub(super) struct Reader<'a> {
    env: &'a dyn Environment,
    report: &'a mut Report,
    parameters: Parameters,
    /// Where parameters are defined and used, for those that hold passwords.
    secrets: Secrets,
    /// Uses of parameters that had no value.
    undefined: Vec<Undefined>,
    /// A multi-line definition whose end has not come.
    defining: Option<(String, Vec<String>)>,
    /// The main file as a whole.
    whole: Span,
    /// What is left to read, what comes next last.
    inputs: Vec<Input>,
    /// What the last line came to and nobody has taken yet.
    items: VecDeque<Item>,
    /// The names of the files that are open, innermost last.
    open: Vec<PathBuf>,
    /// The names of all files that the report has.
    known: HashSet<Arc<str>>,
    /// What `include_check` asks for in this file.
    checks: Checks,
    /// Files that were asked for by an include so far.
    included: usize,
    /// What all files held so far, in bytes.
    read: u64,
    /// Lines of multi-line definitions and sequences so far.
    replayed: usize,
    /// Bytes that [`expansion::MAX_WRITTEN`] bounds so far.
    written: usize,
}

/// Something that lines come from.
enum Input {
    /// The rest of a file.
    File(OpenFile),
    /// The rest of what an include names.
    Include(Included),
    /// The further lines of a multi-line definition.
    Repetition(Repetition),
    /// The further rounds of `~SEQ`, `~SEQx` or `~LST`.
    Rounds(Rounds),
    /// One line, within so many definitions and sequences.
    Line(Text, usize),
}

impl Iterator for Reader<'_> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        loop {
            if let Some(item) = self.items.pop_front() {
                return Some(item);
            }
            if !self.advance() {
                self.report_unfinished();
                self.report_undefined();
                std::mem::take(&mut self.secrets).tell(self.report);
                return None;
            }
        }
    }
}

impl Reader<'_> {
    /// Reads on until the next line, or the end of something. False at the end of everything.
    fn advance(&mut self) -> bool {
        match self.inputs.last_mut() {
            None => return false,
            Some(Input::File(file)) => match file.next_line() {
                Some((text, depth)) => self.physical_line(text, depth),
                None => self.close_file(),
            },
            Some(Input::Include(_)) => self.next_included(),
            Some(Input::Repetition(_)) => self.next_repeated(),
            Some(Input::Rounds(_)) => self.next_round(),
            Some(Input::Line(..)) => {
                if let Some(Input::Line(text, depth)) = self.inputs.pop() {
                    self.logical(text, false, depth);
                }
            }
        }
        true
    }
}
