//! Parameters: how they are defined, how they are named in a line, and those that need no definition.

use std::{collections::BTreeMap, path::Path, rc::Rc};

use super::super::{
    Environment,
    text::{Text, is_blank},
    value,
};

/// What `${_RANDOM}` is chosen from when it names no bounds.
const RANDOM_RANGE: (u64, u64) = (0, 32_767);

/// The longest words of a built-in name, in bytes: how far its `}` is looked for.
const MAX_ARGUMENTS: usize = 255;

/// The lines of a value; nearly always one.
pub(super) type Value = Rc<[String]>;

/// What has been defined, and what the built-in names stand for.
pub(super) struct Parameters {
    defined: BTreeMap<String, Value>,
    /// `-i`, else the host name up to its first dot.
    pub(super) config_id: String,
    /// The state of `${_RANDOM}`.
    random: u64,
}

impl Parameters {
    pub(super) fn new(config_id: String, seed: u64) -> Self {
        Self { defined: BTreeMap::new(), config_id, random: seed }
    }

    pub(super) fn define(&mut self, name: &str, lines: impl Into<Value>) {
        self.defined.insert(name.to_owned(), lines.into());
    }

    /// Whether a name has a value.
    pub(super) fn is_defined(&self, name: &str) -> bool {
        self.defined.contains_key(name)
    }

    /// The names that have one.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.defined.keys().map(String::as_str)
    }

    /// `random_seed`: from here on the same file gives the same numbers.
    pub(super) fn seed(&mut self, seed: u64) {
        self.random = seed;
    }

    /// What a use of a parameter is replaced by; `None` when nobody defined it, and then it stays as it is.
    pub(super) fn value(
        &mut self,
        used: &Used<'_>,
        directory: &Path,
        env: &dyn Environment,
    ) -> Option<Value> {
        if used.arguments.is_empty()
            && let Some(lines) = self.defined.get(used.name)
        {
            return Some(Rc::clone(lines));
        }
        let single = match used.name {
            "_PWD" => directory.to_string_lossy().into_owned(),
            "_INSTANCE" => self.config_id.clone(),
            "_HASH" => "\\#".to_owned(),
            "_BANG" => "\\!".to_owned(),
            "_ENV" => env.variable(used.arguments.trim_matches(is_blank)).unwrap_or_default(),
            "_RANDOM" => self.random(used.arguments)?.to_string(),
            _ => return None,
        };
        Some(Rc::new([single]))
    }

    /// A number for `_RANDOM [MIN [MAX]]`; `None` when the bounds are not numbers in order.
    fn random(&mut self, bounds: &str) -> Option<u64> {
        let mut words = bounds.split(is_blank).filter(|word| !word.is_empty()).map(|word| word.parse().ok());
        let min: u64 = words.next().unwrap_or(Some(RANDOM_RANGE.0))?;
        let max: u64 = words.next().unwrap_or(Some(RANDOM_RANGE.1))?;
        if words.next().is_some() || max < min {
            return None;
        }
        // SplitMix64: good enough to spread start times, and the same for the same seed.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        Some(match (max - min).checked_add(1) {
            Some(count) => min + mixed % count,
            None => mixed,
        })
    }
}

/// The use of a parameter at the start of a text.
pub(super) struct Used<'a> {
    pub(super) name: &'a str,
    /// What stands between the name and the `}`, of built-in names only.
    arguments: &'a str,
    /// Bytes from the `$` to the end of the use.
    pub(super) length: usize,
}

/// `$NAME` before a blank, `,`, `)` or the end, or `${NAME}`, or `${_NAME WORDS}`.
pub(super) fn used(text: &str) -> Option<Used<'_>> {
    let rest = text.strip_prefix('$')?;
    if let Some(inner) = rest.strip_prefix('{') {
        let (name, tail) = value::name(inner)?;
        let arguments = &tail[..tail.bytes().take(MAX_ARGUMENTS + 1).position(|byte| byte == b'}')?];
        let fits =
            arguments.is_empty() || (matches!(name, "_ENV" | "_RANDOM") && arguments.starts_with(is_blank));
        return fits.then_some(Used { name, arguments, length: name.len() + arguments.len() + 3 });
    }
    let (name, tail) = value::name(rest)?;
    let ends = tail.chars().next().is_none_or(|c| is_blank(c) || matches!(c, ',' | ')'));
    ends.then_some(Used { name, arguments: "", length: name.len() + 1 })
}

/// `$NAME=value`: no blank before the `=`, blanks after it dropped.
pub(super) fn definition(text: &Text) -> Option<(String, String)> {
    let (name, rest) = value::name(text.as_str().strip_prefix('$')?)?;
    let value = rest.strip_prefix('=')?;
    Some((name.to_owned(), value.trim_start_matches(is_blank).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_ends_where_it_can_be_told_from_text() {
        let length = |text: &str| used(text).map(|used| used.length);
        assert_eq!(length("$A"), Some(2));
        assert_eq!(length("$A,x"), Some(2));
        assert_eq!(length("$A.x"), None);
        assert_eq!(length("${A}x"), Some(4));
        assert_eq!(length("${A b}"), None, "only built-in names take words");
        assert_eq!(length("${_ENV HOME}x"), Some(12));
        assert_eq!(length("${A"), None);
    }

    #[test]
    fn random_numbers_keep_their_bounds_and_repeat_with_their_seed() {
        let mut parameters = Parameters::new(String::new(), 7);
        let first: Vec<_> = (0..50).map(|_| parameters.random(" 3 5").unwrap()).collect();
        assert!(
            first.iter().all(|number| (3..=5).contains(number)) && first.contains(&3) && first.contains(&5)
        );
        parameters.seed(7);
        assert_eq!(parameters.random(" 3 5"), Some(first[0]));
        assert_eq!(parameters.random(" 5 3"), None);
        assert!(parameters.random("").unwrap() <= 32_767);
    }
}
