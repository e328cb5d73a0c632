//! `interface_up_down_delays`: `IF DOWN [UP]`, one interface per line.

use std::{collections::HashMap, time::Duration};

use crate::config::{Config, Diagnostic, Severity, resolve::Context, settings::Entry, value};

/// The longest delay, in microseconds.
const MOST: u64 = 255_000_000;
/// By how much a delay stays below the shortest time in which a master can be missed.
const MARGIN: Duration = Duration::from_millis(2);

/// Gives the interfaces their delays.
pub(in crate::config::resolve) fn delays(config: &mut Config, context: &mut Context<'_>) {
    let mut written = HashMap::new();
    for entry in &config.process.interface_up_down_delays {
        if let Some((name, delays)) = line(entry, context) {
            written.insert(name, (delays, entry));
        }
    }
    let shortest = shortest_outages(config);
    for interface in &mut config.interfaces {
        let Some((delays, entry)) = written.get(interface.name.as_str()) else { continue };
        let limited = match shortest.get(&interface.name) {
            Some(outage) => delays.map(|delay| delay.min(outage.saturating_sub(MARGIN))),
            None => *delays,
        };
        if limited != *delays {
            let headline = format!(
                "the delays of {} are limited to {} s",
                interface.name,
                limited[0].max(limited[1]).as_secs_f64()
            );
            context.add(
                Diagnostic::new("limited", Severity::Notice, headline, &entry.at)
                    .info("a router that still believes in its interface would take over from the master it cannot hear")
                    .help("write delays below (down_timer_adverts - 1) × advert_int of its instances"),
            );
        }
        [interface.down_delay, interface.up_delay] = limited;
    }
}

/// The interface of a line with its down and up delay; what is not valid is reported, and so is an interface that is not
/// there and may not come.
fn line<'a>(entry: &'a Entry, context: &mut Context<'_>) -> Option<(&'a str, [Duration; 2])> {
    let name = entry.words.name();
    let delay = |number: usize| match entry.words.word(number) {
        None => Some(Duration::ZERO),
        Some(word) => value::micro(word).filter(|micros| *micros <= MOST).map(Duration::from_micros),
    };
    let problem = if !context.may_name_interface(name) {
        format!("there is no interface {name}: its delays are ignored")
    } else if entry.words.word(1).is_none() {
        format!("{name} has no delay: the line is ignored")
    } else if let (Some(down), Some(up)) = (delay(1), delay(2)) {
        return Some((name, [down, up]));
    } else {
        format!("a delay of {name} is not valid: the line is ignored")
    };
    context.add(
        Diagnostic::new("invalid-value", Severity::Error, problem, &entry.at)
            .help("write INTERFACE DOWN [UP] with seconds from 0 to 255, without a unit"),
    );
    None
}

/// For each interface that instances run on, the time in which the first of them may miss a master.
fn shortest_outages(config: &Config) -> HashMap<String, Duration> {
    let mut shortest = HashMap::new();
    for instance in &config.instances {
        let adverts = u32::from(*instance.settings.down_timer_adverts);
        let outage = instance.advert_interval * adverts.saturating_sub(1);
        let least = shortest.entry(instance.interface.clone()).or_insert(outage);
        *least = outage.min(*least);
    }
    shortest
}
