//! Processes that come and go, as the kernel reports them: the process events connector (linux/cn_proc.h).
//!
//! It speaks to the initial namespaces only: in a network namespace nobody takes our request, in a process namespace
//! nobody answers it. Then [`ProcessEvents::open`] fails and says so, and /proc has to be read at intervals.

use std::{collections::VecDeque, io, time::Duration};

use netlink_sys::{AsyncSocket, AsyncSocketExt, SocketAddr, TokioSocket, protocols::NETLINK_CONNECTOR};
use nix::libc;

use super::{Deadline, KernelError, ReceiveBuffer, clock};

/// CN_IDX_PROC and CN_VAL_PROC: whom a message of the connector is for. The group has the number of the first.
const PROCESSES: u32 = 1;
/// PROC_CN_MCAST_LISTEN.
const LISTEN: u32 = 1;
/// How long the kernel may take to confirm; it does so at once or never.
const CONFIRMATION: Duration = Duration::from_secs(1);
/// Bytes that the kernel may queue where nobody says otherwise: more than a thousand events.
const RECEIVE_BUFFER: u32 = 1 << 20;
/// nlmsghdr and cn_msg.
const HEADERS: usize = 16 + 20;
/// Room for one datagram, which holds one event.
const DATAGRAM: usize = 4096;

/// Something that a process did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessEvent {
    /// It made a copy of itself.
    Forked {
        /// Its id.
        parent: u32,
        /// The copy's.
        child: u32,
    },
    /// It runs another program, or has another name: what was known of it has to be looked up again.
    Changed(u32),
    /// It has ended.
    Ended(u32),
    /// Events were lost: all processes have to be looked at.
    Overrun,
}

/// A subscription to what processes do.
pub struct ProcessEvents {
    socket: TokioSocket,
    datagram: Vec<u8>,
    decoded: VecDeque<ProcessEvent>,
}

impl ProcessEvents {
    /// Subscribes, and waits until the kernel has confirmed it: every event from then on is reported. Needs
    /// CAP_NET_ADMIN, the initial network and process namespaces, and a tokio runtime with I/O enabled.
    pub async fn open(buffer: ReceiveBuffer) -> Result<Self, KernelError> {
        let failed = |error: io::Error| {
            KernelError::from_io("following processes", &error).needing(Some("CAP_NET_ADMIN"))
        };
        let mut events = Self::listen(buffer).await.map_err(failed)?;
        let mut deadline = Deadline::new().map_err(failed)?;
        deadline.set(Some(clock::now() + CONFIRMATION)).map_err(failed)?;
        tokio::select! {
            confirmed = events.confirmation() => match confirmed.map_err(failed)? {
                0 => Ok(events),
                errno => Err(failed(io::Error::from_raw_os_error(errno))),
            },
            _ = deadline.expired() => Err(KernelError::other(
                "following processes",
                "the kernel does not answer, as in a process namespace of a container",
            )),
        }
    }

    async fn listen(buffer: ReceiveBuffer) -> io::Result<Self> {
        let mut socket = TokioSocket::new(NETLINK_CONNECTOR)?;
        buffer.give(&socket, RECEIVE_BUFFER)?;
        socket.socket_mut().bind(&SocketAddr::new(0, PROCESSES))?;
        let mut events = Self { socket, datagram: Vec::with_capacity(DATAGRAM), decoded: VecDeque::new() };
        events.request().await?;
        Ok(events)
    }

    async fn request(&mut self) -> io::Result<()> {
        self.socket.send_to(&listen_request(), &SocketAddr::new(0, 0)).await.map(drop)
    }

    /// The errno that the kernel confirms our request with. Events before it are not lost.
    async fn confirmation(&mut self) -> io::Result<i32> {
        loop {
            match self.receive().await {
                // The answer may have been lost among the events.
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                    self.decoded.push_back(ProcessEvent::Overrun);
                    self.request().await?;
                    continue;
                }
                received => received?,
            }
            match decode(&self.datagram) {
                Some(Message::Confirmation { request, errno }) if request == own_number() => {
                    return Ok(errno);
                }
                Some(Message::Event(event)) => self.decoded.push_back(event),
                _ => {}
            }
        }
    }

    /// The next event. Cancelling it loses nothing. An error means that the subscription is dead.
    pub async fn next(&mut self) -> Result<ProcessEvent, KernelError> {
        loop {
            if let Some(event) = self.decoded.pop_front() {
                return Ok(event);
            }
            match self.receive().await {
                Ok(()) => {
                    if let Some(Message::Event(event)) = decode(&self.datagram) {
                        return Ok(event);
                    }
                }
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                    return Ok(ProcessEvent::Overrun);
                }
                Err(error) => return Err(KernelError::from_io("following processes", &error)),
            }
        }
    }

    /// One datagram of the kernel's.
    async fn receive(&mut self) -> io::Result<()> {
        loop {
            self.datagram.clear();
            let from = self.socket.recv_from(&mut self.datagram).await?;
            if from.port_number() == 0 {
                return Ok(());
            }
        }
    }
}

/// What our requests are numbered with.
fn own_number() -> u32 {
    std::process::id()
}

/// nlmsghdr, cn_msg and the operation.
fn listen_request() -> Vec<u8> {
    const NLMSG_DONE: u16 = 3;
    const LENGTH: u32 = 16 + 20 + 4;
    let mut request = Vec::new();
    request.extend(LENGTH.to_ne_bytes());
    request.extend(NLMSG_DONE.to_ne_bytes());
    // Flags, sequence number and port, which the connector does not look at.
    request.extend([0; 2 + 4 + 4]);
    for word in [PROCESSES, PROCESSES, 0, own_number()] {
        request.extend(word.to_ne_bytes());
    }
    request.extend(4_u16.to_ne_bytes());
    request.extend([0; 2]);
    request.extend(LISTEN.to_ne_bytes());
    request
}

/// What a datagram holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Message {
    /// The answer to somebody's request (PROC_EVENT_NONE).
    Confirmation {
        request: u32,
        errno: i32,
    },
    Event(ProcessEvent),
}

/// The message in a datagram, if it matters. Threads that are no processes of their own do not.
fn decode(datagram: &[u8]) -> Option<Message> {
    let word = |at: usize| Some(u32::from_ne_bytes(*datagram.get(at..)?.first_chunk()?));
    // cn_msg's idx; then proc_event: what, cpu, an eight-byte time stamp and the event's own words.
    if word(16)? != PROCESSES {
        return None;
    }
    let own = |number: usize| word(HEADERS + 16 + 4 * number);
    let leads = |pid: u32, process: u32| (pid == process).then_some(process);
    let event = match word(HEADERS)? {
        // The kernel numbers its answers itself, and acknowledges the request's `ack` plus one.
        0 => {
            return Some(Message::Confirmation {
                request: word(28)?.wrapping_sub(1),
                errno: own(0)?.cast_signed(),
            });
        }
        // PROC_EVENT_FORK: parent's thread and process, child's thread and process.
        0x1 => ProcessEvent::Forked { parent: own(1)?, child: leads(own(2)?, own(3)?)? },
        // PROC_EVENT_EXEC, PROC_EVENT_COMM, PROC_EVENT_EXIT: thread and process.
        0x2 | 0x200 => ProcessEvent::Changed(leads(own(0)?, own(1)?)?),
        0x8000_0000 => ProcessEvent::Ended(leads(own(0)?, own(1)?)?),
        _ => return None,
    };
    Some(Message::Event(event))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A datagram with this acknowledgement, kind of event and words.
    fn datagram(ack: u32, what: u32, words: &[u32]) -> Vec<u8> {
        let mut bytes = vec![0; 16];
        for word in [PROCESSES, PROCESSES, 1, ack, 40] {
            bytes.extend(word.to_ne_bytes());
        }
        bytes.extend(what.to_ne_bytes());
        bytes.extend([0; 12]);
        bytes.extend(words.iter().flat_map(|word| word.to_ne_bytes()));
        bytes
    }

    fn event(what: u32, words: &[u32]) -> Option<ProcessEvent> {
        match decode(&datagram(0, what, words)) {
            Some(Message::Event(event)) => Some(event),
            _ => None,
        }
    }

    #[test]
    fn events_of_processes_are_told_and_those_of_threads_are_not() {
        assert_eq!(event(1, &[11, 10, 20, 20]), Some(ProcessEvent::Forked { parent: 10, child: 20 }));
        assert_eq!(event(1, &[11, 10, 12, 10]), None);
        assert_eq!(event(2, &[20, 20]), Some(ProcessEvent::Changed(20)));
        assert_eq!(event(0x200, &[20, 20]), Some(ProcessEvent::Changed(20)));
        assert_eq!(event(0x200, &[21, 20]), None);
        assert_eq!(event(0x8000_0000, &[20, 20, 0, 17]), Some(ProcessEvent::Ended(20)));
        assert_eq!(event(0x8000_0000, &[21, 20, 0, 17]), None);
        assert_eq!(event(0x4, &[20, 20]), None);
    }

    #[test]
    fn a_confirmation_names_its_request() {
        let confirmed = decode(&datagram(8, 0, &[1]));
        assert_eq!(confirmed, Some(Message::Confirmation { request: 7, errno: 1 }));
    }

    #[test]
    fn what_is_cut_short_is_nothing() {
        let whole = datagram(0, 1, &[11, 10, 20, 20]);
        for length in 0..whole.len() {
            assert_eq!(decode(&whole[..length]), None, "{length}");
        }
        let request = listen_request();
        assert_eq!(request.len(), 40);
        assert_eq!(request[..4], 40_u32.to_ne_bytes());
    }
}
