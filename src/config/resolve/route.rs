//! Lines of `virtual_routes` and `static_routes`.

use std::net::IpAddr;

use super::{
    Context, encap,
    options::{Chosen, Options, Step, Unusable, device, invalid, number, small, unusable},
    place::{self, Place},
};
use crate::{
    config::{
        Diagnostic, Hop, Insertion, MAIN_TABLE, Metric, MetricTime, Network, NextHop, PROTOCOL, Realms,
        Route, RouteKind, RouteMetrics, RouterPreference, Severity, keywords,
        text::{Line, Word},
        value::{self, Net},
    },
    units::Family,
};

/// The longest time among the metrics (960 s), in milliseconds.
const MAX_MILLISECONDS: u32 = 960_000;

/// A line as far as it has been read.
struct Draft {
    route: Route,
    /// Decided by the first address.
    family: Option<Family>,
    destination: Option<Destination>,
    insertion: Option<Insertion>,
    /// A second gateway was given with `or`.
    alternative: Option<IpAddr>,
}

/// A destination whose family may be unknown yet.
enum Destination {
    Every,
    Of(Network),
}

/// Adds the routes of a list.
pub(super) fn lines(lines: &[Line], place: Place<'_>, routes: &mut Vec<Route>, context: &mut Context<'_>) {
    routes.extend(lines.iter().filter_map(|line| route(line, place, context).ok()));
}

fn route(line: &Line, place: Place<'_>, context: &mut Context<'_>) -> Result<Route, Unusable> {
    let kind = kind(line.first().text);
    let words = line.words(usize::from(kind.is_some()));
    let mut options = Options::new(words, keywords::ROUTE_LINE, "route").strict();
    let mut draft = Draft::new(line, kind);
    while let Some(step) = options.step(context)? {
        match step {
            Step::Other(word) if draft.destination.is_none() && value::network(word.text).is_some() => {
                draft.destination(word, context)?;
            }
            Step::Other(word) => {
                options.report_unknown(word, "the route is ignored", context);
                return Err(Unusable);
            }
            Step::Option(chosen) if chosen.keyword.name == "encap" => {
                draft.route.hop.encap = Some(encap::encap(&chosen, &mut options, context)?);
            }
            Step::Option(chosen) if chosen.keyword.name == "nexthop" => {
                draft.next_hop(&mut options, context)?;
            }
            Step::Option(chosen) => draft.option(&chosen, place, context)?,
        }
    }
    draft.finish(line, place, context)
}

fn kind(word: &str) -> Option<RouteKind> {
    Some(match word {
        "unicast" => RouteKind::Unicast,
        "local" => RouteKind::Local,
        "broadcast" => RouteKind::Broadcast,
        "anycast" => RouteKind::Anycast,
        "multicast" => RouteKind::Multicast,
        "throw" => RouteKind::Throw,
        "unreachable" => RouteKind::Unreachable,
        "prohibit" => RouteKind::Prohibit,
        "blackhole" => RouteKind::Blackhole,
        "nat" => RouteKind::Nat,
        "xresolve" => RouteKind::ExternalResolve,
        _ => return None,
    })
}

impl Draft {
    fn new(line: &Line, kind: Option<RouteKind>) -> Self {
        let route = Route {
            kind: kind.unwrap_or_default(),
            destination: Network::every(Family::V4),
            from: None,
            source: None,
            table: MAIN_TABLE,
            vrf: None,
            tos: 0,
            protocol: PROTOCOL,
            scope: None,
            metric: 0,
            hop: Hop::default(),
            next_hops: Vec::new(),
            expires: None,
            preference: None,
            ttl_propagate: None,
            metrics: RouteMetrics::default(),
            insertion: Insertion::Prepend,
            no_track: false,
            track_group: None,
            at: line.first().span().into(),
        };
        Self { route, family: None, destination: None, insertion: None, alternative: None }
    }

    fn option(
        &mut self,
        chosen: &Chosen<'_>,
        place: Place<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), Unusable> {
        let Self { route, family, .. } = self;
        match chosen.keyword.name {
            "to" => self.destination(chosen.value, context)?,
            "via" | "gw" | "or" => self.gateway(chosen, context)?,
            "inet" => place::family(family, Family::V4, chosen.word, context)?,
            "inet6" => place::family(family, Family::V6, chosen.word, context)?,
            "from" | "expires" | "pref" => {
                place::family(family, Family::V6, chosen.word, context)?;
                match chosen.keyword.name {
                    "from" => route.from = Some(place::prefix(family, chosen, context)?),
                    "expires" => route.expires = Some(small(chosen, "route", context)?),
                    _ => route.preference = Some(preference(chosen.value.text)),
                }
            }
            "src" => route.source = Some(place::address(family, chosen, "route", context)?),
            "dev" | "oif" => route.hop.device = Some(device(chosen, context)?),
            "vrf" => route.vrf = Some(device(chosen, context)?),
            "table" => route.table = small(chosen, "route", context)?,
            "tos" | "dsfield" => route.tos = small(chosen, "route", context)?,
            "protocol" => route.protocol = small(chosen, "route", context)?,
            "scope" => route.scope = Some(small(chosen, "route", context)?),
            "metric" | "priority" | "preference" => route.metric = small(chosen, "route", context)?,
            "onlink" => route.hop.onlink = true,
            "realms" => route.hop.realms = Some(realms(family, chosen, "route", context)?),
            "ttl-propagate" => route.ttl_propagate = propagate(chosen, context).or(route.ttl_propagate),
            "add" => self.insertion = Some(Insertion::Add),
            "prepend" => self.insertion = Some(Insertion::Prepend),
            "append" => self.insertion = Some(Insertion::Append),
            "no_track" => route.no_track = true,
            "track_group" => {
                route.track_group = place.track_group(chosen, context)?.or(route.track_group.take())
            }
            _ => metric(&mut route.metrics, chosen, context)?,
        }
        Ok(())
    }

    fn destination(&mut self, word: Word<'_>, context: &mut Context<'_>) -> Result<(), Unusable> {
        let destination = match value::network(word.text) {
            Some(Net::Every) => Destination::Every,
            Some(Net::EveryV6) => {
                place::family(&mut self.family, Family::V6, word, context)?;
                Destination::Of(Network::every(Family::V6))
            }
            Some(Net::Of(address, prefix)) => {
                place::family(&mut self.family, Family::of(address), word, context)?;
                Destination::Of(place::network(address, prefix, word, context))
            }
            None => return Err(Unusable),
        };
        self.destination = Some(destination);
        Ok(())
    }

    fn gateway(&mut self, chosen: &Chosen<'_>, context: &mut Context<'_>) -> Result<(), Unusable> {
        let address = self.next_gateway(chosen, context)?;
        place::note_deprecated(chosen, context);
        if chosen.keyword.name != "or" {
            self.route.hop.via = Some(address);
        } else if self.alternative.is_none() {
            self.alternative = Some(address);
        } else {
            let headline = "a second `or` is ignored";
            context.add(
                Diagnostic::new("duplicate-setting", Severity::Error, headline, &chosen.word.span())
                    .help("write nexthop via ADDRESS for each gateway"),
            );
        }
        Ok(())
    }

    /// The words behind one `nexthop`.
    fn next_hop<'a>(
        &mut self,
        options: &mut Options<'a, impl Iterator<Item = Word<'a>>>,
        context: &mut Context<'_>,
    ) -> Result<(), Unusable> {
        let mut next = NextHop { hop: Hop::default(), weight: 1 };
        while let Some(chosen) = options.group(&keywords::NEXT_HOP, context)? {
            match chosen.keyword.name {
                "via" => next.hop.via = Some(self.next_gateway(&chosen, context)?),
                "weight" => next.weight = small(&chosen, "route", context)?,
                "onlink" => next.hop.onlink = true,
                "realms" => {
                    next.hop.realms = Some(realms(&mut self.family, &chosen, "route", context)?);
                }
                "encap" => next.hop.encap = Some(encap::encap(&chosen, options, context)?),
                _ => next.hop.device = Some(device(&chosen, context)?),
            }
        }
        self.route.next_hops.push(next);
        Ok(())
    }

    /// `[inet|inet6] ADDR`.
    fn next_gateway(&mut self, chosen: &Chosen<'_>, context: &mut Context<'_>) -> Result<IpAddr, Unusable> {
        match chosen.modifier {
            Some("inet") => place::family(&mut self.family, Family::V4, chosen.word, context)?,
            Some("inet6") => place::family(&mut self.family, Family::V6, chosen.word, context)?,
            _ => {}
        }
        place::address(&mut self.family, chosen, "route", context)
    }

    fn finish(mut self, line: &Line, place: Place<'_>, context: &mut Context<'_>) -> Result<Route, Unusable> {
        let route = &mut self.route;
        route.destination = match self.destination {
            Some(Destination::Of(network)) => network,
            Some(Destination::Every) => Network::every(self.family.unwrap_or_default()),
            None => {
                let headline = "this route has no destination: it is ignored";
                context.add(
                    Diagnostic::new("incomplete-line", Severity::Error, headline, &line.first().span())
                        .help("write ADDRESS/PREFIX or default first"),
                );
                return Err(Unusable);
            }
        };
        if let Some(alternative) = self.alternative.take() {
            if !route.next_hops.is_empty() {
                let headline = "`or` and nexthop exclude one another: the route is ignored";
                context.add(
                    Diagnostic::new("contradiction", Severity::Error, headline, &line.first().span())
                        .help("write nexthop via ADDRESS for each gateway"),
                );
                return Err(Unusable);
            }
            let first = std::mem::take(&mut route.hop);
            let second = Hop { via: Some(alternative), ..first.clone() };
            route.next_hops = [first, second].map(|hop| NextHop { hop, weight: 1 }).into();
        }
        let usual = if route.kind == RouteKind::Unicast { Insertion::Prepend } else { Insertion::Add };
        route.insertion = self.insertion.unwrap_or(usual);
        place.only_with(
            route.hop.device.as_ref(),
            &mut route.track_group,
            "a route without dev",
            line,
            context,
        );
        place::keep_protocol(&mut route.protocol, route.no_track, "route", line, context);
        Ok(self.route)
    }
}

/// RFC 4191 §2.1: 01 is high, 11 low.
fn preference(word: &str) -> RouterPreference {
    match word {
        "high" | "1" => RouterPreference::High,
        "low" | "3" => RouterPreference::Low,
        _ => RouterPreference::Medium,
    }
}

/// `realms [FROM/]TO`, IPv4 only.
pub(super) fn realms(
    family: &mut Option<Family>,
    chosen: &Chosen<'_>,
    what: &str,
    context: &mut Context<'_>,
) -> Result<Realms, Unusable> {
    place::family(family, Family::V4, chosen.word, context)?;
    let (from, to) = chosen.value.text.split_once('/').unwrap_or(("0", chosen.value.text));
    let mut realm = |text: &str| {
        let number = context.names.number(keywords::Names::Realms, text, context.env);
        number.and_then(|number| u16::try_from(number).ok())
    };
    match (realm(from), realm(to)) {
        (Some(from), Some(to)) => Ok(Realms { from, to }),
        _ => Err(unusable(chosen, what, context)),
    }
}

fn propagate(chosen: &Chosen<'_>, context: &mut Context<'_>) -> Option<bool> {
    match chosen.value.text {
        "enabled" => Some(true),
        "disabled" => Some(false),
        _ => {
            invalid(chosen, "it is ignored", "after ttl-propagate write enabled or disabled", context);
            None
        }
    }
}

/// One of the metrics.
fn metric(
    metrics: &mut RouteMetrics,
    chosen: &Chosen<'_>,
    context: &mut Context<'_>,
) -> Result<(), Unusable> {
    let locked = chosen.modifier == Some("lock");
    let name = chosen.keyword.name;
    match name {
        "rtt" | "rttvar" | "rto_min" => {
            let value = time(chosen.value.text).ok_or_else(|| {
                invalid(
                    chosen,
                    "the route is ignored",
                    format!(
                        "after {name} write a number, or one with ms or s, up to {} s",
                        MAX_MILLISECONDS / 1000
                    ),
                    context,
                );
                Unusable
            })?;
            let slot = match name {
                "rtt" => &mut metrics.rtt,
                "rttvar" => &mut metrics.rttvar,
                _ => &mut metrics.rto_min,
            };
            *slot = Some(Metric { value, locked });
        }
        "congctl" => {
            metrics.congestion_control = Some(Metric { value: chosen.value.text.into(), locked });
        }
        "features" if chosen.value.text == "ecn" => metrics.ecn = true,
        "features" => invalid(chosen, "it is ignored", "the only feature is ecn", context),
        "hoplimit" => metrics.hoplimit = Some(small(chosen, "route", context)?),
        "window" => metrics.window = Some(small(chosen, "route", context)?),
        "initcwnd" => metrics.initcwnd = Some(small(chosen, "route", context)?),
        "initrwnd" => metrics.initrwnd = Some(small(chosen, "route", context)?),
        "quickack" => metrics.quickack = Some(number(chosen, "route", context)? == 1),
        "fastopen_no_cookie" => {
            metrics.fastopen_no_cookie = Some(number(chosen, "route", context)? == 1);
        }
        _ => {
            let metric = Some(Metric { value: small(chosen, "route", context)?, locked });
            match name {
                "mtu" => metrics.mtu = metric,
                "advmss" => metrics.advmss = metric,
                "reordering" => metrics.reordering = metric,
                "cwnd" => metrics.cwnd = metric,
                _ => metrics.ssthresh = metric,
            }
        }
    }
    Ok(())
}

/// A time as `ip route` has it: with a unit, or a number for the kernel.
fn time(word: &str) -> Option<MetricTime> {
    let units = [("msecs", 1), ("msec", 1), ("ms", 1), ("secs", 1000), ("sec", 1000), ("s", 1000)];
    let Some((digits, unit)) =
        units.into_iter().find_map(|(unit, factor)| Some((word.strip_suffix(unit)?, factor)))
    else {
        return Some(MetricTime::Raw(value::integer(word)?.try_into().ok()?));
    };
    let milliseconds = value::micro(digits)?.checked_mul(unit)? / 1_000_000;
    let milliseconds = u32::try_from(milliseconds).ok().filter(|time| *time <= MAX_MILLISECONDS)?;
    Some(MetricTime::Milliseconds(milliseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit_or_is_the_kernels() {
        assert_eq!(time("10"), Some(MetricTime::Raw(10)));
        assert_eq!(time("1.5s"), Some(MetricTime::Milliseconds(1500)));
        assert_eq!(time("20ms"), Some(MetricTime::Milliseconds(20)));
        assert_eq!(time("3secs"), Some(MetricTime::Milliseconds(3000)));
        for bad in ["", "x", "10us", "s", "961s", "-1"] {
            assert_eq!(time(bad), None, "{bad}");
        }
    }
}
