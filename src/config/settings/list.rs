//! Lines of lists, and words of several arguments that many blocks have.

use super::{FromLine, Named, Parsed, Setting, Words};
use crate::config::{
    Diagnostic, Place, Report, Severity,
    text::{Line, Word},
    tree::Node,
    value,
};

/// `weight N [reverse|noreverse]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// What is added to a priority, or multiplied with a file's value.
    pub value: i32,
    /// The adjustment has the opposite sign.
    pub reverse: bool,
}

impl Weight {
    /// What is added to a priority. The tables allow no more than any priority can change.
    pub fn adjustment(&self) -> i16 {
        i16::try_from(self.value).unwrap_or_default()
    }
}

impl Parsed for Weight {
    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        let mut weight = Self { value: node.integer()?.try_into().ok()?, reverse: false };
        for word in node.line.words(2) {
            match word.text {
                "reverse" => weight.reverse = true,
                "noreverse" => weight.reverse = false,
                _ => super::report_option(word, "after weight write N or N reverse", report),
            }
        }
        Some(weight)
    }
}

impl super::Literal for Weight {
    fn literal(keyword: &crate::config::keywords::Keyword, default: &'static str) -> Option<Self> {
        Some(Self { value: i32::literal(keyword, default)?, reverse: false })
    }
}

/// One line of a list as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Never empty.
    pub words: Words,
    /// Where its first word is.
    pub at: Place,
}

impl FromLine for Entry {
    fn parse(line: &Line, _: &mut Report) -> Option<Self> {
        Some(Self { words: Words::of(line.words(0)), at: line.first().span().into() })
    }
}

/// Every word of every line is a name.
impl Setting for Vec<Named> {
    fn take(&mut self, node: &Node, _: &mut Report) {
        let words = node.lines().iter().flat_map(|line| line.words(0));
        self.extend(words.map(|word| (word.text.to_owned(), word.span().into())));
    }
}

/// One line of a `track_…` list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// The interface, script, file, process or session.
    pub name: String,
    /// What the line says; `None` means the tracked object's own weight.
    pub weight: Option<i32>,
    /// What the line says about the sign.
    pub reverse: Option<bool>,
    /// Where the line is.
    pub at: Place,
}

impl FromLine for Track {
    fn parse(line: &Line, report: &mut Report) -> Option<Self> {
        let name = line.first();
        let mut track =
            Self { name: name.text.to_owned(), weight: None, reverse: None, at: name.span().into() };
        track.options(line.words(1), report);
        Some(track)
    }
}

impl Track {
    fn options<'a>(&mut self, mut words: impl Iterator<Item = Word<'a>>, report: &mut Report) {
        while let Some(word) = words.next() {
            match word.text {
                "weight" => {
                    let number = words.next().and_then(|word| value::integer(word.text));
                    let weight = number.and_then(|number| i32::try_from(number).ok());
                    self.weight = weight.filter(|weight| (-254..=254).contains(weight));
                    if self.weight.is_none() {
                        let headline = "this weight is not valid: it is ignored";
                        report.add(
                            Diagnostic::new("invalid-value", Severity::Error, headline, &word.span())
                                .help("write weight with a whole number from -253 to 253"),
                        );
                    }
                }
                "reverse" => self.reverse = Some(true),
                "noreverse" => self.reverse = Some(false),
                _ => super::report_option(
                    word,
                    "write one name per line, as NAME [weight N [reverse]]",
                    report,
                ),
            }
        }
    }
}
