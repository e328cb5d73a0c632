//! `virtual_server` and its group: what keepalived fills in or leaves out, said aloud.

use std::collections::{HashMap, HashSet};

use super::{Context, command, inherit, tracking::Trackables};
use crate::{
    config::{
        Config, Diagnostic, Global, Report, Severity, Span,
        settings::{
            Check, Destination, Granularity, GroupMember, Protocol, RealServer, Section as _, ServerGroup,
            Setting as _, Url, VirtualServer,
        },
        tree::Node,
    },
    units::Family,
};

/// What persistence lasts where a service needs it and nothing is written, in seconds.
const USUAL_PERSISTENCE: u32 = 360;

/// A `virtual_server_group`; one that cannot be used is reported and left out.
pub(super) fn group(node: &Node, report: &mut Report) -> Option<ServerGroup> {
    let mut members: Vec<GroupMember> = Vec::new();
    members.take(node, report);
    let name = node.argument()?.text.to_owned();
    let has = |family| members.iter().any(|member| member.family() == Some(family));
    let unclear = members.iter().any(|member| member.family().is_none());
    let why = if members.is_empty() {
        "has no members"
    } else if has(Family::V4) && has(Family::V6) && unclear {
        "has IPv4, IPv6 and a firewall mark without a family"
    } else {
        return Some(ServerGroup { name, members, at: node.span().into() });
    };
    report.add(
        error(format!("virtual_server_group {name} {why}: it is ignored"), &node.span())
            .info("the services of the group are ignored with it")
            .help("write ADDRESS PORT lines, and inet or inet6 behind each fwmark"),
    );
    None
}

/// What checks can follow, by kind and name, as far as it has been defined.
pub(super) type Followed = HashSet<(&'static str, String)>;

/// A `virtual_server`, every value filled in that does not depend on what comes later.
pub(super) fn read(
    node: &Node,
    global: &Global,
    defined: &Followed,
    context: &mut Context<'_>,
) -> Option<VirtualServer> {
    let mut service = VirtualServer::read(node, context.report)?;
    sorry_options(node, context);
    for server in &mut service.real_server {
        let mut followed = HashSet::new();
        server.checks.retain_mut(|check| {
            follows_something(check, defined, &mut followed, context)
                && asks_something(check, global, context)
        });
        for line in [&mut server.notify_up, &mut server.notify_down].into_iter().flatten() {
            command::complete(line, global, context);
        }
    }
    for line in [&mut service.quorum_up, &mut service.quorum_down].into_iter().flatten() {
        command::complete(line, global, context);
    }
    Some(service)
}

/// Options of the sorry server count only below it.
fn sorry_options(node: &Node, context: &mut Context<'_>) {
    let mut named = false;
    for line in node.nodes() {
        match line.keyword.name {
            "sorry_server" => named = true,
            word if word.starts_with("sorry_server_") && !named => context.add(
                error(format!("{word} has no effect above sorry_server"), &line.span())
                    .id("no-sorry-server")
                    .help("write it below sorry_server ADDRESS PORT"),
            ),
            _ => {}
        }
    }
}

/// The groups of services by name.
type Groups<'a> = HashMap<&'a str, &'a ServerGroup>;

/// Checks every service and leaves out those that cannot be; `dropped` are sessions of BFD that have been reported.
pub(super) fn check(
    config: &mut Config,
    trackables: &Trackables,
    dropped: &HashSet<String>,
    context: &mut Context<'_>,
) {
    let Config { server_groups, virtual_servers, global, .. } = config;
    let groups: Groups<'_> = server_groups.iter().map(|group| (group.name.as_str(), group)).collect();
    let follows_dropped = |check: &Check| match check {
        Check::Bfd(check) => check.name.as_deref().is_some_and(|name| dropped.contains(name)),
        _ => false,
    };
    virtual_servers.retain_mut(|service| {
        if !dropped.is_empty() {
            service
                .real_server
                .iter_mut()
                .for_each(|server| server.checks.retain(|check| !follows_dropped(check)));
        }
        let usable = has_destination(service, &groups, context) && has_servers(service, context);
        if usable {
            defaults(service, context);
            persistence(service, &groups);
            inherit::service(service, &global.settings, trackables);
            quorum(service, context);
        }
        usable
    });
}

/// Whether what a check follows is defined above it; one that follows nothing, or what another follows, is left out.
fn follows_something(
    check: &Check,
    defined: &Followed,
    followed: &mut HashSet<String>,
    context: &mut Context<'_>,
) -> bool {
    let (kind, name, at) = match check {
        Check::File(check) => ("track_file", &check.track_file, &check.at),
        Check::Bfd(check) => ("bfd_instance", &check.name, &check.at),
        _ => return true,
    };
    let Some(name) = name.as_deref() else {
        context.add(incomplete(&format!("this check names no {kind}: it is ignored"), at, "add its name"));
        return false;
    };
    if !defined.contains(&(kind, name.to_owned())) {
        context.add(
            error(format!("there is no {kind} {name} above this check: it is ignored"), at)
                .info("a check that follows nothing never fails")
                .help(format!("define {kind} {name} above the service, or correct the name")),
        );
        return false;
    }
    if kind == "bfd_instance" && !followed.insert(name.to_owned()) {
        context.add(
            error(format!("another check of this server follows {name}: this one is ignored"), at)
                .help("remove one of the two checks"),
        );
        return false;
    }
    true
}

/// Whether a check has what it cannot do without, its command looked up.
fn asks_something(check: &mut Check, global: &Global, context: &mut Context<'_>) -> bool {
    match check {
        Check::Http(check) | Check::Ssl(check) => {
            check.url.retain(|url| {
                if url.path.is_none() {
                    context.add(incomplete("this url has no path: it is ignored", &url.at, "add path /"));
                }
                url.path.is_some()
            });
            check.url.iter_mut().for_each(|url| searches_for_something(url, context));
            if check.url.is_empty() {
                let headline = "this check has no url: it is ignored";
                context.add(incomplete(headline, &check.at, "add url { path / }"));
            }
            !check.url.is_empty()
        }
        Check::Misc(check) => {
            let Some(line) = &mut check.misc_path else {
                let headline = "this check has no misc_path that can be used: it is ignored";
                context.add(incomplete(headline, &check.at, "add misc_path \"program arguments\""));
                return false;
            };
            if let Some(user) = &check.user {
                line.account = [Some(&user.user), user.group.as_ref()]
                    .into_iter()
                    .flatten()
                    .map(ToString::to_string)
                    .collect();
            } else {
                // Words behind a command are ignored here.
                line.account.clear();
            }
            command::complete_for(line, Severity::Error, global, context)
        }
        _ => true,
    }
}

/// What a page is searched for must be something that can be.
fn searches_for_something(url: &mut Url, context: &mut Context<'_>) {
    match url.search() {
        None => {}
        Some(Ok(regex)) => context.tried.push(regex),
        Some(Err(why)) => {
            context.add(
                error(format!("this regex cannot be used, the page is not searched: {why}"), &url.at)
                    .id("unusable-regex")
                    .help("write it without look-around, back references, atomic groups and \\K"),
            );
            url.regex = None;
        }
    }
}

fn incomplete(headline: &str, at: &Span, help: &'static str) -> Diagnostic {
    error(headline.to_owned(), at).id("incomplete-block").help(help)
}

fn has_destination(service: &VirtualServer, groups: &Groups<'_>, context: &mut Context<'_>) -> bool {
    let Destination::Group(name) = &service.heading else { return true };
    let known = groups.contains_key(&**name);
    if !known {
        context.add(
            error(format!("there is no virtual_server_group {name}: this service is ignored"), &service.at)
                .help("define the group, or correct the name"),
        );
    }
    known
}

/// Drops servers that are there already or of another family; a service needs one server at least.
fn has_servers(service: &mut VirtualServer, context: &mut Context<'_>) -> bool {
    let shown = service.heading.to_string();
    let mut known = HashSet::with_capacity(service.real_server.len());
    service.real_server.retain(|server| {
        let new = known.insert(server.heading);
        if !new {
            context.add(
                error(format!("real_server {} is already in this service", server.heading), &server.at)
                    .info("the second block is ignored")
                    .help("remove it, or correct its address or port"),
            );
        }
        new
    });
    if service.real_server.is_empty() {
        context.add(
            error(format!("virtual_server {shown} has no real_server: it is ignored"), &service.at)
                .info("a sorry_server alone serves nobody")
                .help("add real_server ADDRESS PORT { }"),
        );
    }
    !service.real_server.is_empty()
}

/// What keepalived fills in where many expect something else.
fn defaults(service: &mut VirtualServer, context: &mut Context<'_>) {
    let shown = service.heading.to_string();
    let marked = matches!(service.heading, Destination::Mark(_));
    if !service.protocol.is_written() && !marked {
        context.add(
            error(format!("virtual_server {shown} has no protocol: UDP is used"), &service.at)
                .id("no-protocol")
                .info("the default is UDP, although most services are TCP: TCP connections do not reach it")
                .help("write protocol TCP, or protocol UDP if that is meant"),
        );
    }
    if !service.lb_algo.is_written() {
        context.add(
            error(format!("virtual_server {shown} has no scheduler: wlc is used"), &service.at)
                .id("no-scheduler")
                .help("write lb_algo wlc, or the scheduler that is meant"),
        );
    }
    let unknown = |server: &RealServer| !server.lvs_method.is_written();
    if !service.lb_kind.is_written() && service.real_server.iter().any(unknown) {
        context.add(
            error(format!("virtual_server {shown} has no forwarding method: NAT is used"), &service.at)
                .id("no-method")
                .info("the words are NAT, DR and TUN in upper case; others are not understood")
                .help("write lb_kind NAT, or the method that is meant"),
        );
    }
    if service.ops && !marked && *service.protocol != Protocol::Udp {
        service.ops = false;
        context.add(
            error(format!("ops has no effect in virtual_server {shown}: it is for UDP"), &service.at)
                .id("ops-ignored")
                .help("remove ops, or write protocol UDP"),
        );
    }
}

/// Connections of one client must stay together where a service has every port, or where only a part of its address
/// counts.
fn persistence(service: &mut VirtualServer, groups: &Groups<'_>) {
    let every_port = match &service.heading {
        Destination::Address(endpoint) => endpoint.port == 0,
        Destination::Mark(_) => false,
        Destination::Group(name) => groups.get(&**name).is_some_and(|group| {
            let port_0 = |member: &GroupMember| {
                matches!(member, GroupMember::Addresses(_, 0) | GroupMember::Network(_, 0))
            };
            group.members.iter().any(port_0)
        }),
    };
    if (every_port || service.persistence_granularity.is_some()) && service.persistence_timeout.is_none() {
        service.persistence_timeout = Some(USUAL_PERSISTENCE);
    }
    // A netmask says nothing of IPv6, nor a long prefix of IPv4.
    let fits = |granularity: &Granularity| match (granularity, service.address().map(Family::of)) {
        (Granularity::Mask(_), Some(Family::V6)) => false,
        (Granularity::Prefix(length), Some(family)) => *length <= family.bits(),
        _ => true,
    };
    if service.persistence_granularity.is_some_and(|granularity| !fits(&granularity)) {
        service.persistence_granularity = None;
    }
}

/// A quorum that all servers together do not reach is lowered to what they do, and a margin must be below it.
fn quorum(service: &mut VirtualServer, context: &mut Context<'_>) {
    let total = service.real_server.iter().fold(0u32, |sum, one| sum.saturating_add(*one.weight));
    let (quorum, shown) = (*service.quorum, service.heading.to_string());
    if quorum > total {
        service.quorum.replace(total);
        context.add(
            error(
                format!("virtual_server {shown} cannot reach its quorum of {quorum}: {total} is used"),
                &service.at,
            )
            .id("quorum-reduced")
            .info(format!("the weights of its servers come to {total}"))
            .help("lower the quorum, or raise the weights"),
        );
    }
    let (quorum, hysteresis) = (*service.quorum, *service.hysteresis);
    if hysteresis > 0 && hysteresis >= quorum {
        let most = quorum.saturating_sub(1);
        service.hysteresis.replace(most);
        context.add(
            error(
                format!("the hysteresis of virtual_server {shown} is not below its quorum: {most} is used"),
                &service.at,
            )
            .id("hysteresis-reduced")
            .info("the quorum would be lost only when nothing is left")
            .help("lower hysteresis, or raise quorum"),
        );
    }
}

fn error(headline: String, at: &Span) -> Diagnostic {
    Diagnostic::new("unusable-service", Severity::Error, headline, at)
}
