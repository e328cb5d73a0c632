//! How many words a keyword takes, from the notation of its arguments.

use super::{Keyword, Value};

impl Keyword {
    /// The most words that it takes behind itself; `None` where a list without end may follow, or where only its own code
    /// can say what belongs to it, and says so.
    pub fn most_words(&self) -> Option<usize> {
        match self.value {
            Value::Flag => return Some(0),
            // A command is split by rules of its own.
            Value::Script => return None,
            _ => {}
        }
        if self.arguments.contains('…') {
            return None;
        }
        if matches!(self.value, Value::OneOf(_) | Value::OneOfAnyCase(_)) && !self.arguments.contains('[') {
            // They are listed one behind the other.
            return (!self.arguments.starts_with("as ")).then_some(1);
        }
        let block = matches!(self.value, Value::Body(_) | Value::Lines(_));
        let heading = self.arguments.split('{').next().unwrap_or_default();
        if !block && heading.contains(|c: char| c.is_ascii_lowercase()) {
            return None;
        }
        heading.split(" | ").map(|alternative| alternative.split_whitespace().count()).max()
    }
}

#[cfg(test)]
mod tests {
    use crate::config::keywords::{ROOT, visit};

    #[test]
    fn the_notation_says_how_many_words_follow() {
        let mut counted = 0;
        for (block, word, most) in [
            ("vrrp_instance", "nopreempt", Some(0)),
            ("vrrp_instance", "priority", Some(1)),
            ("vrrp_instance", "authentication", Some(0)),
            ("vrrp_instance", "virtual_ipaddress", Some(0)),
            ("vrrp_instance", "use_vmac", None),
            ("vrrp_instance", "notify_master", None),
            ("global_defs", "smtp_server", Some(2)),
            ("global_defs", "vrrp_notify_fifo", Some(3)),
            ("global_defs", "vrrp_cpu_affinity", None),
            ("global_defs", "lvs_timeouts", None),
            ("the top level", "virtual_server", Some(2)),
            ("the top level", "virtual_server_group", Some(1)),
            ("the top level", "vrrp_instance", Some(1)),
            ("virtual_server", "lb_algo", Some(1)),
            ("virtual_server", "lb_kind", None),
            ("virtual_server", "persistence_granularity", Some(1)),
            ("vrrp_script", "weight", None),
        ] {
            visit(ROOT, &mut |found| {
                if found.name == block
                    && let Some(keyword) = found.keyword(word)
                {
                    counted += 1;
                    assert_eq!(keyword.most_words(), most, "{word} of {block}");
                }
            });
        }
        assert!(counted >= 17, "{counted}");
    }
}
