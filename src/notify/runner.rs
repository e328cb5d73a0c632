//! Starting notify scripts and collecting their ends.

use std::{
    collections::{HashMap, HashSet},
    io,
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt as _, future::LocalBoxFuture, stream::FuturesUnordered};
use tracing::{debug, warn};

use super::{
    command::{Command, commands},
    contests::Contests,
    kept::Keeper,
    line::instance,
    pools,
};
use crate::{
    kernel::{
        Deadline, clock,
        process::{self, Child, ExitKind, Owner, Signal},
    },
    registry::{Cursor, Registry, SinkRow},
};

/// Scripts that may run at once. The stream holds the rest: a script that hangs costs a place, not memory.
const AT_ONCE: usize = 256;
/// How long a killed script may take to be gone. One that the kernel holds, or will not let the daemon kill,
/// may stay for ever.
const KILLED_WITHIN: Duration = Duration::from_secs(1);

/// Reads the stream and starts what it calls for.
pub(super) struct Runner {
    pub(super) keeper: Keeper,
    registry: Arc<Registry>,
    row: Arc<SinkRow>,
    cursor: Cursor,
    /// The users that scripts ran as, by user and group id, so that each is looked up once.
    owners: HashMap<(u32, u32, bool), Owner>,
    contests: Contests,
    /// When contests have to be looked at again.
    look: Deadline,
    /// Instances whose `notify_master_rx_lower_pri` still runs: no second one is started.
    answering: HashSet<String>,
    running: Running,
}

impl Runner {
    /// A runner that begins with the first transition of the stream.
    pub(super) fn new(registry: &Arc<Registry>, row: &Arc<SinkRow>) -> io::Result<Self> {
        Ok(Self {
            keeper: Keeper::default(),
            registry: Arc::clone(registry),
            row: Arc::clone(row),
            cursor: Cursor::default(),
            owners: HashMap::new(),
            contests: Contests::default(),
            look: Deadline::new()?,
            answering: HashSet::new(),
            running: Running::default(),
        })
    }

    /// Runs for ever. Cancelling it loses nothing; [`Self::finish`] goes on with what runs.
    pub(super) async fn run(&mut self) {
        let mut warned = false;
        loop {
            let room = self.running.scripts.len() < AT_ONCE;
            if !room && !warned {
                warn!("{AT_ONCE} notify scripts run at once: no more are started until one ends");
            }
            warned = !room;
            let set = self.look.set(self.contests.poll_timeout());
            tokio::select! {
                () = self.cursor.ready(&self.registry.transitions, 0), if room => self.take(),
                _ = self.look.expired(), if room && set.is_ok() => self.repeat(),
                Some(ended) = self.running.scripts.next() => self.note_end(ended),
            }
        }
    }

    /// Starts what is still in the stream and waits for everything that runs; whoever calls it sets the limit.
    pub(super) async fn finish(&mut self) {
        while self.cursor.position() <= self.registry.transitions.newest() {
            self.take();
        }
        while self.running.scripts.next().await.is_some() {}
    }

    /// Kills what still runs, and leaves behind what cannot be killed within a second.
    pub(super) async fn kill(&mut self) {
        self.running.kill().await;
    }

    /// Takes one transition from the stream.
    fn take(&mut self) {
        let lost = self.cursor.catch_up(&self.registry.transitions);
        if lost > 0 {
            warn!("notify scripts missed {lost} transitions: too many scripts do not end");
            self.row.add_lost(lost);
        }
        let Some(transition) = self.cursor.peek(&self.registry.transitions) else {
            return;
        };
        self.cursor.advance_past(transition.seq);
        self.row.set_position(transition.seq);
        let topology = self.registry.topology();
        if pools::is_of_pool(&transition.subject) {
            if let Some(script) = pools::script(&topology, &transition) {
                self.start(&Command { script, extra: Vec::new() }, None);
            }
            return;
        }
        for command in commands(&topology, &transition) {
            self.start(&command, None);
        }
        if self.contests.handle_transition(clock::now(), &transition) {
            self.answer(transition.subject.name());
        }
    }

    /// Tells of contests that go on.
    fn repeat(&mut self) {
        let topology = self.registry.topology();
        let heard = |name: &str| instance(&topology, name)?.status().contest.map(|contest| contest.heard);
        for name in self.contests.handle_timeout(clock::now(), heard) {
            self.answer(&name);
        }
    }

    /// `notify_master_rx_lower_pri`.
    fn answer(&mut self, name: &str) {
        let topology = self.registry.topology();
        let line = instance(&topology, name)
            .and_then(|row| row.config.settings.notify_master_rx_lower_pri.as_ref()?.script.as_deref());
        if let Some(script) = line.filter(|_| !self.answering.contains(name)) {
            self.start(&Command { script, extra: Vec::new() }, Some(name));
        }
    }

    /// A script has ended.
    fn note_end(&mut self, Ended(answering): Ended) {
        if let Some(name) = answering {
            self.answering.remove(&name);
        }
    }

    /// Starts a program, which may be the answer to a router with a lower claim than this instance.
    fn start(&mut self, command: &Command<'_>, answering: Option<&str>) {
        let answering = answering.map(str::to_owned);
        let Command { script, extra } = command;
        let shown = script.shown.clone();
        let owner = script.user.as_ref().map(|user| {
            let owner = self.owners.entry((user.uid, user.gid, user.has_groups));
            &*owner.or_insert_with(|| Owner::new(user.uid, user.gid).with_groups(user.has_groups))
        });
        match process::spawn(&script.argv, Some(&script.path), owner, extra) {
            Ok(child) => {
                self.row.add_delivered();
                self.answering.extend(answering.clone());
                self.running.add(shown, child, Ended(answering));
            }
            Err(error) => warn!("notify script {shown}: {error}"),
        }
    }
}

/// A script has ended: of this instance, where it was the answer to a router with a lower claim.
#[derive(Debug)]
struct Ended(Option<String>);

/// The scripts that run.
#[derive(Default)]
struct Running {
    scripts: FuturesUnordered<LocalBoxFuture<'static, Ended>>,
    stop: tokio::sync::watch::Sender<bool>,
}

impl Running {
    fn add(&self, shown: String, mut child: Child, end: Ended) {
        let mut stop = self.stop.subscribe();
        self.scripts.push(Box::pin(async move {
            let ended = tokio::select! {
                ended = child.wait() => ended,
                _ = stop.wait_for(|stop| *stop) => {
                    warn!("notify script {shown} still runs: killed");
                    match child.signal_group(Signal::Kill) {
                        Ok(()) => child.wait().await,
                        Err(error) => Err(error),
                    }
                }
            };
            match ended {
                Ok(ExitKind::Exited(0)) => debug!("notify script {shown} ended"),
                Ok(how) => warn!("notify script {shown} {how}"),
                Err(error) => warn!("notify script {shown}: {error}"),
            }
            end
        }));
    }

    async fn kill(&mut self) {
        self.stop.send_replace(true);
        let scripts = &mut self.scripts;
        let all = async { while scripts.next().await.is_some() {} };
        let limit = async {
            let mut limit = Deadline::new()?;
            limit.set(Some(clock::now() + KILLED_WITHIN))?;
            limit.expired().await
        };
        // In this order the scripts are killed first, also where no timer is to be had.
        tokio::select! {
            biased;
            () = all => {}
            _ = limit => warn!("{} notify scripts outlive their being killed", self.scripts.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use nix::{
        sys::signal::{Signal as NixSignal, kill},
        unistd::Pid,
    };

    use super::*;
    use crate::kernel::unprivileged::{self, CAP_SETGID, CAP_SETUID};

    /// Longer than anything here takes.
    const LIMIT: Duration = Duration::from_secs(30);

    #[test]
    fn a_script_that_cannot_be_killed_does_not_hold_up_the_stop() {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let file = directory.path().join("pid");
        let argv =
            ["sh", "-c", r#"echo $$ > "$0.new"; mv "$0.new" "$0"; exec sleep 600"#, file.to_str().unwrap()]
                .map(str::to_owned);
        let there = file.clone();
        // Without CAP_KILL.
        let stopped = unprivileged::with(12_000, &[CAP_SETGID, CAP_SETUID], move || {
            let mut running = Running::default();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let stop = async {
                let child = process::spawn(&argv, None, Some(&Owner::new(12_345, 12_345)), &[]).unwrap();
                running.add("'hangs'".to_owned(), child, Ended(None));
                while !there.exists() {
                    tokio::task::yield_now().await;
                }
                running.kill().await;
            };
            runtime.block_on(async { tokio::time::timeout(LIMIT, stop).await })
        });
        let pid = fs::read_to_string(&file).unwrap().trim().parse().unwrap();
        kill(Pid::from_raw(pid), NixSignal::SIGKILL).expect("the script still runs");
        assert!(stopped.is_ok(), "the stop waits for a script that it could not kill");
    }
}
