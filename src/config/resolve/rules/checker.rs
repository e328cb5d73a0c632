//! `UDP_CHECK`: what is sent and what must come back.

use super::{Context, error, last};
use crate::config::{text::Word, tree::Node};

/// The longest reply when nothing else is said.
const LONGEST_REPLY: i64 = 255;

/// Rules of one `UDP_CHECK`.
pub(super) fn udp(check: &Node, context: &mut Context<'_>) {
    if let Some(word) = last(check, "payload").and_then(Node::argument) {
        hexadecimal(word, "payload", |c| c.is_ascii_hexdigit(), context);
    }
    let Some(reply) = last(check, "require_reply").and_then(Node::argument) else { return };
    hexadecimal(reply, "reply", |c| c.is_ascii_hexdigit() || matches!(c, 'x' | 'X'), context);
    let length = |word| last(check, word).and_then(Node::integer);
    let (min, max) = (length("min_reply_length"), length("max_reply_length").unwrap_or(LONGEST_REPLY));
    if let (Some(min), Some(line)) = (min, last(check, "min_reply_length"))
        && min > max
    {
        let headline =
            format!("no reply has at least {min} and at most {max} bytes: this check always fails");
        context.add(
            error("impossible-check", headline, &line.span())
                .help("make min_reply_length no larger than max_reply_length, which is 255 if not written"),
        );
    }
}

fn hexadecimal(word: Word<'_>, what: &str, allowed: fn(char) -> bool, context: &mut Context<'_>) {
    if word.text.chars().all(allowed) {
        return;
    }
    let also = if what == "reply" { "; x stands for any digit" } else { "" };
    context.add(
        error("invalid-value", format!("this {what} is not hexadecimal: it is ignored"), &word.span()).help(
            format!("write two hexadecimal digits for each byte, without 0x, such as 48656c6c6f{also}"),
        ),
    );
}
