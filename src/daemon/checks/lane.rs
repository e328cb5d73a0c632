//! The loop of the lane: what is due is begun, what has ended is judged, and pools are told.

use std::{
    convert::Infallible,
    hash::{BuildHasher as _, RandomState},
    io, mem,
    ops::ControlFlow,
    pin::pin,
    sync::Arc,
    time::Duration,
};

use futures_util::{FutureExt as _, StreamExt as _, future::LocalBoxFuture, stream::FuturesUnordered};
use tokio::sync::mpsc;
use tracing::{error, info, warn};

use super::{
    Command,
    board::Board,
    checker::{Checker, Of},
    followed::{self, Follower},
    presence::Presence,
    served::Served,
};
use crate::{
    check::{Clients, Kind, Opening, Outcome, Phases, Probe, Verdict},
    kernel::{Deadline, PingGroup, ReceiveBuffer, clock, ipvs::ServiceKey, rest, schedule},
    pool::Found,
    registry::{RealServerRow, Reason, Registry, Topology},
    units::Time,
};

mod begin;
mod owners;
mod reload;
#[cfg(test)]
mod tests;
mod turns;

use self::{owners::Owners, turns::Turns};

/// Shorter than the limits of most tries.
const PULSE: Duration = Duration::from_secs(1);

/// Tries that begin before those that go on have their turn.
const AT_A_TIME: usize = 32;

/// What everything else in the process has open at the most, with a thousand virtual routers.
const USUAL_DESCRIPTORS: u64 = 4096;

/// As many as a process may have open where nothing is known of its limits.
const CUSTOMARY_DESCRIPTORS: u64 = 1024;

/// The lane.
pub(super) struct Lane {
    registry: Arc<Registry>,
    board: Arc<Board>,
    services: Vec<Served>,
    owners: Owners,
    turns: Turns,
    followers: Vec<Follower>,
    presence: Presence,
    /// Tries that begin together; empty between turns.
    begun: Vec<Try>,
    running: FuturesUnordered<LocalBoxFuture<'static, Tried>>,
    /// How many may go on at once, each with a descriptor; the others wait for one of them to end.
    room: usize,
    deadline: Deadline,
    /// Until then a reload waits for the files that its checks follow.
    patience: Option<Time>,
    /// As it was before echo requests could be sent.
    ping_group: Option<PingGroup>,
    /// Another lane was here before, which has panicked.
    is_anew: bool,
}

/// A try that has ended: whose, how, and how long it took.
type Tried = (usize, Outcome, Phases);

/// A try that has just begun.
#[derive(Debug)]
struct Try {
    /// Of which check.
    number: usize,
    /// Of which page.
    page: usize,
    probe: Arc<Probe>,
    phases: Phases,
    /// Its connection, if it has one, or how it has ended.
    standing: ControlFlow<Outcome, Option<Opening>>,
}

/// Has tokio always wait for something that is sooner than the limit of a try: it wakes up the thread that sets a limit before all others,
/// by two system calls for each.
async fn pulse() -> Infallible {
    loop {
        rest(PULSE).await;
    }
}

/// Why the loop woke up.
enum Wake {
    Time,
    Ended(Tried),
    Installed,
    Followed,
    Moved,
    Command(Option<Command>),
}

impl Lane {
    /// The lane of a topology; its pools begin when it runs. With `is_anew` they go on with what the rows tell of them.
    pub(super) fn new(
        registry: Arc<Registry>,
        topology: &Arc<Topology>,
        board: Arc<Board>,
        is_anew: bool,
    ) -> io::Result<Self> {
        let served = topology.virtual_servers.iter().map(|row| Served::new(topology, row));
        let services: Vec<Served> = served.collect();
        let mut lane = Self {
            board,
            owners: Owners::of(&services),
            turns: Turns::default(),
            followers: Vec::new(),
            presence: presence(&services, topology),
            services,
            begun: Vec::with_capacity(AT_A_TIME),
            running: FuturesUnordered::new(),
            room: 0,
            deadline: Deadline::new()?,
            patience: None,
            ping_group: None,
            is_anew,
            registry,
        };
        if is_anew {
            lane.services.iter_mut().for_each(Served::recall);
        }
        lane.followers = followed::all(&lane.services, topology);
        lane.add_checkers(topology, clock::now());
        lane.allow_descriptors();
        lane.allow_echo();
        Ok(lane)
    }

    fn add_checkers(&mut self, topology: &Topology, now: Time) {
        let (chances, clients) = (RandomState::new(), clients(topology));
        for of in Of::all(&self.services) {
            let server = of.server(&self.services);
            let Some(checker) = Checker::new(of, (server, &clients), now, chances.hash_one(of)) else {
                continue;
            };
            let up = self.services[of.service].pool.passes(of.place, of.check);
            self.turns.add(if self.is_anew { checker.joining(up) } else { checker });
        }
    }

    /// Every try has a descriptor, and all of them may go on at once, which takes more than a process is given.
    fn allow_descriptors(&mut self) {
        let tries = self.turns.len();
        let permitted = schedule::allow_descriptors(USUAL_DESCRIPTORS + tries as u64)
            .inspect_err(|error| warn!("{error}"))
            .unwrap_or(CUSTOMARY_DESCRIPTORS);
        self.room = room(permitted);
        if self.room < tries {
            warn!(
                "of {tries} health checks no more than {} go on at once, the others are late: no more than {permitted} files may be \
                 open (raise the hard limit: ulimit -Hn, LimitNOFILE=)",
                self.room
            );
        }
    }

    /// Lets the daemon send echo requests, where a check does.
    fn allow_echo(&mut self) {
        if self.turns.have(Kind::Ping) && self.ping_group.is_none() {
            let widened = PingGroup::widen().inspect_err(|error| warn!("{error}"));
            self.ping_group = widened.ok().flatten();
        }
    }

    /// Runs until it is told to stop. `followed` is the topology that it goes by, and then those of reloads: what it has
    /// told of is there.
    pub(super) async fn run(mut self, commands: &mut mpsc::Receiver<Command>, followed: &mut Arc<Topology>) {
        self.begin(followed).await;
        self.follow_newest(followed);
        let mut pulse = pin!(pulse());
        loop {
            self.begin_due(clock::now());
            let has_room = self.running.len() < self.room;
            let due = self.turns.poll_timeout().filter(|_| has_room);
            let next = due.into_iter().chain(self.patience).min();
            if let Err(error) = self.deadline.set(next) {
                warn!("cannot set the timer of health checks: {error}");
            }
            let wake = tokio::select! {
                Some(ended) = self.running.next() => Wake::Ended(ended),
                _ = self.deadline.expired() => Wake::Time,
                () = self.board.told.notified() => Wake::Installed,
                () = self.registry.followed.notified() => Wake::Followed,
                () = self.presence.changed() => Wake::Moved,
                command = commands.recv() => Wake::Command(command),
                never = &mut pulse => match never {},
            };
            match wake {
                Wake::Time => {}
                Wake::Ended(tried) => self.handle_ended(tried),
                Wake::Installed => self.handle_board(),
                Wake::Followed => self.follow_all(),
                Wake::Moved => self.note_presence(clock::now()),
                Wake::Command(Some(Command::Weigh { server, weight, done })) => {
                    self.weigh(&server, weight);
                    // Whoever has given up waiting does not matter.
                    let _ = done.try_send(());
                }
                Wake::Command(Some(Command::Reload)) => self.follow_newest(followed),
                #[cfg(test)]
                Wake::Command(Some(Command::Panic)) => panic!("a mistake of the lane"),
                Wake::Command(Some(Command::Stop) | None) => return self.stop(),
            }
            if self.patience.is_some() {
                self.follow_newest(followed);
            }
        }
    }

    /// A try has ended, and perhaps others with it.
    fn handle_ended(&mut self, first: Tried) {
        let mut next = Some(first);
        while let Some((number, outcome, phases)) = next {
            self.handle_outcome(clock::now(), number, &outcome, &phases);
            next = self.running.next().now_or_never().flatten();
        }
    }

    /// Begins what is due, as far as there is room. What has ended meanwhile is not to wait for the last of a crowd.
    fn begin_due(&mut self, now: Time) {
        let mut begun = mem::take(&mut self.begun);
        for _ in 0..AT_A_TIME.min(self.room.saturating_sub(self.running.len())) {
            let services = &self.services;
            let due = self.turns.poll_due(now, |service| services[service].is_asleep);
            let Some((number, probe, page)) = due else { break };
            let (phases, standing) = (Phases::begin(), ControlFlow::Continue(probe.begin()));
            begun.push(Try { number, page, probe, phases, standing });
        }
        for Try { probe, phases, standing, .. } in &mut begun {
            if let ControlFlow::Continue(opening) = standing {
                *standing = probe.ask(opening.take(), phases);
            }
        }
        for Try { number, page, probe, mut phases, standing } in begun.drain(..) {
            match standing {
                // What the others took is not its own time: it does not put off its next turn.
                ControlFlow::Break(outcome) => self.handle_outcome(now, number, &outcome, &phases),
                ControlFlow::Continue(opening) => self.running.push(Box::pin(async move {
                    let outcome = probe.go_on(opening, page, &mut phases).await;
                    (number, outcome, phases)
                })),
            }
        }
        self.begun = begun;
    }

    /// Virtual addresses may have come or gone. What was due while one was away is done now.
    fn note_presence(&mut self, now: Time) {
        for service in &mut self.services {
            let is_here = self.presence.has(service);
            service.note_presence(is_here);
        }
        let services = &self.services;
        self.turns.handle_waking(now, |service| services[service].is_asleep);
    }

    /// A try has ended, and its next turn is counted from that time on.
    fn handle_outcome(&mut self, at: Time, number: usize, outcome: &Outcome, phases: &Phases) {
        let ended = self.turns.handle_outcome(at, number, outcome);
        let Some((checker, verdict)) = ended else { return };
        let Of { service: number, place, check } = checker.of;
        let service = &mut self.services[number];
        checker.log(service, outcome, verdict);
        service.show_check((place, check), checker.kind, outcome, Some(phases));
        let found = match (verdict, outcome) {
            (Verdict::Up | Verdict::Same, Outcome::Passed { adds }) => Found::Up(*adds),
            (Verdict::Down(_), _) => Found::Down,
            _ => return,
        };
        let changes = match found {
            Found::Up(adds) => verdict == Verdict::Up || service.pool.adds(place, check) != adds,
            Found::Down => true,
        };
        if changes {
            let reason = reason(checker.kind, outcome);
            service.handle_check(place, check, found);
            self.follow(number, &reason);
        }
    }

    /// Something that checks follow may count as something else.
    fn follow_all(&mut self) {
        for number in 0..self.followers.len() {
            let follower = &mut self.followers[number];
            let Some(outcome) = follower.poll() else { continue };
            let Some(found) = found_by(&outcome) else { continue };
            let Of { service: number, place, check } = follower.of;
            let service = &mut self.services[number];
            let well = found != Found::Down;
            if well != service.pool.passes(place, check) {
                let server = service.pool.names().servers.get(place).map_or("", String::as_str);
                info!("{}", follower.line(server, well));
            }
            service.show_check((place, check), follower.kind, &outcome, None);
            service.handle_check(place, check, found);
            let reason = reason(follower.kind, &outcome);
            self.follow(number, &reason);
        }
    }

    /// Something has happened in a pool: the kernel is to follow, then everybody is told.
    fn follow(&mut self, number: usize, reason: &Reason) {
        let keys = self.services[number].pool.keys().collect();
        self.want(keys);
        self.services[number].tell(&self.registry, reason);
    }

    /// Says what the kernel should hold of these services.
    fn want(&self, keys: Vec<ServiceKey>) {
        let entries = keys.into_iter().map(|key| (key, self.owners.wanted(&self.services, &key)));
        self.board.want(entries.collect::<Vec<_>>());
    }

    /// Says of every service that there is, or was, what the kernel should hold of it.
    fn want_all(&self) {
        let mut keys = self.board.keys();
        keys.extend(self.owners.keys());
        self.want(keys);
    }

    /// The thread beside has something to say.
    fn handle_board(&mut self) {
        if self.board.take_question() {
            self.want_all();
        }
        for (key, is) in self.board.heard() {
            for number in self.owners.of_key(&key) {
                self.services[*number].note_installed(key, is);
            }
        }
    }

    /// A manager's order; for a server that a reload has removed it comes too late.
    fn weigh(&mut self, server: &Arc<RealServerRow>, weight: i64) {
        let place_in = |service: &Served| service.row.servers.iter().position(|row| Arc::ptr_eq(row, server));
        let found = self.services.iter().enumerate().find_map(|(at, service)| Some((at, place_in(service)?)));
        let Some((number, place)) = found else { return };
        let service = &mut self.services[number];
        service.pool.handle_weight(place, weight);
        service.show_server(place);
        service.show();
        // No server comes or goes by it, and what becomes of the quorum has a reason of its own.
        self.follow(number, &Reason::Started);
    }

    /// The end: every pool is left, and everybody is told. The kernel comes first: thousands of servers take a while to be told of,
    /// and nobody is to be sent to them meanwhile.
    fn stop(mut self) {
        self.board.stop();
        self.ping_group.take().into_iter().for_each(PingGroup::restore);
        if self.board.keeps {
            // They serve on.
            return;
        }
        for service in &mut self.services {
            service.pool.handle_stop();
        }
        for service in &mut self.services {
            service.tell(&self.registry, &Reason::Shutdown);
        }
    }
}

/// How many tries may go on at once where so many descriptors may be open: half of them at the least, and all but what everything
/// else needs.
fn room(permitted: u64) -> usize {
    let room = (permitted / 2).max(permitted.saturating_sub(USUAL_DESCRIPTORS));
    usize::try_from(room).unwrap_or(usize::MAX).max(1)
}

/// The addresses of the host, as far as these services want to know.
fn presence(services: &[Served], topology: &Topology) -> Presence {
    let settings = &topology.global.settings;
    let buffer = ReceiveBuffer {
        bytes: settings.lvs_netlink_monitor_rcv_bufs,
        force: *settings.lvs_netlink_monitor_rcv_bufs_force,
    };
    Presence::new(services, buffer)
}

/// What checks over TLS show servers.
fn clients(topology: &Topology) -> Clients {
    let clients = Clients::new(topology.ssl.as_deref());
    if let Some(why) = clients.problem() {
        error!("SSL: {why}; SSL_GET cannot be carried out");
    }
    clients
}

/// What an outcome says of a server.
fn found_by(outcome: &Outcome) -> Option<Found> {
    match outcome {
        Outcome::Passed { adds } => Some(Found::Up(*adds)),
        Outcome::Failed(_) => Some(Found::Down),
        Outcome::Untold(_) => None,
    }
}

/// Why a transition is that comes of it.
fn reason(kind: Kind, outcome: &Outcome) -> Reason {
    let detail = match outcome {
        Outcome::Failed(why) => why.clone(),
        _ => String::new(),
    };
    Reason::Checked { check: kind.word().to_owned(), detail }
}
