//! `global_defs`: every block of that name adds to the same settings.

use super::{Context, command, host};
use crate::{
    config::{Diagnostic, Global, Severity, settings::Fields, tree::Node, value},
    units::Version,
};

/// The account that scripts run as where nobody names one and it exists.
const DEFAULT_SCRIPT_USER: &str = "keepalived_script";

pub(super) fn resolve(nodes: &[Node], context: &mut Context<'_>) -> Global {
    let mut global = Global { router_id: context.env.host_name(), ..Global::empty() };
    for node in nodes.iter().filter(|node| node.keyword.name == "global_defs").flat_map(Node::nodes) {
        global.settings.set(node, context.report);
        host::check_groups(node, &mut global.settings, context);
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
        "lvs_sync_daemon" => sync_daemon(node, context),
        "enable_script_security" => global.script_security = true,
        _ => {}
    }
}

/// The scripts of start and stop run as root unless somebody is named.
pub(super) fn note_root_scripts(global: &Global, context: &mut Context<'_>) {
    let settings = &global.settings;
    for line in [&settings.startup_script, &settings.shutdown_script].into_iter().flatten() {
        let group = line.account.get(1).map(String::as_str);
        let named = line.account.first().map(|name| command::user_by_name(name, group, context.env));
        match named {
            Some(Ok(user)) => command::note_root(Some(&user), &line.at, context),
            // Who does not exist runs nothing.
            Some(Err(_)) => {}
            None => command::note_root(global.script_user.as_ref(), &line.at, context),
        }
    }
}

/// The numbers of `lvs_sync_daemon IF [[inst] NAME] [id N] [maxlen N] [port N] [ttl N] [group ADDR]`.
fn sync_daemon(node: &Node, context: &mut Context<'_>) {
    let mut words = node.line.words(2);
    while let Some(option) = words.next() {
        let (min, max) = match option.text {
            "id" => (0, 255),
            "maxlen" => (1, 65_507),
            "port" => (1, 65_535),
            "ttl" => (1, 255),
            _ => continue,
        };
        let number = words.next();
        if number
            .and_then(|word| value::integer(word.text))
            .is_some_and(|number| (min..=max).contains(&number))
        {
            continue;
        }
        context.add(
            Diagnostic::new(
                "invalid-value",
                Severity::Error,
                format!("this is not a valid {} for lvs_sync_daemon", option.text),
                &number.unwrap_or(option).span(),
            )
            .help(format!("after {} write a whole number from {min} to {max}", option.text)),
        );
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
