//! The bare loop: opens a connection to each server once a second, each at its time, and does nothing else; or asks each for its
//! page and reads that to its end. What it costs is what the kernel takes for that.
//!
//! It runs as a process of its own, this benchmark with [`FLAG`], in the namespace of the servers.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::time::Duration;

use lab::{Error, Host, Process, Result};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, ClockNanosleepFlags, clock_gettime, clock_nanosleep};
use socket2::{Domain, Socket, Type};

use crate::{round::Kind, site};

/// What tells this benchmark to be the bare loop; how many servers there are comes after it, and what they are asked.
pub(crate) const FLAG: &str = "--bare";
/// As HTTP_GET asks for it.
const REQUEST: &[u8] = b"GET / HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: 10.64.0.1:8080\r\n\r\n";
/// The longest wait for a server, in milliseconds.
const PATIENCE: u16 = 5000;
const PERIOD: Duration = Duration::from_secs(1);

/// Starts it on a host of [`site::build`], whose servers answer as that kind of check needs it.
pub(crate) fn start(host: &Host, kind: Kind, size: usize) -> Result<Process> {
    let own = std::env::current_exe().map_err(|error| Error::Unexpected(error.to_string()))?;
    host.spawn("bare", &[&own.to_string_lossy(), FLAG, &size.to_string(), &kind.to_string()])
}

/// Is the bare loop until it is killed; `asked` are what comes after [`FLAG`].
pub(crate) fn run(asked: &[String]) -> io::Result<()> {
    let [size, kind] = asked else { return Err(io::Error::other("how many, and what?")) };
    let size: u32 = size.parse().map_err(io::Error::other)?;
    let asks = *kind == Kind::Http.to_string();
    let begin: Duration = clock_gettime(ClockId::CLOCK_MONOTONIC)?.into();
    for number in 0_u32.. {
        let at = begin + PERIOD * (number / size) + PERIOD * (number % size) / size;
        sleep_until(at)?;
        let socket = connect((site::server((number % size) as usize), site::PORT).into())?;
        if asks {
            fetch(socket)?;
        }
    }
    Ok(())
}

/// As a check does it: nobody is waited for but by `poll`.
fn connect(to: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM.nonblocking().cloexec(), None)?;
    match socket.connect(&to.into()) {
        Err(error) if error.raw_os_error() == Some(Errno::EINPROGRESS as i32) => {}
        Err(error) => return Err(error),
        Ok(()) => return Ok(socket),
    }
    wait(&socket, PollFlags::POLLOUT)?;
    socket.take_error()?.map_or(Ok(socket), Err)
}

/// Asks for the page and reads the answer to its end.
fn fetch(mut socket: Socket) -> io::Result<()> {
    let mut piece = [0; 4096];
    socket.write_all(REQUEST)?;
    loop {
        wait(&socket, PollFlags::POLLIN)?;
        if socket.read(&mut piece)? == 0 {
            return Ok(());
        }
    }
}

fn wait(socket: &Socket, what: PollFlags) -> io::Result<()> {
    poll(&mut [PollFd::new(socket.as_fd(), what)], PollTimeout::from(PATIENCE))?;
    Ok(())
}

fn sleep_until(at: Duration) -> io::Result<()> {
    let flags = ClockNanosleepFlags::TIMER_ABSTIME;
    clock_nanosleep(ClockId::CLOCK_MONOTONIC, flags, &TimeSpec::from_duration(at))?;
    Ok(())
}
