//! The system calls that no safe crate offers: one call per function, each with its reason to be sound.
#![allow(unsafe_code)]

use std::{
    io, mem,
    ops::Range,
    os::fd::{AsRawFd, BorrowedFd},
    os::unix::process::CommandExt as _,
    process::Command,
};

use nix::{
    errno::Errno,
    libc,
    sys::{prctl, signal::Signal},
    unistd::{self, Gid, Uid},
};

use super::limits;
use crate::units::IfIndex;

/// After the standard streams.
const FIRST_DESCRIPTOR: libc::c_int = 3;
/// Descriptors are searched up to here where the kernel does not do it at once; few programs start another
/// with one beyond.
const DESCRIPTORS: libc::c_int = 65_536;

/// Sends a whole frame through a packet socket (packet(7)) out of an interface, without waiting.
#[expect(clippy::cast_possible_truncation, reason = "a C constant and the size of a small struct")]
pub(super) fn send_frame(socket: BorrowedFd<'_>, index: IfIndex, frame: &[u8]) -> io::Result<()> {
    let index = libc::c_int::try_from(index.0).map_err(|_| Errno::ENXIO)?;
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
    // SAFETY: `address` is a live, initialised sockaddr_ll of `length` bytes and `frame` a slice of its own length;
    // sendto(2) only reads both. The descriptor is open for the duration of the borrow.
    let result = unsafe {
        libc::sendto(
            socket.as_raw_fd(),
            frame.as_ptr().cast(),
            frame.len(),
            libc::MSG_DONTWAIT,
            (&raw const address).cast(),
            length,
        )
    };
    Errno::result(result)?;
    Ok(())
}

/// The system's limit of receive buffers (net.core.rmem_max).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// SO_RCVBUF: no more than it allows.
    Kept,
    /// SO_RCVBUFFORCE, which needs CAP_NET_ADMIN.
    Ignored,
}

/// Sets a socket's receive buffer in bytes.
#[expect(clippy::cast_possible_truncation, reason = "the size of an int")]
pub(super) fn set_receive_buffer(socket: &impl AsRawFd, bytes: libc::c_int, limit: Limit) -> io::Result<()> {
    let option = match limit {
        Limit::Kept => libc::SO_RCVBUF,
        Limit::Ignored => libc::SO_RCVBUFFORCE,
    };
    let length = mem::size_of_val(&bytes) as libc::socklen_t;
    // SAFETY: the option's value is a C int of `length` bytes, which setsockopt(2) only reads; `socket`
    // owns its descriptor, and a wrong one would be refused with an error.
    let result = unsafe {
        libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, option, (&raw const bytes).cast(), length)
    };
    Errno::result(result)?;
    Ok(())
}

/// What a request about an interface is handed over in (struct ifreq of netdevice(7)): its name, and room for the
/// largest of the values that go with one.
#[repr(C)]
struct InterfaceRequest {
    name: [u8; libc::IFNAMSIZ],
    value: [u8; 24],
}

impl InterfaceRequest {
    /// About the interface of that name, with a value of at most 24 bytes; ENODEV for what cannot be a name.
    fn new(interface: &str, value: &[u8]) -> io::Result<Self> {
        let mut request = Self { name: [0; libc::IFNAMSIZ], value: [0; 24] };
        if interface.is_empty() || interface.len() >= libc::IFNAMSIZ || interface.contains('\0') {
            return Err(Errno::ENODEV.into());
        }
        request.name[..interface.len()].copy_from_slice(interface.as_bytes());
        request.value[..value.len()].copy_from_slice(value);
        Ok(request)
    }

    /// The `place`th number of 16 bits in the answer.
    fn number(&self, place: usize) -> u16 {
        u16::from_ne_bytes([self.value[2 * place], self.value[2 * place + 1]])
    }
}

/// The flags of an interface that fit into 16 bits (SIOCGIFFLAGS of netdevice(7)).
pub(super) fn interface_flags(socket: BorrowedFd<'_>, interface: &str) -> io::Result<u16> {
    let mut request = InterfaceRequest::new(interface, &[])?;
    // SAFETY: a live request as large as the kernel's structure, which it reads and writes.
    Errno::result(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFFLAGS as _, &raw mut request) })?;
    Ok(request.number(0))
}

/// A register of an interface's transceiver (struct mii_ioctl_data of linux/mii.h); needs CAP_NET_ADMIN.
pub(super) fn mii_register(socket: BorrowedFd<'_>, interface: &str, register: u16) -> io::Result<u16> {
    let mut request = InterfaceRequest::new(interface, &[])?;
    // SAFETY: a live request as large as the kernel's structure, which it reads and writes. The answer is the number of
    // the transceiver, which the second call takes, too.
    Errno::result(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGMIIPHY as _, &raw mut request) })?;
    request.value[2..4].copy_from_slice(&register.to_ne_bytes());
    // SAFETY: as above.
    Errno::result(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGMIIREG as _, &raw mut request) })?;
    Ok(request.number(3))
}

/// Whether an interface's driver says that there is a link (ETHTOOL_GLINK of linux/ethtool.h).
pub(super) fn ethtool_link(socket: BorrowedFd<'_>, interface: &str) -> io::Result<bool> {
    const GET_LINK: u32 = 0x0a;
    // struct ethtool_value: the command, and room for the answer.
    let mut command = [GET_LINK, 0];
    let place = (&raw mut command).expose_provenance();
    let mut request = InterfaceRequest::new(interface, &place.to_ne_bytes())?;
    // SAFETY: a live request as large as the kernel's structure, which it reads; at its beginning is the address of a
    // command that lives as long, and is as large as this one needs: two numbers of 32 bits, which it reads and writes.
    Errno::result(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCETHTOOL as _, &raw mut request) })?;
    Ok(command[1] != 0)
}

/// Schedules a thread of this process in real time (SCHED_RR) with that priority, or as usual when it is 0. What the
/// thread starts is scheduled as usual.
pub(super) fn schedule(thread: i32, priority: libc::c_int) -> io::Result<()> {
    let policy = if priority == 0 { libc::SCHED_OTHER } else { libc::SCHED_RR | libc::SCHED_RESET_ON_FORK };
    let parameters = libc::sched_param { sched_priority: priority };
    // SAFETY: a live sched_param, which sched_setscheduler(2) only reads; a number that is no thread is refused.
    Errno::result(unsafe { libc::sched_setscheduler(thread, policy, &raw const parameters) })?;
    Ok(())
}

/// Asks for turns of so many nanoseconds for a thread of this process that is scheduled as usual; sched_setattr(2).
pub(super) fn set_slice(thread: i32, nanoseconds: u64) -> io::Result<()> {
    let size = u32::try_from(size_of::<libc::sched_attr>()).map_err(|_| Errno::EINVAL)?;
    let mut attributes = libc::sched_attr {
        size,
        sched_policy: 0,
        sched_flags: 0,
        sched_nice: 0,
        sched_priority: 0,
        sched_runtime: 0,
        sched_deadline: 0,
        sched_period: 0,
    };
    let no_flags: libc::c_uint = 0;
    // SAFETY: a live structure, of which the kernel is told the size, to write into.
    Errno::result(unsafe {
        libc::syscall(libc::SYS_sched_getattr, thread, &raw mut attributes, size, no_flags)
    })?;
    attributes.sched_runtime = nanoseconds;
    // SAFETY: the same structure, which names its size, to read from.
    Errno::result(unsafe {
        libc::syscall(libc::SYS_sched_setattr, thread, &raw const attributes, no_flags)
    })?;
    Ok(())
}

/// Sends a signal of any number, also a real-time one, to one process.
pub(super) fn send_signal(process: u32, signal: libc::c_int) -> io::Result<()> {
    // Zero and below are groups of processes.
    let process = libc::pid_t::try_from(process).ok().filter(|process| *process > 0).ok_or(Errno::ESRCH)?;
    // SAFETY: kill(2) takes numbers.
    Errno::result(unsafe { libc::kill(process, signal) })?;
    Ok(())
}

/// Sets the nice value of a thread of this process.
pub(super) fn set_nice(thread: i32, nice: libc::c_int) -> io::Result<()> {
    let thread = libc::id_t::try_from(thread).map_err(|_| Errno::ESRCH)?;
    // SAFETY: setpriority(2) takes numbers; on Linux PRIO_PROCESS means one thread.
    Errno::result(unsafe { libc::setpriority(libc::PRIO_PROCESS, thread, nice) })?;
    Ok(())
}

/// Gives the pages of the heap that nothing is in back to the system.
pub(super) fn trim_heap() {
    // glibc keeps them otherwise; other allocators do as they do.
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim(3) takes a number, and touches nothing that is allocated.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Lets go of the pages that the code of this process is in; what runs next is mapped again from the page cache. Not while
/// another thread loads or unloads libraries.
pub(super) fn let_go_of_code() -> io::Result<()> {
    let maps = std::fs::read_to_string("/proc/self/maps")?;
    for range in maps.lines().filter_map(code) {
        let start = std::ptr::with_exposed_provenance_mut(range.start);
        // SAFETY: a private mapping of a file that may be run and never written, as it has just been read: its pages are
        // the file's, so that the kernel has the same bytes when they are used next (madvise(2)). Code stays where it is as
        // long as nothing is unloaded, which this program does with nothing.
        Errno::result(unsafe { libc::madvise(start, range.len(), libc::MADV_DONTNEED) })?;
    }
    Ok(())
}

/// The addresses of a mapping (proc(5), /proc/pid/maps) if it is of a file's code.
fn code(line: &str) -> Option<Range<usize>> {
    let words: Vec<_> = line.split_ascii_whitespace().collect();
    let [range, "r-xp", _, _, _, path, ..] = words[..] else { return None };
    let (start, end) = range.split_once('-')?;
    let at = |text| usize::from_str_radix(text, 16).ok();
    path.starts_with('/').then_some(at(start)?..at(end)?)
}

/// Who a program runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Supplementary ones.
    pub(super) groups: Vec<Gid>,
}

/// Parts the child from the daemon before it becomes the script: none of the daemon's descriptors, the limits of resources
/// that the daemon was started with, the user and groups of `owner` and no others, no capabilities of the daemon's, SIGTERM
/// when the thread that starts it ends.
///
/// The command must not have a user or group of its own: the standard library sets those before this runs,
/// and leaves a daemon that is not root its supplementary groups and its capabilities.
pub(super) fn part_from_parent(command: &mut Command, owner: Option<Identity>) {
    restore_limits(command);
    let parent = unistd::getpid();
    let daemon = (unistd::geteuid().as_raw(), unistd::getegid().as_raw());
    // An unprivileged daemon may not change its own groups, and need not in order to stay who it is.
    let another_user = owner.as_ref().is_some_and(|owner| owner.uid != daemon.0);
    let change = owner.filter(|owner| (owner.uid, owner.gid) != daemon || daemon.0 == 0);
    // SAFETY: between fork and exec the closure makes system calls and touches no lock, no allocator and
    // nothing of the parent's but copied numbers, so it is async-signal-safe. (An errno becomes an io::Error
    // without allocating.)
    unsafe {
        command.pre_exec(move || {
            close_descriptors_on_exec();
            if let Some(identity) = &change {
                become_user(identity)?;
            }
            drop_capabilities(another_user)?;
            // Last, as the kernel forgets it when the user changes.
            prctl::set_pdeathsig(Signal::SIGTERM)?;
            // The parent may have died before the line above; then nobody will send the signal.
            if unistd::getppid() != parent {
                return Err(Errno::ESRCH.into());
            }
            Ok(())
        });
    }
}

/// Has the child go by the limits of resources that this process was started with.
pub(super) fn restore_limits(command: &mut Command) {
    if let Some(before) = limits::before() {
        // SAFETY: between fork and exec the closure makes system calls alone, with copied numbers.
        unsafe {
            command.pre_exec(move || Ok(before.restore()?));
        }
    }
}

/// Async-signal-safe. In this order, as what permits the first two may go with the third.
fn become_user(identity: &Identity) -> io::Result<()> {
    let (uid, gid) = (Uid::from_raw(identity.uid), Gid::from_raw(identity.gid));
    unistd::setgroups(&identity.groups)?;
    unistd::setresgid(gid, gid, gid)?;
    unistd::setresuid(uid, uid, uid)?;
    Ok(())
}

/// The descriptors after the standard streams end with exec: the daemon's own do anyway, those that it was
/// started with do not. Async-signal-safe.
fn close_descriptors_on_exec() {
    let first = libc::c_ulong::from(FIRST_DESCRIPTOR.unsigned_abs());
    let last = libc::c_ulong::from(libc::c_uint::MAX);
    let flags = libc::c_ulong::from(libc::CLOSE_RANGE_CLOEXEC);
    // SAFETY: close_range(2) takes three numbers, and with this flag changes a flag of descriptors only.
    if unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) } != 0 {
        // Linux before 5.11, or a sandbox that does not know the call.
        close_each_descriptor_on_exec();
    }
}

/// Async-signal-safe; some milliseconds.
fn close_each_descriptor_on_exec() {
    for descriptor in FIRST_DESCRIPTOR..DESCRIPTORS {
        // SAFETY: fcntl(2) with F_SETFD takes numbers; one that is no descriptor is refused without effect.
        unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
}

/// What capset(2) is told about: version 3, the calling thread (linux/capability.h).
#[repr(C)]
struct CapabilityHeader {
    version: u32,
    thread: libc::c_int,
}

/// 32 capabilities of the calling thread as capget(2) and capset(2) exchange them; version 3 has two of these.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct CapabilitySets {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

impl CapabilityHeader {
    const fn own() -> Self {
        Self { version: 0x2008_0522, thread: 0 }
    }
}

/// Takes the calling thread what exec would pass on, the ambient and inheritable sets; and, for `another_user`,
/// what it may do until then: only the new user's own rights shall find and open the program.
///
/// The bounding set stays and no_new_privs is not set: a script that runs sudo keeps working. Async-signal-safe.
fn drop_capabilities(another_user: bool) -> io::Result<()> {
    let none: libc::c_ulong = 0;
    let clear = libc::PR_CAP_AMBIENT_CLEAR_ALL as libc::c_ulong;
    // SAFETY: prctl(2) takes numbers here, and the last three have to be 0.
    let result = unsafe { libc::prctl(libc::PR_CAP_AMBIENT, clear, none, none, none) };
    Errno::result(result)?;
    let mut header = CapabilityHeader::own();
    let mut sets = [CapabilitySets::default(); 2];
    if !another_user {
        // SAFETY: a live header and the two structures that its version has room for, laid out as the kernel's.
        let result = unsafe { libc::syscall(libc::SYS_capget, &raw mut header, sets.as_mut_ptr()) };
        Errno::result(result)?;
        for set in &mut sets {
            set.inheritable = 0;
        }
    }
    // SAFETY: as above; capset(2) only reads the two structures.
    let result = unsafe { libc::syscall(libc::SYS_capset, &raw mut header, sets.as_ptr()) };
    Errno::result(result)?;
    Ok(())
}

/// Leaves the calling thread of its capabilities those in `mask`, and none to be inherited.
#[expect(clippy::cast_possible_truncation, reason = "the two halves of the mask")]
pub(super) fn keep_capabilities(mask: u64) -> io::Result<()> {
    let mut header = CapabilityHeader::own();
    let mut sets = [CapabilitySets::default(); 2];
    // SAFETY: a live header and the two structures that its version has room for, laid out as the kernel's.
    Errno::result(unsafe { libc::syscall(libc::SYS_capget, &raw mut header, sets.as_mut_ptr()) })?;
    for (set, kept) in sets.iter_mut().zip([mask as u32, (mask >> 32) as u32]) {
        set.effective &= kept;
        set.permitted &= kept;
        set.inheritable &= kept;
    }
    // SAFETY: as above; capset(2) only reads the two structures.
    Errno::result(unsafe { libc::syscall(libc::SYS_capset, &raw mut header, sets.as_ptr()) })?;
    Ok(())
}

/// Stories of a daemon that is not root.
#[cfg(test)]
pub(crate) mod unprivileged {
    use super::*;

    pub(crate) const CAP_DAC_OVERRIDE: u32 = 1;
    pub(crate) const CAP_SETGID: u32 = 6;
    pub(crate) const CAP_SETUID: u32 = 7;
    pub(crate) const CAP_NET_ADMIN: u32 = 12;
    pub(crate) const CAP_NET_RAW: u32 = 13;

    /// Runs a story as user and group `id` with group 4711 beside and these capabilities as ambient ones, as
    /// systemd's AmbientCapabilities= starts a daemon. On a thread of its own, whose alone they are.
    pub(crate) fn with<T: Send + 'static>(
        id: u32,
        capabilities: &'static [u32],
        story: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        let thread = std::thread::spawn(move || {
            become_unprivileged(id, capabilities).expect("this test needs root");
            story()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// By system calls of its own, as the C library's would change all threads.
    fn become_unprivileged(id: u32, capabilities: &[u32]) -> io::Result<()> {
        let mask = capabilities.iter().fold(0, |mask, capability| mask | 1 << capability);
        let group: libc::gid_t = 4711;
        let id = libc::c_ulong::from(id);
        let (none, one): (libc::c_ulong, libc::c_ulong) = (0, 1);
        // SAFETY: numbers, and a live array of one group.
        unsafe {
            Errno::result(libc::prctl(libc::PR_SET_KEEPCAPS, one, none, none, none))?;
            Errno::result(libc::syscall(libc::SYS_setgroups, one, &raw const group))?;
            Errno::result(libc::syscall(libc::SYS_setresgid, id, id, id))?;
            Errno::result(libc::syscall(libc::SYS_setresuid, id, id, id))?;
        }
        let mut header = CapabilityHeader::own();
        let own = CapabilitySets { effective: mask, permitted: mask, inheritable: mask };
        let sets = [own, CapabilitySets::default()];
        // SAFETY: a live header and the two structures that its version has.
        Errno::result(unsafe { libc::syscall(libc::SYS_capset, &raw mut header, sets.as_ptr()) })?;
        for capability in capabilities {
            let raise = libc::PR_CAP_AMBIENT_RAISE as libc::c_ulong;
            let capability = libc::c_ulong::from(*capability);
            // SAFETY: prctl(2) takes numbers here.
            Errno::result(unsafe { libc::prctl(libc::PR_CAP_AMBIENT, raise, capability, none, none) })?;
        }
        Ok(())
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
    fn a_signal_reaches_one_process_or_none() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        send_signal(child.id(), libc::SIGTERM).unwrap();
        assert_eq!(
            std::os::unix::process::ExitStatusExt::signal(&child.wait().unwrap()),
            Some(libc::SIGTERM)
        );
        assert_eq!(send_signal(0, libc::SIGTERM).unwrap_err().raw_os_error(), Some(libc::ESRCH));
        assert_eq!(send_signal(std::process::id(), 999).unwrap_err().raw_os_error(), Some(libc::EINVAL));
    }

    #[test]
    fn a_frame_leaves_by_an_interface_that_exists() {
        let socket = socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, None)
            .expect("this test needs CAP_NET_RAW");
        let loopback = nix::net::if_::if_nametoindex("lo").unwrap();
        let sent = send_frame(socket.as_fd(), IfIndex(loopback), &[0; 60]);
        // It is the loopback's own affair to be up.
        assert!(sent.is_ok() || sent.unwrap_err().raw_os_error() == Some(libc::ENETDOWN));
        for none in [0x7fff_fff0, u32::MAX] {
            let error = send_frame(socket.as_fd(), IfIndex(none), &[0; 60]).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::ENXIO));
        }
    }

    #[test]
    fn a_receive_buffer_may_exceed_the_systems_limit() {
        let limit = std::fs::read_to_string("/proc/sys/net/core/rmem_max").unwrap();
        let wanted = limit.trim().parse::<i32>().unwrap() + 4096;
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        set_receive_buffer(&socket, wanted, Limit::Ignored).expect("this test needs CAP_NET_ADMIN");
        // The kernel doubles what is asked for.
        assert_eq!(getsockopt(&socket, sockopt::RcvBuf).unwrap(), 2 * wanted as usize);
    }

    #[test]
    fn an_old_kernel_is_asked_for_one_descriptor_after_the_other() {
        let inherited = unistd::dup(std::io::stderr()).unwrap();
        let flags = || nix::fcntl::fcntl(&inherited, nix::fcntl::FcntlArg::F_GETFD).unwrap();
        assert_eq!(flags(), 0);
        close_each_descriptor_on_exec();
        assert_eq!(flags(), libc::FD_CLOEXEC);
    }

    #[test]
    fn a_child_ends_with_the_thread_that_started_it() {
        let mut child = std::thread::spawn(|| {
            let mut command = Command::new("sleep");
            command.arg("600");
            part_from_parent(&mut command, None);
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
