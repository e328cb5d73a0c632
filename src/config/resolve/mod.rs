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

use std::collections::HashMap;

use self::script::Candidates;
use super::{Config, Diagnostic, Environment, Report, Severity, Span, text::Word, tree::Node};

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
    let mut scripts = Candidates::default();
    let mut instances = Vec::new();
    let mut names = HashMap::new();
    for node in nodes {
        match node.keyword.name {
            "vrrp_script" => script::resolve(node, &global, &mut scripts, &mut context),
            "vrrp_instance" => {
                if let Some(name) = unique_name(node, &mut names, &mut context) {
                    instances.extend(instance::resolve(node, name, &global, &scripts, &mut context));
                }
            }
            _ => {}
        }
    }
    overlap::check(&instances, &mut context);
    let scripts = script::keep_tracked(scripts, &mut instances, &mut context);
    report_security(&global, &mut context);
    Config { global, scripts, instances }
}

/// The name of a block that must have one of its own. A second block of that name is reported and ignored.
fn unique_name<'a>(
    node: &'a Node,
    names: &mut HashMap<(&'static str, &'a str), Span>,
    context: &mut Context<'_>,
) -> Option<Word<'a>> {
    let name = node.argument()?;
    let kind = node.keyword.name;
    if let Some(first) = names.get(&(kind, name.text)) {
        let headline = format!("{kind} {} is already defined at {}", name.text, first.beside(&name.span()));
        context.add(
            Diagnostic::new("duplicate-name", Severity::Error, headline, &name.span())
                .info("the whole second block is ignored")
                .help("give it another name"),
        );
        return None;
    }
    names.insert((kind, name.text), node.span());
    Some(name)
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
