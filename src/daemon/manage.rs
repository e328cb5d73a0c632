//! The manage lane: everything that reads the registry or starts programs, and the signals.
//!
//! Nothing on this lane can delay the engine. It outlives it by a moment, so that the last transitions
//! (STOP of every instance) still reach scripts and SNMP managers.

use std::{
    convert::Infallible,
    future::pending,
    pin::{Pin, pin},
    sync::{Arc, OnceLock},
    time::Duration,
};

use agentx::{MasterAddress, Subagent};
use futures_util::future::{BoxFuture, FusedFuture, FutureExt as _, Shared, join};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
};
use tracing::{error, info, warn};

use super::{
    agent,
    checks::Checks,
    dumps::{self, Dumps},
    engine::Command,
    heart,
    real_time::RealTime,
    reload::{Adopted, Reloader, TimeFile},
    tether::{self, Voice, Word},
    thrift::Thrift,
    trackers::{Followers, scripts::Scripts},
};
use crate::{
    cli, control,
    kernel::{Deadline, clock},
    notify,
    registry::Registry,
    snmp::{self, Backlog, Expected, Parts, Pending, Snapshots, Told},
};

/// How long a stop waits for notify scripts, as keepalived does, for the AgentX master, and then for a recording.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(1);

/// How long a stop waits for the table of IPVS to be emptied: one of 40,000 servers takes a second.
const CHECKS_STOP: Duration = Duration::from_secs(10);

/// How long notifications wait for the journal to be read, which takes a few milliseconds unless the disk hangs.
const JOURNAL_READ: Duration = Duration::from_secs(2);

/// How the subagent is set up.
#[derive(Clone, Debug)]
pub(super) struct Snmp {
    /// Where the master listens.
    pub(super) master: MasterAddress,
    /// What is served there.
    pub(super) parts: Parts,
    /// The SNMP context that it is served in (`snmp_context`); empty for the default one.
    pub(super) context: String,
    /// Whether notifications are sent (`enable_traps`).
    pub(super) traps: bool,
}

impl Snmp {
    /// From the configuration and the command line; `None` when neither asks for SNMP. An address that makes no
    /// sense is logged, and VRRP runs without SNMP: no output may stop it.
    pub(super) fn new(arguments: &cli::Arguments, global: &crate::config::Global) -> Option<Self> {
        let parts = if arguments.snmp { Parts::ALL } else { Parts::of(global) };
        if !parts.any() {
            return None;
        }
        let socket = arguments.snmp_agent_socket.as_ref().or(global.snmp_socket.as_ref());
        match socket.map_or(Ok(MasterAddress::default()), |socket| socket.parse()) {
            Ok(master) => {
                let context = global.settings.snmp_context.as_deref().unwrap_or_default().to_owned();
                Some(Self { master, parts, context, traps: global.enable_traps })
            }
            Err(error) => {
                error!("snmp_socket {error}; KEEPALIVED-MIB is not served until it is corrected");
                None
            }
        }
    }
}

/// The lane.
pub(super) struct Manage {
    pub(super) registry: Arc<Registry>,
    pub(super) snmp: Option<Snmp>,
    /// Where it is written how far the AgentX master has taken the transitions.
    pub(super) told: watch::Sender<Told>,
    /// What an earlier run could not deliver, as soon as it is known.
    pub(super) backlog: Option<oneshot::Receiver<Backlog>>,
    /// The check lane, where there is one.
    pub(super) checks: Option<Checks>,
    pub(super) engine: mpsc::Sender<Command>,
    pub(super) real_time: Arc<RealTime>,
    /// What comes from outside.
    pub(super) signals: (Signals, dumps::Asked),
    /// What the parent is told.
    pub(super) parent: (Voice, mpsc::Receiver<Word>),
    /// Who answers `steadfast ctl`, if anybody does.
    pub(super) control: Option<control::Server>,
    /// Reads the configuration anew.
    pub(super) reloader: Reloader,
    /// The threads that follow what is tracked.
    pub(super) followers: Followers,
}

impl Manage {
    /// Runs until the engine has ended and its last transitions are delivered, or their time is up.
    pub(super) async fn run(self, engine_ended: oneshot::Receiver<()>) -> std::io::Result<()> {
        let Self { registry, snmp, told, backlog, engine, real_time, parent, .. } = self;
        let Self { control, reloader, mut followers, checks, signals: (commands, dumps), .. } = self;
        let (voice, said) = parent;
        let mut scripts = Scripts::new(&registry.topology().scripts, &engine);
        let deliveries = told.subscribe();
        let (leave, left) = oneshot::channel::<()>();
        let mut tasks = JoinSet::new();
        match snmp {
            Some(snmp) => {
                let agent = Agent {
                    keeper: notify::Keeper::default(),
                    snmp,
                    registry: Arc::clone(&registry),
                    told: Some(told),
                    backlog,
                    leave: left.map(drop).boxed().shared(),
                };
                tasks.spawn(agent.serve());
            }
            // Nobody is waited for.
            None => drop(told),
        }
        let mut subagent = pin!(end_of(tasks).fuse());
        let mut notify = notify::Sinks::new(&registry)?;
        let mut time_file = TimeFile::new(&registry.topology().global.settings)?;
        let mut thrift = Thrift::new()?;
        {
            let (ask, asked) = mpsc::channel(1);
            let (adopt, mut adopted) = mpsc::channel(1);
            let mut heart = pin!(heart::beat(engine.downgrade(), voice.clone()).fuse());
            let mut parent = pin!(self::parent(engine.clone(), said).fuse());
            let mut dumps = pin!(dumps::on_signals(Dumps::new(&registry), dumps));
            let mut reloads = pin!(reloads(reloader, asked, &engine, (adopt, voice)).fuse());
            let mut signals = pin!(signals(commands, engine.clone(), ask.clone()));
            let mut control = pin!(answered(control));
            let mut real_time = pin!(real_time.watch().fuse());
            let mut engine_ended = pin!(engine_ended);
            loop {
                tokio::select! {
                    _ = &mut engine_ended => break,
                    ended = scripts.run() => warn!("a tracked script does not run any more: {ended}"),
                    Some(Adopted { topology, since }) = adopted.recv() => {
                        thrift.put_off();
                        scripts.follow(&topology.scripts);
                        if let Err(error) = time_file.follow(&topology.global.settings) {
                            error!("reload_time_file is not followed: {error}");
                        }
                        if let Err(error) = notify.follow(since) {
                            error!("not everybody is told of transitions: {error}");
                        }
                        if let Err(error) = followers.follow(&topology) {
                            error!("what is tracked is not followed: {error}");
                        }
                    }
                    never = &mut signals => match never {},
                    () = time_file.due() => {
                        info!("The time of reload_time_file has come");
                        let _ = ask.try_send(());
                    }
                    never = &mut dumps => match never {},
                    () = thrift.give_back() => {}
                    () = &mut reloads, if !reloads.is_terminated() => {}
                    () = notify.run() => {}
                    never = &mut control => match never {},
                    () = &mut heart, if !heart.is_terminated() => {}
                    () = &mut parent, if !parent.is_terminated() => {}
                    () = &mut real_time, if !real_time.is_terminated() => {}
                    () = &mut subagent, if !subagent.is_terminated() => {}
                }
            }
        }
        stop_checks(checks).await?;
        last_words(&mut notify, subagent, &registry, deliveries, leave).await
    }
}

/// Answers `steadfast ctl`, for ever.
async fn answered(control: Option<control::Server>) -> Infallible {
    match control {
        Some(server) => server.run().await,
        None => pending().await,
    }
}

/// Ends the check lane, after the addresses have been given up: until then its table serves. IPVS is not waited for without
/// end.
async fn stop_checks(checks: Option<Checks>) -> std::io::Result<()> {
    let Some(checks) = checks else { return Ok(()) };
    let mut limit = Deadline::new()?;
    limit.set(Some(clock::now() + CHECKS_STOP))?;
    tokio::select! {
        () = checks.stop() => {}
        _ = limit.expired() => warn!("IPVS takes too long to be emptied: its table may be left behind"),
    }
    Ok(())
}

/// Lets scripts and the AgentX master take the last transitions, then has the subagent take its leave.
async fn last_words(
    notify: &mut notify::Sinks,
    mut subagent: Pin<&mut impl FusedFuture<Output = ()>>,
    registry: &Registry,
    mut deliveries: watch::Receiver<Told>,
    leave: oneshot::Sender<()>,
) -> std::io::Result<()> {
    let newest = registry.transitions.newest();
    let mut limit = Deadline::new()?;
    limit.set(Some(clock::now() + LAST_WORDS))?;
    {
        let told = async {
            // An error says that there is no subagent, or none that sends notifications.
            let _ = deliveries.wait_for(|told| told.now >= newest).await;
            let _ = leave.send(());
        };
        let mut both = pin!(join(notify.finish(), told).fuse());
        while !(both.is_terminated() && subagent.is_terminated()) {
            tokio::select! {
                _ = &mut both, if !both.is_terminated() => {}
                () = &mut subagent, if !subagent.is_terminated() => {}
                _ = limit.expired() => break,
            }
        }
    }
    notify.kill().await;
    Ok(())
}

/// Waits for the end of tasks of this lane. They are tasks so that what wakes one has nobody else looked after: the
/// master of a walk asks for thousands of variables in a second.
async fn end_of(mut tasks: JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        // A panic is the lane's; nobody else ends one.
        if let Err(error) = ended
            && let Ok(panic) = error.try_into_panic()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

/// The AgentX subagent, until it is told to leave.
struct Agent {
    keeper: notify::Keeper,
    snmp: Snmp,
    registry: Arc<Registry>,
    /// `None` once it is known that nobody is told.
    told: Option<watch::Sender<Told>>,
    /// What an earlier run left, as long as nobody has begun with it.
    backlog: Option<oneshot::Receiver<Backlog>>,
    leave: Shared<BoxFuture<'static, ()>>,
}

impl Agent {
    async fn serve(mut self) {
        let registry = Arc::clone(&self.registry);
        notify::kept(&mut self, &registry).await;
    }
}

impl notify::Part for Agent {
    fn name(&self) -> String {
        "serving KEEPALIVED-MIB".to_owned()
    }

    fn keeper(&mut self) -> &mut notify::Keeper {
        &mut self.keeper
    }

    async fn run(&mut self) {
        let Snmp { master, parts, context, traps } = self.snmp.clone();
        let config = agentx::Config::new(cli::banner()).context(context);
        let config = parts.regions().into_iter().fold(config, agentx::Config::region);
        let status = Arc::<OnceLock<_>>::default();
        let snapshots = Snapshots::new(Arc::clone(&self.registry), clock::now, Arc::clone(&status));
        let mib = snmp::view().serve(move || snapshots.now());
        info!("serving KEEPALIVED-MIB through the AgentX master at {master}");
        let subagent = match Subagent::new(master.clone(), config, mib, || clock::now().0) {
            Ok(subagent) => subagent,
            Err(error) => {
                self.told = None;
                return warn!("KEEPALIVED-MIB is not served: {error}");
            }
        };
        // It is empty until here.
        let _ = status.set(subagent.status());
        let shown = agent::show(&self.registry, &master, subagent.status());
        self.told.take_if(|_| !traps);
        let leave = self.leave.clone();
        if let Some(told) = self.told.clone() {
            let (patience, ended) = oneshot::channel();
            let expected = self.backlog.take().map(|backlog| Expected { backlog, patience: ended });
            let pending = Pending::new((Arc::clone(&self.registry), clock::now), parts, expected, told);
            let served = subagent.with_notifications(pending).run_until(leave);
            tokio::select! {
                _ = join(shown, served) => {}
                () = wait(patience) => {}
            }
        } else {
            join(shown, subagent.run_until(leave)).await;
        }
    }
}

/// Ends the patience with the journal in time, and nothing else, ever: no disk may hold up the notifications of this run.
async fn wait(patience: oneshot::Sender<()>) {
    if let Ok(mut limit) = Deadline::new()
        && limit.set(Some(clock::now() + JOURNAL_READ)).is_ok()
    {
        let _ = limit.expired().await;
    }
    drop(patience);
    pending().await
}

/// Carries words to the parent. When it is gone nobody watches over the engine any more, nor stops it: it ends in order.
async fn parent(engine: mpsc::Sender<Command>, said: mpsc::Receiver<Word>) {
    match tether::hold(said).await {
        Ok(()) => error!("Stopping: the parent process is gone"),
        Err(error) => error!("Stopping: nothing is known of the parent process: {error}"),
    }
    let _ = engine.send(Command::Shutdown).await;
}

/// Carries reloads out, one after the other, as often as they are asked for.
async fn reloads(
    mut reloader: Reloader,
    mut asked: mpsc::Receiver<()>,
    engine: &mpsc::Sender<Command>,
    (adopt, voice): (mpsc::Sender<Adopted>, Voice),
) {
    while asked.recv().await.is_some() {
        voice.say(Word::Reloading);
        if let Some(adopted) = reloader.reload(engine).await {
            // This lane takes it, unless it ends.
            let _ = adopt.send(adopted).await;
        }
        // Also when what ran before goes on.
        voice.say(Word::Ready);
    }
}

/// The signals that are commands, heard from its making on.
pub(super) struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
    alarm: Signal,
}

impl Signals {
    /// Needs a tokio runtime with I/O enabled.
    ///
    /// # Errors
    /// When descriptors run out.
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            alarm: signal(SignalKind::alarm())?,
        })
    }
}

/// Turns signals into commands, for ever; SIGHUP asks for a reload.
async fn signals(signals: Signals, engine: mpsc::Sender<Command>, reload: mpsc::Sender<()>) -> Infallible {
    let Signals { mut hangup, mut terminate, mut interrupt, mut alarm } = signals;
    loop {
        tokio::select! {
            _ = terminate.recv() => info!("Stopping (SIGTERM)"),
            _ = interrupt.recv() => info!("Stopping (SIGINT)"),
            _ = hangup.recv() => {
                // One that waits already reads what is there then.
                let _ = reload.try_send(());
                continue;
            }
            _ = alarm.recv() => {
                warn!("SIGALRM has no effect");
                continue;
            }
        }
        // The engine is gone only when everything ends.
        let _ = engine.send(Command::Shutdown).await;
    }
}
