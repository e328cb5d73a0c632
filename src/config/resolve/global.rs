//! `global_defs`: every block of that name adds to the same settings.

use super::{Context, command, fifo, host, inherit};
use crate::{
    config::{
        Diagnostic, Global, Severity,
        settings::{Fields, GlobalDefs},
        tree::Node,
    },
    units::Version,
};

/// The account that scripts run as where nobody names one and it exists.
const DEFAULT_SCRIPT_USER: &str = "keepalived_script";

pub(super) fn resolve(nodes: &[Node], context: &mut Context<'_>) -> Global {
    let host_name = context.env.host_name();
    let mut global = Global { router_id: host_name.clone(), host_name, ..Global::empty() };
    for node in nodes.iter().filter(|node| node.keyword.name == "global_defs").flat_map(Node::nodes) {
        global.settings.set(node, context.report);
        host::check_groups(node, &mut global.settings, context);
        setting(node, &mut global, context);
    }
    if global.script_user.is_none() {
        global.script_user = command::user_by_name(DEFAULT_SCRIPT_USER, None, context).ok();
    }
    context.script_groups = *global.settings.set_supplementary_groups;
    // The line that names it may come before the one that decides this.
    if let Some(user) = &mut global.script_user {
        user.has_groups = context.script_groups;
    }
    inherit::global(&mut global.settings);
    scripts(&mut global, context);
    global
}

fn setting(node: &Node, global: &mut Global, context: &mut Context<'_>) {
    match node.keyword.name {
        "router_id" => {
            if let Some(word) = node.argument() {
                global.router_id = word.text.to_owned();
            }
        }
        "transition_journal" if !is_place(node, context) => global.settings.transition_journal = None,
        "control_socket" if !is_place(node, context) => global.settings.control_socket = None,
        "control_group" => control_group(node, global, context),
        "snmp_context" => snmp_context(node, global, context),
        "enable_traps" => global.enable_traps = true,
        "enable_snmp_vrrp" | "enable_snmp_keepalived" => global.enable_snmp_vrrp = true,
        "snmp_socket" => socket(node, global, context),
        "vrrp_version" => match node.integer() {
            Some(3) => global.vrrp_version = Version::V3,
            Some(_) => global.vrrp_version = Version::V2,
            None => {}
        },
        "script_user" => {
            if let Some(user) = command::user(node, 1, context) {
                global.script_user = Some(user);
            }
        }
        "smtp_connect_timeout" if node.integer() == Some(0) => {
            global.settings.smtp_connect_timeout.replace(1);
            context.add(
                Diagnostic::new(
                    "invalid-value",
                    Severity::Error,
                    "smtp_connect_timeout cannot be 0: 1 is used",
                    &node.span(),
                )
                .help("write 1 or more"),
            );
        }
        "enable_script_security" => global.script_security = true,
        _ => {}
    }
}

/// Looks up the programs that `global_defs` names, once it is known who runs them.
fn scripts(global: &mut Global, context: &mut Context<'_>) {
    let mut settings = std::mem::take(&mut global.settings);
    let GlobalDefs {
        startup_script,
        shutdown_script,
        notify_fifo_script,
        vrrp_notify_fifo_script,
        lvs_notify_fifo_script,
        ..
    } = &mut *settings;
    // Who starts and stops with the daemon must exist.
    for line in [startup_script, shutdown_script].into_iter().flatten() {
        command::complete_for(line, Severity::Error, global, context);
    }
    let lines = [notify_fifo_script, vrrp_notify_fifo_script, lvs_notify_fifo_script];
    for line in lines.into_iter().flatten() {
        command::complete(line, global, context);
    }
    fifo::complete(&mut settings, global, context);
    global.settings = settings;
}

/// Whether a word is a path from the root, or none: a file of the daemon's own has its place whatever folder the daemon was
/// started in. Reports one that is not.
fn is_place(node: &Node, context: &mut Context<'_>) -> bool {
    let Some(word) = node.argument().filter(|word| !word.text.starts_with('/') && word.text != "none") else {
        return true;
    };
    let headline = format!("`{}` is no path from the root: the line is ignored", word.text);
    context.add(
        Diagnostic::new("invalid-value", Severity::Error, headline, &word.span())
            .help("write a path that begins with /, or none"),
    );
    false
}

/// Whoever is to command the daemon has to exist.
fn control_group(node: &Node, global: &mut Global, context: &mut Context<'_>) {
    let Some(word) = node.argument().filter(|word| context.env.group(word.text).is_none()) else { return };
    global.settings.control_group = None;
    let headline = format!("there is no group {}: the line is ignored", word.text);
    context.add(
        Diagnostic::new("unknown-user", Severity::Error, headline, &word.span())
            .info("only root can use the control socket")
            .help("name a group of this system"),
    );
}

/// SNMP-FRAMEWORK-MIB's SnmpAdminString of a contextName: up to 32 octets (RFC 3411).
fn snmp_context(node: &Node, global: &mut Global, context: &mut Context<'_>) {
    const LONGEST: usize = 32;
    let Some(word) = node.argument().filter(|word| word.text.len() > LONGEST) else { return };
    global.settings.snmp_context = None;
    let headline = format!("an SNMP context has up to {LONGEST} bytes: the line is ignored");
    context.add(
        Diagnostic::new("invalid-value", Severity::Error, headline, &word.span()).help("shorten the name"),
    );
}

/// The first `snmp_socket` counts.
fn socket(node: &Node, global: &mut Global, context: &mut Context<'_>) {
    let Some(word) = node.argument() else { return };
    if global.snmp_socket.is_some() {
        context.add(
            Diagnostic::new(
                "duplicate-setting",
                Severity::Error,
                "snmp_socket is already set: this line is ignored",
                &node.span(),
            )
            .help("keep one of the two lines"),
        );
        return;
    }
    global.snmp_socket = Some(word.text.to_owned());
}
