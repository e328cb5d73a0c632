//! KEEPALIVED-MIB::check: virtual servers, their groups and their real servers, as the registry has them.
//!
//! Statistics are what was counted at the last look at the kernel: no request asks it.

mod group;
mod lvs;
mod notification;
mod server;
mod service;
mod statistics;

use agentx::{Syntax, Value, View};

use crate::{
    config::settings::{Checksum, Forwarding, Tunnel, TunnelKind},
    snmp::{Snapshot, integer},
};

/// Adds everything below the arc.
pub(super) use self::notification::notification;

pub(super) fn add(view: View<Snapshot>) -> View<Snapshot> {
    view.table(&group::TABLE)
        .table(&group::MEMBERS)
        .table(&service::TABLE)
        .table(&server::TABLE)
        .scalars(&lvs::SCALARS)
}

const FORWARDING: Syntax = Syntax::Enum(&[("nat", 1), ("dr", 2), ("tun", 3)]);
const ALIVE: Syntax = Syntax::Enum(&[("alive", 1), ("dead", 2)]);
const WHEN_DOWN: Syntax = Syntax::Enum(&[("remove", 1), ("inhibit", 2)]);
const TUNNEL_KIND: Syntax = Syntax::Enum(&[("ipip", 1), ("gue", 2), ("gre", 3)]);
const CHECKSUM: Syntax = Syntax::Enum(&[("nocsum", 1), ("csum", 2), ("remcsum", 3)]);

fn forwarding(method: Forwarding) -> Option<Value> {
    integer(match method {
        Forwarding::Nat => 1,
        Forwarding::Direct => 2,
        Forwarding::Tunnel(_) => 3,
    })
}

fn tunnel(method: Forwarding) -> Option<Tunnel> {
    match method {
        Forwarding::Tunnel(tunnel) => Some(tunnel),
        _ => None,
    }
}

fn tunnel_kind(method: Forwarding) -> Option<Value> {
    integer(match tunnel(method)?.kind {
        TunnelKind::Ipip => 1,
        TunnelKind::Gue(_) => 2,
        TunnelKind::Gre => 3,
    })
}

fn tunnel_port(method: Forwarding) -> Option<Value> {
    match tunnel(method)?.kind {
        TunnelKind::Gue(port) => super::unsigned(port),
        _ => None,
    }
}

/// A tunnel in IP has no checksum of its own.
fn tunnel_checksum(method: Forwarding) -> Option<Value> {
    let tunnel = tunnel(method).filter(|tunnel| tunnel.kind != TunnelKind::Ipip)?;
    integer(match tunnel.checksum {
        Checksum::None => 1,
        Checksum::Usual => 2,
        Checksum::Remote => 3,
    })
}
