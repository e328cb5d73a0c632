//! The life of a subagent as a machine: connect, open, register, serve, notify, lose the master, begin again.
//!
//! Deterministic: no networking code, no time from the OS, no random source but its seed. Its methods come in
//! four kinds:
//!
//! - inputs `handle_*`, which carry `now`, a moment of any monotonic clock;
//! - commands [`Session::notify`] and [`Session::shutdown`];
//! - outputs, pulled until empty: [`Session::poll_action`], [`Session::poll_event`], [`Session::output`], and the
//!   next deadline [`Session::poll_timeout`];
//! - getters.
//!
//! # What happens when the master does not answer
//!
//! A stopped or hung snmpd keeps its sockets: the kernel accepts what we send, and snmpd processes it when it
//! continues, whether or not we are still there. Whoever closes the connection and sends a notification again
//! on a new one has it delivered twice. So a session whose answer is overdue becomes
//! [`Link::Unresponsive`]: it stops sending (but for one Ping behind the overdue request), keeps the connection
//! and waits. At most one notification is ever unanswered. When the master goes on, its answers come, and the
//! session goes on where it was, without a loss, a repetition or a new registration. A connection that ends
//! (snmpd killed, restarted) is replaced at once, and then every few hundred milliseconds.
//!
//! The Ping tells a hung master from a lost request: snmpd answers in the order it was asked, and never answers a
//! PDU it cannot parse. A request still unanswered [`Timing::answer_within`] after a later one was answered is
//! lost, and the session starts over.

mod assembly;
mod backoff;
mod config;
mod outstanding;
mod status;
#[cfg(test)]
mod tests;
mod timers;
mod uptime;

use std::collections::VecDeque;
use std::time::Duration;

use assembly::Assembly;
use backoff::Backoff;
pub use config::{Config, DEFAULT_PRIORITY, Region, Timing};
use outstanding::{Outstanding, Request};
pub use status::{Link, Status};
use timers::{Timer, Timers};
pub use uptime::Uptime;

use crate::mib::Mib;
use crate::notification::{Delivery, Notification};
use crate::oid::Oid;
use crate::responder::{Responder, refuse};
use crate::value::{Value, VarBind};
use crate::wire::{
    Body, Close, CloseReason, ErrorCode, Header, InvalidPdu, Open, Pdu, PduType, Register, ResponseHead,
};

/// The most bytes that may wait to be written: room for several of the largest Responses. A master that asks on
/// and does not read its answers is disconnected.
pub const MAX_OUTPUT: usize = 1 << 20;

/// A session that lasted this long was good: its loss is news, and followed by an attempt at once.
pub(crate) const GOOD: Duration = Duration::from_secs(1);

/// How often the master may refuse a notification, or lose it, before the ones after it get their turn.
const MAX_TRIES: u32 = 3;

/// sysUpTime.0
const SYS_UP_TIME: [u32; 9] = [1, 3, 6, 1, 2, 1, 1, 3, 0];

/// snmpTrapOID.0
const SNMP_TRAP_OID: [u32; 11] = [1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0];

/// What the driver is asked to do with the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Connect to the master and report [`Session::handle_connected`] or [`Session::handle_connect_failed`].
    Connect,
    /// Give the connection, or the attempt at one, up. `farewell` is written before if that needs no waiting.
    Disconnect {
        /// A whole PDU or nothing.
        farewell: Vec<u8>,
    },
}

/// What happened that a log or the source of notifications should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The master opened a session.
    Opened,
    /// A session or the hope for one is over.
    Lost {
        /// Why.
        because: LostBecause,
        /// How long the session was open.
        lasted: Duration,
    },
    /// An answer is overdue.
    Unresponsive,
    /// The master answers again.
    Responsive,
    /// The master serves this region from us.
    Registered(Oid),
    /// The master refuses this region; it will be asked again.
    Refused(Oid, ErrorCode),
    /// A notification is done with.
    Notified(u64, Delivery),
}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LostBecause {
    /// The connection ended.
    #[error("the connection ended")]
    Disconnected,
    /// No connection in time.
    #[error("no connection in time")]
    ConnectTimeout,
    /// The master did not open a session.
    #[error("the master refused to open a session: {0}")]
    NotOpened(ErrorCode),
    /// The master does not know the session any more.
    #[error("the master has forgotten the session")]
    NotOpen,
    /// The master sent a Close.
    #[error("the master closed the session, reason {}", u8::from(*.0))]
    Closed(CloseReason),
    /// The master sent what is no AgentX.
    #[error("the master sent no AgentX: {0}")]
    Garbage(InvalidPdu),
    /// The master answered later requests and not this one.
    #[error("the master left a request unanswered")]
    Unanswered,
    /// The master was silent for longer than [`Timing::patience`].
    #[error("the master was silent for too long")]
    Silent,
    /// The master does not read what we write.
    #[error("the master does not read its answers")]
    OutputFull,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Connecting,
    Opening,
    Open { id: u32, since: Duration },
    Closing { id: u32 },
    Closed,
}

/// A part of the set-up of a session, by the place of its region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Register(usize),
    AddAgentCaps(usize),
}

/// See the [module](self).
pub struct Session<M: Mib> {
    config: Config,
    responder: Responder<M>,
    state: State,
    timers: Timers,
    backoff: Backoff,
    assembly: Assembly,
    outstanding: Outstanding,
    /// What is left of the set-up, one step at a time.
    steps: VecDeque<Step>,
    /// Whether the first round of the set-up is over; the repetition of a refused Register does not count.
    is_set_up: bool,
    /// For each region, whether the master holds it.
    registered: Vec<bool>,
    /// The notification that is refused or lost again and again, and how often.
    tries: (u64, u32),
    output: Vec<u8>,
    actions: VecDeque<Action>,
    events: VecDeque<Event>,
    status: Status,
}

impl<M: Mib> Session<M> {
    /// A session that will connect at once.
    ///
    /// # Errors
    /// [`InvalidConfig`] for what no master may be asked.
    pub fn new(config: Config, mib: M, now: Duration) -> Result<Self, InvalidConfig> {
        for Region {
            subtree, priority, ..
        } in &config.regions
        {
            if subtree.is_null() {
                return Err(InvalidConfig::NullRegion);
            }
            if *priority == 0 {
                return Err(InvalidConfig::PriorityZero(subtree.clone()));
            }
        }
        let regions = config.regions.len();
        let mut session = Self {
            backoff: Backoff::new(config.seed),
            registered: vec![false; regions],
            config,
            responder: Responder::new(mib),
            state: State::Waiting,
            timers: Timers::default(),
            assembly: Assembly::default(),
            outstanding: Outstanding::default(),
            steps: VecDeque::new(),
            is_set_up: false,
            tries: (0, 0),
            output: Vec::new(),
            actions: VecDeque::new(),
            events: VecDeque::new(),
            status: Status {
                link: Link::Disconnected,
                since: now,
                registered: 0,
                regions,
                sessions: 0,
                uptime: None,
            },
        };
        let delay = session.backoff.next(&session.config.timing);
        session.timers.set(Timer::Retry, now + delay);
        session.handle_timeout(now);
        Ok(session)
    }

    /// What to do with the connection; to be asked until there is nothing.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// What happened; to be asked until there is nothing.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Session::handle_timeout`] wants to be called, if nothing else happens before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.timers.next()
    }

    /// The bytes to write next; [`Session::handle_written`] takes them away.
    #[must_use]
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// How the session is doing.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// Whether [`Session::notify`] would send a notification now.
    #[must_use]
    pub fn can_notify(&self) -> bool {
        matches!(self.state, State::Open { .. }) && self.outstanding.is_empty() && self.steps.is_empty()
    }

    /// Sends a notification, if [`Session::can_notify`]; what becomes of it is told by [`Event::Notified`]. A
    /// session that ends before tells nothing: the notification is to be sent again.
    pub fn notify(&mut self, now: Duration, notification: &Notification) {
        if !self.can_notify() {
            return;
        }
        let mut varbinds = Vec::with_capacity(notification.varbinds.len() + 2);
        if let Some(uptime) = self.status.uptime {
            varbinds.push(VarBind::new(
                SYS_UP_TIME.into(),
                Value::TimeTicks(uptime.at(notification.at)),
            ));
        }
        let trap = Value::ObjectIdentifier(notification.trap_oid.clone());
        varbinds.push(VarBind::new(SNMP_TRAP_OID.into(), trap));
        varbinds.extend(notification.varbinds.iter().cloned());
        self.ask(now, Request::Notify(notification.id), Body::Notify(varbinds));
        self.settle(now);
    }

    /// Ends the session: Close, a short wait for its answer, and no new connection.
    pub fn shutdown(&mut self, now: Duration) {
        match self.state {
            State::Open { id, .. } => {
                self.state = State::Closing { id };
                self.ask(
                    now,
                    Request::Close,
                    Body::Close(Close {
                        reason: CloseReason::Shutdown,
                    }),
                );
                self.timers = Timers::default();
                self.timers
                    .set(Timer::Close, now + self.config.timing.close_within);
            }
            State::Closing { .. } | State::Closed => {}
            State::Waiting | State::Connecting | State::Opening => self.close(now),
        }
    }

    /// The connection is there.
    pub fn handle_connected(&mut self, now: Duration) {
        if self.state != State::Connecting {
            return;
        }
        self.timers.stop(Timer::Connect);
        self.state = State::Opening;
        let mut description = self.config.description.clone().into_bytes();
        description.truncate(255);
        self.ask(
            now,
            Request::Open,
            Body::Open(Open {
                timeout: 0,
                id: self.config.id.clone(),
                description,
            }),
        );
        self.settle(now);
    }

    /// The connection could not be made.
    pub fn handle_connect_failed(&mut self, now: Duration) {
        if self.state == State::Connecting {
            self.retry_later(now);
        }
    }

    /// The connection ended.
    pub fn handle_disconnected(&mut self, now: Duration) {
        match self.state {
            State::Closing { .. } => self.close(now),
            State::Opening | State::Open { .. } => self.lose(now, LostBecause::Disconnected),
            State::Waiting | State::Connecting | State::Closed => {}
        }
    }

    /// The first `count` bytes of [`Session::output`] were written.
    pub fn handle_written(&mut self, count: usize) {
        self.output.drain(..count.min(self.output.len()));
    }

    /// Bytes of the master.
    pub fn handle_bytes(&mut self, now: Duration, bytes: &[u8]) {
        if !self.is_connected() {
            return;
        }
        self.assembly.push(bytes);
        self.timers.set(Timer::Idle, now + self.config.timing.ping_after);
        while self.is_connected() {
            match self.assembly.next_pdu() {
                Ok(Some((header, payload))) => self.handle_pdu(now, header, &payload),
                Ok(None) => break,
                // RFC 2741 §7.2.2: no header, no answer; and where the next one starts nobody knows.
                Err(invalid) => self.lose(now, LostBecause::Garbage(invalid)),
            }
        }
        if self.is_connected() && self.output.len() > MAX_OUTPUT {
            self.lose(now, LostBecause::OutputFull);
        }
        self.settle(now);
    }

    /// Deadlines that are not after `now`.
    pub fn handle_timeout(&mut self, now: Duration) {
        while let Some(timer) = self.timers.pop_expired(now) {
            self.handle_timer(now, timer);
        }
        self.settle(now);
    }

    fn handle_timer(&mut self, now: Duration, timer: Timer) {
        let timing = self.config.timing;
        match timer {
            Timer::Retry => {
                self.state = State::Connecting;
                self.timers.set(Timer::Connect, now + timing.connect_within);
                self.actions.push_back(Action::Connect);
            }
            Timer::Connect => self.lose(now, LostBecause::ConnectTimeout),
            Timer::Overdue => {
                let was_responsive = !self.outstanding.is_overdue();
                self.outstanding.mark_overdue(now, timing.answer_within);
                if was_responsive && self.outstanding.is_overdue() {
                    self.events.push_back(Event::Unresponsive);
                    self.ping(now);
                }
            }
            Timer::Lost => {
                if let Some(id) = self.outstanding.notification() {
                    self.count_try(id, Delivery::Unanswered);
                }
                self.lose(now, LostBecause::Unanswered);
            }
            Timer::Patience => self.lose(now, LostBecause::Silent),
            Timer::Idle => {
                if self.outstanding.is_empty() {
                    self.ping(now);
                }
                self.timers.set(Timer::Idle, now + timing.ping_after);
            }
            Timer::Register => {
                let missing = self.registered.iter().enumerate().filter(|(_, held)| !**held);
                self.steps
                    .extend(missing.map(|(region, _)| Step::Register(region)));
            }
            Timer::Close => self.close(now),
        }
    }

    fn handle_pdu(&mut self, now: Duration, header: Header, payload: &[u8]) {
        match header.kind {
            PduType::Response => self.handle_response(now, &header, payload),
            PduType::Close => {
                if header.session_id == self.session_id() {
                    let reason = match Pdu::read_payload(header, payload) {
                        Ok(Pdu {
                            body: Body::Close(Close { reason }),
                            ..
                        }) => reason,
                        _ => CloseReason::Other,
                    };
                    self.lose(now, LostBecause::Closed(reason));
                }
            }
            PduType::Get
            | PduType::GetNext
            | PduType::GetBulk
            | PduType::TestSet
            | PduType::CommitSet
            | PduType::UndoSet
            | PduType::CleanupSet => self.handle_request(now, header, payload),
            // What only a subagent sends, and what nobody does.
            other => tracing::debug!(?other, "a PDU that no master sends is ignored"),
        }
    }

    /// RFC 2741 §7.2.2.
    fn handle_request(&mut self, now: Duration, header: Header, payload: &[u8]) {
        // The one request without an answer gets no error either.
        let is_answered = header.kind != PduType::CleanupSet;
        let is_ours = matches!(self.state, State::Open { id, .. } if id == header.session_id);
        if !is_ours {
            if is_answered {
                refuse(&header, ErrorCode::NotOpen, &mut self.output);
            }
            return;
        }
        // §6.2.9: these are a header only, whatever comes with it.
        let bare = matches!(
            header.kind,
            PduType::CommitSet | PduType::UndoSet | PduType::CleanupSet
        );
        let payload = if bare && !header.has_context { &[] } else { payload };
        match Pdu::read_payload(header.clone(), payload) {
            Ok(request) => self.responder.answer(now, &request, &mut self.output),
            Err(invalid) => {
                tracing::debug!(%invalid, kind = ?header.kind, "a request of the master cannot be parsed");
                if is_answered {
                    refuse(&header, ErrorCode::ParseError, &mut self.output);
                }
            }
        }
    }

    fn handle_response(&mut self, now: Duration, header: &Header, payload: &[u8]) {
        // RFC 2741 §7.2.2: a Response that cannot be parsed is dropped; its request stays unanswered.
        let Ok(head) = ResponseHead::read(header, payload) else {
            return;
        };
        let was_overdue = self.outstanding.is_overdue();
        let Some(request) = self.outstanding.answer(now, header.packet_id) else {
            return;
        };
        if was_overdue && !self.outstanding.is_overdue() {
            self.events.push_back(Event::Responsive);
        }
        let known = if request == Request::Open {
            None
        } else {
            self.status.uptime
        };
        self.status.uptime = Some(match known {
            Some(uptime) => uptime.refine(now, head.sys_up_time),
            None => Uptime::learn(now, head.sys_up_time),
        });
        match (request, head.error) {
            (Request::Close, _) => self.close(now),
            (Request::Open, ErrorCode::NoError) => self.opened(now, header.session_id),
            (Request::Open, error) => self.lose(now, LostBecause::NotOpened(error)),
            (_, ErrorCode::NotOpen) => self.lose(now, LostBecause::NotOpen),
            (Request::Register(region), error) => self.region_answered(now, region, error),
            (Request::AddAgentCaps(region), error) => {
                if error != ErrorCode::NoError {
                    let region = &self.config.regions[region].subtree;
                    tracing::debug!(%region, %error, "the master refuses the agent capability");
                }
            }
            (Request::Notify(id), ErrorCode::NoError) => {
                self.events.push_back(Event::Notified(id, Delivery::Accepted));
            }
            (Request::Notify(id), error) => self.count_try(id, Delivery::Refused(error)),
            (Request::Ping, _) => {}
        }
    }

    fn opened(&mut self, now: Duration, id: u32) {
        self.state = State::Open { id, since: now };
        self.status.sessions += 1;
        self.events.push_back(Event::Opened);
        for (place, region) in self.config.regions.iter().enumerate() {
            self.steps.push_back(Step::Register(place));
            if region.capability.is_some() {
                self.steps.push_back(Step::AddAgentCaps(place));
            }
        }
    }

    fn region_answered(&mut self, now: Duration, place: usize, error: ErrorCode) {
        let subtree = self.config.regions[place].subtree.clone();
        if error == ErrorCode::NoError {
            self.registered[place] = true;
            self.events.push_back(Event::Registered(subtree));
            return;
        }
        // Whatever the reason, another try costs little: a duplicate is often our own former session, which
        // the master has not given up yet.
        self.events.push_back(Event::Refused(subtree, error));
        if !self.timers.is_set(Timer::Register) {
            self.timers
                .set(Timer::Register, now + self.config.timing.register_again_after);
        }
    }

    /// A notification that fails again and again must not hold up the ones after it.
    fn count_try(&mut self, id: u64, failure: Delivery) {
        self.tries = if self.tries.0 == id {
            (id, self.tries.1 + 1)
        } else {
            (id, 1)
        };
        if self.tries.1 >= MAX_TRIES {
            self.tries = (0, 0);
            self.events.push_back(Event::Notified(id, failure));
        }
    }

    fn ping(&mut self, now: Duration) {
        if matches!(self.state, State::Open { .. }) && !self.outstanding.has_ping() {
            self.ask(now, Request::Ping, Body::Ping);
        }
    }

    fn take_step(&mut self, now: Duration, step: Step) {
        let (Step::Register(place) | Step::AddAgentCaps(place)) = step;
        let Region {
            subtree,
            priority,
            capability,
        } = self.config.regions[place].clone();
        match step {
            Step::Register(_) => {
                let register = Register {
                    timeout: 0,
                    priority,
                    subtree,
                    range: None,
                };
                self.ask(now, Request::Register(place), Body::Register(register));
            }
            Step::AddAgentCaps(_) => {
                let mut description = capability.unwrap_or_default().into_bytes();
                description.truncate(255);
                self.ask(
                    now,
                    Request::AddAgentCaps(place),
                    Body::AddAgentCaps {
                        id: subtree,
                        description,
                    },
                );
            }
        }
    }

    /// Sends a request of our own and expects its answer.
    fn ask(&mut self, now: Duration, request: Request, body: Body) {
        let packet_id = self.outstanding.add(now, request);
        let session_id = self.session_id();
        let header = Header {
            session_id,
            packet_id,
            ..Header::new(body.kind(), self.config.order)
        };
        Pdu {
            header,
            context: None,
            body,
        }
        .write(&mut self.output);
    }

    /// What follows from any input: the next step of the set-up, the deadlines of requests, the status.
    fn settle(&mut self, now: Duration) {
        if matches!(self.state, State::Open { .. })
            && self.outstanding.is_empty()
            && let Some(step) = self.steps.pop_front()
        {
            self.take_step(now, step);
        }
        if matches!(self.state, State::Open { .. }) {
            self.is_set_up |= self.steps.is_empty() && !self.outstanding.has_set_up();
        }
        if matches!(self.state, State::Opening | State::Open { .. }) {
            let Timing {
                answer_within,
                patience,
                ..
            } = self.config.timing;
            self.timers
                .set(Timer::Overdue, self.outstanding.overdue_at(answer_within));
            self.timers
                .set(Timer::Lost, self.outstanding.lost_at(answer_within));
            self.timers
                .set(Timer::Patience, self.outstanding.patience_ends_at(patience));
        }
        let link = match self.state {
            State::Waiting => Link::Disconnected,
            State::Connecting => Link::Connecting,
            _ if self.outstanding.is_overdue() => Link::Unresponsive,
            State::Opening => Link::Opening,
            State::Open { .. } if self.is_set_up => Link::Open,
            State::Open { .. } => Link::Registering,
            State::Closing { .. } | State::Closed => Link::Closed,
        };
        if link != self.status.link {
            self.status.link = link;
            self.status.since = now;
        }
        self.status.registered = self.registered.iter().filter(|held| **held).count();
    }

    /// Gives the present session or attempt up and plans the next one.
    fn lose(&mut self, now: Duration, because: LostBecause) {
        if matches!(self.state, State::Closing { .. }) {
            return self.close(now);
        }
        let reason = match because {
            LostBecause::Garbage(_) => Some(CloseReason::ParseError),
            LostBecause::Unanswered | LostBecause::Silent => Some(CloseReason::Timeouts),
            LostBecause::OutputFull => Some(CloseReason::Other),
            _ => None,
        };
        let mut farewell = Vec::new();
        // A Close behind half a PDU would be read as its other half.
        if let (Some(reason), State::Open { id, .. }, true) = (reason, self.state, self.output.is_empty()) {
            let header = Header {
                session_id: id,
                ..Header::new(PduType::Close, self.config.order)
            };
            Pdu {
                header,
                context: None,
                body: Body::Close(Close { reason }),
            }
            .write(&mut farewell);
        }
        let lasted = match self.state {
            State::Open { since, .. } => now.saturating_sub(since),
            _ => Duration::ZERO,
        };
        if lasted >= GOOD {
            self.backoff.reset();
        }
        self.actions.push_back(Action::Disconnect { farewell });
        self.events.push_back(Event::Lost { because, lasted });
        self.retry_later(now);
    }

    fn retry_later(&mut self, now: Duration) {
        self.forget_connection();
        self.state = State::Waiting;
        let delay = self.backoff.next(&self.config.timing);
        self.timers.set(Timer::Retry, now + delay);
        self.settle(now);
    }

    fn close(&mut self, now: Duration) {
        self.actions
            .push_back(Action::Disconnect { farewell: Vec::new() });
        self.forget_connection();
        self.state = State::Closed;
        self.settle(now);
    }

    /// RFC 2741 §7.1.9: the end of the transport ends everything of the session.
    fn forget_connection(&mut self) {
        self.timers = Timers::default();
        self.assembly.clear();
        self.outstanding.clear();
        self.steps.clear();
        self.is_set_up = false;
        self.registered.fill(false);
        self.output.clear();
        self.responder.forget();
    }

    fn is_connected(&self) -> bool {
        matches!(
            self.state,
            State::Opening | State::Open { .. } | State::Closing { .. }
        )
    }

    fn session_id(&self) -> u32 {
        match self.state {
            State::Open { id, .. } | State::Closing { id } => id,
            _ => 0,
        }
    }
}

/// What no master may be asked to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidConfig {
    /// net-snmp takes the null OID for the root of everything.
    #[error("the null OID is no region: name the subtree that this subagent serves")]
    NullRegion,
    /// RFC 2741 §6.2.3.
    #[error("region {0} has priority 0: priorities go from 1 to 255")]
    PriorityZero(Oid),
}
