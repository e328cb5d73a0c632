//! The system calls that no safe crate offers: one call per function, each with its reason to be sound.
#![allow(unsafe_code)]

use std::{
    io, mem,
    os::fd::{AsRawFd, BorrowedFd},
    os::unix::process::CommandExt as _,
    process::Command,
};

use nix::{
    errno::Errno,
    libc,
    sys::{prctl, signal::Signal},
};

use crate::units::IfIndex;

/// Binds a packet socket (packet(7)) to an interface, for sending only: protocol 0 receives nothing.
#[expect(clippy::cast_possible_truncation, reason = "a C constant and the size of a small struct")]
pub(super) fn bind_packet_socket(socket: BorrowedFd<'_>, index: IfIndex) -> io::Result<()> {
    let index = libc::c_int::try_from(index.0).map_err(|_| Errno::ENODEV)?;
    let address = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as libc::c_ushort,
        sll_protocol: 0,
        sll_ifindex: index,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    let length = mem::size_of_val(&address) as libc::socklen_t;
    // SAFETY: `address` is a live, initialised sockaddr_ll of `length` bytes, which bind(2) only reads;
    // the descriptor is open for the duration of the borrow.
    let result = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
    Errno::result(result)?;
    Ok(())
}

/// Sets a socket's receive buffer in bytes, past net.core.rmem_max (SO_RCVBUFFORCE, needs CAP_NET_ADMIN).
#[expect(clippy::cast_possible_truncation, reason = "the size of an int")]
pub(super) fn force_receive_buffer(socket: &impl AsRawFd, bytes: libc::c_int) -> io::Result<()> {
    let length = mem::size_of_val(&bytes) as libc::socklen_t;
    // SAFETY: the option's value is a C int of `length` bytes, which setsockopt(2) only reads; `socket`
    // owns its descriptor, and a wrong one would be refused with an error.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVBUFFORCE,
            (&raw const bytes).cast(),
            length,
        )
    };
    Errno::result(result)?;
    Ok(())
}

/// Has the kernel send SIGTERM to the child when the thread that starts it ends (PR_SET_PDEATHSIG).
pub(super) fn die_with_parent(command: &mut Command) {
    let parent = nix::unistd::getpid();
    // SAFETY: between fork and exec the closure makes two system calls and touches no lock, no allocator
    // and nothing of the parent's but a copied pid, so it is async-signal-safe.
    unsafe {
        command.pre_exec(move || {
            prctl::set_pdeathsig(Signal::SIGTERM)?;
            // The parent may have died before the line above; then nobody will send the signal.
            if nix::unistd::getppid() != parent {
                return Err(Errno::ESRCH.into());
            }
            Ok(())
        });
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;

    use nix::sys::{
        signal::kill,
        socket::{AddressFamily, SockFlag, SockType, getsockopt, socket, sockopt},
    };

    use super::*;

    #[test]
    fn a_packet_socket_is_bound_to_an_interface_that_exists() {
        let socket = socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, None)
            .expect("this test needs CAP_NET_RAW");
        let loopback = nix::net::if_::if_nametoindex("lo").unwrap();
        bind_packet_socket(socket.as_fd(), IfIndex(loopback)).unwrap();
        assert_eq!(interface_of(&socket), loopback.to_string());
        let error = bind_packet_socket(socket.as_fd(), IfIndex(0x7fff_fff0)).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENODEV));
    }

    /// The interface column of the socket's line in /proc/net/packet (sk, references, type, protocol,
    /// interface, ..., inode).
    fn interface_of(socket: &impl AsRawFd) -> String {
        let link = std::fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).unwrap();
        let inode = link.to_str().unwrap().trim_start_matches("socket:[").trim_end_matches(']').to_owned();
        let table = std::fs::read_to_string("/proc/thread-self/net/packet").unwrap();
        let line = table.lines().find(|line| line.ends_with(&format!(" {inode}"))).unwrap();
        line.split_whitespace().nth(4).unwrap().to_owned()
    }

    #[test]
    fn a_receive_buffer_may_exceed_the_systems_limit() {
        let limit = std::fs::read_to_string("/proc/sys/net/core/rmem_max").unwrap();
        let wanted = limit.trim().parse::<i32>().unwrap() + 4096;
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        force_receive_buffer(&socket, wanted).expect("this test needs CAP_NET_ADMIN");
        // The kernel doubles what is asked for.
        assert_eq!(getsockopt(&socket, sockopt::RcvBuf).unwrap(), 2 * wanted as usize);
    }

    #[test]
    fn a_child_ends_with_the_thread_that_started_it() {
        let mut child = std::thread::spawn(|| {
            let mut command = Command::new("sleep");
            command.arg("600");
            die_with_parent(&mut command);
            command.spawn().unwrap()
        })
        .join()
        .unwrap();
        let status = wait_for_at_most_ten_seconds(&mut child);
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(libc::SIGTERM));
    }

    /// Its end; a child that does not end is killed, and shows as such.
    fn wait_for_at_most_ten_seconds(child: &mut std::process::Child) -> std::process::ExitStatus {
        let id = nix::unistd::Pid::from_raw(child.id().try_into().unwrap());
        let (done, overdue) = std::sync::mpsc::channel::<()>();
        let watchdog = std::thread::spawn(move || {
            if overdue.recv_timeout(std::time::Duration::from_secs(10)).is_err() {
                let _ = kill(id, Signal::SIGKILL);
            }
        });
        let status = child.wait().unwrap();
        let _ = done.send(());
        watchdog.join().unwrap();
        status
    }
}
