//! `global_defs`: the mail server and who gets mail.

use super::{Context, error};
use agentx::MasterAddress;

use crate::config::{Severity, tree::Node};

/// Rules of one `global_defs` block.
pub(super) fn check(block: &Node, context: &mut Context<'_>) {
    for node in block.nodes() {
        match node.keyword.name {
            "smtp_server" => server(node, context),
            "snmp_socket" => socket(node, context),
            "notification_email" if node.lines().is_empty() => context.add(
                error("empty-list", "this notification_email block is empty", &node.span())
                    .info("nobody gets mail")
                    .help("name a mail address in it, or remove the block"),
            ),
            _ => {}
        }
    }
}

/// What snmpd calls `agentXSocket`, in the forms that this program connects to.
fn socket(node: &Node, context: &mut Context<'_>) {
    let Some(word) = node.argument() else { return };
    if let Err(why) = word.text.parse::<MasterAddress>() {
        context.add(
            error("invalid-socket", format!("snmp_socket {why}"), &word.span())
                .severity(Severity::Warning)
                .info("VRRP runs, but KEEPALIVED-MIB is not served")
                .help("write the value of agentXSocket in snmpd.conf, such as unix:/var/agentx/master"),
        );
    }
}

fn server(node: &Node, context: &mut Context<'_>) {
    let Some(host) = node.argument() else { return };
    if !context.env.host_exists(host.text) {
        context.add(
            error("unknown-host", format!("the mail server {} has no address", host.text), &host.span())
                .info("the name was looked up just now; no mail can be sent to it")
                .help("correct the name, write an IP address, or mend the name service"),
        );
    }
}
