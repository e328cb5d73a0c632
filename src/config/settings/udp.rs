//! What `UDP_CHECK` sends and what it compares the answer with.

use super::{Literal, Parsed, report_invalid};
use crate::config::{Report, keywords::Keyword, tree::Node};

/// What is sent when nothing is written.
const USUAL: &[u8] = b"keepalived check - keepalived ch";

/// `payload`: a datagram.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payload(pub Box<[u8]>);

impl Parsed for Payload {
    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        let octets = octets(node, false, "it is not sent", report)?;
        Some(Self(octets.into_iter().map(|(value, _)| value).collect()))
    }
}

impl Literal for Payload {
    fn literal(_: &Keyword, default: &'static str) -> Option<Self> {
        (default.as_bytes() == USUAL).then(|| Self(USUAL.into()))
    }
}

/// `require_reply [HEX]`: an answer is needed; octet by octet its value and the bits that count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(pub Box<[(u8, u8)]>);

impl Parsed for Pattern {
    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        if node.argument().is_none() {
            return Some(Self(Box::default()));
        }
        Some(Self(octets(node, true, "any answer will do", report).unwrap_or_default().into()))
    }
}

/// The octets of all words: two digits each, one where a word has an odd number. `x` stands for any digit where
/// `any` allows it.
fn octets(node: &Node, any: bool, consequence: &str, report: &mut Report) -> Option<Vec<(u8, u8)>> {
    let mut octets = Vec::new();
    for word in node.line.words(1).flat_map(|word| word.text.split_whitespace().map(move |part| (part, word)))
    {
        let (text, word) = word;
        for pair in text.as_bytes().chunks(2) {
            let mut octet = (0, 0);
            for digit in pair {
                let nibble = match digit {
                    b'x' | b'X' if any => (0, 0),
                    _ => match char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok()) {
                        Some(value) => (value, 0xf),
                        None => {
                            let help =
                                "write two hexadecimal digits for each byte, without 0x, such as 48656c6c6f";
                            report_invalid(word, "hexadecimal", consequence, help, report);
                            return None;
                        }
                    },
                };
                octet = (octet.0 << 4 | nibble.0, octet.1 << 4 | nibble.1);
            }
            octets.push(octet);
        }
    }
    Some(octets)
}
