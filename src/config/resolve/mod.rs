//! The tree to the typed [`Config`]: names are resolved, values combined, defaults filled in.
//!
//! A file is read from top to bottom: a script must be defined above the instances that track it. What cannot be
//! used is reported and left out; whether the program may start is decided by the report.

mod address;
mod auth;
mod bfd;
mod command;
mod encap;
mod family;
mod fifo;
mod garp;
mod global;
mod group;
mod hmac;
mod host;
mod inherit;
mod instance;
mod link;
mod names;
mod namespace;
mod options;
mod overlap;
mod place;
mod repeated;
mod room;
mod route;
mod rule;
mod rules;
mod script;
mod service;
mod snmp_agent;
mod snmp_notify;
mod strict;
mod track_group;
mod tracking;
mod unicast;

use std::{
    borrow::Borrow,
    collections::{HashMap, HashSet, hash_map::Entry},
};

use self::{
    address::List, names::NameTables, place::Place, rule::Assigned, service::Followed, tracking::Trackables,
};
use super::{
    Config, Diagnostic, Environment, Report, Severity, Span,
    settings::{Fields, Setting},
    text::Word,
    tree::Node,
};
use crate::regex::Regex;

/// What resolving needs besides the tree.
struct Context<'a> {
    env: &'a dyn Environment,
    report: &'a mut Report,
    /// The first script that will run as root, if any.
    root_script: Option<Span>,
    /// Options without effect that have been reported: each is once.
    told: HashSet<&'static str>,
    /// `set_supplementary_groups`: scripts are in all groups of their account.
    script_groups: bool,
    /// `dynamic_interfaces`: an interface need not be there yet.
    dynamic_interfaces: bool,
    /// Names that iproute2 has for numbers.
    names: NameTables,
    /// Preferences of rules that name none.
    assigned: Assigned,
    /// Expressions of pages that have been tried: each is made once.
    tried: Vec<Regex>,
}

impl Context<'_> {
    fn add(&mut self, diagnostic: Diagnostic) {
        self.report.add(diagnostic);
    }

    /// Whether an interface may be named: it exists, or it may come later.
    fn may_name_interface(&self, name: &str) -> bool {
        self.dynamic_interfaces || self.env.interface_exists(name)
    }

    /// Reports what a block lacks. Where something cut the block short, it may well stand in the file: then what cut it is
    /// to blame, and as bad.
    fn add_lack(&mut self, cut_by: Option<&Span>, lack: Diagnostic) {
        let blamed = |found: &&mut Diagnostic| cut_by.is_some() && found.span.as_ref() == cut_by;
        match self.report.diagnostics.iter_mut().find(blamed) {
            Some(culprit) => culprit.severity = culprit.severity.max(lack.severity),
            None => self.report.add(lack),
        }
    }
}

/// What has been read of a file so far.
struct Draft {
    config: Config,
    trackables: Trackables,
    groups: Vec<group::Draft>,
    /// Where names were defined, by kind of block.
    names: HashMap<(&'static str, String), Span>,
    /// What checks can follow.
    followed: Followed,
    /// The names of the track groups.
    track_groups: HashSet<String>,
}

/// Makes a configuration of a tree. Where the tree is given away, each block's lines are dropped as soon as their meaning
/// is known.
pub(super) fn resolve<Nodes>(nodes: Nodes, env: &dyn Environment, report: &mut Report) -> Config
where
    Nodes: AsRef<[Node]> + IntoIterator<Item: Borrow<Node>>,
{
    let mut context = Context {
        env,
        report,
        root_script: None,
        told: HashSet::new(),
        script_groups: false,
        dynamic_interfaces: false,
        names: NameTables::default(),
        assigned: Assigned::default(),
        tried: Vec::new(),
    };
    namespace::enter(nodes.as_ref(), &mut context);
    let config = Config { global: global::resolve(nodes.as_ref(), &mut context), ..Config::empty() };
    context.names = NameTables::new(&config.global.settings);
    context.dynamic_interfaces = config.global.settings.dynamic_interfaces.is_some();
    rules::check(nodes.as_ref(), &mut context);
    let mut draft = Draft {
        config,
        trackables: Trackables::default(),
        groups: Vec::new(),
        names: HashMap::new(),
        followed: Followed::new(),
        track_groups: HashSet::new(),
    };
    for node in nodes {
        // What `global_defs` comes to has been said before all others.
        let first = node.borrow().keyword.name == "global_defs";
        let findings = if first { 0 } else { context.report.diagnostics.len() };
        block(node.borrow(), &mut draft, &mut context);
        repeated::check(node.borrow(), findings, &mut context);
    }
    let Draft { mut config, trackables, groups, names, .. } = draft;
    overlap::check(&config.instances, &mut context);
    let dropped = bfd::check(&mut config, &mut context);
    track_group::check(&mut config, &mut context);
    group::finish(groups, &mut config, &names, &mut context);
    service::check(&mut config, &trackables, &dropped, &mut context);
    if let Some(agent) = &mut config.snmp_agent {
        snmp_agent::check(agent, &mut context);
    }
    if let Some(notify) = &mut config.snmp_notify {
        snmp_notify::check(notify, config.snmp_agent.as_deref(), &mut context);
    }
    tracking::keep_tracked(trackables, &mut config, &mut context);
    tracking::delays(&mut config, &mut context);
    tracking::linkbeat(&mut config, &mut context);
    report_security(&config.global, &mut context);
    config
}

/// One block or word of the top level.
fn block(node: &Node, draft: &mut Draft, context: &mut Context<'_>) {
    let Draft { config, trackables, groups, names, followed, track_groups } = draft;
    let unique = matches!(
        node.keyword.name,
        "vrrp_instance" | "vrrp_sync_group" | "track_group" | "bfd_instance" | "virtual_server_group"
    );
    if unique && unique_name(node, names, context).is_none() {
        return;
    }
    let name = node.argument().map(|word| word.text.to_owned());
    match node.keyword.name {
        "track_group" => track_groups.extend(name),
        "track_file" | "vrrp_track_file" => followed.extend(name.map(|name| ("track_file", name))),
        "bfd_instance" => followed.extend(name.map(|name| ("bfd_instance", name))),
        _ => {}
    }
    match node.keyword.name {
        "global_defs" => {}
        "vrrp_script" => script::resolve(node, &config.global, &mut trackables.scripts, context),
        "vrrp_instance" => {
            let instance = node
                .argument()
                .and_then(|name| instance::resolve(node, name, &config.global, trackables, context));
            trackables.mention(node);
            config.instances.extend(instance);
        }
        "vrrp_sync_group" => {
            trackables.mention(node);
            groups.extend(group::read(node, &config.global, trackables, context));
        }
        "track_group" => config.track_groups.take(node, context.report),
        "track_file" | "vrrp_track_file" => tracking::file(node, trackables, context),
        "vrrp_track_process" => tracking::process(node, trackables, context),
        "bfd_instance" => {
            config.bfd_instances.take(node, context.report);
            trackables.add_session(config.bfd_instances.last());
        }
        "garp_group" => config.garp_groups.take(node, context.report),
        "virtual_server_group" => config.server_groups.extend(service::group(node, context.report)),
        "virtual_server" => {
            config.virtual_servers.extend(service::read(node, &config.global, followed, context));
        }
        "SSL" => Setting::take(&mut config.ssl, node, context.report),
        "snmp_agent" => Setting::take(&mut config.snmp_agent, node, context.report),
        "snmp_notify" => Setting::take(&mut config.snmp_notify, node, context.report),
        "static_ipaddress" => {
            let list = List::Static(track_groups);
            address::lines(node.lines(), list, &mut config.static_addresses, &mut HashMap::new(), context);
        }
        "static_routes" => {
            route::lines(node.lines(), Place::Static(track_groups), &mut config.static_routes, context);
        }
        "static_rules" => {
            rule::lines(node.lines(), Place::Static(track_groups), &mut config.static_rules, context);
        }
        _ => {
            config.process.set(node, context.report);
        }
    }
}

/// The name of a block that must have one of its own. A second block of that name is reported and ignored.
fn unique_name<'a>(
    node: &'a Node,
    names: &mut HashMap<(&'static str, String), Span>,
    context: &mut Context<'_>,
) -> Option<Word<'a>> {
    let name = node.argument()?;
    let kind = node.keyword.name;
    let first = match names.entry((kind, name.text.to_owned())) {
        Entry::Vacant(free) => {
            free.insert(node.span());
            return Some(name);
        }
        Entry::Occupied(first) => first,
    };
    let headline = format!("{kind} {} is already defined at {}", name.text, first.get().beside(&name.span()));
    context.add(
        Diagnostic::new("duplicate-name", Severity::Error, headline, &name.span())
            .info("the whole second block is ignored")
            .help("give it another name"),
    );
    None
}

/// Scripts that run as root although nobody asked for their paths to be checked.
fn report_security(global: &super::Global, context: &mut Context<'_>) {
    if global.script_security {
        return;
    }
    if let Some(span) = context.root_script.take() {
        context.add(
            Diagnostic::new(
                "script-security",
                Severity::Security,
                "scripts run as root without script security",
                &span,
            )
            .info("whoever can replace such a script becomes root")
            .help("set script_user to an unprivileged account in global_defs, or add enable_script_security"),
        );
    }
}
