//! `bfd_instance` blocks.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

use super::Context;
use crate::{
    config::{Config, Diagnostic, Severity, Span, settings::BfdInstance},
    units::Family,
};

/// The longest name of a session.
const MAX_NAME_BYTES: usize = 31;
/// The hop limit of sessions over IPv6 that name none; those over IPv4 have the tables' default.
const HOP_LIMIT_V6: u8 = 64;

/// Leaves out sessions without a neighbour, and those that are the same as an earlier one to the network; completes the
/// others. Returns the names of the former.
pub(super) fn check(config: &mut Config, context: &mut Context<'_>) -> HashSet<String> {
    let mut dropped = HashSet::new();
    let mut pairs: HashMap<(IpAddr, Option<IpAddr>), Span> = HashMap::new();
    config.bfd_instances.retain_mut(|session| {
        let name = session.heading.name().to_owned();
        let Some(neighbor) = neighbor(session, context) else {
            dropped.insert(name);
            return false;
        };
        if let Some(first) = pairs.get(&(neighbor, session.source_ip)) {
            let place = first.beside(&session.at);
            context.add(
                error(
                    format!("bfd_instance {name} has the neighbour and source of the one at {place}"),
                    &session.at,
                )
                .info("the second block is ignored")
                .help("remove it, or give it another source_ip"),
            );
            dropped.insert(name);
            return false;
        }
        pairs.insert((neighbor, session.source_ip), (*session.at).clone());
        if neighbor.is_ipv6() {
            session.ttl.inherit(Some(HOP_LIMIT_V6));
        }
        limit_hops(session, context);
        true
    });
    dropped
}

/// The neighbour of a session that can be; reports why another cannot.
fn neighbor(session: &BfdInstance, context: &mut Context<'_>) -> Option<IpAddr> {
    let name = session.heading.name();
    let mut refuse = |why: String, help: &'static str| {
        context.add(error(format!("bfd_instance {name} {why}: it is ignored"), &session.at).help(help));
        None
    };
    if name.len() > MAX_NAME_BYTES {
        return refuse("has too long a name".to_owned(), "a name has at most 31 characters");
    }
    let Some(neighbor) = session.neighbor_ip else {
        return refuse("has no neighbor_ip".to_owned(), "add neighbor_ip ADDRESS");
    };
    match session.source_ip {
        Some(source) if Family::of(source) != Family::of(neighbor) => {
            let why =
                format!("has an {} source and an {} neighbour", Family::of(source), Family::of(neighbor));
            refuse(why, "write both addresses of one family")
        }
        _ => Some(neighbor),
    }
}

/// More hops than a packet survives are not counted.
fn limit_hops(session: &mut BfdInstance, context: &mut Context<'_>) {
    let (hops, ttl) = (*session.max_hops, i16::from(*session.ttl));
    if hops <= ttl {
        return;
    }
    session.max_hops.replace(ttl);
    let headline = format!("max_hops {hops} is more than the packets' {ttl}: {ttl} is used");
    context.add(
        error(headline, &session.at).id("hops-reduced").help("lower max_hops, or raise ttl or hoplimit"),
    );
}

fn error(headline: String, at: &Span) -> Diagnostic {
    Diagnostic::new("unusable-session", Severity::Error, headline, at)
}
