//! A tracked file as a machine: what its content means.

use super::{Finding, Observation};

/// What of a file is read, in bytes; a number that needs more is none.
pub const LONGEST: usize = 127;

/// What was found where the file should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// At most [`LONGEST`] bytes.
    Bytes(Vec<u8>),
    /// There is no file.
    Missing,
    /// It cannot be read, in the system's words.
    Unreadable(String),
}

/// The number of a file that changes.
#[derive(Debug, Default)]
pub struct FileTracker {
    number: Option<i64>,
}

/// What a look at the file came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileVerdict {
    /// The number that counts now.
    pub number: i64,
    /// Whether it is another one than before, or the first.
    pub changed: bool,
    /// What is wrong with the content, if anything: no file counts as 0, a number that does not fit is ignored.
    pub problem: Option<String>,
}

impl FileVerdict {
    /// What whoever tracks the file is told.
    pub fn observation(&self) -> Observation {
        let detail = match &self.problem {
            Some(problem) => format!("counts as {} ({problem})", self.number),
            None => format!("holds {}", self.number),
        };
        Observation { finding: Finding::Number(self.number), detail }
    }
}

impl FileTracker {
    /// The file was looked at. A number too large to be read leaves the one before in force.
    pub fn handle_content(&mut self, content: &Content) -> FileVerdict {
        let before = self.number;
        let (number, problem) = match content {
            Content::Bytes(bytes) => match leading_integer(bytes) {
                Some(number) => (number, None),
                None => (before.unwrap_or_default(), Some("its number is too large".to_owned())),
            },
            Content::Missing => (0, Some("there is no file".to_owned())),
            Content::Unreadable(why) => (0, Some(why.clone())),
        };
        self.number = Some(number);
        FileVerdict { number, changed: before != Some(number), problem }
    }
}

/// The whole number that a text begins with, in C's notation: blanks, a sign, then decimal, `0x` hexadecimal or `0`
/// octal digits. What follows it does not matter; a text that begins with no number is 0. `None` when it does not fit.
fn leading_integer(text: &[u8]) -> Option<i64> {
    let text = text.trim_ascii_start();
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (radix, digits) = match digits {
        [b'0', b'x' | b'X', first, ..] if first.is_ascii_hexdigit() => (16, &digits[2..]),
        [b'0', ..] => (8, digits),
        _ => (10, digits),
    };
    let digits = digits.iter().map_while(|digit| char::from(*digit).to_digit(radix));
    let mut number: i64 = 0;
    for digit in digits {
        let digit = i64::from(digit);
        let shifted = number.checked_mul(i64::from(radix))?;
        number = if negative { shifted.checked_sub(digit)? } else { shifted.checked_add(digit)? };
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_c_does() {
        let table: [(&str, Option<i64>); 18] = [
            ("", Some(0)),
            ("\n", Some(0)),
            ("junk", Some(0)),
            ("-", Some(0)),
            ("5\n", Some(5)),
            (" \n\t 12 34", Some(12)),
            ("+7", Some(7)),
            ("-200", Some(-200)),
            ("3.9", Some(3)),
            ("12abc", Some(12)),
            ("0x10", Some(16)),
            ("0X1fz", Some(31)),
            ("0x", Some(0)),
            ("010", Some(8)),
            ("09", Some(0)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("99999999999999999999999", None),
        ];
        for (text, number) in table {
            assert_eq!(leading_integer(text.as_bytes()), number, "{text:?}");
        }
        assert_eq!(leading_integer(&[0xff, 0, b'1']), Some(0));
        assert_eq!(leading_integer(&[b'1'; LONGEST]), None);
    }

    fn bytes(text: &str) -> Content {
        Content::Bytes(text.into())
    }

    #[test]
    fn only_another_number_is_news_and_no_file_is_0() {
        let mut file = FileTracker::default();
        let first = file.handle_content(&Content::Missing);
        assert_eq!((first.number, first.changed), (0, true));
        assert_eq!(first.observation().detail, "counts as 0 (there is no file)");
        assert!(!file.handle_content(&bytes("junk")).changed);
        let five = file.handle_content(&bytes("5\n"));
        assert_eq!(five, FileVerdict { number: 5, changed: true, problem: None });
        assert_eq!(five.observation(), Observation { finding: Finding::Number(5), detail: "holds 5".into() });
        assert!(!file.handle_content(&bytes("5 apples")).changed);
        let gone = file.handle_content(&Content::Unreadable("is a directory".into()));
        assert_eq!((gone.number, gone.changed), (0, true));
    }

    #[test]
    fn a_number_that_does_not_fit_leaves_the_last_one_in_force() {
        let mut file = FileTracker::default();
        file.handle_content(&bytes("5"));
        let verdict = file.handle_content(&bytes("99999999999999999999"));
        assert_eq!((verdict.number, verdict.changed), (5, false));
        assert!(verdict.problem.is_some());
        let mut fresh = FileTracker::default();
        assert_eq!(fresh.handle_content(&bytes("99999999999999999999")).number, 0);
    }
}
