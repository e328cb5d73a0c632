//! The tree to the typed [`Config`]: names are resolved, values combined, defaults filled in.
//!
//! A file is read from top to bottom: a script must be defined above the instances that track it. What cannot be
//! used is reported and left out; whether the program may start is decided by the report.

mod address;
mod auth;
mod command;
mod global;
mod instance;
mod overlap;
mod script;
mod track;

use super::{Config, Diagnostic, Environment, Report, Severity, Span, tree::Node};

/// What resolving needs besides the tree.
struct Context<'a> {
    env: &'a dyn Environment,
    report: &'a mut Report,
    /// The first script that will run as root, if any.
    root_script: Option<Span>,
}

impl Context<'_> {
    fn add(&mut self, diagnostic: Diagnostic) {
        self.report.add(diagnostic);
    }
}

/// Makes a configuration of a tree.
pub(super) fn resolve(nodes: &[Node], env: &dyn Environment, report: &mut Report) -> Config {
    let mut context = Context { env, report, root_script: None };
    let global = global::resolve(nodes, &mut context);
    let mut scripts = Vec::new();
    let mut instances = Vec::new();
    for node in nodes {
        match node.keyword.name {
            "vrrp_script" => script::resolve(node, &global, &mut scripts, &mut context),
            "vrrp_instance" => instance::resolve(node, &global, &scripts, &mut instances, &mut context),
            _ => {}
        }
    }
    overlap::check(&mut instances, &mut context);
    let scripts = script::keep_tracked(scripts, &mut instances, &mut context);
    report_security(&global, &mut context);
    Config { global, scripts, instances }
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
