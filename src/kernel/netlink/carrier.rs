//! The socket that changes are asked for through: many requests in one system call, of which only refusals and the last
//! one are answered.
//!
//! The kernel works on requests while they are being sent, and has answered when the call returns. It does not stop at one
//! that it refuses. Without a wish for an acknowledgement (NLM_F_ACK) it answers refusals alone, so that what comes between
//! two answers was granted.

use std::{io, ops::Range};

use netlink_packet_core::{NLM_F_ACK, NLMSG_ERROR, NetlinkMessage};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::{Socket, protocols::NETLINK_ROUTE};
use nix::{errno::Errno, libc};
use tokio::sync::{mpsc, oneshot};

use super::requests::Refusal;
use crate::kernel::ReceiveBuffer;

/// Bytes of requests in one system call, unless a single one has more: what fits into a page with the kernel's own part.
/// For more than that it maps memory, which all processors have to hear of.
const RUN: usize = 3500;
/// Bytes of answers that the kernel may queue; to a run of requests there are a hundred of less than 1 KiB at the most.
const RECEIVE_BUFFER: u32 = 1 << 20;
/// Room for one answer: to a refused request the kernel adds the request.
const ANSWER: usize = 64 << 10;
/// struct nlmsghdr: length, type, flags, sequence number, port.
const HEADER: usize = 16;
const FLAGS: Range<usize> = 6..8;
const SEQUENCE: Range<usize> = 8..12;

/// What the kernel said to each request of a batch, in order.
pub(super) type Answers = Vec<Result<(), Refusal>>;

/// Requests to be made in a row.
#[derive(Debug, Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    /// Where each begins.
    starts: Vec<usize>,
}

impl Batch {
    pub(super) fn push(&mut self, mut message: NetlinkMessage<RouteNetlinkMessage>) {
        message.finalize();
        let start = self.bytes.len();
        let length = message.buffer_len();
        self.bytes.resize(start + length.next_multiple_of(4), 0);
        message.serialize(&mut self.bytes[start..start + length]);
        self.starts.push(start);
    }

    fn start(&self, request: usize) -> usize {
        self.starts.get(request).copied().unwrap_or(self.bytes.len())
    }

    /// The requests from `first` on that leave in one system call.
    fn run(&self, first: usize) -> Range<usize> {
        let fits = |last: &usize| self.start(last + 1) - self.start(first) <= RUN;
        let more = (first + 1..self.starts.len()).take_while(fits).count();
        first..first + 1 + more
    }

    /// Numbers the requests of a run, and wishes the last one acknowledged.
    fn number(&mut self, run: Range<usize>, first: u32) {
        let last = run.end - 1;
        for (request, number) in run.zip(0..) {
            let header = &mut self.bytes[self.starts[request]..][..HEADER];
            let flags = u16::from_ne_bytes([header[FLAGS.start], header[FLAGS.start + 1]]) & !NLM_F_ACK;
            let flags = if request == last { flags | NLM_F_ACK } else { flags };
            header[FLAGS].copy_from_slice(&flags.to_ne_bytes());
            header[SEQUENCE].copy_from_slice(&first.wrapping_add(number).to_ne_bytes());
        }
    }
}

/// A batch and who waits for what comes of it.
#[derive(Debug)]
struct Order {
    batch: Batch,
    answers: oneshot::Sender<Answers>,
}

/// Takes batches for the [`Carrier`]. Clones bring them to the same one, which takes them in order.
#[derive(Clone, Debug)]
pub(super) struct Orders(mpsc::UnboundedSender<Order>);

impl Orders {
    /// Hands a batch over. Without a carrier there is never an answer, and the channel says so.
    pub(super) fn place(&self, batch: Batch) -> oneshot::Receiver<Answers> {
        let (answers, receiver) = oneshot::channel();
        let _ = self.0.send(Order { batch, answers });
        receiver
    }
}

/// Carries batches out.
pub(super) struct Carrier {
    socket: Socket,
    orders: mpsc::UnboundedReceiver<Order>,
    /// Of the next request.
    sequence: u32,
    answer: Vec<u8>,
}

impl Carrier {
    /// Opens the socket, with that receive buffer.
    pub(super) fn open(buffer: ReceiveBuffer) -> io::Result<(Orders, Self)> {
        let socket = Socket::new(NETLINK_ROUTE)?;
        // Without CAP_NET_ADMIN all there is to come are refusals.
        let _ = buffer.give(&socket, RECEIVE_BUFFER);
        let (sender, orders) = mpsc::unbounded_channel();
        Ok((Orders(sender), Self { socket, orders, sequence: 1, answer: Vec::with_capacity(ANSWER) }))
    }

    /// Carries out what is ordered until nobody can order anything.
    pub(super) async fn run(mut self) {
        while let Some(Order { batch, answers }) = self.orders.recv().await {
            // Who has given up waiting has given up what was asked, too; but its place in the order is over.
            let _ = answers.send(self.carry(batch));
        }
    }

    fn carry(&mut self, mut batch: Batch) -> Answers {
        let mut answers = Vec::with_capacity(batch.starts.len());
        while answers.len() < batch.starts.len() {
            let run = batch.run(answers.len());
            let first = self.sequence;
            batch.number(run.clone(), first);
            self.sequence = first.wrapping_add(u32::try_from(run.len()).unwrap_or(0));
            let bytes = &batch.bytes[batch.start(run.start)..batch.start(run.end)];
            let begin = answers.len();
            answers.resize(begin + run.len(), Ok(()));
            self.exchange(bytes, first, &mut answers[begin..]);
        }
        answers
    }

    /// Sends the bytes of requests and takes in what is said to each. Those of which nothing is said were granted, if
    /// something is said of the last one.
    fn exchange(&mut self, bytes: &[u8], first: u32, answers: &mut [Result<(), Refusal>]) {
        let sent = loop {
            match self.socket.send(bytes, 0) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                sent => break sent,
            }
        };
        if let Err(error) = sent {
            // None of them has reached the kernel.
            let errno = error.raw_os_error().map_or(Errno::EIO, Errno::from_raw);
            return answers.fill(Err(Refusal::Errno(errno)));
        }
        let mut is_last_answered = false;
        while !is_last_answered {
            self.answer.clear();
            match self.socket.recv_from(&mut self.answer, libc::MSG_DONTWAIT) {
                // Port 0 is the kernel.
                Ok((_, from)) if from.port_number() == 0 => {
                    is_last_answered = take(&self.answer, first, answers);
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Answers were thrown away, or there are none.
                Err(_) => {
                    let unknown = answers.iter_mut().filter(|answer| answer.is_ok());
                    return unknown.for_each(|answer| *answer = Err(Refusal::Lost));
                }
            }
        }
    }
}

/// Takes in the answers in a datagram to requests numbered from `first` on. Whether the last of them is answered.
fn take(mut datagram: &[u8], first: u32, answers: &mut [Result<(), Refusal>]) -> bool {
    let number = |bytes: &[u8], at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes);
    let mut is_last = false;
    while let (Some(length), Some(sequence)) = (number(datagram, 0), number(datagram, SEQUENCE.start)) {
        let length = length as usize;
        let kind = u16::from_ne_bytes([datagram[4], datagram[5]]);
        let place = sequence.wrapping_sub(first) as usize;
        // struct nlmsgerr begins with 0 or the negative errno.
        let code = number(datagram, HEADER).map(u32::cast_signed);
        if let (NLMSG_ERROR, Some(code), Some(answer)) = (kind, code, answers.get_mut(place)) {
            *answer = if code == 0 { Ok(()) } else { Err(Refusal::Errno(Errno::from_raw(-code))) };
            is_last |= place + 1 == answers.len();
        }
        datagram = datagram.get(length.max(HEADER).next_multiple_of(4)..).unwrap_or_default();
    }
    is_last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        kernel::{Address, Change},
        units::IfIndex,
    };

    fn batch(count: u8) -> Batch {
        let mut batch = Batch::default();
        for last in 0..count {
            batch.push(Change::AddAddress(Address::new(IfIndex(3), [10, 9, 0, last].into(), 32)).message());
        }
        batch
    }

    /// An answer as the kernel gives it.
    fn answer(number: u32, errno: i32) -> Vec<u8> {
        let header =
            [&36_u32.to_ne_bytes()[..], &2_u16.to_ne_bytes(), &[0, 1], &number.to_ne_bytes(), &[0; 4]];
        [&header.concat(), &(-errno).to_ne_bytes()[..], &[0xa5; 16]].concat()
    }

    #[test]
    fn a_run_fits_into_a_page_and_only_its_last_request_is_acknowledged() {
        let mut batch = batch(200);
        assert_eq!((batch.run(0), batch.run(109), batch.run(199)), (0..109, 109..200, 199..200));
        batch.number(109..200, u32::MAX);
        let header = |request: usize| {
            let header = &batch.bytes[batch.start(request)..][..HEADER];
            (u16::from_ne_bytes([header[6], header[7]]) & NLM_F_ACK != 0, header[SEQUENCE].to_vec())
        };
        assert_eq!(header(109), (false, u32::MAX.to_ne_bytes().to_vec()));
        assert_eq!(header(110), (false, 0_u32.to_ne_bytes().to_vec()));
        assert_eq!(header(199), (true, 89_u32.to_ne_bytes().to_vec()));
    }

    #[test]
    fn a_request_longer_than_a_run_leaves_alone() {
        let mut batch = batch(2);
        batch.bytes.resize(batch.bytes.len() + RUN, 0);
        assert_eq!((batch.run(0), batch.run(1)), (0..1, 1..2));
    }

    #[test]
    fn what_is_not_refused_is_granted_and_old_answers_count_for_nothing() {
        let mut answers = vec![Ok(()); 3];
        let exists = Err(Refusal::Errno(Errno::EEXIST));
        let datagram = [answer(6, libc::ENODEV), answer(8, libc::EEXIST)].concat();
        assert!(!take(&datagram, 7, &mut answers));
        assert_eq!(answers, [Ok(()), exists, Ok(())]);
        assert!(take(&answer(9, 0), 7, &mut answers));
        assert_eq!(answers, [Ok(()), exists, Ok(())]);
        assert!(!take(&[0xa5; 7], 7, &mut answers));
        assert!(!take(&[0; 40], 7, &mut answers));
    }
}
