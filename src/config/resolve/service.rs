//! `virtual_server` and its group: what keepalived fills in or leaves out, said aloud.

use std::collections::HashSet;

use super::{Context, tracking::Trackables};
use crate::config::{
    Config, Diagnostic, Report, Severity, Span,
    settings::{Check, Destination, ServerGroup, Setting, VirtualServer},
    tree::Node,
};

/// A `virtual_server_group`.
pub(super) fn group(node: &Node, report: &mut Report) -> ServerGroup {
    let mut members = Vec::new();
    members.take(node, report);
    let name = node.argument().map_or_else(String::new, |name| name.text.to_owned());
    ServerGroup { name, members, at: node.span() }
}

/// Checks every service and leaves out those that cannot be; `dropped` are sessions of BFD that have been
/// reported.
pub(super) fn check(
    config: &mut Config,
    trackables: &Trackables,
    dropped: &HashSet<String>,
    context: &mut Context<'_>,
) {
    let groups: HashSet<String> = config.server_groups.iter().map(|group| group.name.clone()).collect();
    let files: HashSet<&str> = trackables.files.names().collect();
    let sessions: HashSet<&str> = config.bfd_instances.iter().map(|session| session.heading.name()).collect();
    for server in config.virtual_servers.iter_mut().flat_map(|service| &mut service.real_server) {
        let follows_dropped = |check: &Check| match check {
            Check::Bfd(check) => check.name.as_deref().is_some_and(|name| dropped.contains(name)),
            _ => false,
        };
        server
            .checks
            .retain(|check| !follows_dropped(check) && follows_something(check, &files, &sessions, context));
    }
    config.virtual_servers.retain_mut(|service| {
        let usable = has_destination(service, &groups, context) && has_servers(service, context);
        if usable {
            defaults(service, context);
            quorum(service, context);
        }
        usable
    });
}

/// Whether what a check follows is defined; one that follows nothing is left out.
fn follows_something(
    check: &Check,
    files: &HashSet<&str>,
    sessions: &HashSet<&str>,
    context: &mut Context<'_>,
) -> bool {
    let (kind, name, known, at) = match check {
        Check::File(check) => ("track_file", &check.track_file, files, &check.at),
        Check::Bfd(check) => ("bfd_instance", &check.name, sessions, &check.at),
        _ => return true,
    };
    let name = name.as_deref().unwrap_or_default();
    if known.contains(name) {
        return true;
    }
    context.add(
        error(format!("there is no {kind} {name}: this check is ignored"), at)
            .info("a check that follows nothing never fails")
            .help(format!("define {kind} {name}, or correct the name")),
    );
    false
}

fn has_destination(service: &VirtualServer, groups: &HashSet<String>, context: &mut Context<'_>) -> bool {
    match service.destination() {
        Some(Destination::Group(name)) if !groups.contains(&name) => {
            context.add(
                error(
                    format!("there is no virtual_server_group {name}: this service is ignored"),
                    &service.at,
                )
                .help("define the group, or correct the name"),
            );
            false
        }
        Some(_) => true,
        None => {
            let shown = service.heading.joined();
            context.add(
                error(format!("`{shown}` is not a service: the block is ignored"), &service.at).help(
                    "write virtual_server ADDRESS PORT, virtual_server fwmark N or virtual_server group NAME",
                ),
            );
            false
        }
    }
}

/// Drops servers that are no address or there already; a service needs one server at least.
fn has_servers(service: &mut VirtualServer, context: &mut Context<'_>) -> bool {
    let mut known = HashSet::with_capacity(service.real_server.len());
    service.real_server.retain(|server| {
        let Some(address) = server.address() else {
            let shown = server.heading.joined();
            context.add(
                error(format!("`{shown}` is not a server: the block is ignored"), &server.at)
                    .help("write real_server ADDRESS PORT"),
            );
            return false;
        };
        let new = known.insert(address);
        if !new {
            context.add(
                error(
                    format!("real_server {} is already in this service", server.heading.joined()),
                    &server.at,
                )
                .info("the second block is ignored")
                .help("remove it, or correct its address or port"),
            );
        }
        new
    });
    if service.real_server.is_empty() {
        context.add(
            error(
                format!("virtual_server {} has no real_server: it is ignored", service.heading.joined()),
                &service.at,
            )
            .info("a sorry_server alone serves nobody")
            .help("add real_server ADDRESS PORT { }"),
        );
    }
    !service.real_server.is_empty()
}

/// What keepalived fills in where many expect something else.
fn defaults(service: &VirtualServer, context: &mut Context<'_>) {
    let shown = service.heading.joined();
    let marked = matches!(service.destination(), Some(Destination::Mark(_)));
    if service.protocol.is_none() && !marked {
        context.add(
            error(format!("virtual_server {shown} has no protocol: UDP is used"), &service.at)
                .id("no-protocol")
                .info("the default is UDP, although most services are TCP: TCP connections do not reach it")
                .help("write protocol TCP, or protocol UDP if that is meant"),
        );
    }
    if service.lb_algo.is_none() {
        context.add(
            error(format!("virtual_server {shown} has no scheduler: wlc is used"), &service.at)
                .id("no-scheduler")
                .help("write lb_algo wlc, or the scheduler that is meant"),
        );
    }
    let without =
        service.lb_kind.is_none() && service.real_server.iter().any(|server| server.lvs_method.is_none());
    if without {
        context.add(
            error(format!("virtual_server {shown} has no forwarding method: NAT is used"), &service.at)
                .id("no-method")
                .info("the words are NAT, DR and TUN in upper case; others are not understood")
                .help("write lb_kind NAT, or the method that is meant"),
        );
    }
}

/// A quorum that all servers together do not reach is lowered to what they do.
fn quorum(service: &mut VirtualServer, context: &mut Context<'_>) {
    let usual = service.weight.unwrap_or(1);
    let total =
        service.real_server.iter().fold(0u32, |sum, one| sum.saturating_add(one.weight.unwrap_or(usual)));
    let Some(quorum) = service.quorum.filter(|quorum| *quorum > total) else { return };
    service.quorum = Some(total);
    let shown = service.heading.joined();
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

fn error(headline: String, at: &Span) -> Diagnostic {
    Diagnostic::new("unusable-service", Severity::Error, headline, at)
}
