//! The grammars of values: numbers, times, addresses, command lines.
//!
//! Each reads one whole word; what is left over is an error, because `10s` is not 10.

use std::net::{IpAddr, Ipv4Addr};

use nom::{
    IResult, Parser,
    branch::alt,
    bytes::complete::{is_not, tag, take_while_m_n, take_while1},
    character::complete::{anychar, char, digit0, digit1, multispace0, multispace1},
    combinator::{all_consuming, map, map_opt, map_res, not, opt, recognize, rest, value},
    multi::{fold_many0, fold_many1, many0},
    sequence::{delimited, pair, preceded, terminated},
};

/// A whole number, perhaps negative. `None` when the word is anything else or does not fit.
pub(super) fn integer(word: &str) -> Option<i64> {
    word.parse().ok()
}

/// A whole number as the C language has them: `0x10` and `020` are 16. `None` when the word is anything else or does not
/// fit.
pub(super) fn numeral(word: &str) -> Option<u64> {
    let word = word.strip_prefix('+').unwrap_or(word);
    if word.starts_with('+') {
        return None;
    }
    if let Some(digits) = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        return u64::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'));
    }
    let octal = word.len() > 1 && word.starts_with('0');
    u64::from_str_radix(word, if octal { 8 } else { 10 }).ok()
}

/// Whether the kernel would take the word for the name of an interface (dev_valid_name).
pub(super) fn is_interface_name(word: &str) -> bool {
    /// IFNAMSIZ without the NUL.
    const LONGEST: usize = 15;
    let fits = |c: char| !matches!(c, '/' | ':') && !c.is_whitespace();
    (1..=LONGEST).contains(&word.len()) && !matches!(word, "." | "..") && word.chars().all(fits)
}

/// A decimal number of units, as thousandths of thousandths: `1.5` is 1_500_000. More than six decimals are
/// rounded. `None` when the word is anything else or does not fit.
pub(super) fn micro(word: &str) -> Option<u64> {
    let whole_part = map_res(digit1, str::parse::<u64>);
    whole(
        word,
        map_opt(
            (opt(char('+')), opt(whole_part), opt(preceded(char('.'), digit0))),
            |(_, whole, decimals)| {
                if whole.is_none() && decimals.is_none_or(str::is_empty) {
                    return None;
                }
                let fraction = decimals.map_or(0, millionths);
                whole.unwrap_or(0).checked_mul(1_000_000)?.checked_add(fraction)
            },
        ),
    )
}

fn millionths(decimals: &str) -> u64 {
    let digits = decimals.bytes().chain(std::iter::repeat(b'0')).map(|digit| u64::from(digit - b'0'));
    let seven = digits.take(7).fold(0, |sum, digit| sum * 10 + digit);
    (seven + 5) / 10
}

/// An address with an optional prefix length, which is not checked against the family.
pub(super) fn prefixed_address(word: &str) -> Option<(IpAddr, Option<&str>)> {
    let (host, prefix) = word.split_once('/').map_or((word, None), |(host, prefix)| (host, Some(prefix)));
    Some((host.parse().ok()?, prefix))
}

/// A network: an address with an optional prefix length, which is not checked against the family; `None` in place of the
/// address stands for every address, of IPv6 where the word says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Net<'a> {
    /// `default`, `any` or `all`.
    Every,
    /// `default6`.
    EveryV6,
    /// An address, and what stands behind the slash.
    Of(IpAddr, Option<&'a str>),
}

/// The word for a network.
pub(super) fn network(word: &str) -> Option<Net<'_>> {
    match word {
        "default" | "any" | "all" => Some(Net::Every),
        "default6" => Some(Net::EveryV6),
        _ => prefixed_address(word).map(|(address, prefix)| Net::Of(address, prefix)),
    }
}

/// A host's address; keepalived drops what follows a `/` or `-`, so `true` says that something was dropped.
pub(super) fn host_address(word: &str) -> Option<(IpAddr, bool)> {
    let end = word.bytes().position(|byte| matches!(byte, b'/' | b'-'));
    Some((word[..end.unwrap_or(word.len())].parse().ok()?, end.is_some()))
}

/// What `brd` may be followed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broadcast {
    /// `+`: all host bits set.
    HostBitsSet,
    /// `-`: all host bits clear.
    HostBitsClear,
    /// An address.
    Address(Ipv4Addr),
}

/// The word after `brd`.
pub(super) fn broadcast(word: &str) -> Option<Broadcast> {
    whole(
        word,
        alt((
            value(Broadcast::HostBitsSet, tag("+")),
            value(Broadcast::HostBitsClear, tag("-")),
            map(map_res(rest, str::parse), Broadcast::Address),
        )),
    )
}

/// Splits a line the way script keywords are read: both kinds of quotes make one word, and escapes are decoded, inside
/// quotes and outside. What they come to is read once more by [`arguments`].
pub(super) fn script_words(line: &str) -> Option<Vec<String>> {
    let double = delimited(char('"'), pieces("\\\""), char('"'));
    let single = delimited(char('\''), pieces("\\'"), char('\''));
    let bare = preceded(not(char('\'')), some_pieces(" \t\\\""));
    let word = alt((double, single, bare));
    whole(line, delimited(multispace0, many0(terminated(word, multispace0)), multispace0))
}

/// Splits a command into its arguments: blanks separate, quotes of both kinds protect, escapes are decoded.
/// `None` when a quote is not closed.
pub(super) fn arguments(command: &str) -> Option<Vec<String>> {
    let double = delimited(char('"'), pieces("\\\""), char('"'));
    let single = delimited(char('\''), pieces("\\'"), char('\''));
    let part = alt((double, single, some_pieces(" \t\\\"'")));
    let word = fold_many1(part, String::new, |word, part| word + &part);
    whole(
        command,
        delimited(
            multispace0,
            many0(terminated(word, alt((multispace1, nom::combinator::eof)))),
            multispace0,
        ),
    )
}

fn pieces<'a>(
    stop: &'static str,
) -> impl Parser<&'a str, Output = String, Error = nom::error::Error<&'a str>> {
    fold_many0(piece(stop), String::new, |text, piece: String| text + &piece)
}

fn some_pieces<'a>(
    stop: &'static str,
) -> impl Parser<&'a str, Output = String, Error = nom::error::Error<&'a str>> {
    fold_many1(piece(stop), String::new, |text, piece: String| text + &piece)
}

fn piece<'a>(
    stop: &'static str,
) -> impl Parser<&'a str, Output = String, Error = nom::error::Error<&'a str>> {
    alt((map(is_not(stop), str::to_owned), map(escape, String::from)))
}

/// One escaped character, as the C language and bash have them.
fn escape(input: &str) -> IResult<&str, char> {
    let octal = map_res(take_while_m_n(1, 3, |c: char| c.is_digit(8)), |digits| number(digits, 8));
    let hex = preceded(
        char('x'),
        map_res(take_while_m_n(1, 2, |c: char| c.is_ascii_hexdigit()), |digits| number(digits, 16)),
    );
    let control = preceded(
        alt((char('c'), char('C'))),
        map_opt(anychar, |c| u8::try_from(c).ok().map(|c| char::from(c & 0x1f))),
    );
    let named = map_opt(anychar, |c| {
        Some(match c {
            'a' => '\x07',
            'b' => '\x08',
            'E' | 'e' => '\x1b',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            other => other,
        })
    });
    preceded(char('\\'), alt((octal, hex, control, named))).parse(input)
}

fn number(digits: &str, radix: u32) -> Result<char, std::num::TryFromIntError> {
    let code = u32::from_str_radix(digits, radix).unwrap_or(u32::MAX);
    u8::try_from(code).map(char::from)
}

/// A parameter name: letters, digits and `_`, no digit first. Returns the name and what follows it.
pub(super) fn name(input: &str) -> Option<(&str, &str)> {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let more = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut parser = recognize(pair(take_while_m_n(1, 1, first), opt(take_while1(more))));
    let parsed: IResult<&str, &str> = parser.parse(input);
    parsed.ok().map(|(tail, name)| (name, tail))
}

fn whole<'a, T>(
    word: &'a str,
    parser: impl Parser<&'a str, Output = T, Error = nom::error::Error<&'a str>>,
) -> Option<T> {
    all_consuming(parser).parse(word).ok().map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_whole_word() {
        assert_eq!(integer("150"), Some(150));
        assert_eq!(integer("-3"), Some(-3));
        for bad in ["", "150x", "1.5", "0x10", "99999999999999999999", "-"] {
            assert_eq!(integer(bad), None, "{bad}");
        }
    }

    #[test]
    fn seconds_are_decimal() {
        assert_eq!(micro("1"), Some(1_000_000));
        assert_eq!(micro("0.5"), Some(500_000));
        assert_eq!(micro(".5"), Some(500_000));
        assert_eq!(micro("2."), Some(2_000_000));
        assert_eq!(micro("0.0000015"), Some(2), "rounded");
        for bad in ["", ".", "2s", "-1", "1e3", "99999999999999999999"] {
            assert_eq!(micro(bad), None, "{bad}");
        }
    }

    #[test]
    fn addresses_may_carry_a_prefix() {
        assert_eq!(prefixed_address("192.0.2.1/24"), Some((IpAddr::from([192, 0, 2, 1]), Some("24"))));
        assert_eq!(prefixed_address("192.0.2.1"), Some((IpAddr::from([192, 0, 2, 1]), None)));
        assert_eq!(prefixed_address("192.0.2"), None);
        assert_eq!(host_address("192.0.2.1/24"), Some((IpAddr::from([192, 0, 2, 1]), true)));
    }

    #[test]
    fn a_command_is_split_like_a_shell_would() {
        let split = |text: &str| arguments(text).unwrap();
        assert_eq!(split("killall -0 haproxy"), ["killall", "-0", "haproxy"]);
        assert_eq!(split(r#"cmd 'a b' "c d"e \x41\102\n"#), ["cmd", "a b", "c de", "AB\n"]);
        assert_eq!(split(r"a\ b"), ["a b"]);
        assert_eq!(arguments("open 'quote"), None);
    }

    #[test]
    fn a_script_line_keeps_its_quoted_command_whole() {
        let line = r#"script "cmd 'a b' \"c\"" nobody :wheel"#;
        assert_eq!(script_words(line).unwrap(), ["script", r#"cmd 'a b' "c""#, "nobody", ":wheel"]);
        assert_eq!(script_words("notify '/bin/x y'").unwrap(), ["notify", "/bin/x y"]);
        assert_eq!(script_words("script \"open"), None);
    }

    #[test]
    fn escapes_in_a_script_line_are_decoded_twice() {
        let split = |line: &str| arguments(&script_words(line).unwrap()[1]).unwrap();
        // As keepalived 2.2.7 calls the script.
        for (line, argv) in [
            (r#"script "x 1 \"c d\" x""#, &["x", "1", "c d", "x"][..]),
            (r#"script "x 2 \\\"c d\\\" x""#, &["x", "2", "\"c", "d\"", "x"]),
            (r#"script "x 3 'a b' a\ b \x41""#, &["x", "3", "a b", "a", "b", "A"]),
            (r#"script 'x 4 "a b" a\ b \x41'"#, &["x", "4", "a b", "a", "b", "A"]),
            (r#"script "x 5 'a \"b' a\\\\b""#, &["x", "5", "a \"b", r"a\b"]),
        ] {
            assert_eq!(split(line), argv, "{line}");
        }
    }
}
