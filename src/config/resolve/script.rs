//! `vrrp_script` blocks.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use super::{
    Context,
    command::{self, MAKE_SECURE},
};
use crate::config::{
    Diagnostic, Global, Script, Severity, Span, User,
    settings::{Parsed, Weight, Written},
    text::Line,
    tree::Node,
};

/// The scripts of a file, by name.
#[derive(Default)]
pub(super) struct Candidates {
    all: Vec<Candidate>,
    indices: HashMap<String, usize>,
    /// Blocks that came to nothing, which has been reported.
    broken: HashSet<String>,
}

impl Candidates {
    /// Whether a block of that name came to nothing, which has been reported.
    pub(super) fn is_broken(&self, name: &str) -> bool {
        self.broken.contains(name)
    }

    /// The script of a name and its index.
    pub(super) fn named(&self, name: &str) -> Option<(usize, &Candidate)> {
        let index = *self.indices.get(name)?;
        Some((index, self.all.get(index)?))
    }

    /// All of them, in file order.
    pub(super) fn into_all(self) -> Vec<Candidate> {
        self.all
    }
}

/// What a `vrrp_script` block came to.
pub(super) struct Candidate {
    pub(super) script: Script,
    /// The program exists and may run; otherwise the script is disabled, and whoever tracks it does without.
    pub(super) usable: bool,
}

pub(super) fn resolve(node: &Node, global: &Global, scripts: &mut Candidates, context: &mut Context<'_>) {
    let Some(name) = node.argument() else { return };
    let mut weight = Weight::default();
    for line in node.nodes().iter().filter(|line| line.keyword.name == "weight" && line.valid) {
        weight = Weight::parse(line, context.report).unwrap_or(weight);
    }
    if let Some((_, first)) = scripts.named(name.text) {
        let place = first.script.at.beside(&name.span());
        context.add(
            Diagnostic::new(
                "duplicate-name",
                Severity::Notice,
                format!("vrrp_script {} is already defined at {place}", name.text),
                &name.span(),
            )
            .info("trackers use the first one")
            .help("give one of the two another name"),
        );
        return;
    }
    let command = command_and_user(node, global, context)
        .and_then(|(line, user)| Some((line, user, Written::read(line, context.report)?)));
    let Some((line, user, written)) = command else {
        scripts.broken.insert(name.text.to_owned());
        return;
    };
    report_unquoted(line, &written, context);
    let usual = |name: &str| node.nodes().iter().rfind(|node| node.keyword.name == name);
    let count =
        |name| usual(name).and_then(Node::integer).and_then(|count| u32::try_from(count).ok()).unwrap_or(1);
    let time = |name| usual(name).and_then(Node::duration).map(whole_second_for_zero);
    let span = line.text.span();
    let (command, usable) = match command::find(written.argv.clone(), global, context.env) {
        Ok(command) => {
            let insecure = command::insecure(&command.path, user.as_ref(), global, context.env);
            match &insecure {
                Some(why) => context.add(disabled(name.text, why, &span, MAKE_SECURE).id("insecure-script")),
                None => command::note_root(user.as_ref(), &span, context),
            }
            (command, insecure.is_none())
        }
        Err(why) => {
            let help = "create the program with execute permission, or correct the path";
            context.add(disabled(name.text, &why, &span, help));
            let command = crate::config::ScriptCommand {
                argv: written.argv,
                path: Default::default(),
                shown: String::new(),
            };
            (command, false)
        }
    };
    let script = Script {
        name: name.text.to_owned(),
        command,
        interval: time("interval").unwrap_or(Duration::from_secs(1)),
        timeout: time("timeout"),
        rise: count("rise"),
        fall: count("fall"),
        weight: i16::try_from(weight.value).unwrap_or(0),
        reverse: weight.reverse,
        init_fail: usual("init_fail").is_some(),
        user,
        at: node.span().into(),
    };
    scripts.indices.insert(script.name.clone(), scripts.all.len());
    scripts.all.push(Candidate { script, usable });
}

/// The last `script` line and who runs it; reports when there is none of either.
fn command_and_user<'a>(
    node: &'a Node,
    global: &Global,
    context: &mut Context<'_>,
) -> Option<(&'a Line, Option<User>)> {
    let last = |name: &str| node.nodes().iter().rfind(|node| node.keyword.name == name);
    let Some(line) = last("script").filter(|node| node.valid) else {
        context.add(
            Diagnostic::new(
                "incomplete-block",
                Severity::Error,
                "this vrrp_script has no script: it is ignored",
                &node.span(),
            )
            .help("add script \"program arguments\""),
        );
        return None;
    };
    let user = match last("user") {
        Some(named) => Some(command::user(named, 1, context)?),
        None => command::default_user(&line.span(), global, context)?,
    };
    Some((&line.line, user))
}

/// Without quotes only the first word is the command, and keepalived does not say so.
fn report_unquoted(line: &Line, written: &Written, context: &mut Context<'_>) {
    let (Some(program), Some(first)) = (written.argv.first(), written.further.first()) else { return };
    let at = line.word(2).map_or_else(|| line.text.span(), |word| word.span());
    let command = format!("{program} {}", written.further.join(" "));
    context.add(
        Diagnostic::new(
            "unquoted-command",
            Severity::Notice,
            format!("`{first}` is not part of the command: only {program} is run"),
            &at,
        )
        .info("without quotes the command is one word; what follows it is ignored, and the check tests something else")
        .help(format!("write script \"{command}\"")),
    );
}

fn disabled(name: &str, why: &str, at: &Span, help: &'static str) -> Diagnostic {
    let headline = format!("vrrp_script {name} is disabled: {why}");
    Diagnostic::new("unusable-script", Severity::Error, headline, at)
        .info("an instance that tracks it behaves as if it did not")
        .help(help)
}

/// keepalived takes a time of 0 for one second.
fn whole_second_for_zero(time: Duration) -> Duration {
    if time < Duration::from_millis(1) { Duration::from_secs(1) } else { time }
}
