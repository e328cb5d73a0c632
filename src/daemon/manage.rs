//! The manage lane: everything that reads the registry or starts programs, and the signals.
//!
//! Nothing on this lane can delay the engine. It outlives it by a moment, so that the last transitions
//! (STOP of every instance) still reach scripts and SNMP managers.

mod signals;

use std::{
    collections::HashMap,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use futures_util::future::{FusedFuture, FutureExt as _, join3};
use tokio::sync::{mpsc, oneshot, watch};
use tracing::{error, info, warn};

use self::signals::Listener;
pub(super) use self::signals::Signals;

use super::{
    agent::{self, Agent},
    checks::{self, Checks},
    dumps::{self, Dumps},
    engine::Command,
    errands::Errands,
    heart, journal,
    orders::Desk,
    real_time::RealTime,
    reload::{self, Adopted, Queue, Reloader, TimeFile},
    tether::{self, Voice, Word},
    thrift::Thrift,
    trackers::{Followers, scripts::Scripts},
    udp_agent::{Engines, UdpAgent},
    udp_notify::{self, UdpNotify},
};
use crate::{
    control,
    kernel::{Deadline, clock},
    notify,
    registry::{Registry, ReloadOrder, Topology},
    snmp::{Backlog, Told},
};

/// How long a stop waits for notify scripts, as keepalived does, for the AgentX master, and then for a recording.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(1);

/// How often the parent hears that the end goes on: it would kill an engine that says nothing for `child_wait_time`.
const HEADWAY: Duration = Duration::from_secs(1);

/// How long a stop waits for the table of IPVS to be emptied, while nothing is told of it: one of 40,000 servers takes a second.
const CHECKS_STOP: Duration = Duration::from_secs(10);

/// How transitions leave as SNMP notifications, and what is kept until they have.
pub(super) struct Telling<'a> {
    /// What the command line says of SNMP.
    pub(super) snmp: agent::Flags,
    /// Where it is written how far the AgentX master has taken the transitions.
    pub(super) told: watch::Sender<Told>,
    /// And each target of `snmp_notify`.
    pub(super) marks: udp_notify::Marks,
    /// What an earlier run could not deliver, as soon as it is known.
    pub(super) backlogs: Option<journal::Backlogs>,
    /// Where transitions are kept.
    pub(super) journal: &'a mut journal::Keeper,
}

/// The lane.
pub(super) struct Manage<'a> {
    pub(super) registry: Arc<Registry>,
    pub(super) telling: Telling<'a>,
    /// The check lane, where there is one, and what the command line says of it.
    pub(super) checks: (Option<Checks>, checks::Flags),
    pub(super) engine: mpsc::Sender<Command>,
    pub(super) real_time: Arc<RealTime>,
    /// What comes from outside.
    pub(super) signals: (Signals, dumps::Asked),
    /// What the parent is told.
    pub(super) parent: (Voice, mpsc::Receiver<Word>),
    /// Who answers `steadfast ctl`, if anybody does.
    pub(super) control: Option<control::Server>,
    /// Reads the configuration anew, also when operators order it.
    pub(super) reloads: (Reloader, reload::Desk, mpsc::Receiver<ReloadOrder>),
    /// The threads that follow what is tracked.
    pub(super) followers: Followers,
}

impl Manage<'_> {
    /// Runs until the engine has ended and its last transitions are delivered, or their time is up.
    pub(super) async fn run(self, engine_ended: oneshot::Receiver<()>) -> std::io::Result<()> {
        let Self {
            registry,
            telling: Telling { snmp, told, marks, backlogs, journal },
            checks: (mut checks, flags),
            engine,
            real_time,
            signals: (commands, dump_signals),
            parent: (voice, said),
            control,
            reloads: (reloader, desk, orders),
            mut followers,
        } = self;
        // It hears the last words, too.
        let mut parent = pin!(self::parent(engine.clone(), said).fuse());
        let stopping = voice.clone();
        let mut scripts = Scripts::new(&registry.topology().scripts, &engine);
        let deliveries = told.subscribe();
        let (wanted, setup) = watch::channel(snmp.setup(&registry.topology().global));
        let (backlog, backlogs) = backlogs.map(|left| (left.master, left.targets)).unzip();
        let mut subagent = pin!(Agent::new(setup, &registry, told, backlog).start()?.fuse());
        let mut own = OwnSnmp::start(&registry, snmp.clone(), marks, backlogs.unwrap_or_default());
        let (ask, asked) = mpsc::channel(1);
        let dumps = Dumps::new(&registry);
        let errands =
            Errands { dumps: dumps.clone(), reload: ask.clone(), reloads: desk, engine: Desk::new(&engine) };
        let mut notify = notify::Sinks::new(&registry, Arc::new(errands))?;
        let mut time_file = TimeFile::new(&registry.topology().global.settings)?;
        let mut thrift = Thrift::new()?;
        {
            let (adopt, mut adopted) = mpsc::channel(1);
            let mut heart = pin!(heart::beat(engine.downgrade(), voice.clone()).fuse());
            let mut dumps = pin!(dumps::on_signals(dumps, dump_signals));
            let keeper = notify::Keeper::default;
            let mut reloads =
                Queue { reloader, asked, orders, engine: engine.clone(), adopt, voice, keeper: keeper() };
            let mut reloads = pin!(notify::kept(&mut reloads, &registry));
            let mut signals =
                Listener { keeper: keeper(), signals: commands, engine: engine.clone(), reload: ask.clone() };
            let mut signals = pin!(notify::kept(&mut signals, &registry));
            let mut control = pin!(answered(control, &registry).fuse());
            let mut real_time = pin!(real_time.watch().fuse());
            let mut engine_ended = pin!(engine_ended);
            loop {
                tokio::select! {
                    _ = &mut engine_ended => break,
                    ended = scripts.run() => warn!("a tracked script does not run any more: {ended}"),
                    Some(adopted) = adopted.recv() => {
                        thrift.put_off();
                        follow(&adopted, &mut scripts, &mut time_file, &mut notify, &mut followers);
                        let global = &adopted.topology.global;
                        own.follow(&adopted);
                        let setup = snmp.setup(global);
                        // What an earlier run left is not of today.
                        let _ = journal.begin(global, agent::Setup::notifies(setup.as_ref()));
                        wanted.send_if_modified(|known| std::mem::replace(known, setup.clone()) != setup);
                        follow_checks(&mut checks, flags, &registry, &adopted.topology).await;
                    }
                    () = &mut signals => {}
                    () = time_file.due() => {
                        info!("The time of reload_time_file has come");
                        let _ = ask.try_send(());
                    }
                    never = &mut dumps => match never {},
                    () = thrift.give_back() => {}
                    () = &mut reloads => {}
                    () = notify.run() => {}
                    () = &mut control, if !control.is_terminated() => {}
                    () = &mut heart, if !heart.is_terminated() => {}
                    () = &mut parent, if !parent.is_terminated() => {}
                    () = &mut real_time, if !real_time.is_terminated() => {}
                    () = &mut subagent, if !subagent.is_terminated() => {}
                }
            }
        }
        let last = async {
            stop_checks(checks, &registry).await?;
            last_words((&mut notify, &mut own.notify), subagent, &registry, deliveries, wanted).await
        };
        heard(last, parent, stopping).await
    }
}

/// SNMP of our own: who answers, and who tells. They have one engine and one time.
struct OwnSnmp {
    agent: UdpAgent,
    notify: UdpNotify,
}

impl OwnSnmp {
    fn start(
        registry: &Arc<Registry>,
        flags: agent::Flags,
        marks: udp_notify::Marks,
        backlogs: HashMap<u64, oneshot::Receiver<Backlog>>,
    ) -> Self {
        let own = (clock::now(), Engines::default());
        let agent = UdpAgent::start(registry, own.clone());
        Self { agent, notify: UdpNotify::start(registry, own, flags, marks, backlogs) }
    }

    fn follow(&mut self, Adopted { topology, since }: &Adopted) {
        self.agent.follow(topology);
        self.notify.follow(topology, *since);
    }
}

/// Has everybody on this lane and beside it go by what a reload has put in place.
fn follow(
    Adopted { topology, since }: &Adopted,
    scripts: &mut Scripts,
    time_file: &mut TimeFile,
    notify: &mut notify::Sinks,
    followers: &mut Followers,
) {
    scripts.follow(&topology.scripts);
    if let Err(error) = time_file.follow(&topology.global.settings) {
        error!("reload_time_file is not followed: {error}");
    }
    if let Err(error) = notify.follow(*since) {
        error!("not everybody is told of transitions: {error}");
    }
    if let Err(error) = followers.follow(topology) {
        error!("what is tracked is not followed: {error}");
    }
}

/// Has the check lane go on with another topology, or start where there was nothing to check before.
async fn follow_checks(
    checks: &mut Option<Checks>,
    flags: checks::Flags,
    registry: &Arc<Registry>,
    topology: &Topology,
) {
    match checks {
        Some(checks) => checks.follow(topology).await,
        None => match Checks::start(registry, flags) {
            Ok(started) => *checks = started,
            Err(error) => error!("no health checks: {error}"),
        },
    }
}

/// Answers `steadfast ctl`, where anybody does.
async fn answered(control: Option<control::Server>, registry: &Registry) {
    if let Some(server) = control {
        notify::kept(&mut Answering { keeper: notify::Keeper::default(), server }, registry).await;
    }
}

/// The control socket.
struct Answering {
    keeper: notify::Keeper,
    server: control::Server,
}

impl notify::Part for Answering {
    fn name(&self) -> String {
        "answering the control socket".to_owned()
    }

    fn keeper(&mut self) -> &mut notify::Keeper {
        &mut self.keeper
    }

    /// For ever.
    async fn run(&mut self) {
        match self.server.run().await {}
    }
}

/// Carries out the end, each of whose parts has a limit of its own, while the parent hears again and again that it goes on.
async fn heard(
    last: impl Future<Output = std::io::Result<()>>,
    mut parent: Pin<&mut impl FusedFuture<Output = ()>>,
    voice: Voice,
) -> std::io::Result<()> {
    let (mut last, mut next) = (pin!(last), Deadline::new()?);
    loop {
        voice.say(Word::Stopping);
        next.set(Some(clock::now() + HEADWAY))?;
        tokio::select! {
            ended = &mut last => return ended,
            _ = next.expired() => {}
            () = &mut parent, if !parent.is_terminated() => {}
        }
    }
}

/// Ends the check lane, after the addresses have been given up: until then its table serves. It is waited for as long as it
/// tells of servers that leave, and then for IPVS, but not without end.
async fn stop_checks(checks: Option<Checks>, registry: &Registry) -> std::io::Result<()> {
    let Some(checks) = checks else { return Ok(()) };
    let (mut stop, mut limit) = (pin!(checks.stop()), Deadline::new()?);
    loop {
        let told = registry.transitions.newest();
        limit.set(Some(clock::now() + CHECKS_STOP))?;
        tokio::select! {
            () = &mut stop => return Ok(()),
            _ = limit.expired() => if registry.transitions.newest() == told {
                warn!("IPVS takes too long to be emptied: its table may be left behind");
                return Ok(());
            },
        }
    }
}

/// Lets scripts, the AgentX master and targets take the last transitions, then has the subagent take its leave.
async fn last_words(
    (notify, udp_notify): (&mut notify::Sinks, &mut UdpNotify),
    mut subagent: Pin<&mut impl FusedFuture<Output = ()>>,
    registry: &Registry,
    mut deliveries: watch::Receiver<Told>,
    wanted: watch::Sender<Option<agent::Setup>>,
) -> std::io::Result<()> {
    let newest = registry.transitions.newest();
    let mut limit = Deadline::new()?;
    limit.set(Some(clock::now() + LAST_WORDS))?;
    {
        let told = async {
            // An error says that there is no subagent.
            let _ = deliveries.wait_for(|told| told.now >= newest).await;
            drop(wanted);
        };
        let mut all = pin!(join3(notify.finish(), told, udp_notify.finish(newest)).fuse());
        while !(all.is_terminated() && subagent.is_terminated()) {
            tokio::select! {
                _ = &mut all, if !all.is_terminated() => {}
                () = &mut subagent, if !subagent.is_terminated() => {}
                _ = limit.expired() => break,
            }
        }
    }
    notify.kill().await;
    Ok(())
}

/// Carries words to the parent. When it is gone nobody watches over the engine any more, nor stops it: it ends in order.
async fn parent(engine: mpsc::Sender<Command>, said: mpsc::Receiver<Word>) {
    match tether::hold(said).await {
        Ok(()) => error!("Stopping: the parent process is gone"),
        Err(error) => error!("Stopping: nothing is known of the parent process: {error}"),
    }
    let _ = engine.send(Command::Shutdown).await;
}
