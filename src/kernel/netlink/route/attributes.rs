//! From a line of the configuration to the attributes of rtnetlink (rtnetlink(7), `RTA_*` and `RTAX_*`).

use std::net::IpAddr;

use netlink_packet_route::route::{
    RouteAttribute, RouteFlags, RouteMessage, RouteMetric, RouteMplsTtlPropagation, RouteNextHop,
    RouteNextHopFlags, RoutePreference, RouteRealm, RouteScope,
};

use super::{Devices, address_family, encap, header_table};
use crate::{
    config::{Hop, Metric, MetricTime, NextHop, Realms, Route, RouteMetrics, RouterPreference},
    units::Family,
};

/// The kernel counts a round trip time in eighths of a millisecond, and its variance in quarters.
const RTT_PER_MILLISECOND: u32 = 8;
const RTTVAR_PER_MILLISECOND: u32 = 4;
/// RTAX_FEATURE_ECN.
const FEATURE_ECN: u32 = 1;

/// The message of a route; `None` when an interface that it names does not exist.
pub(super) fn message(route: &Route, devices: &impl Devices) -> Option<RouteMessage> {
    let mut message = RouteMessage::default();
    let table = match &route.vrf {
        Some(vrf) => devices.vrf_table(vrf)?,
        None => route.table,
    };
    let header = &mut message.header;
    header.address_family = address_family(route.family());
    header.destination_prefix_length = route.destination.prefix;
    header.source_prefix_length = route.from.map_or(0, |from| from.prefix);
    header.tos = route.tos;
    header.table = header_table(table);
    header.protocol = route.protocol.into();
    header.scope = route.scope.map_or(RouteScope::Universe, RouteScope::from);
    header.kind = (route.kind as u8).into();
    if route.hop.onlink {
        header.flags = RouteFlags::Onlink;
    }
    let attributes = &mut message.attributes;
    if route.destination.prefix > 0 {
        attributes.push(RouteAttribute::Destination(route.destination.address.into()));
    }
    attributes.extend(route.from.map(|from| RouteAttribute::Source(from.address.into())));
    attributes.extend(route.source.map(|source| RouteAttribute::PrefSource(source.into())));
    attributes.push(RouteAttribute::Table(table));
    if route.metric != 0 {
        attributes.push(RouteAttribute::Priority(route.metric));
    }
    attributes.extend(hop(&route.hop, route.family()));
    if let Some(device) = &route.hop.device {
        attributes.push(RouteAttribute::Oif(devices.index(device)?.0));
    }
    attributes.extend(route.expires.map(RouteAttribute::Expires));
    attributes.extend(route.preference.map(|preference| RouteAttribute::Preference(kernel(preference))));
    attributes.extend(route.ttl_propagate.map(|enabled| RouteAttribute::TtlPropagate(propagation(enabled))));
    let metrics = metrics(&route.metrics);
    if !metrics.is_empty() {
        attributes.push(RouteAttribute::Metrics(metrics));
    }
    if !route.next_hops.is_empty() {
        let hops = route.next_hops.iter().map(|next| next_hop(next, route.family(), devices));
        attributes.push(RouteAttribute::MultiPath(hops.collect::<Option<_>>()?));
    }
    Some(message)
}

/// Gateway, realms and tunnel of a next hop. A gateway of the other family has an attribute of its own.
fn hop(hop: &Hop, family: Family) -> Vec<RouteAttribute> {
    let gateway = |via: IpAddr| {
        if Family::of(via) == family {
            RouteAttribute::Gateway(via.into())
        } else {
            RouteAttribute::Via(via.into())
        }
    };
    let mut attributes: Vec<_> = hop.via.map(gateway).into_iter().collect();
    attributes.extend(hop.realms.map(realm));
    attributes.extend(hop.encap.iter().flat_map(encap::attributes));
    attributes
}

fn next_hop(next: &NextHop, family: Family, devices: &impl Devices) -> Option<RouteNextHop> {
    let mut message = RouteNextHop::default();
    // The kernel counts from 0.
    message.hops = u8::try_from(next.weight.saturating_sub(1)).unwrap_or(u8::MAX);
    if let Some(device) = &next.hop.device {
        message.interface_index = devices.index(device)?.0;
    }
    if next.hop.onlink {
        message.flags = RouteNextHopFlags::Onlink;
    }
    message.attributes = hop(&next.hop, family);
    Some(message)
}

fn realm(realms: Realms) -> RouteAttribute {
    RouteAttribute::Realm(RouteRealm { source: realms.from, destination: realms.to })
}

fn kernel(preference: RouterPreference) -> RoutePreference {
    match preference {
        RouterPreference::Low => RoutePreference::Low,
        RouterPreference::Medium => RoutePreference::Medium,
        RouterPreference::High => RoutePreference::High,
    }
}

fn propagation(enabled: bool) -> RouteMplsTtlPropagation {
    if enabled { RouteMplsTtlPropagation::Enabled } else { RouteMplsTtlPropagation::Disabled }
}

/// `RTA_METRICS`; RTAX_LOCK has a bit for each that the kernel may not change.
fn metrics(metrics: &RouteMetrics) -> Vec<RouteMetric> {
    let time = |metric: Metric<MetricTime>, unit: u32| match metric.value {
        MetricTime::Raw(value) => value,
        MetricTime::Milliseconds(milliseconds) => milliseconds.saturating_mul(unit),
    };
    let algorithm = metrics.congestion_control.as_ref();
    let all = [
        (locked(metrics.mtu), metrics.mtu.map(|mtu| RouteMetric::Mtu(mtu.value))),
        (false, metrics.window.map(RouteMetric::Window)),
        (locked(metrics.rtt), metrics.rtt.map(|rtt| RouteMetric::Rtt(time(rtt, RTT_PER_MILLISECOND)))),
        (
            locked(metrics.rttvar),
            metrics.rttvar.map(|rttvar| RouteMetric::RttVar(time(rttvar, RTTVAR_PER_MILLISECOND))),
        ),
        (locked(metrics.ssthresh), metrics.ssthresh.map(|metric| RouteMetric::SsThresh(metric.value))),
        (locked(metrics.cwnd), metrics.cwnd.map(|metric| RouteMetric::Cwnd(metric.value))),
        (locked(metrics.advmss), metrics.advmss.map(|metric| RouteMetric::Advmss(metric.value))),
        (locked(metrics.reordering), metrics.reordering.map(|metric| RouteMetric::Reordering(metric.value))),
        (false, metrics.hoplimit.map(|limit| RouteMetric::Hoplimit(limit.into()))),
        (false, metrics.initcwnd.map(RouteMetric::InitCwnd)),
        (false, metrics.ecn.then_some(RouteMetric::Features(FEATURE_ECN))),
        (locked(metrics.rto_min), metrics.rto_min.map(|metric| RouteMetric::RtoMin(time(metric, 1)))),
        (false, metrics.initrwnd.map(RouteMetric::InitRwnd)),
        (false, metrics.quickack.map(|on| RouteMetric::QuickAck(on.into()))),
        (
            algorithm.is_some_and(|metric| metric.locked),
            algorithm.map(|metric| RouteMetric::CcAlgo(metric.value.to_string())),
        ),
        (false, metrics.fastopen_no_cookie.map(|on| RouteMetric::FastopenNoCookie(on.into()))),
    ];
    let bit = |metric: &RouteMetric| 1 << netlink_packet_core::Nla::kind(metric);
    let set = || all.iter().filter_map(|(locked, metric)| Some((*locked, metric.as_ref()?)));
    let lock = set().filter(|(locked, _)| *locked).fold(0, |lock, (_, metric)| lock | bit(metric));
    let lock = (lock != 0).then_some(RouteMetric::Lock(lock));
    lock.into_iter().chain(set().map(|(_, metric)| metric.clone())).collect()
}

fn locked<T>(metric: Option<Metric<T>>) -> bool {
    metric.is_some_and(|metric| metric.locked)
}
