//! What is said of keywords, braces and quotes that do not fit.

use super::opened::{self, Opened};
use crate::config::{
    Diagnostic, Prose, Severity, Span, explain,
    keywords::{self, Block, Keyword, Value},
    secrets::MASK,
    slips,
    text::{Line, Word},
};

/// A quote that is never closed, wherever it is found.
pub(in crate::config) fn open_quote(span: &Span) -> Diagnostic {
    let headline = "this quote is never closed: what follows it is ignored";
    Diagnostic::new("unclosed-quote", Severity::Error, headline, span)
        .help("close it with another \" on the same line")
}

/// What to write: the line, and in words what its argument is; `written` is what the file has, if anything.
pub(in crate::config) fn instruction(keyword: &Keyword, written: &str) -> Prose {
    if let Some((_, help)) = slips::ended(written).filter(|(word, _)| super::fits(keyword.value, word)) {
        return help.into();
    }
    let argument = match keyword.value {
        Value::Flag | Value::Text | Value::Script | Value::Lines(_) | Value::Body(_) => {
            return Prose::own(format!("write {} {}", keyword.name, keyword.arguments));
        }
        Value::Seconds(..) | Value::Milliseconds(..) => {
            format!("{}, without a unit", explain::value(keyword.value))
        }
        Value::OneOf(choices) if choices.iter().any(|choice| choice.eq_ignore_ascii_case(written)) => {
            let choice = choices.iter().find(|choice| choice.eq_ignore_ascii_case(written));
            let choice = choice.unwrap_or(&"");
            return Prose::own(format!("write {} {choice}: case matters", keyword.name));
        }
        Value::OneOf(choices) | Value::OneOfAnyCase(choices) => choices.join(" or "),
        Value::Boolean => "on, off, true, false, yes or no".to_owned(),
        other => explain::value(other),
    };
    Prose::own(format!("after {} write {argument}", keyword.name))
}

/// What to say of a word that the block does not have.
pub(super) fn unknown_keyword(line: &Line, block: &'static Block, open: &[Opened]) -> Diagnostic {
    let word = line.first();
    let homes = keywords::homes(word.text);
    let shown = if block.holds_secrets && homes.is_empty() { MASK } else { word.text };
    let headline = format!("unknown keyword `{shown}` in {}", block.name);
    let found = Diagnostic::new("unknown-keyword", Severity::Error, headline, &word.span());
    if let Some((home, unclosed)) = opened::unclosed_before(word.text, open) {
        let names: Vec<_> = unclosed.iter().rev().map(|opened| opened.beside(&word.span())).collect();
        let (which, verb) = if names.len() == 1 { ("a }", "seems") } else { ("the }s", "seem") };
        return found
            .info(format!("{which} of {} {verb} to be missing above this line", names.join(" and ")))
            .help(format!("add it, or move this line: it belongs in {home}"));
    }
    let help = if let Some(help) = slips::comment(word.text) {
        help.to_owned()
    } else if let Some(near) = keywords::similar(block, word.text) {
        let case = if near.eq_ignore_ascii_case(word.text) { " case matters" } else { "" };
        format!("did you mean {near}?{case}")
    } else if homes.is_empty() {
        "check the spelling; case matters".to_owned()
    } else {
        format!("this keyword belongs in {}", homes.join(" or "))
    };
    found.help(help)
}

/// A keyword of a block without its `{`.
pub(super) fn missing_brace(keyword: &Span) -> Diagnostic {
    Diagnostic::new("missing-brace", Severity::Error, "no { follows this keyword", keyword)
        .info("the lines after it are read as its block all the same")
        .help("open the block with { on this line or the next")
}

/// What stands on the line of a list before its brace, or where there is none.
pub(super) fn line_before_list(keyword: &Keyword, extra: Word<'_>, has_brace: bool) -> Diagnostic {
    let (name, text) = (keyword.name, extra.text);
    let (place, help) = if has_brace {
        ("before the { of", format!("put it on a line of its own inside {name} {{ }}"))
    } else {
        ("behind", format!("write {name} {{, then {text} on a line of its own, then }}"))
    };
    let headline = format!("`{text}` {place} {name} is ignored");
    Diagnostic::new("extra-words", Severity::Error, headline, &extra.span()).help(help)
}

/// A block that goes on to the end.
pub(super) fn unclosed_block(keyword: &Span) -> Diagnostic {
    Diagnostic::new("unclosed-block", Severity::Error, "this block is never closed", keyword)
        .info("everything up to the end of the file was read as part of it")
        .help("add the missing }")
}

/// A `}` too many.
pub(super) fn surplus_brace(place: &Span) -> Diagnostic {
    Diagnostic::new("surplus-brace", Severity::Error, "this } closes nothing", place)
        .info("every block that was open has been closed before it")
        .help("remove it, or look above for a } too many")
}

/// Braces of a parameter without a value are braces to the language.
fn undefined_parameter(place: &Span) -> Diagnostic {
    let headline =
        "this ${ names no parameter that is defined above, so its braces count as those of a block";
    Diagnostic::new("undefined-parameter", Severity::Error, headline, place)
        .help("define it above this line with $NAME=VALUE, or write the value itself")
}

/// A `{` behind no keyword.
pub(super) fn stray_brace(place: &Span, block: &'static Block, parameter: bool) -> Diagnostic {
    if parameter {
        return undefined_parameter(place)
            .info(format!("the {{ is ignored, and the }} that was meant for it ends {}", block.name));
    }
    Diagnostic::new("stray-brace", Severity::Error, "this { belongs to no keyword", place)
        .info(format!("it is ignored, and the }} that was meant for it ends {}", block.name))
        .help("remove it, and its } if it has one")
}

/// A `{` between the lines of a list.
pub(super) fn brace_in_list(place: &Span, keyword: &Keyword, parameter: bool) -> Diagnostic {
    if parameter {
        return undefined_parameter(place)
            .info(format!("the {{ is ignored, and the }} that was meant for it ends {}", keyword.name));
    }
    let headline = format!("this {{ does not belong into the list of {}", keyword.name);
    Diagnostic::new("stray-brace", Severity::Error, headline, place)
        .info(format!("it is ignored, and the }} that was meant for it ends {}", keyword.name))
        .help("remove it, and its } if it has one")
}

/// What `config show` writes in place of a password has come back as one.
pub(super) fn masked_secret(keyword: &Keyword, place: &Span) -> Diagnostic {
    let headline = Prose::own(format!("{} has the stars of a mask, not a secret", keyword.name));
    Diagnostic::new("masked-secret", Severity::Refused, headline, place)
        .info("what Steadfast shows of a configuration has these stars in place of every secret")
        .help("write the secret itself, as the original file has it")
}

/// A line of a list that is a setting of the block around it: the `}` before it is missing.
pub(super) fn setting_in_list(
    list: &Keyword,
    around: Option<&'static Block>,
    line: &Line,
    opener: &Span,
) -> Option<Diagnostic> {
    let word = line.first();
    let setting = around?.keyword(word.text)?;
    // Trackers and groups may be called like a word of the language.
    let named = !["address", "peer", "route", "rule"].iter().any(|kind| list.name.contains(kind));
    if named && !word.text.contains('_') {
        return None;
    }
    let place = word.span().beside(opener);
    let headline = format!("the list of {} is not closed before {} at {place}", list.name, setting.name);
    Some(
        Diagnostic::new("unclosed-list", Severity::Notice, Prose::own(headline), opener)
            .info("the lines from there on are read as lines of the list")
            .help("add the missing } above that line"),
    )
}
