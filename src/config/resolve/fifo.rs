//! FIFOs of `global_defs`: whose they are, and which of them are used.

use super::{Context, command};
use crate::config::{
    Diagnostic, Global, Severity,
    settings::{Fifo, GlobalDefs},
};

/// Finds the owner of every FIFO. One whose account does not exist, or whose path the FIFO of all events has already, is
/// not used; keepalived's test mode says nothing of either.
pub(super) fn complete(settings: &mut GlobalDefs, global: &Global, context: &mut Context<'_>) {
    let GlobalDefs { notify_fifo, vrrp_notify_fifo, lvs_notify_fifo, .. } = settings;
    let mut taken = Vec::new();
    for fifo in [notify_fifo, vrrp_notify_fifo, lvs_notify_fifo].into_iter().flatten() {
        owner(fifo, global, context);
        if taken.contains(&fifo.path) && !fifo.ignored {
            fifo.ignored = true;
            let headline = format!("{} is a FIFO already: this line is ignored", fifo.path.display());
            context.add(
                Diagnostic::new("duplicate-setting", Severity::Notice, headline, &fifo.at)
                    .help("give each FIFO a path of its own"),
            );
        }
        taken.push(fifo.path.clone());
    }
}

fn owner(fifo: &mut Fifo, global: &Global, context: &mut Context<'_>) {
    let Some(account) = &fifo.account else {
        fifo.owner.clone_from(&global.script_user);
        if fifo.owner.is_none() && global.script_security {
            let headline = "this FIFO belongs to the daemon's own user: there is no other account for it";
            context.add(
                Diagnostic::new("no-script-user", Severity::Error, headline, &fifo.at)
                    .info(
                        "enable_script_security asks for the account keepalived_script, which does not exist",
                    )
                    .help("name an account behind the path, or with script_user"),
            );
        }
        return;
    };
    match command::user_by_name(&account.user, account.group.as_deref(), context) {
        Ok(user) => fifo.owner = Some(user),
        Err(why) => {
            fifo.ignored = true;
            context.add(
                Diagnostic::new(
                    "unknown-user",
                    Severity::Notice,
                    format!("{why}: there is no such FIFO"),
                    &fifo.at,
                )
                .info("nothing is made at this path, and its script is not started")
                .help("name an account and group of this system"),
            );
        }
    }
}
