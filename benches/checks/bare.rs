//! The bare loop: opens a connection to each server once a second, each at its time, and does nothing else. What it costs is
//! what the kernel takes for that.
//!
//! It runs as a process of its own, this benchmark with [`FLAG`], in the namespace of the servers.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::time::Duration;

use lab::{Error, Host, Process, Result};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, ClockNanosleepFlags, clock_gettime, clock_nanosleep};
use socket2::{Domain, Socket, Type};

use crate::site;

/// What tells this benchmark to be the bare loop; how many servers there are comes after it.
pub(crate) const FLAG: &str = "--bare";
const PERIOD: Duration = Duration::from_secs(1);

/// Starts it on a host of [`site::build`].
pub(crate) fn start(host: &Host, size: usize) -> Result<Process> {
    let own = std::env::current_exe().map_err(|error| Error::Unexpected(error.to_string()))?;
    host.spawn("bare", &[&own.to_string_lossy(), FLAG, &size.to_string()])
}

/// Is the bare loop until it is killed.
pub(crate) fn run(size: &str) -> io::Result<()> {
    let size: u32 = size.parse().map_err(io::Error::other)?;
    let begin: Duration = clock_gettime(ClockId::CLOCK_MONOTONIC)?.into();
    for number in 0_u32.. {
        let at = begin + PERIOD * (number / size) + PERIOD * (number % size) / size;
        sleep_until(at)?;
        connect((site::server((number % size) as usize), site::PORT).into())?;
    }
    Ok(())
}

/// As a check does it: nobody is waited for but by `poll`.
fn connect(to: SocketAddr) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM.nonblocking().cloexec(), None)?;
    match socket.connect(&to.into()) {
        Err(error) if error.raw_os_error() == Some(Errno::EINPROGRESS as i32) => {}
        connected => return connected,
    }
    poll(&mut [PollFd::new(socket.as_fd(), PollFlags::POLLOUT)], PollTimeout::from(5000_u16))?;
    socket.take_error()?.map_or(Ok(()), Err)
}

fn sleep_until(at: Duration) -> io::Result<()> {
    let flags = ClockNanosleepFlags::TIMER_ABSTIME;
    clock_nanosleep(ClockId::CLOCK_MONOTONIC, flags, &TimeSpec::from_duration(at))?;
    Ok(())
}
