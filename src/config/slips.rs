//! Habits of other languages in a word: comments that begin otherwise, values that end with a mark, masks, ports behind a
//! colon. Each gives what to write instead.

use std::net::{Ipv4Addr, SocketAddr};

/// What other languages begin a comment with.
pub(super) fn comment(word: &str) -> Option<&'static str> {
    let begins = [";", "//", "--"].iter().any(|mark| word.starts_with(mark));
    begins.then_some("begin a comment with # or !")
}

/// A word without the `;` or `,` at its end, and what to do about the mark.
pub(super) fn ended(word: &str) -> Option<(&str, &'static str)> {
    let (rest, help) = match word.strip_suffix(';') {
        Some(rest) => (rest, "remove the ; at its end"),
        None => (word.strip_suffix(',')?, "remove the , at its end"),
    };
    (!rest.is_empty()).then_some((rest, help))
}

/// How long a prefix is that stands there as a mask.
pub(super) fn mask(prefix: &str) -> Option<String> {
    let mask = u32::from(prefix.parse::<Ipv4Addr>().ok()?);
    let length = mask.leading_ones();
    (mask.count_ones() == length).then(|| format!("write /{length} in place of the mask"))
}

/// An address with its port behind a colon, as two words.
pub(super) fn endpoint(word: &str) -> Option<String> {
    let endpoint: SocketAddr = word.parse().ok()?;
    Some(format!("{} {}", endpoint.ip(), endpoint.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_known_from_what_is_right() {
        for (word, is_one) in [(";", true), ("//x", true), ("--", true), ("-nodad", false), ("/bin/x", false)]
        {
            assert_eq!(comment(word).is_some(), is_one, "{word}");
        }
        assert_eq!(ended("100;").map(|(word, _)| word), Some("100"));
        assert_eq!((ended(";"), ended("1,2")), (None, None));
        assert_eq!(mask("255.255.255.0").as_deref(), Some("write /24 in place of the mask"));
        assert_eq!((mask("255.0.255.0"), mask("24")), (None, None));
        assert_eq!(endpoint("192.0.2.1:80").as_deref(), Some("192.0.2.1 80"));
        assert_eq!(endpoint("[2001:db8::1]:80").as_deref(), Some("2001:db8::1 80"));
        assert_eq!((endpoint("192.0.2.1"), endpoint("2001:db8::1")), (None, None));
    }
}
