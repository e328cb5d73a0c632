//! A socket of generic netlink: requests out, answers in.

use std::io;

use netlink_sys::{Socket as Netlink, SocketAddr, protocols::NETLINK_GENERIC};
use nix::libc;

use crate::kernel::ReceiveBuffer;

/// NLM_F_REQUEST, NLM_F_ACK and NLM_F_DUMP.
const REQUEST: u16 = 0x1;
const ANSWERED: u16 = 0x4;
const DUMP: u16 = 0x300;
/// NLMSG_ERROR and NLMSG_DONE.
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// Length, type, flags, sequence number, and the port of the sender.
const HEADER: usize = 16;
/// Requests that are sent before their answers are taken: the answers to as many fit into the socket's buffer.
const TOGETHER: usize = 256;
/// Room for what is sent and answered at once.
const BUFFER: u32 = 1 << 20;
/// The largest piece of a listing that the kernel sends.
const PIECE: usize = 32 << 10;

/// A socket, in the network namespace of the thread that opened it.
#[derive(Debug)]
pub(super) struct Socket {
    socket: Netlink,
    sequence: u32,
}

/// A message from the kernel.
struct Message<'a> {
    kind: u16,
    sequence: u32,
    body: &'a [u8],
}

impl Socket {
    pub(super) fn open(buffer: ReceiveBuffer) -> io::Result<Self> {
        let mut socket = Netlink::new(NETLINK_GENERIC)?;
        socket.bind_auto()?;
        // An answer need not repeat what it answers.
        socket.set_cap_ack(true)?;
        socket2::SockRef::from(&socket).set_send_buffer_size(BUFFER as usize)?;
        // Less than what answers need would lose them.
        let bytes = buffer.bytes.map(|bytes| bytes.max(BUFFER));
        ReceiveBuffer { bytes, ..buffer }.give(&socket, BUFFER)?;
        Ok(Self { socket, sequence: 0 })
    }

    /// Has requests carried out, in order; an answer for each.
    pub(super) fn make(
        &mut self,
        family: u16,
        requests: impl ExactSizeIterator<Item = Vec<u8>>,
    ) -> Vec<io::Result<()>> {
        let mut answers = Vec::with_capacity(requests.len());
        let mut requests = requests.peekable();
        while requests.peek().is_some() {
            let first = self.sequence + 1;
            let portion: Vec<u8> = requests
                .by_ref()
                .take(TOGETHER)
                .flat_map(|request| self.message(family, REQUEST | ANSWERED, &request))
                .collect();
            let count = (self.sequence + 1 - first) as usize;
            answers.extend(self.carry(&portion, first, count));
        }
        answers
    }

    fn carry(&self, portion: &[u8], first: u32, count: usize) -> Vec<io::Result<()>> {
        let mut answers: Vec<Option<io::Result<()>>> = (0..count).map(|_| None).collect();
        let lost = self.send(portion).and_then(|()| {
            self.receive(|message| {
                let place = message.sequence.wrapping_sub(first) as usize;
                if let (Some(answer), Some(said)) = (answers.get_mut(place), message.verdict()) {
                    *answer = Some(said);
                }
                false
            })
        });
        let why = lost.err().unwrap_or_else(|| io::Error::other("the kernel gave no answer"));
        answers.into_iter().map(|answer| answer.unwrap_or_else(|| Err(again(&why)))).collect()
    }

    /// The answers to a question that has one.
    pub(super) fn ask(&mut self, family: u16, request: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        self.query(family, REQUEST | ANSWERED, request)
    }

    /// The answers to a question for all of something.
    pub(super) fn list(&mut self, family: u16, request: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        self.query(family, REQUEST | DUMP, request)
    }

    fn query(&mut self, family: u16, flags: u16, request: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        let message = self.message(family, flags, request);
        self.send(&message)?;
        let mut answers = Vec::new();
        let mut end = Err(io::Error::other("the kernel gave no answer"));
        self.receive(|message| {
            if message.sequence != self.sequence {
                return false;
            }
            match message.verdict() {
                Some(verdict) => end = verdict,
                None => answers.push(message.body.to_vec()),
            }
            message.is_last()
        })?;
        end.map(|()| answers)
    }

    /// A request with its header and the next number.
    fn message(&mut self, family: u16, flags: u16, body: &[u8]) -> Vec<u8> {
        self.sequence += 1;
        let length = u32::try_from(HEADER + body.len()).unwrap_or(u32::MAX);
        let mut message = Vec::with_capacity(HEADER + body.len());
        message.extend(length.to_ne_bytes());
        message.extend(family.to_ne_bytes());
        message.extend(flags.to_ne_bytes());
        message.extend(self.sequence.to_ne_bytes());
        message.extend([0; 4]);
        message.extend(body);
        message
    }

    fn send(&self, messages: &[u8]) -> io::Result<()> {
        self.socket.send_to(messages, &SocketAddr::new(0, 0), 0).map(drop)
    }

    /// Gives each message that is there to `take`, until that says that it is the last. The kernel has carried out requests,
    /// and has answered, when sending them returns; a listing goes on while it is read.
    fn receive(&self, mut take: impl FnMut(&Message<'_>) -> bool) -> io::Result<()> {
        let mut datagram = Vec::with_capacity(PIECE);
        loop {
            datagram.clear();
            match self.socket.recv_from(&mut datagram, libc::MSG_DONTWAIT) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
            let mut rest = datagram.as_slice();
            while let Some((message, after)) = Message::first(rest) {
                if take(&message) {
                    return Ok(());
                }
                rest = after;
            }
        }
    }
}

impl<'a> Message<'a> {
    /// The first of some bytes, and what is after it.
    fn first(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let length = u32::from_ne_bytes(*bytes.first_chunk()?) as usize;
        let message = Self {
            kind: u16::from_ne_bytes(*bytes.get(4..)?.first_chunk()?),
            sequence: u32::from_ne_bytes(*bytes.get(8..)?.first_chunk()?),
            body: bytes.get(HEADER..length)?,
        };
        Some((message, bytes.get(length.next_multiple_of(4)..).unwrap_or_default()))
    }

    /// Whether nothing comes after it: an answer to a request, or the end of a listing.
    fn is_last(&self) -> bool {
        matches!(self.kind, ERROR | DONE)
    }

    /// What the last message says.
    fn verdict(&self) -> Option<io::Result<()>> {
        let code =
            self.is_last().then(|| self.body.first_chunk().map_or(0, |code| i32::from_ne_bytes(*code)))?;
        Some(if code == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(code.wrapping_neg())) })
    }
}

/// The same error for another request.
fn again(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(errno) => io::Error::from_raw_os_error(errno),
        None => io::Error::other(error.to_string()),
    }
}
