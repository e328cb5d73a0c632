//! Gratuitous ARP of an instance: its own words, else those of `global_defs`.

use std::time::Duration;

use super::Context;
use crate::config::{Diagnostic, Garp, Severity, settings::GlobalDefs, tree::Node};

/// The lines of one instance.
#[derive(Default)]
pub(super) struct Draft {
    delay: Option<u16>,
    repeat: Option<u32>,
    refresh: Option<u32>,
    refresh_repeat: Option<u32>,
    lower_prio_delay: Option<u16>,
    lower_prio_repeat: Option<u32>,
}

impl Draft {
    /// One `garp_…` line.
    pub(super) fn take_line(&mut self, node: &Node, context: &mut Context<'_>) {
        let number = node.integer();
        let short = number.and_then(|number| u16::try_from(number).ok());
        let Some(long) = number.and_then(|number| u32::try_from(number).ok()) else { return };
        match node.keyword.name {
            "garp_master_delay" => self.delay = short,
            "garp_master_refresh" => self.refresh = Some(long),
            "garp_master_repeat" => self.repeat = Some(at_least_one(long, node, context)),
            "garp_master_refresh_repeat" => self.refresh_repeat = Some(at_least_one(long, node, context)),
            "garp_lower_prio_delay" => self.lower_prio_delay = short,
            "garp_lower_prio_repeat" => self.lower_prio_repeat = Some(long),
            _ => {}
        }
    }

    /// What the lines come to. Strict mode answers nothing with gratuitous ARP.
    pub(super) fn finish(self, strict: bool, global: &GlobalDefs) -> Garp {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        let delay = |own: Option<u16>, general: u16| seconds(own.unwrap_or(general).into());
        let refresh = self.refresh.unwrap_or(*global.vrrp_garp_master_refresh);
        Garp {
            delay: delay(self.delay, *global.vrrp_garp_master_delay),
            repeat: self.repeat.unwrap_or(*global.vrrp_garp_master_repeat).max(1),
            refresh: (refresh > 0).then_some(seconds(refresh)),
            refresh_repeat: self.refresh_repeat.unwrap_or(*global.vrrp_garp_master_refresh_repeat).max(1),
            lower_prio_delay: if strict {
                Duration::ZERO
            } else {
                delay(self.lower_prio_delay, *global.vrrp_garp_lower_prio_delay)
            },
            lower_prio_repeat: if strict {
                0
            } else {
                self.lower_prio_repeat.unwrap_or(*global.vrrp_garp_lower_prio_repeat)
            },
        }
    }
}

fn at_least_one(number: u32, node: &Node, context: &mut Context<'_>) -> u32 {
    if number == 0 {
        context.add(
            Diagnostic::new(
                "invalid-value",
                Severity::Error,
                format!("{} cannot be 0: 1 is used", node.keyword.name),
                &node.span(),
            )
            .help("write 1 or more"),
        );
    }
    number.max(1)
}
