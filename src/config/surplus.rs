//! Words behind what a keyword takes: two settings on one line, two values for one, a value for a word that has none.
//!
//! keepalived ignores most of them without a word, so that a setting is lost which the file shows.

use super::{
    Diagnostic, Severity, explain,
    keywords::{Block, Keyword, Surplus, Value},
    secrets::MASK,
    slips,
    text::{Line, Word},
};

/// What is wrong with the words that nobody reads; `None` for nearly every line.
pub(super) fn check(keyword: &'static Keyword, block: &Block, line: &Line) -> Option<Diagnostic> {
    // Few lines have so many words behind the keyword, and the second look costs more.
    let fewest = if matches!(keyword.value, Value::Flag | Value::Body(_)) { 1 } else { 2 };
    line.word(fewest)?;
    let first = line.word(keyword.most_words()? + 1)?;
    let name = keyword.name;
    match (keyword.surplus, keyword.value) {
        (Surplus::Fatal, _) => {
            let headline = format!("`{}` behind the name of {name} cannot be", first.text);
            let found = Diagnostic::new("extra-words", Severity::Fatal, headline, &first.span());
            return Some(
                found.info("the configuration cannot be used with it").help(one_name(keyword, line)),
            );
        }
        (Surplus::Refused, _) => {
            let headline =
                format!("`{}` behind the name of this {name}: the whole block is ignored", first.text);
            let found = Diagnostic::new("extra-words", Severity::Error, headline, &first.span());
            return Some(found.help(one_name(keyword, line)));
        }
        // Its own code says so.
        (_, Value::Lines(_)) => return None,
        _ => {}
    }
    let inside = if let Value::Body(inner) = keyword.value { inner } else { block };
    let lost: Vec<_> = line.words(0).skip_while(|word| word.span() != first.span()).collect();
    Some(lost_settings(name, inside, &lost).unwrap_or_else(|| ignored(keyword, inside, line, first)))
}

fn one_name(keyword: &Keyword, line: &Line) -> String {
    let words: Vec<_> = line.words(1).map(|word| word.text).collect();
    format!("write {} with one name, such as {}", keyword.name, words.join("_"))
}

/// Settings of the block that stand behind another one.
fn lost_settings(name: &str, block: &Block, words: &[Word<'_>]) -> Option<Diagnostic> {
    let first = words.first().filter(|word| block.keyword(word.text).is_some())?;
    let headline = format!("`{}` behind {name} is not read", first.text);
    let mut settings: Vec<String> = Vec::new();
    for word in words {
        match settings.last_mut() {
            // What is not a word of the block is the value of the one before, and may be a password.
            Some(_) if block.holds_secrets && block.keyword(word.text).is_none() => {}
            Some(last) if block.keyword(word.text).is_none() => {
                last.push(' ');
                last.push_str(word.text);
            }
            _ => settings.push(word.text.to_owned()),
        }
    }
    Some(
        Diagnostic::new("extra-words", Severity::Warning, headline, &first.span())
            .info("a line holds one setting: the rest of it is ignored, as in keepalived")
            .help(format!(
                "put on {}: {}",
                if settings.len() == 1 { "a line of its own" } else { "lines of their own" },
                settings.join(" / ")
            )),
    )
}

/// Whether its one value may be any text.
fn is_free(keyword: &Keyword) -> bool {
    keyword.most_words() == Some(1) && !keyword.arguments.contains('|')
}

/// Words that are no settings.
fn ignored(keyword: &Keyword, block: &Block, line: &Line, word: Word<'_>) -> Diagnostic {
    let name = keyword.name;
    let shown = if block.holds_secrets { MASK } else { word.text };
    // Where a second word stands would tell how long the secret before it is.
    let place = if keyword.secret { line.first().span() } else { word.span() };
    let notice = |help: String| {
        let headline = format!("`{shown}` behind {name} is ignored");
        Diagnostic::new("extra-words", Severity::Notice, headline, &place).help(help)
    };
    if let Some(help) = slips::comment(word.text) {
        return notice(help.to_owned());
    }
    match keyword.value {
        Value::Flag if matches!(word.text, "off" | "no" | "false" | "0") => {
            let headline = format!("{name} takes no value: it is set in spite of `{shown}`");
            Diagnostic::new("extra-words", Severity::Warning, headline, &word.span())
                .help("remove the line where it is not wanted".to_owned())
        }
        Value::Flag => notice(format!("write {name} alone")),
        Value::Body(_) => notice("remove it, or write it inside the braces".to_owned()),
        Value::Text if is_free(keyword) && !block.holds_secrets => {
            let words: Vec<_> = line.words(1).map(|word| word.text).collect();
            notice(format!("write {name} \"{}\" if they are one value", words.join(" ")))
        }
        Value::Text => notice(format!("after {name} write {}", keyword.arguments)),
        value => notice(format!("after {name} write one value: {}", explain::value(value))),
    }
}
