//! Spans of time as people write them: 90s, 10m, 2h, 1d, or seconds without a unit.

use std::time::Duration;

/// Reads one.
///
/// # Errors
/// In words, when it is none.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("`{text}` is no span of time: write a number with s, m, h or d behind it, as in 10m");
    let digits = text.trim_end_matches(|char: char| char.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let count: u32 = digits.parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(u64::from(count) * unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_with_its_unit() {
        for (text, seconds) in [("0", 0), ("7", 7), ("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86_400)] {
            assert_eq!(span(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "m", "-1s", "1.5h", "10 m", "10min", "99999999999"] {
            assert!(span(text).is_err(), "{text}");
        }
    }
}
