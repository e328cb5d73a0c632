//! An answer for people: lists of things as aligned tables, one thing as aligned lines, with colour on a terminal.

use super::node::Node;

/// How things are printed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    colour: bool,
}

/// Between two columns.
const GAP: &str = "  ";

impl Page {
    /// With colour or without.
    pub(super) const fn new(colour: bool) -> Self {
        Self { colour }
    }

    /// A whole answer.
    pub(super) fn of(self, node: &Node) -> String {
        match node {
            Node::Map(fields) if fields.iter().all(|(_, node)| !matches!(node, Node::Word(_))) => {
                let part = |(name, node): &(String, Node)| {
                    format!("{}\n{}", self.heading(name), self.part(node, GAP))
                };
                fields.iter().map(part).collect::<Vec<_>>().join("\n")
            }
            Node::List(list) if list.is_empty() => "there are none\n".into(),
            Node::List(list) if list.iter().all(is_map) => {
                list.iter().map(|node| self.part(node, "")).collect::<Vec<_>>().join("\n")
            }
            other => self.part(other, ""),
        }
    }

    /// A part of it, indented.
    fn part(self, node: &Node, indent: &str) -> String {
        match node {
            Node::Word(text) => format!("{indent}{}\n", self.painted(text, 0)),
            Node::List(list) if list.iter().all(is_map) => self.table(list, indent),
            Node::List(list) => list.iter().map(|node| self.part(node, indent)).collect(),
            Node::Map(fields) => self.lines(fields, indent),
        }
    }

    /// One thing: a line for each field, and its lists below.
    fn lines(self, fields: &[(String, Node)], indent: &str) -> String {
        let width = fields.iter().map(|(name, _)| length(name)).max().unwrap_or_default();
        let mut text = String::new();
        for (name, node) in fields {
            let name = label(name);
            match inline(node) {
                Some(words) => text += &format!("{indent}{name:width$}{GAP}{}\n", self.painted(&words, 0)),
                None => text += &format!("{indent}{name}\n{}", self.part(node, &format!("{indent}{GAP}"))),
            }
        }
        text
    }

    /// Things of a kind: a column for each field that any of them has.
    fn table(self, rows: &[Node], indent: &str) -> String {
        let mut columns: Vec<&str> = Vec::new();
        for row in rows {
            let Node::Map(fields) = row else { continue };
            let mut last = 0;
            for (name, _) in fields {
                match columns.iter().position(|column| column == name) {
                    Some(place) => last = place + 1,
                    None => {
                        columns.insert(last, name);
                        last += 1;
                    }
                }
            }
        }
        let cell = |row: &Node, column: &str| row.field(column).map(flat).unwrap_or_default();
        let heading: Vec<String> = columns.iter().map(|column| label(column).to_uppercase()).collect();
        let cells = rows.iter().map(|row| columns.iter().map(|column| cell(row, column)).collect());
        let cells: Vec<Vec<String>> = cells.collect();
        let width = |place: usize| {
            let lengths = cells.iter().map(|row| length(&row[place]));
            lengths.chain([length(&heading[place])]).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..columns.len()).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| self.painted(cell, *width));
            format!("{indent}{}", cells.collect::<Vec<_>>().join(GAP)).trim_end().to_owned() + "\n"
        };
        std::iter::once(&heading).chain(&cells).map(line).collect()
    }

    fn heading(self, name: &str) -> String {
        let name = label(name);
        if self.colour { format!("\x1b[1m{name}\x1b[0m") } else { name }
    }

    /// A word in its colour, filled up to a width.
    pub(super) fn painted(self, text: &str, width: usize) -> String {
        let fill = " ".repeat(width.saturating_sub(length(text)));
        let colour = match text {
            "MASTER" | "good" | "up" | "registered" => "32",
            "FAULT" | "bad" | "down" | "missing" => "31",
            "BACKUP" => "36",
            _ => return format!("{text}{fill}"),
        };
        if self.colour { format!("\x1b[{colour}m{text}\x1b[0m{fill}") } else { format!("{text}{fill}") }
    }
}

/// Characters, as far as a terminal gives each one column.
fn length(text: &str) -> usize {
    text.chars().count()
}

fn label(name: &str) -> String {
    name.replace('_', " ")
}

const fn is_map(node: &Node) -> bool {
    matches!(node, Node::Map(_))
}

/// What fits into one line: words, lists of words, and maps of them.
fn inline(node: &Node) -> Option<String> {
    match node {
        Node::List(list) if list.iter().any(is_map) => None,
        Node::Map(fields) if fields.len() > 4 => None,
        other => Some(flat(other)),
    }
}

fn flat(node: &Node) -> String {
    match node {
        Node::Word(text) => text.clone(),
        Node::List(list) => list.iter().map(flat).collect::<Vec<_>>().join(", "),
        Node::Map(fields) => {
            let field = |(name, node): &(String, Node)| format!("{} {}", label(name), flat(node));
            fields.iter().map(field).collect::<Vec<_>>().join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"{"daemon":{"version":"Steadfast v0","pid":7},"instances":[
        {"name":"VI_1","state":"MASTER","priority":150,"reason":"no master heard"},
        {"name":"VI_long","state":"FAULT","priority":90,"base":100,"reason":"interface eth1 is down"}]}"#;

    fn read(text: &str) -> Node {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn things_of_a_kind_are_a_table_whatever_fields_they_have() {
        insta::assert_snapshot!(Page::new(false).of(&read(ANSWER)));
    }

    #[test]
    fn one_thing_is_lines_with_its_lists_below() {
        let text = r#"[{"name":"VI","for_seconds":1.5,"master":{"address":"10.9.0.2","priority":90},
            "addresses":[{"address":"10.9.0.100/24","set":true}],"tracked_by":["a","b"]}]"#;
        insta::assert_snapshot!(Page::new(false).of(&read(text)));
    }

    #[test]
    fn colours_do_not_count_as_width() {
        let text = Page::new(true).of(&read(ANSWER));
        assert!(text.contains("\x1b[32mMASTER\x1b[0m  150"), "{text}");
        assert!(text.contains("\x1b[31mFAULT\x1b[0m   90"), "{text}");
    }
}
