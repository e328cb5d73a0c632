//! JSON text, written by hand: what is shown here is small and its shape is fixed.

use std::fmt::Write;

use super::Span;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(usize),
    Text(String),
    List(Vec<Json>),
    /// Members in the order they are to be read.
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// `{file, line, column}`, null for no place.
    pub(super) fn place(span: Option<&Span>) -> Self {
        span.map_or(Self::Null, |span| {
            Self::Object(vec![
                ("file", Self::text(&*span.file)),
                ("line", Self::Number(span.line)),
                ("column", Self::Number(span.column)),
            ])
        })
    }

    /// The value on one line.
    pub(super) fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(number) => {
                // Writing to a String cannot fail.
                let _ = write!(out, "{number}");
            }
            Self::Text(text) => quoted(text, out),
            Self::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { "," });
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { "," });
                    quoted(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    /// The value on a line of its own.
    pub(super) fn line(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out.push('\n');
        out
    }
}

/// A string with the escapes of RFC 8259 §7.
fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_and_members_keep_their_order() {
        let value = Json::Object(vec![
            ("b", Json::List(vec![Json::Number(1), Json::Null, Json::Bool(true)])),
            ("a", Json::text("q\"\\\n\u{1}ä")),
        ]);
        assert_eq!(value.line(), "{\"b\":[1,null,true],\"a\":\"q\\\"\\\\\\n\\u0001ä\"}\n");
    }
}
