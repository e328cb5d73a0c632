//! Carries a [`Session`] on tokio: connects, moves bytes, keeps its deadlines, logs its events.
//!
//! Everything that decides is in the session. This side never waits for one thing alone: it reads whenever the
//! master writes, also while its own output is stuck, so the two can never block each other.

mod alarm;
mod stream;

use std::collections::HashSet;
use std::future::{Future, pending};
use std::io;
use std::pin::Pin;
use std::time::Duration;

use alarm::Alarm;
use stream::{Connecting, Stream};
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{info, warn};

use crate::address::MasterAddress;
use crate::mib::Mib;
use crate::notification::{Delivery, Notifications};
use crate::session::{Action, Config, Event, GOOD, InvalidConfig, Session, Status};

/// How often what the master says is read before everything else, and then after it once: it may always have more to say.
const IN_A_ROW: u32 = 64;

/// A monotonic clock with an origin of its choice.
pub type Clock = fn() -> Duration;

/// A subagent that is ready to run.
pub struct Subagent<M: Mib, N = ()> {
    master: MasterAddress,
    session: Session<M>,
    notifications: N,
    clock: Clock,
    link: Link,
    status: watch::Sender<Status>,
    said: Said,
    buffer: Vec<u8>,
}

#[derive(Debug)]
enum Link {
    Down,
    Connecting(Connecting),
    Up(Stream),
}

/// What was said since the last good session. A master that is away for a day, or one that accepts every
/// session and drops it, costs one line for each thing there is to say.
#[derive(Debug, Default)]
struct Said(HashSet<String>);

impl Said {
    /// What is remembered, and so logged, at the most: a master that puts another number into every error must not
    /// fill the log.
    const MOST: usize = 32;

    fn is_news(&mut self, what: &str) -> bool {
        self.0.len() < Self::MOST && self.0.insert(what.to_owned())
    }
}

impl<M: Mib> Subagent<M> {
    /// A subagent of the master at `master` that serves `mib` and sends no notifications.
    ///
    /// `clock` is the one that [`Notification::at`](crate::Notification::at) is read from; [`monotonic`] will do.
    ///
    /// # Errors
    /// [`InvalidConfig`] for what no master may be asked.
    pub fn new(master: MasterAddress, config: Config, mib: M, clock: Clock) -> Result<Self, InvalidConfig> {
        let session = Session::new(config, mib, clock())?;
        Ok(Self {
            master,
            status: watch::Sender::new(session.status()),
            session,
            notifications: (),
            clock,
            link: Link::Down,
            said: Said::default(),
            buffer: vec![0; 65_536],
        })
    }

    /// Sends the notifications of `source`.
    #[must_use]
    pub fn with_notifications<N: Notifications>(self, source: N) -> Subagent<M, N> {
        let Self { master, session, notifications: (), clock, link, status, said, buffer } = self;
        Subagent { master, session, notifications: source, clock, link, status, said, buffer }
    }
}

impl<M: Mib, N: Notifications> Subagent<M, N> {
    /// How the session is doing, now and from now on.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Runs until it is dropped. The master then sees the connection end.
    pub async fn run(self) {
        self.run_until(pending()).await;
    }

    /// Runs until `shutdown` is ready, then takes leave of the master and returns the source of notifications, of which those
    /// that it has handed out and nobody acknowledged are not told.
    pub async fn run_until(mut self, shutdown: impl Future<Output = ()>) -> N {
        let mut shutdown = std::pin::pin!(shutdown);
        let (mut is_ending, mut alarm, mut in_a_row) = (false, Alarm::default(), 0);
        loop {
            self.drain();
            if self.session.status().link == crate::session::Link::Closed && matches!(self.link, Link::Down) {
                return self.notifications;
            }
            alarm.set(self.session.poll_timeout(), (self.clock)());
            match self.wake((!is_ending).then_some(shutdown.as_mut()), &mut alarm, &mut in_a_row).await {
                Wake::Shutdown => {
                    is_ending = true;
                    self.session.shutdown((self.clock)());
                }
                Wake::Link(turn) => self.handle_link(turn),
                Wake::Alarm => self.session.handle_timeout((self.clock)()),
                Wake::News => {}
            }
        }
    }

    /// What happens next, but for the master's requests: they come by thousands, one at a time, and are answered here, for as long
    /// as nothing else follows from them. `in_a_row` counts what the master has said since anything else was looked at.
    async fn wake(
        &mut self,
        shutdown: Option<Pin<&mut impl Future<Output = ()>>>,
        alarm: &mut Alarm,
        in_a_row: &mut u32,
    ) -> Wake {
        let Self { link, session, notifications, buffer, clock, .. } = self;
        let can_notify = session.can_notify();
        // Once for all of these requests: to begin to wait and to give it up again costs as much as an answer.
        let mut others = std::pin::pin!(async {
            tokio::select! {
                biased;
                () = wanted(shutdown) => Wake::Shutdown,
                () = alarm.rings() => Wake::Alarm,
                () = notifications.changed(), if can_notify => Wake::News,
            }
        });
        loop {
            let turn = link.turn(buffer, !session.output().is_empty());
            let turn = if *in_a_row < IN_A_ROW {
                // What the master has said counts before it is blamed for its silence: it may be this side that was not run.
                tokio::select! { biased; turn = turn => turn, woken = &mut others => return woken }
            } else {
                *in_a_row = 0;
                tokio::select! { biased; woken = &mut others => return woken, turn = turn => turn }
            };
            *in_a_row += 1;
            match turn {
                Turn::Read(Ok(count)) if count > 0 && session.is_at_rest() => {
                    session.handle_bytes(clock(), buffer.get(..count).unwrap_or_default());
                    write(link, session);
                }
                turn => return Wake::Link(turn),
            }
            if !session.is_at_rest() {
                return Wake::News;
            }
        }
    }

    /// Carries out what the session wants, until it wants no more.
    fn drain(&mut self) {
        loop {
            self.drain_events();
            self.offer_notifications();
            write(&mut self.link, &mut self.session);
            let Some(action) = self.session.poll_action() else {
                break;
            };
            match action {
                Action::Connect => self.link = Link::Connecting(Connecting::to(&self.master)),
                Action::Disconnect { farewell } => {
                    if let Link::Up(stream) = &mut self.link {
                        // As far as it goes: the end of the connection says the same.
                        let _ = stream.try_write(&farewell);
                    }
                    self.link = Link::Down;
                }
            }
        }
        let status = self.session.status();
        self.status.send_if_modified(|shown| std::mem::replace(shown, status) != status);
    }

    fn offer_notifications(&mut self) {
        while self.session.can_notify()
            && let Some(notification) = self.notifications.next()
        {
            self.session.notify((self.clock)(), notification);
        }
    }

    fn handle_link(&mut self, turn: Turn) {
        let now = (self.clock)();
        match turn {
            Turn::Connected(Ok(stream)) => {
                self.link = Link::Up(stream);
                self.session.handle_connected(now);
            }
            Turn::Connected(Err(error)) => {
                self.link = Link::Down;
                self.warn_once(&connect_failure(&self.master, &error));
                self.session.handle_connect_failed(now);
            }
            Turn::Read(Ok(count)) if count > 0 => {
                let bytes = self.buffer.get(..count).unwrap_or_default();
                self.session.handle_bytes(now, bytes);
            }
            // The end, orderly or not.
            Turn::Read(_) => {
                self.link = Link::Down;
                self.session.handle_disconnected(now);
            }
            Turn::Writable => {}
        }
    }

    fn drain_events(&mut self) {
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Opened => {}
                Event::Lost { because, lasted } => {
                    if lasted >= GOOD {
                        self.said = Said::default();
                    }
                    self.warn_once(&format!("no session with the master agent: {because}"));
                }
                Event::Unresponsive => warn!(master = %self.master, "the master agent does not answer"),
                Event::Responsive => info!(master = %self.master, "the master agent answers again"),
                Event::Registered(region) => {
                    let what = format!("region {region} is registered");
                    if self.said.is_news(&what) {
                        info!(master = %self.master, "{what}");
                    }
                }
                Event::Restored(region) => warn!(
                    master = %self.master,
                    "region {region} was not registered any more: another subagent had it unregistered; it is ours again"
                ),
                Event::Refused(region, error) => {
                    self.warn_once(&format!(
                        "the master agent refuses region {region}: {error}; trying again"
                    ));
                }
                Event::Notified(id, delivery) => {
                    if delivery != Delivery::Accepted {
                        warn!(master = %self.master, id, ?delivery, "a notification was given up");
                    }
                    self.notifications.acknowledge(id, delivery);
                }
            }
        }
    }

    fn warn_once(&mut self, what: &str) {
        if self.said.is_news(what) {
            warn!(master = %self.master, "{what}");
        }
    }
}

/// Waits until the end is wanted, if it is not wanted already.
async fn wanted(shutdown: Option<Pin<&mut impl Future<Output = ()>>>) {
    match shutdown {
        Some(shutdown) => shutdown.await,
        None => pending().await,
    }
}

/// Writes what the kernel takes without waiting.
fn write<M: Mib>(link: &mut Link, session: &mut Session<M>) {
    let Link::Up(stream) = link else { return };
    while !session.output().is_empty() {
        match stream.try_write(session.output()) {
            Ok(0) => return,
            Ok(count) => session.handle_written(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            // The master is gone. What it answered before is still to be read, and then the end of the connection: a
            // notification that it has must not be sent to the next one.
            Err(_) => session.handle_written(usize::MAX),
        }
    }
}

/// Why the driver has something to do.
enum Wake {
    /// It is to end.
    Shutdown,
    /// Something happened on the connection.
    Link(Turn),
    /// A deadline has come.
    Alarm,
    /// There are notifications, or requests of the master have been answered of which something else follows.
    News,
}

/// What happened on the connection.
enum Turn {
    Connected(io::Result<Stream>),
    /// So many bytes are in the buffer; 0 at the end.
    Read(io::Result<usize>),
    /// It can be written, as was wanted.
    Writable,
}

impl Link {
    async fn turn(&mut self, buffer: &mut [u8], wants_to_write: bool) -> Turn {
        match self {
            Self::Down => pending().await,
            Self::Connecting(connecting) => Turn::Connected(connecting.await),
            Self::Up(stream) => match stream.read_or_writable(buffer, wants_to_write).await {
                Some(outcome) => Turn::Read(outcome),
                None => Turn::Writable,
            },
        }
    }
}

/// Why there is no connection, and what to do about it.
fn connect_failure(master: &MasterAddress, error: &io::Error) -> String {
    match (master, error.kind()) {
        (MasterAddress::Unix(path), io::ErrorKind::PermissionDenied) => format!(
            "no permission to connect to {}: let snmpd.conf say `agentXPerms 0660 0711 root GROUP` with a group of \
             this process, or run it as the user of snmpd ({error})",
            path.display()
        ),
        (MasterAddress::Unix(path), io::ErrorKind::NotFound) => format!(
            "no master agent at {}: is snmpd running, with `master agentx` and this agentXSocket? ({error})",
            path.display()
        ),
        _ => format!("no connection to the master agent: {error}"),
    }
}

/// A [`Clock`]: the time since its first reading.
#[must_use]
pub fn monotonic() -> Duration {
    static ORIGIN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let now = instant_now();
    now.saturating_duration_since(*ORIGIN.get_or_init(|| now))
}

#[expect(clippy::disallowed_methods, reason = "the driver's one reading of the clock")]
fn instant_now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_to_connect_names_the_way_out() {
        let unix: MasterAddress = "unix:/var/agentx/master".parse().unwrap();
        let text = |kind: io::ErrorKind| connect_failure(&unix, &kind.into());
        let denied = text(io::ErrorKind::PermissionDenied);
        assert!(denied.contains("/var/agentx/master") && denied.contains("agentXPerms"), "{denied}");
        assert!(text(io::ErrorKind::NotFound).contains("master agentx"));
    }

    #[test]
    fn nothing_is_said_twice() {
        let mut said = Said::default();
        let news = ["a", "b", "a", "b", "c"].map(|what| said.is_news(what));
        assert_eq!(news, [true, true, false, false, true]);
    }

    #[test]
    fn a_master_with_ever_new_errors_is_not_quoted_for_ever() {
        let mut said = Said::default();
        let news = (0..1000).filter(|number| said.is_news(&format!("error {number}"))).count();
        assert_eq!(news, Said::MOST);
    }
}
