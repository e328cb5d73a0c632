//! Whether the configurations of routers that share virtual addresses agree.
//!
//! Two instances are taken for the same virtual router when they have the same name, or else the same VRID on an
//! interface of the same name, or else an address in common. Each disagreement is reported at the second router's line and
//! names the first's.

mod group;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    net::IpAddr,
};

use super::{Auth, Config, Diagnostic, InitialState, Instance, Reading, Report, Severity, Span, show::Item};
use crate::units::{Family, Version, Vrid};

/// The way out where a weight is too small.
const LARGER_WEIGHT: &str =
    "give the script a weight larger than the distance of the priorities, or weight 0";
const BOTH: &str = "write the same on both routers";
const BOTH_MASTERS: &str = "each drops the other's advertisements: both become master";

/// A router's instances by what they are found by; the first of each counts.
struct Index<'a> {
    config: &'a Config,
    names: HashMap<&'a str, &'a Instance>,
    routers: HashMap<(Vrid, &'a str), &'a Instance>,
    addresses: HashMap<IpAddr, &'a Instance>,
    /// Every block, by its place: an instance that cannot run has one, too.
    blocks: HashMap<&'a Span, &'a Item>,
    /// The names of these blocks.
    mentioned: HashSet<String>,
    /// What is in the `global_defs` blocks, by its word: the last line of each counts.
    global: HashMap<&'a str, &'a Span>,
}

impl<'a> Index<'a> {
    /// `None` when the file could not be read as a whole.
    fn of(router: &'a Reading) -> Option<Self> {
        let config = router.config.as_ref()?;
        // The last of equal keys stays in a map, hence the order.
        let instances = || config.instances.iter().rev();
        let blocks = || router.items.iter().filter(|item| item.keyword == "vrrp_instance");
        let global = router.items.iter().filter(|item| item.keyword == "global_defs");
        let global = global.flat_map(|block| block.items.iter().flatten());
        let addresses =
            instances().flat_map(|one| one.virtual_addresses.iter().map(move |line| (line.address, one)));
        Some(Self {
            config,
            names: instances().map(|one| (&*one.name, one)).collect(),
            routers: instances().map(|one| ((one.vrid, &*one.interface), one)).collect(),
            addresses: addresses.collect(),
            blocks: blocks().filter_map(|item| Some((item.at.as_ref()?, item))).collect(),
            mentioned: blocks().map(|item| item.arguments().into_owned()).collect(),
            global: global.filter_map(|item| Some((&*item.keyword, item.at.as_ref()?))).collect(),
        })
    }

    /// This router's instance for the virtual router of another's.
    fn partner(&self, instance: &Instance) -> Option<&'a Instance> {
        let shared = || instance.virtual_addresses.iter().find_map(|line| self.addresses.get(&line.address));
        let named = self.names.get(&*instance.name);
        named.or_else(|| self.routers.get(&(instance.vrid, &*instance.interface))).or_else(shared).copied()
    }

    /// Where a setting of an instance is written: in its block, else in `global_defs`, else the block itself. The first word
    /// that is there counts.
    fn place(&self, instance: &Instance, words: &[&str]) -> Span {
        let written = |block: &Item| {
            let items = block.items.as_deref().unwrap_or_default();
            let all: Vec<_> =
                items.iter().chain(items.iter().flat_map(|item| item.items.iter().flatten())).collect();
            words.iter().find_map(|word| all.iter().rfind(|item| item.keyword == *word)?.at.clone())
        };
        let block = self.blocks.get(&*instance.at).copied().and_then(written);
        let global = || words.iter().find_map(|word| self.global.get(word).copied().cloned());
        block.or_else(global).unwrap_or_else(|| (*instance.at).clone())
    }
}

/// Compares two routers, as their files read where every interface and program they name is there; the findings point into
/// the second. A file that cannot be read as a whole has been reported, and agrees with nothing.
pub fn check(first: &Reading, second: &Reading, report: &mut Report) {
    let (Some(first), Some(second)) = (&Index::of(first), &Index::of(second)) else { return };
    for (index, other) in [(second, first), (first, second)] {
        let alone = |one: &&Instance| other.partner(one).is_none() && !other.mentioned.contains(&one.name);
        for instance in index.config.instances.iter().filter(alone) {
            let headline = format!("only one router has vrrp_instance {}", instance.name);
            report.add(
                Diagnostic::new("peer-missing", Severity::Error, headline, &instance.at)
                    .info("nobody takes its addresses over")
                    .help("add the instance to the other router's file"),
            );
        }
    }
    for theirs in &second.config.instances {
        if let Some(ours) = first.partner(theirs) {
            Pair { first, second, ours, theirs, report }.compare();
        }
    }
    let partner = |theirs: &Instance| first.partner(theirs);
    group::check(first.config, second.config, partner, report);
}

/// One virtual router, as two files have it.
struct Pair<'a> {
    first: &'a Index<'a>,
    second: &'a Index<'a>,
    ours: &'a Instance,
    theirs: &'a Instance,
    report: &'a mut Report,
}

impl Pair<'_> {
    /// A disagreement about what one of these words says.
    fn say(&mut self, id: &'static str, words: &[&str], what: &str, why: &'static str, help: &'static str) {
        let first = self.first.place(self.ours, words);
        let headline = format!("{}: {what} ({}:{})", self.theirs.name, first.file, first.line);
        let at = self.second.place(self.theirs, words);
        self.report.add(Diagnostic::new(id, Severity::Error, headline, &at).info(why).help(help));
    }

    /// Everything that two routers of one virtual router must agree on, or must not have in common.
    fn compare(mut self) {
        self.protocol();
        self.authentication();
        self.addresses();
        self.roles();
        self.unicast();
        self.weights();
    }

    /// What makes advertisements heard and understood.
    fn protocol(&mut self) {
        let (ours, theirs) = (self.ours, self.theirs);
        if ours.vrid != theirs.vrid {
            let what = format!("virtual_router_id {} here, {} there", theirs.vrid, ours.vrid);
            let why = "they do not hear one another: both become master";
            self.say("peer-vrid", &["virtual_router_id"], &what, why, BOTH);
        }
        if ours.family != theirs.family {
            let family = |one: &Instance| if one.family == Family::V4 { "IPv4" } else { "IPv6" };
            let what = format!("its advertisements are {} here, {} there", family(theirs), family(ours));
            let why = "the first address decides; they do not hear one another: both become master";
            self.say("peer-family", &["virtual_ipaddress"], &what, why, BOTH);
        }
        if ours.version != theirs.version {
            let (here, there) = (theirs.version.number(), ours.version.number());
            let what = format!("version {here} here, {there} there");
            self.say("peer-version", &["version", "vrrp_version"], &what, BOTH_MASTERS, BOTH);
        }
        if ours.advert_interval != theirs.advert_interval {
            let seconds = |one: &Instance| one.advert_interval.as_secs_f64();
            let what = format!("advert_int {} s here, {} s there", seconds(theirs), seconds(ours));
            let why = match theirs.version {
                Version::V2 => "version 2 drops advertisements with another interval: both become master",
                Version::V3 => "the interval changes with the master, and with it the time until a takeover",
            };
            self.say("peer-interval", &["advert_int"], &what, why, BOTH);
        }
        let multicast = ours.peers.is_empty() && theirs.peers.is_empty() && ours.family == theirs.family;
        if multicast && ours.multicast_group != theirs.multicast_group {
            let what =
                format!("multicast to {} here, {} there", theirs.multicast_group, ours.multicast_group);
            let why = "they do not hear one another: both become master";
            let words = ["mcast_dst_ip", "vrrp_mcast_group4", "vrrp_mcast_group6"];
            self.say("peer-multicast", &words, &what, why, BOTH);
        }
        self.checksums();
    }

    /// Two ways of computing the checksum of version 3 (RFC 9568 §5.2.8).
    fn checksums(&mut self) {
        let as_v2 = |one: &Instance| *one.settings.v3_checksum_as_v2;
        let (ours, theirs) = (as_v2(self.ours), as_v2(self.theirs));
        if self.ours.version == Version::V3 && self.ours.family == Family::V4 && ours != theirs {
            let what = "only one router has v3_checksum_as_v2";
            let why = "keepalived drops advertisements with the other checksum: both become master";
            self.say("peer-checksum", &["v3_checksum_as_v2"], what, why, BOTH);
        }
    }

    fn authentication(&mut self) {
        match (&self.ours.auth, &self.theirs.auth) {
            (ours, theirs) if ours == theirs => {}
            (Auth::Pass(_), Auth::Pass(_)) | (Auth::Header(_), Auth::Header(_)) => {
                let help = "write the same password on both routers; only its first 8 characters count";
                self.say(
                    "peer-auth",
                    &["auth_pass"],
                    "the password is another one there",
                    BOTH_MASTERS,
                    help,
                );
            }
            (Auth::None, _) | (_, Auth::None) => self.say(
                "peer-auth",
                &["authentication"],
                "only one router has authentication",
                BOTH_MASTERS,
                BOTH,
            ),
            (Auth::Signed(_), _) | (_, Auth::Signed(_)) => {}
            _ => self.say("peer-auth", &["auth_type"], "auth_type is another one there", BOTH_MASTERS, BOTH),
        }
        let keys = |one: &Instance| one.settings.auth_hmac.as_ref().map(|hmac| hmac.key.clone());
        let (ours, theirs) = (keys(self.ours), keys(self.theirs));
        if ours != theirs {
            let what = match (ours, theirs) {
                (Some(_), Some(_)) => "the keys of auth_hmac are others there",
                _ => "only one router has auth_hmac",
            };
            self.say("peer-auth", &["auth_hmac"], what, BOTH_MASTERS, BOTH);
        }
    }

    fn addresses(&mut self) {
        let (ours, theirs) = (self.ours, self.theirs);
        for (word, ours, theirs) in [
            ("virtual_ipaddress", &ours.virtual_addresses, &theirs.virtual_addresses),
            ("virtual_ipaddress_excluded", &ours.excluded_addresses, &theirs.excluded_addresses),
        ] {
            let (ours, theirs) = (lines(ours), lines(theirs));
            if ours == theirs {
                continue;
            }
            let named = |set: Vec<&String>| set.into_iter().cloned().collect::<Vec<_>>().join(", ");
            let here = named(theirs.difference(&ours).collect());
            let there = named(ours.difference(&theirs).collect());
            let sides = [(here, "here"), (there, "there")].into_iter().filter(|(set, _)| !set.is_empty());
            let sides: Vec<_> = sides.map(|(set, side)| format!("{set} only {side}")).collect();
            let what = format!("{word} differs: {}", sides.join(", "));
            let why = "what only one router has is gone when the other is master; keepalived 2.2.7 even drops \
                       advertisements with other addresses";
            self.say("peer-addresses", &[word], &what, why, BOTH);
        }
    }

    /// Who is master, and when.
    fn roles(&mut self) {
        let (ours, theirs) = (self.ours, self.theirs);
        if ours.priority == theirs.priority {
            let what = format!("both routers have priority {}", ours.priority.0);
            let why = "then the higher address of the interfaces decides who is master";
            self.say("peer-priority", &["priority"], &what, why, "give them different priorities");
        } else if ours.initial_state == InitialState::Master && theirs.initial_state == InitialState::Master {
            let why = "the one of lower priority is meant to be the backup";
            let help = "write state BACKUP on the router of lower priority, or on both";
            self.say("peer-state", &["state"], "both routers have state MASTER", why, help);
        }
        if ours.preempt != theirs.preempt {
            let why = "the other one still takes over when it returns";
            self.say("peer-preempt", &["nopreempt"], "only one router has nopreempt", why, BOTH);
        }
    }

    /// Unicast needs each router to name the other.
    fn unicast(&mut self) {
        let why = "advertisements go one way only: both become master";
        let (ours, theirs) = (self.ours, self.theirs);
        if ours.peers.is_empty() != theirs.peers.is_empty() {
            let what = "unicast on one router, multicast on the other";
            return self.say(
                "peer-unicast",
                &["unicast_peer"],
                what,
                why,
                "use unicast_peer on both or on none",
            );
        }
        for (from, to) in [(ours, theirs), (theirs, ours)] {
            let Some(source) = from.source.filter(|_| !to.peers.is_empty()) else { continue };
            if !to.peers.iter().any(|peer| peer.address == source) {
                let what = format!("{source} sends, but the other router does not list it in unicast_peer");
                let help = "list each router's unicast_src_ip in the other's unicast_peer";
                self.say("peer-unicast", &["unicast_peer"], &what, why, help);
            }
        }
    }

    fn weights(&mut self) {
        let (ours, theirs) = (self.ours, self.theirs);
        for (above, below) in [(ours, theirs), (theirs, ours)] {
            if let Some(what) = weights_that_never_count(above, below) {
                let why = "a failed service stays where it failed";
                self.say("peer-weight", &["track_script"], &what, why, LARGER_WEIGHT);
            }
        }
    }
}

/// A router whose trackers only move its priority must be able to fall below the other. What a file may ask for is not
/// known.
fn weights_that_never_count(above: &Instance, below: &Instance) -> Option<String> {
    let weights = |instance: &Instance| -> Vec<i32> {
        instance.tracks.iter().map(|tracked| i32::from(tracked.weight)).collect()
    };
    let (own, others) = (weights(above), weights(below));
    let reversed = above.tracks.iter().chain(below.tracks.iter()).any(|tracked| tracked.reverse);
    if !(above.tracks.files.is_empty() && below.tracks.files.is_empty()) {
        return None;
    }
    // Weight 0 means FAULT, which the other always takes over.
    if above.priority <= below.priority || own.is_empty() || own.contains(&0) || reversed {
        return None;
    }
    let sum = |weights: &[i32], counts: fn(&i32) -> bool| weights.iter().filter(|w| counts(w)).sum::<i32>();
    let lowest = i32::from(above.priority.0) + sum(&own, |weight| *weight < 0);
    let highest = i32::from(below.priority.0) + sum(&others, |weight| *weight > 0);
    (lowest > highest).then(|| {
        format!("with everything failed the priority is still {lowest}, above the other router's {highest}")
    })
}

/// Address and prefix of each line.
fn lines(addresses: &[super::AddressLine]) -> BTreeSet<String> {
    addresses.iter().map(|one| format!("{}/{}", one.address, one.prefix)).collect()
}
