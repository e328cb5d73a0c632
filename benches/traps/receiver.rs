//! A receiver of notifications that is never too slow: it takes datagrams, and looks into them afterwards.

use std::{
    fs, io,
    net::UdpSocket,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use lab::{Error, Host, Result, clock, wait};
use nix::sys::socket::{setsockopt, sockopt};

/// Room for a storm.
const RECEIVE_BUFFER: usize = 64 << 20;

/// vrrpInstanceStateChange, as BER has it.
const STATE_CHANGE: &[u8] = &[6, 13, 0x2b, 6, 1, 4, 1, 0xca, 0x72, 100, 5, 2, 10, 0, 2];
/// sysUpTime.0, as BER has it.
const SYS_UP_TIME: &[u8] = &[6, 8, 0x2b, 6, 1, 2, 1, 1, 3, 0];

/// A vrrpInstanceStateChange.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) at: Duration,
    pub(crate) instance: String,
    pub(crate) state: u8,
    /// sysUpTime of the event.
    pub(crate) uptime: u32,
}

/// A socket on UDP port 162 of a host, and the thread that reads it.
pub(crate) struct Receiver {
    host: Host,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    end: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl Receiver {
    /// From now on.
    pub(crate) fn start(host: &Host) -> Result<Self> {
        let socket = host.inside(open)?.map_err(|error| failed(&error))?;
        let (arrived, end) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (into, ended) = (Arc::clone(&arrived), Arc::clone(&end));
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while !ended.load(Ordering::Relaxed) {
                let Ok(length) = socket.recv(&mut buffer) else { continue };
                let at = clock::wall();
                if let Some(one) = read(at, &buffer[..length]) {
                    into.lock().unwrap_or_else(PoisonError::into_inner).push(one);
                }
            }
        });
        Ok(Self { host: host.clone(), arrived, end, reader: Some(reader) })
    }

    /// Everything so far, in the order of arrival.
    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often a router has entered a state.
    pub(crate) fn count(&self, state: u8) -> usize {
        let arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        arrived.iter().filter(|one| one.state == state).count()
    }

    /// Waits until a router has entered a state so often; the last time of them.
    pub(crate) fn wait_for(&self, count: usize, state: u8, deadline: Duration) -> Result<Arrived> {
        wait::until("a notification", deadline, || {
            let arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
            let found = arrived.iter().filter(|one| one.state == state).nth(count - 1);
            found.cloned().ok_or_else(|| format!("{} arrived", arrived.len()))
        })
    }

    /// Datagrams that the host's kernel threw away because the buffer was full.
    pub(crate) fn dropped(&self) -> Result<usize> {
        let text =
            self.host.inside(|| fs::read_to_string("/proc/thread-self/net/snmp").unwrap_or_default())?;
        let mut lines = text.lines().filter(|line| line.starts_with("Udp:")).map(str::split_whitespace);
        let (names, values) =
            lines.next().zip(lines.next()).unwrap_or_else(|| ("".split_whitespace(), "".split_whitespace()));
        let found = names.zip(values).find(|(name, _)| *name == "RcvbufErrors");
        found
            .and_then(|(_, value)| value.parse().ok())
            .ok_or_else(|| Error::Unexpected(format!("no UDP counters in {text}")))
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

fn failed(error: &io::Error) -> Error {
    Error::Unexpected(format!("receiving notifications: {error}"))
}

fn open() -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(super::HERE)?;
    setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER)?;
    socket.set_read_timeout(Some(Duration::from_millis(50)))?;
    Ok(socket)
}

/// A notification by the fields that count here, which are found by what stands before them: name and state of the virtual router
/// are the first two objects.
fn read(at: Duration, datagram: &[u8]) -> Option<Arrived> {
    let find = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).position(|window| window == what);
    let uptime = &datagram[find(datagram, SYS_UP_TIME)? + SYS_UP_TIME.len()..];
    let (length, ticks) = (usize::from(*uptime.get(1)?), uptime.get(2..)?);
    let uptime = ticks.get(..length)?.iter().fold(0, |ticks, byte| ticks << 8 | u32::from(*byte));
    let objects = &datagram[find(datagram, STATE_CHANGE)? + STATE_CHANGE.len()..];
    let name = &objects[find(objects, b"VI_")?..];
    let length = usize::from(objects[objects.len() - name.len() - 1]);
    let (name, rest) = name.split_at_checked(length)?;
    // The next object: a sequence of its OID and an INTEGER of one byte.
    let (sequence, oid) = (rest.first()?, usize::from(*rest.get(3)?));
    let value = rest.get(4 + oid..)?;
    match (sequence, value) {
        (0x30, [2, 1, state, ..]) => {
            Some(Arrived { at, instance: String::from_utf8_lossy(name).into_owned(), state: *state, uptime })
        }
        _ => None,
    }
}
