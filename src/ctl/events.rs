//! Transitions for people: one line each.

use super::{node::Node, page::Page};

/// How they are printed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Events {
    page: Page,
}

impl Events {
    /// With colour or without.
    pub(super) const fn new(colour: bool) -> Self {
        Self { page: Page::new(colour) }
    }

    /// One line, whatever is in a name or a reason: when, which, whose, what and why.
    pub(super) fn line(self, node: &Node) -> String {
        self.words(node).replace('\n', " ")
    }

    fn words(self, node: &Node) -> String {
        let Some(event) = node.field("event") else {
            let lost = node.field("lost").and_then(Node::text).unwrap_or_default();
            return format!("({lost} transitions are forgotten: too many came at once)");
        };
        let word = |name: &str| event.field(name).and_then(Node::text).unwrap_or_default();
        let [time, name, from, to] = ["time", "name", "from", "to"].map(word);
        // One of an earlier run has none.
        let number = Some(word("number")).filter(|number| !number.is_empty()).unwrap_or("-");
        if word("subject") == "configuration" {
            return format!("{time}  #{number}  {name}: {}", word("reason"));
        }
        let group = if word("subject") == "group" { "group " } else { "" };
        let state = |state: &str| self.page.painted(state, 0);
        let moves = if from == to { state(to) } else { format!("{} -> {}", state(from), state(to)) };
        let priority = match word("priority") {
            "" => String::new(),
            priority => format!(" (priority {priority})"),
        };
        format!("{time}  #{number}  {group}{name}  {moves}{priority}: {}", word("reason"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> String {
        Events::new(false).line(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn a_transition_is_a_line_that_says_why() {
        let event = r#"{"event":{"number":7,"time":"2026-11-22T04:00:00.000Z","subject":"instance","name":"VI",
            "from":"BACKUP","to":"MASTER","priority":150,"reason":"no master heard"}}"#;
        assert_eq!(
            line(event),
            "2026-11-22T04:00:00.000Z  #7  VI  BACKUP -> MASTER (priority 150): no master heard"
        );
        let still = event.replace("BACKUP", "MASTER").replace(r#""priority":150,"#, "");
        assert_eq!(line(&still), "2026-11-22T04:00:00.000Z  #7  VI  MASTER: no master heard");
        let reload = event.replace("instance", "configuration").replace("\"VI\"", "\"configuration\"");
        assert_eq!(line(&reload), "2026-11-22T04:00:00.000Z  #7  configuration: no master heard");
        let earlier = event.replace("\"number\":7,", "");
        assert!(line(&earlier).starts_with("2026-11-22T04:00:00.000Z  #-  VI  BACKUP"), "{}", line(&earlier));
        let forged = event.replace("heard", "heard\\n2026-11-22T04:00:01.000Z  #8");
        assert_eq!(line(&forged).lines().count(), 1, "{}", line(&forged));
        assert_eq!(line(r#"{"lost":9}"#), "(9 transitions are forgotten: too many came at once)");
    }
}
