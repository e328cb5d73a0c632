//! Programs and the accounts they run as: `script`, `notify…` and `user` lines.

use std::path::Path;

use super::Context;
use crate::config::{
    Diagnostic, Environment, Global, NotifyScript, Program, Prose, ScriptCommand, Severity, Span, User,
    settings::{CommandLine, Written},
    tree::Node,
};

/// The way out for a script that script security turns down.
pub(super) const MAKE_SECURE: &str = "let root own the program and every folder above it, with write permission for root alone, or run it as another user";

/// Looks for the program; with `use_symlink_paths` it keeps the name by which it was found. The error says in a few words
/// what is wrong with it.
pub(super) fn find(
    argv: Vec<String>,
    global: &Global,
    env: &dyn Environment,
) -> Result<ScriptCommand, String> {
    let program = argv.first().map_or("", String::as_str);
    match env.program(program) {
        Program::Found { path, named } => {
            let path = if *global.settings.use_symlink_paths { named } else { path };
            let shown = shown(&path, &argv);
            Ok(ScriptCommand { argv, path, shown })
        }
        Program::NotExecutable(path) => Err(format!("{} cannot be executed", path.display())),
        Program::Missing => Err(format!("{program} does not exist")),
    }
}

/// How the MIB shows a command (vrrpScriptCommand).
fn shown(path: &Path, argv: &[String]) -> String {
    let program = path.to_string_lossy().into_owned();
    let words = std::iter::once(&program).chain(argv.iter().skip(1));
    words.map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ")
}

/// A notify line's program. keepalived's test mode says nothing about a missing one, so neither is it an error here.
pub(super) fn notify(node: &Node, global: &Global, context: &mut Context<'_>) -> Option<NotifyScript> {
    let written = Written::read(&node.line, context.report)?;
    let ignored = |why: String, help: Prose| {
        let headline = format!("{} will not run: {why}", node.keyword.name);
        Diagnostic::new("unusable-script", Severity::Notice, headline, &node.line.text.span()).help(help)
    };
    let user = match written.further.first() {
        None => default_user(&node.span(), global, context)?,
        Some(name) => match user_by_name(name, written.further.get(1).map(String::as_str), context) {
            Ok(user) => Some(user),
            Err(why) => {
                let command = [written.argv, written.further.clone()].concat().join(" ");
                let help = format!("write {} \"{command}\" if these are arguments", node.keyword.name);
                context.add(ignored(why, help.into()).info(
                    "words behind a command without quotes are user and group; nobody is told of this change",
                ));
                return None;
            }
        },
    };
    match find(written.argv, global, context.env) {
        Ok(ScriptCommand { argv, path, shown }) => {
            if let Some(why) = insecure(&path, user.as_ref(), global, context.env) {
                context.add(ignored(why, MAKE_SECURE.into()).id("insecure-script"));
                return None;
            }
            note_root(user.as_ref(), &node.span(), context);
            Some(NotifyScript { argv, path, shown, user })
        }
        Err(why) => {
            context.add(ignored(why, "create it with execute permission, or correct the path".into()));
            None
        }
    }
}

/// Fills in what a command line comes to. keepalived's test mode says nothing of a program or an account that does not
/// exist.
pub(super) fn complete(line: &mut CommandLine, global: &Global, context: &mut Context<'_>) {
    complete_for(line, Severity::Notice, global, context);
}

/// Fills in what a command line comes to. False when its account does not exist, which has been reported as being so bad.
pub(super) fn complete_for(
    line: &mut CommandLine,
    no_account: Severity,
    global: &Global,
    context: &mut Context<'_>,
) -> bool {
    let note = |why: String, help: &'static str| {
        Diagnostic::new("unusable-script", Severity::Notice, format!("this will not run: {why}"), &line.at)
            .help(help)
    };
    let user = match line.account.first() {
        None => match default_user(&line.at, global, context) {
            Some(user) => user,
            None => return false,
        },
        Some(name) => match user_by_name(name, line.account.get(1).map(String::as_str), context) {
            Ok(user) => Some(user),
            Err(why) => {
                let mut found = note(why, "name an account and group of this system");
                found.severity = no_account;
                context.add(found);
                return false;
            }
        },
    };
    match find(line.argv.clone(), global, context.env) {
        Ok(ScriptCommand { argv, path, shown }) => {
            if let Some(why) = insecure(&path, user.as_ref(), global, context.env) {
                context.add(note(why, MAKE_SECURE).id("insecure-script"));
                return true;
            }
            note_root(user.as_ref(), &line.at, context);
            line.script = Some(Box::new(NotifyScript { argv, path, shown, user }));
        }
        Err(why) => context.add(note(why, "create it with execute permission, or correct the path")),
    }
    true
}

/// What script security has against a program, in a few words: it gets the rights of root, and others can change it.
pub(super) fn insecure(
    path: &Path,
    user: Option<&User>,
    global: &Global,
    env: &dyn Environment,
) -> Option<String> {
    let as_root = user.map_or_else(|| env.own_uid(), |user| user.uid) == 0 || env.gains_root(path);
    if !global.script_security || !as_root {
        return None;
    }
    let part = env.writable_by_others(path)?;
    Some(format!("it runs as root, and others than root may change {}", part.display()))
}

/// Remembers the first script that will run as root.
pub(super) fn note_root(user: Option<&User>, at: &Span, context: &mut Context<'_>) {
    let uid = user.map_or_else(|| context.env.own_uid(), |user| user.uid);
    if uid == 0 && context.root_script.is_none() {
        context.root_script = Some(at.clone());
    }
}

/// Who runs a script that names nobody: `Some(None)` is the daemon's own identity, `None` means that script security
/// asks for an account that does not exist.
#[expect(clippy::option_option, reason = "the outer one is whether the script runs at all")]
pub(super) fn default_user(at: &Span, global: &Global, context: &mut Context<'_>) -> Option<Option<User>> {
    if global.script_user.is_some() || !global.script_security {
        return Some(global.script_user.clone());
    }
    context.add(
        Diagnostic::new(
            "no-script-user",
            Severity::Error,
            "this script will not run: there is no account for it",
            at,
        )
        .info("enable_script_security asks for the account keepalived_script, which does not exist")
        .help("name an account with script_user in global_defs, or create keepalived_script"),
    );
    None
}

/// The account named by the words of a `user` or `script_user` line from index `at`; reports one that does not exist.
pub(super) fn user(node: &Node, at: usize, context: &mut Context<'_>) -> Option<User> {
    let word = node.line.word(at)?;
    let group = node.line.word(at + 1).map(|word| word.text);
    match user_by_name(word.text, group, context) {
        Ok(user) => Some(user),
        Err(why) => {
            context.add(
                Diagnostic::new(
                    "unknown-user",
                    Severity::Error,
                    format!("{why}: the line is ignored"),
                    &word.span(),
                )
                .help("name an account and group of this system"),
            );
            None
        }
    }
}

/// Looks an account up; `group` may have a leading `:`. The error names what does not exist.
pub(super) fn user_by_name(name: &str, group: Option<&str>, context: &Context<'_>) -> Result<User, String> {
    let env = context.env;
    let account = env.account(name).ok_or_else(|| format!("there is no user {name}"))?;
    let gid = match group.map(|group| group.trim_start_matches(':')) {
        None | Some("") => account.gid,
        Some(group) => env.group(group).ok_or_else(|| format!("there is no group {group}"))?,
    };
    Ok(User { name: name.to_owned(), uid: account.uid, gid, has_groups: context.script_groups })
}
