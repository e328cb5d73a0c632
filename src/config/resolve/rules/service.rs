//! `virtual_server`: ports, address families and schedulers that must fit together.

use std::{
    collections::{BTreeSet, HashMap},
    rc::Rc,
};

use super::{Context, checker, error, last};
use crate::config::{Severity, text::Line, tree::Node, value};

/// Forwarding methods that leave the port of a packet as it is.
const KEEP_PORT: [&str; 2] = ["DR", "TUN"];
/// Options of the source hash and Maglev hash schedulers.
const HASH_FLAGS: [&str; 5] = ["hashed", "sh-port", "sh-fallback", "mh-port", "mh-fallback"];

/// The ports of every `virtual_server_group` by its name; the first group of a name counts. Known once, for thousands of
/// services may name one group of thousands of lines.
pub(super) struct Groups<'a>(HashMap<&'a str, Ports>);

/// Ports that connections come in by, 0 for all of them; empty for a firewall mark. `None` when one is not known.
type Ports = Option<Rc<BTreeSet<u16>>>;

impl<'a> Groups<'a> {
    pub(super) fn of(nodes: &'a [Node]) -> Self {
        let groups = nodes.iter().filter(|node| node.keyword.name == "virtual_server_group");
        let mut named = HashMap::new();
        for group in groups {
            let Some(name) = group.argument() else { continue };
            named.entry(name.text).or_insert_with(|| {
                let members = group.lines().iter().filter(|line| line.first().text != "fwmark");
                members.map(port).collect::<Option<_>>().map(Rc::new)
            });
        }
        Self(named)
    }
}

/// Where a service listens, as far as it is known.
struct Service<'a> {
    node: &'a Node,
    family: Option<bool>,
    /// Ports that connections come in by; none for a firewall mark.
    ports: Rc<BTreeSet<u16>>,
    method: Option<&'a str>,
}

/// Rules of one `virtual_server`; `groups` are all there are.
pub(super) fn check(node: &Node, groups: &Groups<'_>, context: &mut Context<'_>) {
    scheduler(node, context);
    let Some(mut service) = service(node, groups) else { return };
    if node.line.word(1).is_some_and(|word| word.text == "fwmark") {
        if let Some(protocol) = last(node, "protocol") {
            let headline = format!("protocol is ignored for {}: the firewall mark decides", service.shown());
            context.add(error("protocol-with-mark", headline, &protocol.span()).help("remove the line"));
        }
    } else if service.only_port() == Some(0) && last(node, "persistence_timeout").is_none() {
        let headline = format!("{} has no port: persistence is switched on, for 360 s", service.shown());
        context.add(
            error("no-port", headline, &node.span())
                .info("a service of all ports works only when a client's connections stay together")
                .help("write the port behind the address, or persistence_timeout SECONDS"),
        );
    }
    for server in node.nodes() {
        match server.keyword.name {
            "real_server" => {
                let own = last(server, "lvs_method").and_then(Node::argument).map(|word| word.text);
                server_fits(&server.line, server, own, &mut service, context);
                for check in server.nodes().iter().filter(|check| check.keyword.name == "UDP_CHECK") {
                    checker::udp(check, context);
                }
            }
            "sorry_server" => {
                let own =
                    last(node, "sorry_server_lvs_method").and_then(Node::argument).map(|word| word.text);
                server_fits(&server.line, server, own, &mut service, context);
            }
            _ => {}
        }
    }
}

fn service<'a>(node: &'a Node, groups: &Groups<'_>) -> Option<Service<'a>> {
    let (first, second) = (node.line.word(1)?, node.line.word(2));
    let method =
        last(node, "lb_kind").or(last(node, "lvs_method")).and_then(Node::argument).map(|word| word.text);
    let (family, ports) = match first.text {
        "fwmark" => (None, Rc::default()),
        "group" => (None, groups.0.get(second?.text)?.clone()?),
        address => {
            let (address, _) = value::host_address(address)?;
            let port = second.map_or(Some(0), |word| word.text.parse().ok())?;
            (Some(address.is_ipv6()), Rc::new(BTreeSet::from([port])))
        }
    };
    Some(Service { node, family, ports, method })
}

impl Service<'_> {
    /// How it is called in messages.
    fn shown(&self) -> String {
        let words: Vec<_> = self.node.line.words(1).map(|word| word.text).collect();
        format!("virtual_server {}", words.join(" "))
    }

    /// Its port, if it has one alone.
    fn only_port(&self) -> Option<u16> {
        if self.ports.len() == 1 { self.ports.first().copied() } else { None }
    }
}

/// The port behind a group member's address, 0 if there is none.
fn port(line: &Line) -> Option<u16> {
    line.word(1).map_or(Some(0), |word| word.text.parse().ok())
}

/// Family and port of a real or sorry server.
fn server_fits(
    line: &Line,
    node: &Node,
    own: Option<&str>,
    service: &mut Service<'_>,
    context: &mut Context<'_>,
) {
    let Some((address, _)) = line.word(1).and_then(|word| value::host_address(word.text)) else { return };
    let port: u16 = line.word(2).and_then(|word| word.text.parse().ok()).unwrap_or(0);
    let method = own.or(service.method).unwrap_or("NAT");
    let what = || format!("{} {address}", node.keyword.name);
    // Tunnels may change the family, nothing else can. A mark has the family of its first server.
    let is_ipv6 = *service.family.get_or_insert(address.is_ipv6());
    if is_ipv6 != address.is_ipv6() && method != "TUN" {
        let (theirs, ours) = if is_ipv6 { ("IPv4", "IPv6") } else { ("IPv6", "IPv4") };
        let headline =
            format!("{} is {theirs}, but {} is {ours}: the server is left out", what(), service.shown());
        context.add(
            error("family-mismatch", headline, &node.span())
                .info("only the method TUN carries packets of one family to servers of the other")
                .help("write an address of the service's family, or use TUN"),
        );
        return;
    }
    if port == 0 || !KEEP_PORT.contains(&method) || service.only_port() == Some(port) {
        return;
    }
    let (what, shown) = (what(), service.shown());
    let headline = match service.only_port() {
        None if service.ports.is_empty() => format!("port {port} of {what} is not used: {shown} has no port"),
        Some(expected) => format!("port {port} of {what} is not used: it gets what comes to port {expected}"),
        None => format!("port {port} of {what} is not used: it gets each port of {shown}"),
    };
    context.add(
        error("port-mismatch", headline, &node.span())
            .info(format!("{method} forwards packets as they are, port included"))
            .help("write the service's port or none, or use NAT to change it"),
    );
}

/// Options of a scheduler count only below the line that names it.
fn scheduler(node: &Node, context: &mut Context<'_>) {
    let mut chosen = None;
    for line in node.nodes() {
        let word = line.keyword.name;
        if matches!(word, "lb_algo" | "lvs_sched") {
            chosen = line.argument().map(|word| word.text);
        } else if HASH_FLAGS.contains(&word) {
            let kind = if word.starts_with("mh") { "mh" } else { "sh" };
            let severity = match chosen {
                Some(chosen) if chosen == kind => continue,
                Some("sh" | "mh") => Severity::Notice,
                _ => Severity::Error,
            };
            let headline = match chosen {
                Some(chosen) => {
                    format!("{word} has no effect with lb_algo {chosen}: it is an option of {kind}")
                }
                None => format!("{word} has no effect above lb_algo: it is an option of {kind}"),
            };
            context.add(
                error("scheduler-option", headline, &line.span())
                    .severity(severity)
                    .help(format!("write it below lb_algo {kind}, or remove it")),
            );
        }
    }
}
