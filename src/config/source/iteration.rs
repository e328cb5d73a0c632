//! `~SEQ`, `~SEQx` and `~LST`: a line that stands for several.
//!
//! The head of such a line names one or more parameters and the values they take in turn; what follows the head is
//! read once for each.

use super::super::text::is_blank;

/// Most values that one head may count to.
pub(super) const MAX_VALUES: usize = 1_000_000;

/// A head and what it asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Iteration {
    /// The parameters that change.
    pub(super) names: Vec<String>,
    /// The values of one round, as many as there are names.
    pub(super) rounds: Rounds,
}

/// The values, one round after the other.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rounds {
    /// `~SEQ`: from, step, how many.
    Count { from: i64, step: i64, count: usize, hexadecimal: bool },
    /// `~LST`
    Listed(Vec<Vec<String>>),
}

impl Rounds {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Count { count, .. } => *count,
            Self::Listed(rounds) => rounds.len(),
        }
    }

    /// The values of a round.
    pub(super) fn values(&self, round: usize) -> Vec<String> {
        match self {
            Self::Count { from, step, hexadecimal, .. } => {
                let value =
                    from.saturating_add(step.saturating_mul(i64::try_from(round).unwrap_or(i64::MAX)));
                vec![if *hexadecimal { format!("{value:x}") } else { value.to_string() }]
            }
            Self::Listed(rounds) => rounds.get(round).cloned().unwrap_or_default(),
        }
    }
}

/// The kinds of head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Sequence,
    Hexadecimal,
    List,
}

/// The kind of head a line begins with, and how many bytes its word has.
pub(super) fn kind(line: &str) -> Option<(Kind, usize)> {
    let words = [("~SEQx(", Kind::Hexadecimal), ("~SEQ(", Kind::Sequence), ("~LST(", Kind::List)];
    words.into_iter().find(|(word, _)| line.starts_with(word)).map(|(word, kind)| (kind, word.len()))
}

/// Reads what stands between the parentheses. The error says what is wrong with it.
pub(super) fn parse(kind: Kind, inside: &str) -> Result<Iteration, String> {
    match kind {
        Kind::Sequence => sequence(inside, false),
        Kind::Hexadecimal => sequence(inside, true),
        Kind::List => list(inside),
    }
}

/// `var, [start, [step,]] end`
fn sequence(inside: &str, hexadecimal: bool) -> Result<Iteration, String> {
    let mut parts = inside.split(',').map(|part| part.trim_matches(is_blank));
    let name = name(parts.next().unwrap_or_default())?;
    let numbers = parts
        .map(|part| number(part).ok_or_else(|| format!("`{part}` is not a whole number")))
        .collect::<Result<Vec<_>, _>>()?;
    let (from, step, end) = match numbers[..] {
        [end] if end < 0 => (-1, -1, end),
        [end] => (1, 1, end),
        [from, end] => (from, if end < from { -1 } else { 1 }, end),
        [from, step, end] => (from, step, end),
        _ => return Err(format!("it has {} numbers, one to three are possible", numbers.len())),
    };
    if step == 0 {
        return Err("a step of 0 never arrives".to_owned());
    }
    let distance = i128::from(end) - i128::from(from);
    if distance != 0 && (distance < 0) != (step < 0) {
        return Err(format!("a step of {step} leads away from {end}"));
    }
    if hexadecimal && (from < 0 || end < 0) {
        return Err("~SEQx counts no negative numbers".to_owned());
    }
    let count = usize::try_from(distance / i128::from(step)).unwrap_or(usize::MAX).saturating_add(1);
    if count > MAX_VALUES {
        return Err(format!("it counts {count} values, at most {MAX_VALUES} are possible"));
    }
    Ok(Iteration { names: vec![name], rounds: Rounds::Count { from, step, count, hexadecimal } })
}

/// `var, v1, v2…` or `{a,b}, {1,2}, {3,4}…`
fn list(inside: &str) -> Result<Iteration, String> {
    let mut sets = sets(inside)?.into_iter();
    let names =
        sets.next().unwrap_or_default().iter().map(|part| name(part)).collect::<Result<Vec<_>, _>>()?;
    let mut rounds = Vec::new();
    for mut values in sets {
        if values.len() > names.len() {
            return Err(format!("`{}` are more values than there are names", values.join(",")));
        }
        values.resize(names.len(), String::new());
        rounds.push(values);
    }
    if rounds.is_empty() {
        return Err("it lists no values".to_owned());
    }
    Ok(Iteration { names, rounds: Rounds::Listed(rounds) })
}

/// Divides at commas, keeping `{ }` together: `a,{b,c}` is `[[a],[b,c]]`.
fn sets(inside: &str) -> Result<Vec<Vec<String>>, String> {
    let trim = |part: &str| part.trim_matches(is_blank).to_owned();
    let mut sets = Vec::new();
    let mut rest = inside.trim_matches(is_blank);
    loop {
        let tail;
        if let Some(braced) = rest.strip_prefix('{') {
            let (set, after) = braced.split_once('}').ok_or("a { is not closed")?;
            sets.push(set.split(',').map(trim).collect());
            tail = after.trim_start_matches(is_blank);
            if !tail.is_empty() && !tail.starts_with(',') {
                return Err(format!("a comma is missing before `{tail}`"));
            }
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            sets.push(vec![trim(&rest[..end])]);
            tail = &rest[end..];
        }
        match tail.strip_prefix(',') {
            Some(more) => rest = more.trim_start_matches(is_blank),
            None => return Ok(sets),
        }
    }
}

fn name(text: &str) -> Result<String, String> {
    match super::value::name(text) {
        Some((name, "")) => Ok(name.to_owned()),
        _ => Err(format!("`{text}` is not a name")),
    }
}

/// A number as the C language writes it: decimal, `0x…` or octal with a leading 0.
fn number(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(digits) => (16, digits),
        None if digits.len() > 1 && digits.starts_with('0') => (8, &digits[1..]),
        None => (10, digits),
    };
    // A second sign is no digit, although from_str_radix would take it.
    if !digits.starts_with(|first: char| first.is_digit(radix)) {
        return None;
    }
    i64::from_str_radix(digits, radix).ok().map(|number| sign * number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(kind: Kind, inside: &str) -> Vec<String> {
        let rounds = parse(kind, inside).unwrap().rounds;
        (0..rounds.len()).map(|round| rounds.values(round).join("/")).collect()
    }

    #[test]
    fn a_sequence_counts_in_either_direction() {
        assert_eq!(values(Kind::Sequence, "I,3"), ["1", "2", "3"]);
        assert_eq!(values(Kind::Sequence, "I, -2"), ["-1", "-2"]);
        assert_eq!(values(Kind::Sequence, "I, 2, 0"), ["2", "1", "0"]);
        assert_eq!(values(Kind::Sequence, "I, 1, 2, 6"), ["1", "3", "5"]);
        assert_eq!(values(Kind::Sequence, "I, 0x10, 010, 32"), ["16", "24", "32"]);
        assert_eq!(values(Kind::Hexadecimal, "I, 0x90, 0x10, 0xc0"), ["90", "a0", "b0", "c0"]);
    }

    #[test]
    fn a_sequence_that_cannot_be_counted_is_refused() {
        for bad in ["I", "I,a", "I,1,0,5", "I,1,-1,5", "I,1,2,3,4", "1,2", "I,99999999", "I,--1", ""] {
            assert!(parse(Kind::Sequence, bad).is_err(), "{bad}");
        }
        assert!(parse(Kind::Hexadecimal, "I,-2").is_err());
    }

    #[test]
    fn a_list_may_set_several_names_at_once() {
        assert_eq!(values(Kind::List, "A, x, y"), ["x", "y"]);
        assert_eq!(values(Kind::List, "{A,B}, {1,2},{3}, 4"), ["1/2", "3/", "4/"]);
        for bad in ["A", "{A,B},{1,2,3}", "{A", "{A}x,1", "A B,1"] {
            assert!(parse(Kind::List, bad).is_err(), "{bad}");
        }
    }
}
