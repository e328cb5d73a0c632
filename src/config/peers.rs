//! Whether the configurations of routers that share virtual addresses agree.
//!
//! Two instances are taken for the same virtual router when they have the same name, or else the same VRID on an
//! interface of the same name. Each disagreement is reported at the second router's line and names the first's.

mod group;

use std::collections::{BTreeSet, HashMap};

use super::{Auth, Config, Diagnostic, InitialState, Instance, Report, Severity};
use crate::units::Vrid;

/// The way out where a weight is too small.
const LARGER_WEIGHT: &str =
    "give the script a weight larger than the distance of the priorities, or weight 0";

/// Compares two routers' configurations; the findings point into the second.
pub fn check(first: &Config, second: &Config, report: &mut Report) {
    let (firsts, seconds) = (Instances::of(first), Instances::of(second));
    for theirs in &second.instances {
        match firsts.partner(theirs) {
            Some(ours) => pair(ours, theirs, report),
            None => report.add(
                disagreement(
                    "peer-missing",
                    theirs,
                    format!("only one router has vrrp_instance {}", theirs.name),
                )
                .info("nobody takes its addresses over")
                .help("add the instance to the other router's file"),
            ),
        }
    }
    group::check(first, second, |theirs| firsts.partner(theirs), report);
    for ours in first.instances.iter().filter(|ours| seconds.partner(ours).is_none()) {
        report.add(
            disagreement("peer-missing", ours, format!("only one router has vrrp_instance {}", ours.name))
                .info("nobody takes its addresses over")
                .help("add the instance to the other router's file"),
        );
    }
}

/// The instances of a router by what they are found by; the first of each counts.
struct Instances<'a> {
    names: HashMap<&'a str, &'a Instance>,
    routers: HashMap<(Vrid, &'a str), &'a Instance>,
}

impl<'a> Instances<'a> {
    fn of(config: &'a Config) -> Self {
        // The last of equal keys stays in a map, hence the order.
        let backwards = || config.instances.iter().rev();
        Self {
            names: backwards().map(|instance| (&*instance.name, instance)).collect(),
            routers: backwards().map(|instance| ((instance.vrid, &*instance.interface), instance)).collect(),
        }
    }

    fn partner(&self, instance: &Instance) -> Option<&'a Instance> {
        let named = self.names.get(&*instance.name);
        named.or_else(|| self.routers.get(&(instance.vrid, &*instance.interface))).copied()
    }
}

fn disagreement(id: &'static str, at: &Instance, headline: String) -> Diagnostic {
    Diagnostic::new(id, Severity::Error, headline, &at.at)
}

/// Everything that two routers of one virtual router must agree on, or must not have in common.
fn pair(ours: &Instance, theirs: &Instance, report: &mut Report) {
    let name = &theirs.name;
    let both = "write the same on both routers";
    let mut say = |id, what: String, why: &str, help: &str| {
        let headline = format!("{what} ({} at {}:{})", ours.name, ours.at.file, ours.at.line);
        report.add(disagreement(id, theirs, headline).info(why).help(help));
    };
    if ours.vrid != theirs.vrid {
        let what = format!("{name} has virtual_router_id {}, its peer {}", theirs.vrid, ours.vrid);
        say("peer-vrid", what, "they do not hear one another: both become master", both);
    }
    if ours.version != theirs.version {
        let what = format!("{name} runs version {:?}, its peer {:?}", theirs.version, ours.version);
        say("peer-version", what, "each drops the other's advertisements: both become master", both);
    }
    if ours.auth != theirs.auth {
        let what = match (ours.auth, theirs.auth) {
            (Auth::Pass(_), Auth::Pass(_)) => format!("{name} has another password than its peer"),
            _ => format!("only one router of {name} has authentication"),
        };
        say("peer-auth", what, "each drops the other's advertisements: both become master", both);
    }
    if ours.advert_interval != theirs.advert_interval {
        let what = format!(
            "{name} has advert_int {:?}, its peer {:?}",
            theirs.advert_interval, ours.advert_interval
        );
        say("peer-interval", what, "version 2 drops advertisements with another interval", both);
    }
    if addresses(ours) != addresses(theirs) {
        let lacking: Vec<_> = addresses(ours).symmetric_difference(&addresses(theirs)).cloned().collect();
        let what = format!("{name} and its peer do not have the same addresses: {}", lacking.join(", "));
        say("peer-addresses", what, "what only one router has is lost when the other is master", both);
    }
    if ours.priority == theirs.priority {
        let what = format!("{name} and its peer both have priority {}", ours.priority.0);
        say(
            "peer-priority",
            what,
            "then the higher address decides who is master",
            "give them different priorities",
        );
    } else if ours.initial_state == InitialState::Master && theirs.initial_state == InitialState::Master {
        let what = format!("{name} and its peer both have state MASTER");
        say(
            "peer-state",
            what,
            "one of them begins with a needless change",
            "write state BACKUP on one of them",
        );
    }
    if ours.preempt != theirs.preempt {
        let what = format!("only one router of {name} has nopreempt");
        say("peer-preempt", what, "the other still takes over when it returns", both);
    }
    for (above, below) in [(ours, theirs), (theirs, ours)] {
        if let Some(why) = weights_that_never_count(above, below) {
            say(
                "peer-weight",
                format!("{name}: {why}"),
                "a failed service stays where it failed",
                LARGER_WEIGHT,
            );
        }
    }
    unicast(ours, theirs, &mut say);
}

/// A router whose scripts only move its priority must be able to fall below the other.
fn weights_that_never_count(above: &Instance, below: &Instance) -> Option<String> {
    let weights = |instance: &Instance| -> Vec<i32> {
        instance.track_scripts.iter().map(|tracked| i32::from(tracked.weight)).collect()
    };
    let (own, others) = (weights(above), weights(below));
    let reversed = above.track_scripts.iter().chain(&below.track_scripts).any(|tracked| tracked.reverse);
    // Weight 0 means FAULT, which the other always takes over.
    if above.priority <= below.priority || own.is_empty() || own.contains(&0) || reversed {
        return None;
    }
    let sum = |weights: &[i32], counts: fn(&i32) -> bool| weights.iter().filter(|w| counts(w)).sum::<i32>();
    let lowest = i32::from(above.priority.0) + sum(&own, |weight| *weight < 0);
    let highest = i32::from(below.priority.0) + sum(&others, |weight| *weight > 0);
    (lowest > highest).then(|| {
        format!("with every script failed the priority is still {lowest}, above the other router's {highest}")
    })
}

/// Unicast needs each router to name the other.
fn unicast(ours: &Instance, theirs: &Instance, say: &mut impl FnMut(&'static str, String, &str, &str)) {
    let name = &theirs.name;
    let why = "advertisements go one way only: both become master";
    if ours.peers.is_empty() != theirs.peers.is_empty() {
        let what = format!("{name} is unicast on one router and multicast on the other");
        return say("peer-unicast", what, why, "use unicast_peer on both or on none");
    }
    for (from, to) in [(ours, theirs), (theirs, ours)] {
        let Some(source) = from.source.filter(|_| !to.peers.is_empty()) else { continue };
        if !to.peers.iter().any(|peer| peer.address == source) {
            let what = format!("{name}: {source} sends, but its peer does not list it in unicast_peer");
            say("peer-unicast", what, why, "list each router's unicast_src_ip in the other's unicast_peer");
        }
    }
}

fn addresses(instance: &Instance) -> BTreeSet<String> {
    instance.virtual_addresses.iter().map(|one| format!("{}/{}", one.address, one.prefix)).collect()
}
