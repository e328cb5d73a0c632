//! The way between the daemon and its master agent, which a story makes bad: a unix socket that passes PDUs on to snmpd,
//! slowly or not at all, or behind which sits a master that talks nonsense.

#![expect(clippy::unwrap_used, reason = "a link that cannot be made is a failed test")]

use std::{
    fs,
    io::{self, Read as _, Write as _},
    net::Shutdown,
    os::{
        fd::AsFd,
        unix::net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use agentx::{
    Oid,
    wire::{Body, ByteOrder, ErrorCode, HEADER_LEN, Header, Pdu, PduType, Response, SearchRange},
};
use lab::wait;
use nix::poll::{PollFd, PollFlags, poll};

use crate::passages::Passage;

/// How long anything here looks away from its orders, in milliseconds.
const LOOK: u8 = 20;
/// What a slow link takes for a PDU, and now and then, which is longer than the second after which snmpd asks again.
const SLOW: Duration = Duration::from_millis(15);
const SLOWEST: Duration = Duration::from_millis(1300);
/// Every so many PDUs are that slow.
const SLOWEST_EVERY: usize = 40;

/// What the daemon finds at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// snmpd.
    Plain,
    /// snmpd, far away: PDUs come in pieces, and sometimes so late that snmpd repeats its request.
    Slow,
    /// A master that opens a session and never says anything again.
    Silent,
    /// A master that opens a session and goes on in another language.
    Garbage,
    /// A master that opens a session and hangs up in the middle of a PDU.
    HalfPdu,
    /// A master that asks and asks, and does not read the answers.
    Deaf,
}

/// See the [module](self). Ends with its owner.
pub(crate) struct Link {
    path: PathBuf,
    shared: Arc<Shared>,
    listener: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
}

struct Shared {
    /// Where snmpd listens.
    snmpd: PathBuf,
    manner: Mutex<Manner>,
    /// Connections, by the number of the reign they belong to: a new one ends all of those before it.
    reign: AtomicUsize,
    /// The reigns of the connections that there are.
    live: Mutex<Vec<usize>>,
    /// The notifications that went to snmpd, by connection.
    passages: Mutex<Vec<Passage>>,
}

impl Shared {
    fn manner(&self) -> MutexGuard<'_, Manner> {
        self.manner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn live(&self) -> MutexGuard<'_, Vec<usize>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn passages(&self) -> MutexGuard<'_, Vec<Passage>> {
        self.passages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Link {
    /// A plain link at `path` to the snmpd at `snmpd`.
    pub(crate) fn start(path: PathBuf, snmpd: PathBuf) -> Self {
        let shared = Arc::new(Shared {
            snmpd,
            manner: Mutex::new(Manner::Plain),
            reign: AtomicUsize::new(0),
            live: Mutex::default(),
            passages: Mutex::default(),
        });
        let mut link = Self { path, shared, listener: None };
        link.restore();
        link
    }

    /// From now on the other end is so; the connections that there were have ended.
    pub(crate) fn set(&self, manner: Manner) -> lab::Result<()> {
        *self.shared.manner() = manner;
        let reign = self.shared.reign.fetch_add(1, Ordering::Relaxed) + 1;
        wait::until("the end of the connections", Duration::from_secs(10), || {
            let live = self.shared.live();
            if live.iter().all(|other| *other >= reign) { Ok(()) } else { Err(format!("{live:?}")) }
        })
    }

    /// The socket is removed; the connection ends.
    pub(crate) fn remove(&mut self) {
        if let Some((end, listener)) = self.listener.take() {
            end.store(true, Ordering::Relaxed);
            self.shared.reign.fetch_add(1, Ordering::Release);
            listener.join().unwrap();
        }
        let _ = fs::remove_file(&self.path);
    }

    /// The socket is there again.
    pub(crate) fn restore(&mut self) {
        let listener = UnixListener::bind(&self.path).unwrap();
        listener.set_nonblocking(true).unwrap();
        let end = Arc::new(AtomicBool::new(false));
        let (shared, ended) = (Arc::clone(&self.shared), Arc::clone(&end));
        self.listener = Some((end, thread::spawn(move || listen(&listener, &shared, &ended))));
    }

    /// The notifications that went to snmpd so far, by connection.
    pub(crate) fn passages(&self) -> Vec<Passage> {
        self.shared.passages().clone()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.remove();
    }
}

fn listen(listener: &UnixListener, shared: &Arc<Shared>, ended: &AtomicBool) {
    let mut connections = Vec::new();
    while !ended.load(Ordering::Relaxed) {
        if is_readable(listener)
            && let Ok((stream, _)) = listener.accept()
        {
            let (manner, reign) = (*shared.manner(), shared.reign.load(Ordering::Acquire));
            // Whoever comes after the end belongs to a reign that nobody ends any more.
            if ended.load(Ordering::Relaxed) {
                break;
            }
            shared.live().push(reign);
            let connection = Connection { daemon: stream, reign, shared: Arc::clone(shared) };
            connections.push(thread::spawn(move || connection.serve(manner)));
            connections.retain(|connection| !connection.is_finished());
        }
    }
    connections.into_iter().for_each(|connection| connection.join().unwrap());
}

/// Whether something can be read before the next look.
fn is_readable(fd: impl AsFd) -> bool {
    poll(&mut [PollFd::new(fd.as_fd(), PollFlags::POLLIN)], LOOK).is_ok_and(|ready| ready > 0)
}

/// The daemon's end of a connection, and what the orders were when it began.
struct Connection {
    daemon: UnixStream,
    reign: usize,
    shared: Arc<Shared>,
}

impl Connection {
    fn is_over(&self) -> bool {
        self.shared.reign.load(Ordering::Relaxed) != self.reign
    }

    /// Until either side hangs up or the reign ends; how it ends is nobody's business.
    fn serve(mut self, manner: Manner) {
        let _ = match manner {
            Manner::Plain | Manner::Slow => self.relay(manner == Manner::Slow),
            Manner::Silent => self.pretend(1).and_then(|()| self.hear_out()),
            Manner::Garbage => self.pretend(1).and_then(|()| {
                self.daemon.write_all(&[0xfe; 64])?;
                self.hear_out()
            }),
            Manner::HalfPdu => self.pretend(3).and_then(|()| {
                let request = get_next(1);
                self.daemon.write_all(&request[..request.len() / 2])
            }),
            Manner::Deaf => self.pretend(3).and_then(|()| self.ask_and_ask()),
        };
    }

    /// Passes whole PDUs on in both directions.
    fn relay(&mut self, slow: bool) -> io::Result<()> {
        let mut snmpd = UnixStream::connect(&self.shared.snmpd)?;
        let place = {
            let mut passages = self.shared.passages();
            passages.push(Passage::default());
            passages.len() - 1
        };
        let note = |what: fn(&mut Passage, &Pdu), pdu: &Pdu| what(&mut self.shared.passages()[place], pdu);
        let mut passed = 0;
        let mut pass = |to: &mut UnixStream, bytes: &[u8]| {
            passed += 1;
            if slow { creep(to, bytes, passed) } else { to.write_all(bytes) }
        };
        while !self.is_over() {
            let (from_daemon, from_snmpd) = either(&self.daemon, &snmpd)?;
            if from_daemon {
                let (bytes, pdu) = next_pdu(&mut self.daemon)?;
                // Before it is there, and afterwards: what is noted is never less than what snmpd has, and never more than what
                // the daemon was answered.
                note(Passage::note_sent, &pdu);
                pass(&mut snmpd, &bytes)?;
            }
            if from_snmpd {
                let (bytes, pdu) = next_pdu(&mut snmpd)?;
                pass(&mut self.daemon, &bytes)?;
                note(Passage::note_answered, &pdu);
            }
        }
        Ok(())
    }

    /// Answers the first requests as a good master would.
    fn pretend(&mut self, requests: usize) -> io::Result<()> {
        for _ in 0..requests {
            while !is_readable(&self.daemon) {
                if self.is_over() {
                    return Err(io::ErrorKind::TimedOut.into());
                }
            }
            let (_, request) = next_pdu(&mut self.daemon)?;
            let session_id = request.header.session_id.max(1);
            let header = Header { session_id, ..request.header };
            let response =
                Response { sys_up_time: 1, error: ErrorCode::NoError, index: 0, varbinds: Vec::new() };
            let answer = Pdu { header, context: None, body: Body::Response(response) };
            self.daemon.write_all(&answer.to_bytes())?;
        }
        Ok(())
    }

    /// Reads whatever comes, until the end.
    fn hear_out(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4096];
        while !self.is_over() {
            if is_readable(&self.daemon) && self.daemon.read(&mut buffer)? == 0 {
                break;
            }
        }
        Ok(())
    }

    fn ask_and_ask(&mut self) -> io::Result<()> {
        self.daemon.set_nonblocking(true)?;
        let mut packet = 1;
        while !self.is_over() {
            let request = get_next(packet);
            packet += 1;
            match self.daemon.write(&request) {
                Ok(written) if written == request.len() => {}
                // The rest of it when there is room.
                Ok(written) => {
                    self.daemon.set_nonblocking(false)?;
                    self.daemon.set_write_timeout(Some(Duration::from_secs(2)))?;
                    self.daemon.write_all(&request[written..])?;
                    self.daemon.set_nonblocking(true)?;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => pause(Duration::from_millis(20)),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let _ = self.daemon.shutdown(Shutdown::Both);
        let mut live = self.shared.live();
        let own = live.iter().position(|reign| *reign == self.reign);
        own.map(|own| live.swap_remove(own));
    }
}

/// Which of the two can be read, or has ended, before the next look.
fn either(one: &UnixStream, other: &UnixStream) -> io::Result<(bool, bool)> {
    let mut fds =
        [PollFd::new(one.as_fd(), PollFlags::POLLIN), PollFd::new(other.as_fd(), PollFlags::POLLIN)];
    poll(&mut fds, LOOK)?;
    let ready = |fd: &PollFd<'_>| fd.any().unwrap_or_default();
    Ok((ready(&fds[0]), ready(&fds[1])))
}

/// A whole PDU, and its bytes. Whoever begins one ends it soon, or is killed.
fn next_pdu(from: &mut UnixStream) -> io::Result<(Vec<u8>, Pdu)> {
    let mut bytes = vec![0; HEADER_LEN];
    from.read_exact(&mut bytes)?;
    let (_, length) = Header::read(&bytes).map_err(io::Error::other)?;
    bytes.resize(HEADER_LEN + length, 0);
    from.read_exact(&mut bytes[HEADER_LEN..])?;
    let pdu = Pdu::read(&bytes).map_err(io::Error::other)?;
    Ok((bytes, pdu))
}

/// A PDU in two pieces.
fn creep(to: &mut UnixStream, pdu: &[u8], count: usize) -> io::Result<()> {
    let (first, rest) = pdu.split_at(pdu.len() / 3);
    to.write_all(first)?;
    pause(if count.is_multiple_of(SLOWEST_EVERY) { SLOWEST } else { SLOW });
    to.write_all(rest)
}

/// What a master asks for a walk of KEEPALIVED-MIB.
fn get_next(packet_id: u32) -> Vec<u8> {
    let start: Oid = "1.3.6.1.4.1.9586.100.5".parse().unwrap();
    let ranges = vec![SearchRange { start, include: true, end: Oid::null() }; 50];
    let header = Header { session_id: 1, packet_id, ..Header::new(PduType::GetNext, ByteOrder::Network) };
    Pdu { header, context: None, body: Body::GetNext(ranges) }.to_bytes()
}

fn pause(span: Duration) {
    wait::throughout("a slow link", span, || Ok(())).unwrap();
}

/// The path of an address `unix:PATH`.
pub(crate) fn path_of(address: &str) -> &Path {
    Path::new(address.strip_prefix("unix:").unwrap())
}
