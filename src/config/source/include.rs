//! The `include` family: which files a line names, and which findings each form makes serious.

use super::super::{Severity, text::Word};

/// What every form begins with.
pub(super) const KEYWORD: &str = "include";

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
pub(super) fn alternatives(pattern: &str) -> Vec<String> {
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
