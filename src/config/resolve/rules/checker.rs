//! `UDP_CHECK`: what must come back.

use super::{Context, error, last};
use crate::config::tree::Node;

/// The longest reply when nothing else is said.
const LONGEST_REPLY: i64 = 255;

/// Rules of one `UDP_CHECK`.
pub(super) fn udp(check: &Node, context: &mut Context<'_>) {
    if last(check, "require_reply").and_then(Node::argument).is_none() {
        return;
    }
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
