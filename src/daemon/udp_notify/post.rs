//! One target: its socket, its position, and the machine that says what to send.

use std::{
    future::pending,
    hash::{BuildHasher as _, RandomState},
    io,
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

use agentx::{Delivery, Notifications as _};
use tokio::{net::UdpSocket, sync::watch};
use tracing::{info, warn};

use super::{Marks, lane::Shared, setup::Recipient};
use crate::{
    kernel::{Deadline, clock, datagram, rest},
    notify,
    snmp::{Expected, Parts, Pending, Told},
    snmp_wire::MAX_MESSAGE,
    udp_agent::{Counts, Notifier, Origin, Outcome},
    units::Time,
};

/// When it is tried again where descriptors run out.
const AGAIN: Duration = Duration::from_secs(1);

/// A target at work. What is cut off by a reload goes on afterwards.
pub(super) struct Post {
    recipient: Recipient,
    origin: Origin,
    parts: Parts,
    pending: Pending,
    notifier: Notifier,
    told: watch::Receiver<Told>,
    marks: Marks,
    socket: Option<UdpSocket>,
    /// Why there is none, or why it takes nothing.
    unsendable: Option<String>,
    /// What the row has been told of.
    counted: Counts,
    lost: u64,
    keeper: notify::Keeper,
}

impl Post {
    /// It begins with what is `expected` of an earlier run, then where its mark is.
    pub(super) fn new(
        shared: &Shared,
        recipient: Recipient,
        origin: Origin,
        parts: Parts,
        expected: Option<Expected>,
    ) -> Self {
        let mark = shared.marks.borrow().get(&recipient.key).copied().unwrap_or_default();
        let (teller, told) = watch::channel(mark);
        let of = (Arc::clone(&shared.registry), clock::now as fn() -> Time);
        Self {
            notifier: notifier(&recipient, &origin),
            recipient,
            origin,
            parts,
            pending: Pending::new(of, parts, expected, teller),
            told,
            marks: shared.marks.clone(),
            socket: None,
            unsendable: None,
            counted: Counts::default(),
            lost: 0,
            keeper: notify::Keeper::default(),
        }
    }

    /// What it is known by.
    pub(super) fn key(&self) -> u64 {
        self.recipient.key
    }

    /// Goes on as the file has it now. What is on its way and not acknowledged is sent again, if that differs.
    pub(super) fn follow(&mut self, recipient: Recipient, origin: &Origin, parts: Parts) {
        let is_same =
            (&self.recipient.target, &self.origin, self.parts) == (&recipient.target, origin, parts);
        self.recipient = recipient;
        if !is_same {
            (self.origin, self.parts) = (origin.clone(), parts);
            self.settle();
            self.pending.take_up(parts);
            self.notifier = notifier(&self.recipient, origin);
            (self.counted, self.socket) = (Counts::default(), None);
        }
    }

    /// Sends what there is to send, for ever.
    async fn serve(&mut self) -> io::Result<()> {
        let mut deadline = Deadline::new()?;
        let mut buffer = vec![0; MAX_MESSAGE + 1];
        loop {
            self.settle();
            self.feed();
            self.send().await;
            self.settle();
            if self.notifier.is_free() && self.feed() {
                continue;
            }
            deadline.set(self.notifier.poll_timeout().map(Time))?;
            let is_free = self.notifier.is_free();
            tokio::select! {
                expired = deadline.expired() => expired?,
                heard = heard(self.socket.as_ref(), &mut buffer) => {
                    if let Some(datagram) = buffer.get(..heard) {
                        self.notifier.handle(clock::now().0, datagram);
                    }
                }
                () = self.pending.changed(), if is_free => {}
            }
        }
    }

    /// Gives the machine the next notification, if it can take it and there is one.
    fn feed(&mut self) -> bool {
        let next = self.notifier.is_free().then(|| self.pending.next()).flatten();
        let is_fed = next.is_some();
        if let Some(next) = next {
            self.notifier.notify(clock::now().0, next);
        }
        is_fed
    }

    /// Sends what is due.
    async fn send(&mut self) {
        let now = clock::now().0;
        let Some(message) = self.notifier.poll_transmit(now) else { return };
        if self.notifier.trouble().is_some() {
            // The way there, and so the address we have on it, may be another one by now.
            self.socket = None;
        }
        let sent = self.deliver(&message).await;
        self.notifier.handle_sent(clock::now().0, sent.is_ok());
        self.unsendable = sent.err().map(|why| format!("nothing can be sent: {why}"));
    }

    async fn deliver(&mut self, message: &[u8]) -> io::Result<()> {
        let socket = match &mut self.socket {
            Some(socket) => socket,
            none => {
                let socket = datagram::connect(self.recipient.address)?;
                if let IpAddr::V4(address) = socket.local_addr()?.ip() {
                    self.notifier.set_address(address);
                }
                none.insert(socket)
            }
        };
        let sent = match socket.send(message).await {
            // It says that the one before found nobody listening.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => socket.send(message).await,
            sent => sent,
        };
        if sent.is_err() {
            self.socket = None;
        }
        sent.map(drop)
    }

    /// Passes on what became of notifications: to the source, the marks and the row.
    fn settle(&mut self) {
        let row = Arc::clone(&self.recipient.row);
        while let Some((id, outcome)) = self.notifier.poll_done() {
            match outcome {
                Outcome::Sent | Outcome::Acknowledged => row.add_delivered(),
                Outcome::Refused(error) => {
                    row.add_lost(1);
                    warn!("{}: a notification is refused with error-status {error}, and left out", row.name);
                }
                Outcome::Unsayable => {
                    row.add_lost(1);
                    warn!("{}: a notification cannot be said in this version, and is left out", row.name);
                }
            }
            self.pending.acknowledge(id, Delivery::Accepted);
        }
        let told = *self.told.borrow_and_update();
        row.set_position(told.now);
        let key = self.recipient.key;
        self.marks.send_if_modified(|marks| {
            marks.get_mut(&key).is_some_and(|mark| std::mem::replace(mark, told) != told)
        });
        let counts = self.notifier.counts();
        row.add_sent(counts.sent - self.counted.sent, counts.repeated - self.counted.repeated);
        self.counted = counts;
        row.add_lost(self.pending.lost_ever() - std::mem::replace(&mut self.lost, self.pending.lost_ever()));
        self.complain();
    }

    /// Says what keeps the receiver from hearing, when that begins and when it is over.
    fn complain(&self) {
        let trouble = || self.notifier.trouble().map(|trouble| trouble.to_string());
        let problem = self.unsendable.clone().or_else(trouble);
        let row = &self.recipient.row;
        match &problem {
            Some(problem) if row.set_problem(Some(problem.clone())) => warn!("{}: {problem}", row.name),
            None if row.set_problem(None) => info!("{}: notifications arrive again", row.name),
            _ => {}
        }
    }
}

fn notifier(recipient: &Recipient, origin: &Origin) -> Notifier {
    Notifier::new(recipient.target.clone(), origin.clone(), RandomState::new().hash_one(()))
}

/// Waits for a datagram, and returns its length; for ever without a socket.
async fn heard(socket: Option<&UdpSocket>, buffer: &mut [u8]) -> usize {
    let Some(socket) = socket else { return pending().await };
    loop {
        // An error says that something sent has found nobody; what is to be done about it is done when it is its time.
        if let Ok(length) = socket.recv(buffer).await {
            return length;
        }
    }
}

impl notify::Part for Post {
    fn name(&self) -> String {
        self.recipient.row.name.clone()
    }

    fn keeper(&mut self) -> &mut notify::Keeper {
        &mut self.keeper
    }

    async fn run(&mut self) {
        while let Err(why) = self.serve().await {
            warn!("{} is told nothing for a moment: {why}", self.recipient.row.name);
            rest(AGAIN).await;
        }
    }
}
