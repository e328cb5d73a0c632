//! An answer as a tree that keeps the order in which it was written.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

/// A piece of JSON.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// Text, a number, yes or no; nothing is empty text.
    Word(String),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

impl Node {
    /// What a map has under a name.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        let Self::Map(fields) = self else { return None };
        fields.iter().find(|(field, _)| field == name).map(|(_, node)| node)
    }

    /// The text of a word.
    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Word(text) = self { Some(text) } else { None }
    }

    /// What is in a map of one field: the answer without what it answers.
    pub(super) fn only(&self) -> &Self {
        match self {
            Self::Map(fields) if fields.len() == 1 => &fields[0].1,
            other => other,
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

/// A text from the daemon without what would tell a terminal to do something: names come from files.
pub(super) fn harmless(text: &str) -> String {
    text.replace(|character: char| character.is_control() && character != '\n', "?")
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Word(if value { "yes" } else { "no" }.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Word(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Word(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Word(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Word(harmless(value)))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Word(String::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Node::Map(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_tells_a_terminal_anything() {
        let node: Node = serde_json::from_str(r#""\u001b[31mVI\u009b""#).unwrap();
        assert_eq!(node.text(), Some("?[31mVI?"));
    }
}
