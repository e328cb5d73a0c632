//! The words of a page that `HTTP_GET` and `SSL_GET` fetch.

use std::fmt;

use super::{Literal, Parsed, Url, report_invalid};
use crate::{
    config::{Diagnostic, Report, Severity, keywords::Keyword, text::Word, tree::Node, value},
    regex::Regex,
};

/// The status codes that HTTP has room for.
const FIRST_CODE: u16 = 100;
const LAST_CODE: u16 = 599;

/// `status_code`: the codes that count as success.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct StatusCodes {
    /// One bit for each code.
    bits: [u64; 8],
}

impl StatusCodes {
    /// None.
    const NONE: Self = Self { bits: [0; 8] };

    fn add(&mut self, first: u16, last: u16) {
        for code in first..=last {
            let bit = usize::from(code - FIRST_CODE);
            self.bits[bit / 64] |= 1 << (bit % 64);
        }
    }

    /// Whether a code counts as success.
    pub fn contains(&self, code: u16) -> bool {
        let bit = code.checked_sub(FIRST_CODE).filter(|_| code <= LAST_CODE).map(usize::from);
        bit.is_some_and(|bit| self.bits[bit / 64] >> (bit % 64) & 1 == 1)
    }

    /// `N` or `N-M`.
    fn range(word: &str) -> Option<(u16, u16)> {
        let code = |text: &str| text.parse().ok().filter(|code| (FIRST_CODE..=LAST_CODE).contains(code));
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        Some((code(first)?, code(last)?)).filter(|(first, last)| first <= last)
    }
}

impl Default for StatusCodes {
    fn default() -> Self {
        Self::NONE
    }
}

/// As ranges.
impl fmt::Debug for StatusCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut code = FIRST_CODE;
        while code <= LAST_CODE {
            if !self.contains(code) {
                code += 1;
                continue;
            }
            let first = code;
            while self.contains(code) {
                code += 1;
            }
            write!(f, "[{first}-{}]", code - 1)?;
        }
        Ok(())
    }
}

impl Parsed for StatusCodes {
    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        let mut codes = Self::NONE;
        for word in node.line.words(1) {
            match Self::range(word.text) {
                Some((first, last)) => codes.add(first, last),
                None => {
                    let help = "write codes from 100 to 599, as 200 or 301-302";
                    report_invalid(word, "a status code", "it is ignored", help, report);
                }
            }
        }
        (codes != Self::NONE).then_some(codes)
    }
}

impl Literal for StatusCodes {
    fn literal(_: &Keyword, default: &'static str) -> Option<Self> {
        let (first, last) = Self::range(default)?;
        let mut codes = Self::NONE;
        codes.add(first, last);
        Some(codes)
    }
}

/// `digest`: the MD5 of a page.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 16]);

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Parsed for Digest {
    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        let word = node.argument()?;
        let digest = digest(word.text);
        if digest.is_none() {
            let help = "write 32 hexadecimal digits, as `keepalived -T` or md5sum prints them";
            report_invalid(word, "an MD5 digest", "the page is not compared", help, report);
        }
        digest.map(Self)
    }
}

fn digest(word: &str) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    if word.len() != 2 * bytes.len() || !word.is_ascii() {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        let digits = &word[at..at + 2];
        *byte = u8::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?;
    }
    Some(bytes)
}

/// `http_protocol`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum HttpProtocol {
    /// `1.0`.
    #[default]
    V1_0,
    /// `1.0C`: 1.0 with `Connection: close`.
    V1_0Close,
    /// `1.1`, with `Connection: close`.
    V1_1,
}

impl Parsed for HttpProtocol {
    fn parse(node: &Node, _: &mut Report) -> Option<Self> {
        Some(match node.argument()?.text {
            "1.0" => Self::V1_0,
            "1.1" => Self::V1_1,
            _ => Self::V1_0Close,
        })
    }
}

impl Literal for HttpProtocol {
    fn literal(_: &Keyword, default: &'static str) -> Option<Self> {
        (default == "1.0").then_some(Self::V1_0)
    }
}

/// `sni_name [NAME]`, which switches SNI on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SniName {
    /// The name; `None` means the virtual host's.
    pub name: Option<Box<str>>,
}

impl Parsed for SniName {
    fn parse(node: &Node, _: &mut Report) -> Option<Self> {
        Some(Self { name: node.argument().map(|word| word.text.into()) })
    }
}

/// `regex_options`: how a regular expression is compiled (PCRE2 has the meanings).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RegexOptions {
    /// One bit for each of [`OPTIONS`].
    bits: u32,
}

/// The options by PCRE2's names, lower case, without its prefix.
const OPTIONS: &[&str] = &[
    "allow_empty_class",
    "alt_bsux",
    "auto_callout",
    "caseless",
    "dollar_endonly",
    "dotall",
    "dupnames",
    "extended",
    "firstline",
    "match_unset_backref",
    "multiline",
    "never_ucp",
    "never_utf",
    "no_auto_capture",
    "no_auto_possess",
    "no_dotstar_anchor",
    "no_start_optimize",
    "ucp",
    "ungreedy",
    "utf",
    "never_backslash_c",
    "alt_circumflex",
    "alt_verbnames",
    "use_offset_limit",
    "extended_more",
    "literal",
    "match_invalid_utf",
];

impl RegexOptions {
    /// Their names.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        OPTIONS.iter().enumerate().filter(move |(bit, _)| self.bits >> bit & 1 == 1).map(|(_, name)| *name)
    }
}

impl fmt::Debug for RegexOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

impl Parsed for RegexOptions {
    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        let mut options = Self::default();
        for word in node.line.words(1) {
            match OPTIONS.iter().position(|name| *name == word.text) {
                Some(bit) => options.bits |= 1 << bit,
                None => report_unknown_option(word, report),
            }
        }
        Some(options)
    }
}

impl Url {
    /// What the page is searched for; `None` where nothing is.
    ///
    /// # Errors
    /// Why there can be no such search.
    pub(crate) fn search(&self) -> Option<Result<Regex, String>> {
        let pattern = self.regex.as_deref()?;
        let until = self.regex_max_offset.map_or(u64::MAX, u64::from);
        let options = self.regex_options.unwrap_or_default();
        Some(Regex::new(pattern, options.names(), (u64::from(*self.regex_min_offset), until)))
    }
}

/// keepalived 2.2.7 says nothing, so this is a note.
fn report_unknown_option(word: Word<'_>, report: &mut Report) {
    let headline = format!("`{}` is no option of regular expressions: it is ignored", word.text);
    report.add(
        Diagnostic::new("unknown-option", Severity::Notice, headline, &word.span())
            .help("write PCRE2's names, such as caseless, multiline or dotall"),
    );
}

/// `regex_stack START MAX`: the memory of the just-in-time compiler, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RegexStack {
    /// What it begins with.
    pub start: u32,
    /// What it may grow to, not less.
    pub max: u32,
}

impl Parsed for RegexStack {
    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        let mut numbers = node.line.words(1).map(|word| value::integer(word.text)?.try_into().ok());
        let stack = match (numbers.next().flatten(), numbers.next().flatten()) {
            (Some(start), Some(max)) if start <= max => Some(Self { start, max }),
            _ => None,
        };
        if stack.is_none() {
            // keepalived 2.2.7 says nothing.
            let headline = "these are not two sizes: the default is used";
            report.add(
                Diagnostic::new("invalid-value", Severity::Notice, headline, &node.span())
                    .help("write regex_stack START MAX in bytes, the smaller number first"),
            );
        }
        stack
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn a_set_of_codes_contains_what_was_added() {
        let mut codes = StatusCodes::NONE;
        codes.add(200, 299);
        codes.add(404, 404);
        let mut shown = String::new();
        let _ = write!(shown, "{codes:?}");
        assert_eq!(shown, "[200-299][404-404]");
        assert!(codes.contains(250) && !codes.contains(300) && !codes.contains(99) && !codes.contains(600));
        assert_eq!(StatusCodes::range("599-100"), None);
        assert_eq!(StatusCodes::range("100-599"), Some((100, 599)));
    }

    #[test]
    fn a_digest_has_32_hexadecimal_digits() {
        assert_eq!(digest("000102030405060708090a0B0c0d0e0f").map(|bytes| bytes[11]), Some(11));
        for bad in ["", "00", "g00102030405060708090a0b0c0d0e0f", "+00102030405060708090a0b0c0d0e0f"] {
            assert_eq!(digest(bad), None, "{bad}");
        }
    }
}
