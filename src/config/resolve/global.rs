//! `global_defs`: every block of that name adds to the same settings.

use super::{Context, command};
use crate::{
    config::{Diagnostic, Global, Severity, tree::Node},
    units::Version,
};

/// The account that scripts run as where nobody names one and it exists.
const DEFAULT_SCRIPT_USER: &str = "keepalived_script";

pub(super) fn resolve(nodes: &[Node], context: &mut Context<'_>) -> Global {
    let mut global = Global {
        router_id: context.env.host_name(),
        enable_traps: false,
        enable_snmp_vrrp: false,
        snmp_socket: None,
        vrrp_version: Version::V2,
        script_user: None,
        script_security: false,
    };
    for node in nodes.iter().filter(|node| node.keyword.name == "global_defs").flat_map(Node::nodes) {
        setting(node, &mut global, context);
    }
    if global.script_user.is_none() {
        global.script_user = command::user_by_name(DEFAULT_SCRIPT_USER, None, context.env).ok();
    }
    global
}

fn setting(node: &Node, global: &mut Global, context: &mut Context<'_>) {
    match node.keyword.name {
        "router_id" => {
            if let Some(word) = node.argument() {
                global.router_id = word.text.to_owned();
            }
        }
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
        "enable_script_security" => {
            global.script_security = true;
            let headline = "enable_script_security is supported in part";
            context.add(Diagnostic::new("not-supported-yet", Severity::Notice, headline, &node.span()).info(
                "the default user must exist, but who may write to a script's path is not checked yet",
            ));
        }
        _ => {}
    }
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
