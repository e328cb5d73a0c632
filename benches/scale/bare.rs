//! The bare loop: sends given packets once a second, each at its time, and does nothing else. What it costs is what the
//! kernel takes for them.
//!
//! It runs as a process of its own, this benchmark with [`FLAG`], in the master's namespace.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::{self, IoSlice},
    net::{Ipv4Addr, SocketAddrV4},
    os::fd::AsRawFd as _,
    path::Path,
    time::Duration,
};

use lab::{Error, Host, Process, Result};
use nix::{
    libc,
    sys::{
        socket::{MsgFlags, MultiHeaders, SockaddrIn, sendmmsg, setsockopt, sockopt},
        time::TimeSpec,
    },
    time::{ClockId, ClockNanosleepFlags, clock_gettime, clock_nanosleep},
};
use socket2::{Domain, Protocol, Socket, Type};

use crate::support::sniffer::Heard;

/// What tells this benchmark to be the bare loop; the file with the packets comes after it.
pub(crate) const FLAG: &str = "--bare";
const PERIOD: Duration = Duration::from_secs(1);
const PROTOCOL_VRRP: i32 = 112;
/// As many packets in a system call as the engine puts into one.
const BATCH: usize = 64;

/// Starts it on a host with the last advertisement of every router and its place in the second.
pub(crate) fn start(host: &Host, heard: &[Heard]) -> Result<Process> {
    let last: BTreeMap<_, _> = heard.iter().map(|advert| (advert.router(), advert)).collect();
    let mut text = String::new();
    for ((interface, _), advert) in last {
        let hex: String = advert.packet.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        let _ = writeln!(text, "{} v{interface} {hex}", advert.at.subsec_nanos());
    }
    let file = host.write("bare.packets", &text)?;
    let own = std::env::current_exe().map_err(|error| Error::Unexpected(error.to_string()))?;
    let process = host.spawn("bare", &[&own.to_string_lossy(), FLAG, &file.to_string_lossy()])?;
    Ok(process)
}

/// One packet of the schedule.
struct Letter {
    /// After the beginning of each second.
    at: Duration,
    socket: usize,
    packet: Vec<u8>,
    to: SockaddrIn,
}

/// Is the bare loop until it is killed.
pub(crate) fn run(file: &Path) -> io::Result<()> {
    let (sockets, letters) = read(&fs::read_to_string(file)?)?;
    let mut round = now()?;
    loop {
        round += PERIOD;
        let mut next = 0;
        while let Some(letter) = letters.get(next) {
            sleep_until(round + letter.at)?;
            let passed = now()?.saturating_sub(round);
            let due = letters[next..].iter().take_while(|letter| letter.at <= passed).count();
            for run in letters[next..next + due].chunk_by(|one, other| one.socket == other.socket) {
                run.chunks(BATCH).try_for_each(|batch| send(&sockets[batch[0].socket], batch))?;
            }
            next += due;
        }
    }
}

fn send(socket: &Socket, batch: &[Letter]) -> io::Result<()> {
    let slices: Vec<_> = batch.iter().map(|letter| [IoSlice::new(&letter.packet)]).collect();
    let to: Vec<_> = batch.iter().map(|letter| Some(letter.to)).collect();
    let mut headers = MultiHeaders::preallocate(batch.len(), None);
    let on_link = MsgFlags::from_bits_retain(libc::MSG_DONTROUTE);
    sendmmsg(socket.as_raw_fd(), &mut headers, &slices, &to, [], MsgFlags::MSG_DONTWAIT | on_link)?;
    Ok(())
}

/// The packets in the order of their times, and a socket per interface, of the daemon's kind.
fn read(text: &str) -> io::Result<(Vec<Socket>, Vec<Letter>)> {
    let mut sockets = BTreeMap::new();
    let mut letters = Vec::new();
    for line in text.lines() {
        let letter = parse(line, &mut sockets).ok_or(io::ErrorKind::InvalidData)?;
        letters.push(letter);
    }
    letters.sort_by_key(|letter| letter.at);
    let mut opened: Vec<_> = sockets.into_iter().collect();
    opened.sort_by_key(|(_, place)| *place);
    let sockets = opened.into_iter().map(|(name, _)| open(&name)).collect::<io::Result<_>>()?;
    Ok((sockets, letters))
}

fn parse(line: &str, sockets: &mut BTreeMap<String, usize>) -> Option<Letter> {
    let mut words = line.split(' ');
    let (at, interface, hex) = (words.next()?, words.next()?, words.next()?);
    let packet: Vec<u8> = (0..hex.len() / 2)
        .map(|byte| u8::from_str_radix(hex.get(2 * byte..2 * byte + 2)?, 16).ok())
        .collect::<Option<_>>()?;
    let to: [u8; 4] = packet.get(16..20)?.try_into().ok()?;
    let place = sockets.len();
    Some(Letter {
        at: Duration::from_nanos(at.parse().ok()?),
        socket: *sockets.entry(interface.to_owned()).or_insert(place),
        packet,
        to: SocketAddrV4::new(Ipv4Addr::from(to), 0).into(),
    })
}

fn open(interface: &str) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(PROTOCOL_VRRP)))?;
    socket.bind_device(Some(interface.as_bytes()))?;
    socket.set_header_included_v4(true)?;
    socket.set_multicast_loop_v4(false)?;
    setsockopt(&socket, sockopt::Priority, &6)?;
    Ok(socket)
}

fn now() -> io::Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_MONOTONIC)?.into())
}

fn sleep_until(at: Duration) -> io::Result<()> {
    let flags = ClockNanosleepFlags::TIMER_ABSTIME;
    clock_nanosleep(ClockId::CLOCK_MONOTONIC, flags, &TimeSpec::from_duration(at))?;
    Ok(())
}
