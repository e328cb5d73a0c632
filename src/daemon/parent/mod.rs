//! The parent: starts the engine, watches it, starts it again when it dies, and passes signals on. Nothing else, so that
//! there is nothing in it to go wrong.
//!
//! The engine is this same program, run anew with `--part engine`; a socket ties the two together ([`super::tether`]). When
//! the parent dies, in whatever way, the engine releases what it holds and ends.
//!
//! | file | what |
//! |---|---|
//! | `detach` | leaving the terminal, without `-n` |
//! | `running` | an engine as a process |
//! | `respawn` | whether a dead engine is started again, and when; pure |
//! | `kept` | what a stop with `-V` leaves to the next start |
//! | `script` | `startup_script`, `shutdown_script` |
//! | `notifier` | what systemd is told |

mod detach;
mod kept;
mod notifier;
mod respawn;
mod running;
mod script;
mod signals;

use std::{collections::BTreeSet, time::Duration};

use tracing::{debug, error, info, warn};

pub(super) use self::detach::{detach, leave_terminal, settle};
use self::{
    kept::Kept,
    notifier::Notifier,
    respawn::{End, Respawn, Verdict},
    running::Running,
    script::Script,
    signals::{Heard, Signals},
};
use super::{Refused, exit, pid_file::PidFile, runtime, tether::Word};
use crate::{
    cli::{Arguments, Part, PidFiles},
    config::{
        Config,
        settings::{CommandLine, GlobalDefs},
    },
    kernel::{Deadline, clock, memory},
    units::Time,
};

/// How often systemd hears that the parent goes on while there is no engine to say so.
const ALIVE: Duration = Duration::from_secs(1);

/// What the parent needs of the configuration.
#[derive(Debug)]
pub(super) struct Duties {
    files: PidFiles,
    startup: Option<Script>,
    shutdown: Option<Script>,
    /// `child_wait_time`: how long an engine that stops may make no headway.
    patience: Duration,
}

impl Duties {
    /// From the configuration and the command line.
    pub(super) fn new(arguments: &Arguments, config: &Config) -> Self {
        let GlobalDefs {
            startup_script,
            startup_script_timeout,
            shutdown_script,
            shutdown_script_timeout,
            ..
        } = &*config.global.settings;
        let script = |name, line: &Option<Box<CommandLine>>, seconds: u16| {
            let command = line.as_ref()?.script.as_deref()?.clone();
            Some(Script { name, command, limit: Duration::from_secs(seconds.into()) })
        };
        Self {
            files: PidFiles::new(arguments, &config.process),
            startup: script("startup_script", startup_script, **startup_script_timeout),
            shutdown: script("shutdown_script", shutdown_script, **shutdown_script_timeout),
            patience: Duration::from_secs((*config.process.child_wait_time).into()),
        }
    }
}

/// Runs until the daemon is told to stop, or cannot go on.
pub(super) fn run(arguments: &Arguments, duties: &Duties) -> Result<(), Refused> {
    duties.files.make_folder().map_err(Refused::fatal)?;
    runtime().map_err(Refused::fatal)?.block_on(async {
        // Before anybody can know of this process, or anything is started: a stop is heard from now on.
        let signals = Signals::new(arguments.ignore_sigint).map_err(Refused::fatal)?;
        let _pid_file = PidFile::take(&duties.files.parent).map_err(Refused::fatal)?;
        let deadline = Deadline::new().map_err(Refused::fatal)?;
        if arguments.part == Part::Parent {
            settle().map_err(Refused::fatal)?;
        }
        let kept = Kept::beside(&duties.files.parent);
        let mut parent = Parent {
            patience: duties.patience,
            notifier: Notifier::from_env(),
            respawn: Respawn::new(!arguments.dont_respawn),
            signals,
            deadline,
            engine: None,
            start_at: Some(clock::now()),
            died_at: kept.take(),
            held: BTreeSet::new(),
            kill_at: None,
            is_stopping: false,
        };
        if parent.prepare(duties.startup.as_ref()).await {
            return Ok(());
        }
        let outcome = parent.watch().await;
        if arguments.dont_release_vrrp && outcome.is_ok() {
            kept.note(parent.died_at.unwrap_or_else(clock::now));
        }
        parent.notifier.stopping();
        if let Some(script) = &duties.shutdown {
            script.run().await;
        }
        info!("The daemon has ended");
        outcome
    })
}

struct Parent {
    patience: Duration,
    notifier: Notifier,
    respawn: Respawn,
    signals: Signals,
    deadline: Deadline,
    engine: Option<Running>,
    /// When the next engine is started; `None` while one runs.
    start_at: Option<Time>,
    /// When the last one died.
    died_at: Option<Time>,
    /// Signals for the engine that starts, once it hears them.
    held: BTreeSet<i32>,
    /// When an engine that stops is ended.
    kill_at: Option<Time>,
    is_stopping: bool,
}

/// What the parent woke up for.
enum Wake {
    Signal(Heard),
    Ended(End),
    Word(Option<Word>),
    Time,
}

impl Parent {
    /// Runs the startup script. Returns whether the daemon was stopped meanwhile.
    async fn prepare(&mut self, script: Option<&Script>) -> bool {
        let Some(script) = script else { return false };
        self.notifier.status("Running startup_script");
        tokio::select! {
            () = script.run() => false,
            () = self.signals.stop() => true,
        }
    }

    /// Watches engines until the last one has ended.
    async fn watch(&mut self) -> Result<(), Refused> {
        loop {
            if self.start_at.is_some_and(|at| at <= clock::now()) {
                self.start()?;
            }
            self.arm();
            match self.wake().await {
                Wake::Signal(Heard::Stop(signal)) => {
                    if self.stop(signal) {
                        return Ok(());
                    }
                }
                Wake::Signal(Heard::Other(signal)) => self.pass_on(signal),
                Wake::Word(word) => self.handle_word(word),
                Wake::Ended(end) => {
                    if let Some(outcome) = self.handle_end(end) {
                        return outcome;
                    }
                }
                Wake::Time => self.handle_time(),
            }
        }
    }

    async fn wake(&mut self) -> Wake {
        let Self { signals, engine, deadline, .. } = self;
        let Some(engine) = engine else {
            return tokio::select! {
                heard = signals.next() => Wake::Signal(heard),
                _ = deadline.expired() => Wake::Time,
            };
        };
        let Running { child, hearing, .. } = engine;
        tokio::select! {
            biased;
            heard = signals.next() => Wake::Signal(heard),
            word = running::word(hearing) => Wake::Word(word),
            end = running::ended(child) => Wake::Ended(end),
            _ = deadline.expired() => Wake::Time,
        }
    }

    fn arm(&mut self) {
        let idle = self.engine.is_none().then(|| clock::now() + ALIVE);
        let next = [self.start_at, self.kill_at, idle].into_iter().flatten().min();
        if let Err(error) = self.deadline.set(next) {
            warn!("cannot set the parent's timer: {error}");
        }
    }

    fn start(&mut self) -> Result<(), Refused> {
        let now = clock::now();
        self.start_at = None;
        match Running::start(self.died_at, now) {
            Ok(engine) => {
                info!("The engine has been started, pid {}", engine.pid);
                self.engine = Some(engine);
                Ok(())
            }
            Err(cause) if self.respawn.has_begun() => {
                error!("the engine cannot be started: {cause}");
                self.start_at = Some(now + ALIVE);
                Ok(())
            }
            Err(cause) => Err(Refused::fatal(format!("the engine cannot be started: {cause}"))),
        }
    }

    /// Returns whether there is nothing to wait for.
    fn stop(&mut self, signal: i32) -> bool {
        let Some(engine) = &self.engine else { return true };
        if !self.is_stopping {
            self.is_stopping = true;
            self.notifier.stopping();
            // One that it does not hear yet would end it, with what it has made by then left behind.
            if engine.is_ready {
                engine.signal(signal);
            } else {
                self.held.insert(signal);
            }
            self.kill_at = Some(clock::now() + self.patience);
        }
        false
    }

    fn pass_on(&mut self, signal: i32) {
        match &self.engine {
            Some(engine) if engine.is_ready => engine.signal(signal),
            // One that it does not hear yet would end it.
            _ => drop(self.held.insert(signal)),
        }
    }

    fn handle_word(&mut self, word: Option<Word>) {
        let Some(engine) = &mut self.engine else { return };
        match word {
            Some(Word::Ready) => {
                engine.is_ready = true;
                std::mem::take(&mut self.held).into_iter().for_each(|signal| engine.signal(signal));
                self.respawn.note_ready();
                self.notifier.ready(Some(engine.pid));
                if let Err(error) = memory::give_back() {
                    debug!("the parent keeps memory that it does not need: {error}");
                }
            }
            Some(Word::Alive) => self.notifier.alive(),
            Some(Word::Reloading) => self.notifier.reloading(clock::now()),
            Some(Word::Stopping) => {
                self.notifier.alive();
                self.kill_at = self.kill_at.map(|_| clock::now() + self.patience);
            }
            // Its end follows.
            None => engine.hearing = None,
        }
    }

    /// Returns how the daemon ends, if that is its end.
    fn handle_end(&mut self, end: End) -> Option<Result<(), Refused>> {
        let Running { pid, since, .. } = self.engine.take()?;
        let now = clock::now();
        self.died_at = Some(now);
        if self.is_stopping {
            return Some(match end {
                End::Exited(exit::OK) => Ok(()),
                End::Exited(status) => Err(refused(status, "the engine did not end in order")),
                End::Killed(_) => {
                    Err(refused(exit::FATAL, "the engine was killed: addresses may be left behind"))
                }
            });
        }
        let how = match end {
            End::Exited(status) => format!("exited with status {status}"),
            End::Killed(signal) => format!("was killed by signal {signal}"),
        };
        match self.respawn.judge(since, end, now) {
            Verdict::End(status) => {
                Some(Err(refused(status, &format!("the engine (pid {pid}) {how}: the daemon ends"))))
            }
            Verdict::Again(delay) => {
                let seconds = delay.as_secs();
                error!("the engine (pid {pid}) {how}: another one is started in {seconds} s");
                self.notifier.status(&format!("The engine {how}; another one is started in {seconds} s"));
                self.start_at = Some(now + delay);
                None
            }
        }
    }

    fn handle_time(&mut self) {
        if self.engine.is_none() {
            self.notifier.alive();
        }
        if let Some(engine) = &self.engine
            && self.kill_at.is_some_and(|at| at <= clock::now())
        {
            error!(
                "the engine makes no headway for {} s and is killed (child_wait_time)",
                self.patience.as_secs()
            );
            self.kill_at = None;
            engine.kill();
        }
    }
}

fn refused(status: u8, message: &str) -> Refused {
    Refused { status, message: message.to_owned() }
}
