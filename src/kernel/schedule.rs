//! How threads get the processor, whether their memory stays in place, and whether others may see it.

use std::{
    ffi::CString,
    io,
    sync::atomic::{AtomicU8, Ordering},
    time::Duration,
};

use nix::{
    errno::Errno,
    libc,
    sched::{CpuSet, sched_setaffinity},
    sys::{
        mman::{MlockAllFlags, mlockall},
        prctl,
        resource::Resource,
    },
    unistd::{Pid, gettid},
};

use super::{KernelError, limits, sys};

/// The signal of a process that has a real-time thread which worked for longer than [`limit_real_time`] allows.
pub const EXCEEDED: i32 = libc::SIGXCPU;

/// The shortest turn that the kernel gives.
const TURN: Duration = Duration::from_micros(100);

/// A thread of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thread(i32);

impl Thread {
    /// The calling one.
    pub fn current() -> Self {
        Self(gettid().as_raw())
    }

    /// Real-time scheduling (SCHED_RR) with a priority from 1 to 99, the usual one with 0. Threads and processes that it
    /// starts have the usual one. EPERM without CAP_SYS_NICE.
    pub fn set_real_time(self, priority: u8) -> Result<(), KernelError> {
        sys::schedule(self.0, i32::from(priority)).map_err(|error| {
            KernelError::from_io(format!("setting the real-time priority {priority}"), &error)
                .needing(Some("CAP_SYS_NICE"))
        })
    }

    /// The nice value, from -20, the most, to 19. EACCES for a lower one without CAP_SYS_NICE.
    pub fn set_nice(self, nice: i8) -> Result<(), KernelError> {
        sys::set_nice(self.0, i32::from(nice)).map_err(|error| {
            KernelError::from_io(format!("setting the nice value {nice}"), &error)
                .needing(Some("CAP_SYS_NICE"))
        })
    }

    /// Short turns, so that it gets the processor at once when it wakes and others have longer ones: since Linux 6.12, which
    /// lets everybody else work on for some milliseconds otherwise. It gets no larger share of the time, and needs no
    /// permission. Before 6.12 nothing changes.
    pub fn take_short_turns(self) -> Result<(), KernelError> {
        let nanoseconds = u64::try_from(TURN.as_nanos()).unwrap_or(u64::MAX);
        sys::set_slice(self.0, nanoseconds)
            .map_err(|error| KernelError::from_io("asking for short turns", &error))
    }

    /// The processors it may run on, and threads that it starts. EINVAL when there is none of them.
    pub fn set_processors(self, processors: &[u16]) -> Result<(), KernelError> {
        let mut set = CpuSet::new();
        let bound = processors.iter().try_for_each(|processor| set.set(usize::from(*processor)));
        bound.and_then(|()| sched_setaffinity(Pid::from_raw(self.0), &set)).map_err(|errno| {
            KernelError::from_io(format!("binding to processors {processors:?}"), &errno.into())
        })
    }
}

/// The real-time priority that [`Hurry`] gives; 0 for none.
static HURRY: AtomicU8 = AtomicU8::new(0);

/// The calling thread works in real time until this is dropped, where that was asked for.
///
/// A thread that starts a program holds the lock of the memory that it shares with all others. When a busy machine takes the
/// processor from it meanwhile, a real-time thread that touches its memory waits with it, for tens of milliseconds.
#[derive(Debug)]
pub struct Hurry(Option<Thread>);

impl Hurry {
    /// Says which priority threads that hurry get from now on: that of those who would wait for them.
    pub fn allow(priority: u8) {
        HURRY.store(priority, Ordering::Relaxed);
    }

    pub(super) fn begin() -> Self {
        let priority = HURRY.load(Ordering::Relaxed);
        let thread = Thread::current();
        let is_faster = priority > 0 && thread.set_real_time(priority).is_ok();
        Self(is_faster.then_some(thread))
    }
}

impl Drop for Hurry {
    fn drop(&mut self) {
        if let Some(thread) = &self.0 {
            // A thread may always ask for less.
            let _ = thread.set_real_time(0);
        }
    }
}

/// Keeps what is in memory from others: no file of it is written when the process crashes, and no program of the same user
/// may look at it.
pub fn forbid_dumps() -> Result<(), KernelError> {
    prctl::set_dumpable(false).map_err(|errno| KernelError::from_io("forbidding memory dumps", &errno.into()))
}

/// Names the calling thread: in the first thread of a process the process, as ps(1) shows it. The first 15 bytes count.
pub fn name_process(name: &str) -> Result<(), KernelError> {
    let named = CString::new(name).map_err(io::Error::from);
    let named = named.and_then(|name| Ok(prctl::set_name(&name)?));
    named.map_err(|error| KernelError::from_io("naming the process", &error))
}

/// As many descriptors as the kernel lets a process have unless it is told otherwise (`fs.nr_open`).
const DESCRIPTORS: u64 = 1 << 20;

/// Has the hard limit on open descriptors be no lower than what the kernel lets a process have, where that is permitted
/// (CAP_SYS_RESOURCE): so [`allow_descriptors`] needs no permission. Nothing changes otherwise.
pub fn raise_descriptors() {
    let raised = limits::change(Resource::RLIMIT_NOFILE, |(soft, hard)| (soft, hard.max(DESCRIPTORS)));
    // Whoever wants more than there are says so.
    let _not_permitted = raised;
}

/// Lets the process have so many descriptors open, as far as the hard limit permits; more than before, never fewer. How many it
/// may have open.
pub fn allow_descriptors(wanted: u64) -> Result<u64, KernelError> {
    let raised = limits::change(Resource::RLIMIT_NOFILE, |(soft, hard)| (wanted.min(hard).max(soft), hard));
    raised.map_err(|errno| KernelError::from_io("permitting more open descriptors", &errno.into()))
}

/// Has a crash write the memory into a file, as far as the hard limit permits.
pub fn permit_cores() -> Result<(), KernelError> {
    let raised = limits::change(Resource::RLIMIT_CORE, |(_, hard)| (hard, hard));
    raised.map(drop).map_err(|errno| KernelError::from_io("permitting files of the memory", &errno.into()))
}

/// Keeps the memory of the process in place: what is used now and later is never swapped out. What is only reserved,
/// such as the stacks of threads, is not made up of memory for it. ENOMEM or EPERM beyond RLIMIT_MEMLOCK without
/// CAP_IPC_LOCK.
pub fn lock_memory() -> Result<(), KernelError> {
    // nix has no name for this one.
    let when_used = MlockAllFlags::from_bits_retain(libc::MCL_ONFAULT);
    mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE | when_used).map_err(
        |errno| match errno {
            Errno::ENOMEM => KernelError::other(
                "locking the memory",
                "it is more than RLIMIT_MEMLOCK permits (needs CAP_IPC_LOCK)",
            ),
            errno => KernelError::from_io("locking the memory", &errno.into()).needing(Some("CAP_IPC_LOCK")),
        },
    )
}

/// How many microseconds a thread with real-time scheduling may work without waiting for anything; then the process gets
/// SIGXCPU, and once more with every second.
pub fn limit_real_time(microseconds: u64) -> Result<(), KernelError> {
    limits::change(Resource::RLIMIT_RTTIME, |_| (microseconds, libc::RLIM_INFINITY))
        .map(drop)
        .map_err(|errno| KernelError::from_io("limiting real-time work", &errno.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of /proc/PID/stat behind the name: the 18th field of all.
    fn priority() -> String {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        stat.rsplit(") ").next().unwrap().split(' ').nth(15).unwrap().to_owned()
    }

    #[test]
    fn a_thread_hurries_only_where_that_is_asked_for_and_only_for_a_while() {
        let usual = priority();
        drop(Hurry::begin());
        Hurry::allow(7);
        let hurry = Hurry::begin();
        // A real-time priority is shown below zero, from -2 for 1 on.
        assert_eq!(priority(), "-8");
        Hurry::allow(0);
        drop(hurry);
        assert_eq!(priority(), usual);
        drop(Hurry::begin());
        assert_eq!(priority(), usual);
    }

    #[test]
    fn what_is_in_memory_can_be_kept_from_others() {
        forbid_dumps().unwrap();
        let is_forbidden = !prctl::get_dumpable().unwrap();
        // For the tests beside this one.
        prctl::set_dumpable(true).unwrap();
        assert!(is_forbidden);
    }

    /// Fields of the calling thread's stat (proc_pid_stat(5)), numbered as there.
    fn stat(fields: [usize; 3]) -> [i64; 3] {
        let text = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let after_name: Vec<&str> = text.rsplit_once(") ").unwrap().1.split(' ').collect();
        fields.map(|field| after_name[field - 3].parse().unwrap())
    }

    const NICE: usize = 19;
    const REAL_TIME: usize = 40;
    const POLICY: usize = 41;

    #[test]
    fn a_thread_is_scheduled_as_told_and_as_before() {
        std::thread::spawn(|| {
            let thread = Thread::current();
            thread.set_nice(3).unwrap();
            thread.set_real_time(7).expect("this test needs CAP_SYS_NICE");
            assert_eq!(stat([NICE, REAL_TIME, POLICY]), [3, 7, 2]);
            let child = std::thread::spawn(|| stat([NICE, REAL_TIME, POLICY])).join().unwrap();
            assert_eq!(child[1..], [0, 0], "what it starts is not real-time");
            thread.set_real_time(0).unwrap();
            assert_eq!(stat([NICE, REAL_TIME, POLICY]), [3, 0, 0]);
        })
        .join()
        .unwrap();
    }

    /// As the kernel shows it; `None` where it has no turns of a length that can be asked for.
    fn turn() -> Option<f64> {
        let text = std::fs::read_to_string("/proc/thread-self/sched").ok()?;
        let line = text.lines().find(|line| line.starts_with("se.slice"))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    #[test]
    fn a_thread_that_takes_short_turns_keeps_its_nice_value_and_takes_them_after_real_time_too() {
        std::thread::spawn(|| {
            let thread = Thread::current();
            thread.set_nice(3).unwrap();
            let before = turn();
            thread.take_short_turns().unwrap();
            let short = turn();
            assert!(short.zip(before).is_none_or(|(short, before)| short < before), "{short:?} {before:?}");
            thread.set_real_time(7).expect("this test needs CAP_SYS_NICE");
            thread.set_real_time(0).unwrap();
            assert_eq!(turn(), short);
            assert_eq!(stat([NICE, REAL_TIME, POLICY]), [3, 0, 0]);
        })
        .join()
        .unwrap();
    }

    #[test]
    fn a_thread_runs_on_the_processors_it_is_told() {
        std::thread::spawn(|| {
            Thread::current().set_processors(&[0]).unwrap();
            let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
            assert!(status.contains("Cpus_allowed_list:\t0\n"), "{status}");
            let error = Thread::current().set_processors(&[1023]).unwrap_err();
            assert_eq!(error.errno(), Some(libc::EINVAL));
        })
        .join()
        .unwrap();
    }
}
