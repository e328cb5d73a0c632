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
//! and waits. At most [`WINDOW`] notifications are ever unanswered. When the master goes on, its answers come, and the
//! session goes on where it was, without a loss, a repetition or a new registration. A connection that ends
//! (snmpd killed, restarted) is replaced at once, and then every few hundred milliseconds.
//!
//! The Ping tells a hung master from a lost request: snmpd answers in the order it was asked, and never answers a
//! PDU it cannot parse. A request still unanswered [`Timing::answer_within`] after a later one was answered is
//! lost, and the session starts over.

mod assembly;
mod backoff;
mod config;
mod event;
mod exchange;
mod outstanding;
mod regions;
mod status;
#[cfg(test)]
mod tests;
mod timers;
mod uptime;
mod window;

use std::collections::VecDeque;
use std::time::Duration;

use assembly::Assembly;
use backoff::Backoff;
pub use config::{Config, DEFAULT_PRIORITY, Region, Timing};
pub use event::{Action, Event, InvalidConfig, LostBecause};
use outstanding::{Outstanding, Request};
use regions::Regions;
pub use status::{Link, Status, Tally};
use timers::{Timer, Timers};
pub use uptime::Uptime;
pub use window::WINDOW;
use window::Window;

use crate::mib::Mib;
use crate::notification::{Delivery, Notification};
use crate::responder::Responder;
use crate::wire::{Body, Close, CloseReason, Header, Open, Pdu, PduType};

/// The most bytes that may wait to be written: room for several of the largest Responses. A master that asks on
/// and does not read its answers is disconnected.
pub const MAX_OUTPUT: usize = 1 << 20;

/// A session that lasted this long was good: its loss is news, and followed by an attempt at once.
pub(crate) const GOOD: Duration = Duration::from_secs(1);

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
    /// Is it still there?
    Check(usize),
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
    /// What is left of the set-up.
    steps: VecDeque<Step>,
    /// Whether the first round of the set-up is over; the repetition of a refused Register does not count.
    is_set_up: bool,
    registered: Regions,
    /// How often in this session something was refused, and is asked for again.
    refusals: u32,
    /// The notifications that the master does not have yet.
    window: Window,
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
        for Region { subtree, priority, .. } in &config.regions {
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
            registered: Regions::new(regions),
            responder: Responder::new(mib, config.context.as_bytes()),
            config,
            state: State::Waiting,
            timers: Timers::default(),
            assembly: Assembly::default(),
            outstanding: Outstanding::default(),
            steps: VecDeque::new(),
            is_set_up: false,
            refusals: 0,
            window: Window::default(),
            output: Vec::new(),
            actions: VecDeque::new(),
            events: VecDeque::new(),
            status: Status {
                link: Link::Disconnected,
                since: now,
                registered: 0,
                regions,
                sessions: 0,
                restored: 0,
                notifications: Tally::default(),
                lost_because: None,
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

    /// Whether nothing is under way but, perhaps, output: no request of its own without an answer, no action and no event that was
    /// not asked for. Requests of the master that leave it so have only made output, and moved no deadline to an earlier time.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.outstanding.is_empty()
            && self.steps.is_empty()
            && self.actions.is_empty()
            && self.events.is_empty()
    }

    /// Whether [`Session::notify`] would send a notification now.
    #[must_use]
    pub fn can_notify(&self) -> bool {
        self.is_free() && self.window.has_room()
    }

    /// Takes a notification over and sends it, if [`Session::can_notify`]. It is kept, and sent again on another connection,
    /// until [`Event::Notified`] tells what became of it.
    ///
    /// They arrive in the order of these calls, each once, but for what no subagent can know: one that the master refused, or
    /// never answered, is sent again behind those that were on their way by then; and of a master that was killed nobody
    /// knows what it did with those that it had not answered.
    pub fn notify(&mut self, now: Duration, notification: Notification) {
        if self.can_notify() {
            self.window.push(now, notification);
            self.settle(now);
        }
    }

    /// Ends the session: Close, a short wait for its answer, and no new connection.
    pub fn shutdown(&mut self, now: Duration) {
        match self.state {
            State::Open { id, .. } => {
                self.state = State::Closing { id };
                self.ask(now, Request::Close, Body::Close(Close { reason: CloseReason::Shutdown }));
                self.timers = Timers::default();
                self.timers.set(Timer::Close, now + self.config.timing.close_within);
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
            Body::Open(Open { timeout: 0, id: self.config.id.clone(), description }),
        );
        self.settle(now);
    }

    /// The connection could not be made.
    pub fn handle_connect_failed(&mut self, now: Duration) {
        if self.state == State::Connecting {
            self.status.lost_because = Some(LostBecause::NotConnected);
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
        self.timers.set(Timer::Idle, now + self.config.timing.ping_after);
        // Put back below, unless the connection is lost meanwhile.
        let mut assembly = std::mem::take(&mut self.assembly);
        assembly.push(bytes);
        while self.is_connected() {
            match assembly.next_pdu() {
                Ok(Some((header, payload))) => {
                    self.handle_pdu(now, header, payload);
                    // Checked after each: one read can hold a thousand requests for a large answer.
                    if self.output.len() > MAX_OUTPUT {
                        self.lose(now, LostBecause::OutputFull);
                    }
                }
                Ok(None) => break,
                // RFC 2741 §7.2.2: no header, no answer; and where the next one starts nobody knows.
                Err(invalid) => self.lose(now, LostBecause::Garbage(invalid)),
            }
        }
        if self.is_connected() {
            self.assembly = assembly;
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
                for id in self.outstanding.lost_notifications(now, timing.answer_within) {
                    self.count_try(id, Delivery::Unanswered);
                }
                self.lose(now, LostBecause::Unanswered);
            }
            Timer::Patience => self.lose(now, LostBecause::Silent),
            Timer::Idle => {
                self.ping(now);
                self.timers.set(Timer::Idle, now + timing.ping_after);
            }
            Timer::Register => {
                self.steps.extend(self.registered.missing().map(Step::Register));
            }
            Timer::Check => {
                self.steps.extend(self.registered.doubted(now, timing.check_after).map(Step::Check));
            }
            Timer::Close => self.close(now),
        }
    }

    /// What follows from any input: the next step of the set-up, the deadlines of requests, the status.
    fn settle(&mut self, now: Duration) {
        if matches!(self.state, State::Open { .. }) && self.outstanding.is_empty() {
            // All at once: a busy machine would take its time for a round trip each.
            while let Some(step) = self.steps.pop_front() {
                self.take_step(now, step);
            }
        }
        if self.is_free() {
            self.send_notifications(now);
        }
        if matches!(self.state, State::Open { .. }) {
            self.is_set_up |= self.steps.is_empty() && !self.outstanding.has_set_up();
        }
        if matches!(self.state, State::Opening | State::Open { .. }) {
            let Timing { answer_within, patience, .. } = self.config.timing;
            self.timers.set(Timer::Overdue, self.outstanding.overdue_at(answer_within));
            self.timers.set(Timer::Lost, self.outstanding.lost_at(answer_within));
            self.timers.set(Timer::Patience, self.outstanding.patience_ends_at(patience));
            self.doubt();
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
        self.status.registered = self.registered.count();
    }

    /// Whether nothing is more urgent than notifications.
    fn is_free(&self) -> bool {
        matches!(self.state, State::Open { .. })
            && self.steps.is_empty()
            && self.outstanding.has_notifications_only()
            && !self.outstanding.is_overdue()
    }

    /// Sets the time of the next look whether the regions are still there; not while one is under way.
    fn doubt(&mut self) {
        let is_checking = self.outstanding.has_set_up() || !self.steps.is_empty();
        let doubted_at = self.registered.doubted_at(self.config.timing.check_after);
        self.timers.set(Timer::Check, doubted_at.filter(|_| !is_checking));
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
            let header = Header { session_id: id, ..Header::new(PduType::Close, self.config.order) };
            Pdu { header, context: None, body: Body::Close(Close { reason }) }.write(&mut farewell);
        }
        let lasted = match self.state {
            State::Open { since, .. } => now.saturating_sub(since),
            _ => Duration::ZERO,
        };
        if lasted >= GOOD {
            self.backoff.reset();
        }
        self.actions.push_back(Action::Disconnect { farewell });
        self.status.lost_because = Some(because);
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
        self.actions.push_back(Action::Disconnect { farewell: Vec::new() });
        self.forget_connection();
        self.state = State::Closed;
        self.settle(now);
    }

    /// RFC 2741 §7.1.9: the end of the transport ends everything of the session.
    fn forget_connection(&mut self) {
        self.timers = Timers::default();
        self.assembly = Assembly::default();
        self.outstanding.clear();
        self.window.call_back();
        self.steps.clear();
        self.is_set_up = false;
        self.registered.clear();
        self.output.clear();
        self.responder.forget();
    }

    fn is_connected(&self) -> bool {
        matches!(self.state, State::Opening | State::Open { .. } | State::Closing { .. })
    }

    fn session_id(&self) -> u32 {
        match self.state {
            State::Open { id, .. } | State::Closing { id } => id,
            _ => 0,
        }
    }
}
