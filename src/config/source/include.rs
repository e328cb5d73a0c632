//! The `include` family: which files a line names, in which order they are read, and which findings each form makes
//! serious.

use std::{path::PathBuf, rc::Rc, vec};

use super::{Input, Reader, files::directory};
use crate::config::{
    Diagnostic, Severity, Span,
    text::{Line, Text, Word},
};

/// What every form begins with.
const KEYWORD: &str = "include";

/// Files that include themselves end here.
const MAX_INCLUDE_DEPTH: usize = 16;
/// Files that may be asked for in one reading: files that include one another in circles end here.
const MAX_FILES: usize = 4096;
/// Most names that one pattern with braces may stand for.
const MAX_ALTERNATIVES: usize = 256;

/// Which findings are serious enough to stop; the form of the line and `include_check` add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Checks {
    /// A file that is found must be a readable plain file.
    readable: bool,
    /// A name without wildcards must exist.
    found: bool,
    /// A name with wildcards must match something.
    wildcard: bool,
    /// Every alternative of `{a,b}` must match something.
    brace: bool,
}

impl Checks {
    /// All of them: `includea`, `include_check` without words, `-e`.
    pub(super) const ALL: Self = Self { readable: true, found: true, wildcard: true, brace: true };

    /// What a form of `include` checks; `None` when the word is none.
    pub(super) fn of(keyword: &str) -> Option<Self> {
        let readable = Self { readable: true, ..Self::default() };
        Some(match keyword {
            "include" => Self::default(),
            "includer" => readable,
            "includem" => Self { found: true, ..readable },
            "includew" => Self { found: true, wildcard: true, ..readable },
            "includeb" => Self { brace: true, ..readable },
            "includea" => Self::ALL,
            _ => return None,
        })
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            readable: self.readable || other.readable,
            found: self.found || other.found,
            wildcard: self.wildcard || other.wildcard,
            brace: self.brace || other.brace,
        }
    }

    /// The words of an `include_check` line: a list of its own, or with `+` and `-` a change to what was.
    pub(super) fn changed<'a>(self, words: impl Iterator<Item = Word<'a>>) -> Self {
        let mut words = words.peekable();
        let mut checks = match words.peek() {
            None => return Self::ALL,
            Some(first) if first.text.starts_with(['+', '-']) => self,
            Some(_) => Self::default(),
        };
        for word in words {
            let on = !word.text.starts_with('-');
            match word.text.trim_start_matches(['+', '-']) {
                "read" | "readable" => checks.readable = on,
                "match" => checks.found = on,
                "wildcard_match" => checks.wildcard = on,
                "brace_match" => checks.brace = on,
                _ => continue,
            }
            checks.readable |= on;
        }
        checks
    }

    pub(super) fn when_unusable(self) -> Severity {
        if self.readable { Severity::NoFile } else { Severity::Notice }
    }

    /// When nothing matches one alternative of a pattern.
    pub(super) fn when_missing(self, pattern: &str, alternative: &str) -> Severity {
        let wild = alternative.contains(['*', '?', '[']);
        let braced = pattern.contains('{');
        if self.found && !wild || self.wildcard && wild || self.brace && braced {
            Severity::NoFile
        } else {
            Severity::Notice
        }
    }
}

/// The names a pattern with `{a,b}` stands for.
fn alternatives(pattern: &str) -> Vec<String> {
    let mut done = Vec::new();
    let mut open = vec![pattern.to_owned()];
    while let Some(next) = open.pop() {
        let braces = next.find('{').and_then(|from| Some((from, from + next[from..].find('}')?)));
        let Some((from, to)) = braces else {
            done.push(next);
            continue;
        };
        for choice in next[from + 1..to].split(',').rev() {
            open.push(format!("{}{choice}{}", &next[..from], &next[to + 1..]));
        }
        if open.len() + done.len() > MAX_ALTERNATIVES {
            break;
        }
    }
    done
}

/// What an include names and has not been read.
pub(super) struct Included {
    /// Files that were found.
    files: vec::IntoIter<PathBuf>,
    /// Patterns that were not looked for.
    patterns: vec::IntoIter<String>,
    asked: Asked,
}

/// The line that asks for files.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) at: Span,
    /// What it says.
    pattern: Rc<str>,
    checks: Checks,
    /// How bad a file is that cannot be used.
    pub(super) unusable: Severity,
    /// Definitions and sequences around it.
    pub(super) depth: usize,
}

impl Included {
    /// The main file, or several where its name is a pattern.
    pub(super) fn main(files: Vec<PathBuf>, whole: Span) -> Self {
        let (pattern, checks, unusable) = (Rc::default(), Checks::ALL, Severity::NoFile);
        let asked = Asked { at: whole, pattern, checks, unusable, depth: 0 };
        Self { files: files.into_iter(), patterns: Vec::new().into_iter(), asked }
    }
}

impl Reader<'_> {
    /// `include` and its stricter forms. True when the line was one.
    pub(super) fn include(&mut self, text: &Text, depth: usize) -> bool {
        if !text.as_str().starts_with(KEYWORD) {
            return false;
        }
        let keyword = text.first_word();
        let Some(checks) = Checks::of(keyword).map(|checks| checks.and(self.checks)) else {
            return false;
        };
        let Ok(line) = Line::new(text.clone()) else {
            return false;
        };
        let place = line.word(1).map_or_else(|| text.span(), |word| word.span());
        let Some(pattern) = line.word(1) else {
            self.report.add(
                Diagnostic::new(
                    "missing-argument",
                    Severity::Error,
                    format!("{keyword} names no file"),
                    &place,
                )
                .help(format!("write {keyword} FILE, relative to this file's directory")),
            );
            return true;
        };
        let asked = Asked {
            at: place,
            pattern: pattern.text.into(),
            checks,
            unusable: checks.when_unusable(),
            depth,
        };
        self.inputs.push(Input::Include(Included {
            files: Vec::new().into_iter(),
            patterns: alternatives(pattern.text).into_iter(),
            asked,
        }));
        true
    }

    /// The next file that an include names, or what its next pattern stands for.
    pub(super) fn next_included(&mut self) {
        let Some(Input::Include(include)) = self.inputs.last_mut() else { return };
        let asked = include.asked.clone();
        if let Some(file) = include.files.next() {
            // The main file is nobody's include.
            self.included += usize::from(!self.open.is_empty());
            if self.open.contains(&file) || self.included > MAX_FILES {
                return self.report_too_deep(&asked.at);
            }
            return self.file(&file, &asked);
        }
        let Some(pattern) = include.patterns.next() else {
            self.inputs.pop();
            return;
        };
        if self.open.len() >= MAX_INCLUDE_DEPTH || self.included >= MAX_FILES {
            self.inputs.pop();
            return self.report_too_deep(&asked.at);
        }
        let found = self.env.glob(&directory(&self.open).join(&pattern).to_string_lossy());
        if found.is_empty() {
            // Looking costs as well, also where nothing is found.
            self.included += 1;
            self.report_no_match(&pattern, &asked);
        }
        if let Some(Input::Include(include)) = self.inputs.last_mut() {
            include.files = found.into_iter();
        }
    }

    fn report_too_deep(&mut self, place: &Span) {
        self.report.add(
            Diagnostic::new(
                "include-too-deep",
                Severity::Error,
                "too many files include one another: this one is not read",
                place,
            )
            .help("a file must not include itself"),
        );
    }

    fn report_no_match(&mut self, pattern: &str, asked: &Asked) {
        let severity = asked.checks.when_missing(&asked.pattern, pattern);
        let headline = format!("no file matches {pattern}");
        self.report.add(
            Diagnostic::new("include-nothing", severity, headline, &asked.at)
                .help("a relative name starts at the directory of the file that includes it"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_stand_for_several_names() {
        assert_eq!(alternatives("a{b,c}{d,e}"), ["abd", "abe", "acd", "ace"]);
        assert_eq!(alternatives("plain"), ["plain"]);
        assert!(alternatives(&"{a,b}".repeat(40)).len() <= MAX_ALTERNATIVES);
    }

    #[test]
    fn each_form_makes_its_own_findings_serious() {
        let missing = |form: &str, name: &str| Checks::of(form).unwrap().when_missing(name, name);
        assert_eq!(missing("include", "a"), Severity::Notice);
        assert_eq!(missing("includer", "a"), Severity::Notice);
        assert_eq!(missing("includem", "a"), Severity::NoFile);
        assert_eq!(missing("includem", "*"), Severity::Notice);
        assert_eq!(missing("includew", "*"), Severity::NoFile);
        assert_eq!(missing("includeb", "{a}"), Severity::NoFile);
        assert_eq!(missing("includeb", "a"), Severity::Notice);
    }
}
