//! Which privileges the daemon lacks, said at start with what they are for (capabilities(7)).

use std::{fmt, fs, io};

use super::{KernelError, sys};

/// A capability that the daemon needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Adding and removing addresses.
    NetAdmin,
    /// Sending and receiving advertisements, gratuitous ARP.
    NetRaw,
    /// Starting scripts as another user.
    Setuid,
    /// Starting scripts as another group, without the daemon's.
    Setgid,
    /// Ending scripts of another user.
    Kill,
    /// Real-time scheduling.
    SysNice,
    /// Memory that stays in place.
    IpcLock,
    /// Ports below 1024.
    NetBindService,
    /// FIFOs of another user.
    Chown,
    /// Files and sockets of another user.
    DacOverride,
    /// Entering a network namespace.
    SysAdmin,
}

impl Capability {
    /// What the VRRP engine needs.
    pub const OF_VRRP: [Self; 2] = [Self::NetAdmin, Self::NetRaw];
    /// What scripts of another user need.
    pub const OF_SCRIPTS: [Self; 3] = [Self::Setuid, Self::Setgid, Self::Kill];

    /// What a daemon that was started as root keeps; for a network namespace [`Self::SysAdmin`], too.
    pub const KEPT: [Self; 10] = [
        Self::NetAdmin,
        Self::NetRaw,
        Self::NetBindService,
        Self::SysNice,
        Self::IpcLock,
        Self::Setuid,
        Self::Setgid,
        Self::Kill,
        Self::Chown,
        Self::DacOverride,
    ];

    /// Its name as capabilities(7) and systemd units spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NetAdmin => "CAP_NET_ADMIN",
            Self::NetRaw => "CAP_NET_RAW",
            Self::Setuid => "CAP_SETUID",
            Self::Setgid => "CAP_SETGID",
            Self::Kill => "CAP_KILL",
            Self::SysNice => "CAP_SYS_NICE",
            Self::IpcLock => "CAP_IPC_LOCK",
            Self::NetBindService => "CAP_NET_BIND_SERVICE",
            Self::Chown => "CAP_CHOWN",
            Self::DacOverride => "CAP_DAC_OVERRIDE",
            Self::SysAdmin => "CAP_SYS_ADMIN",
        }
    }

    /// The keywords and features that do not work without it.
    pub const fn needed_by(self) -> &'static str {
        match self {
            Self::NetAdmin => "adding the addresses of `virtual_ipaddress`",
            Self::NetRaw => "the advertisements of `vrrp_instance` and gratuitous ARP",
            Self::Setuid | Self::Setgid => "starting scripts of another user (`script_user`, `user`)",
            Self::Kill => "ending scripts of another user (`script_user`, `user`)",
            Self::SysNice => "real-time scheduling (`vrrp_rt_priority`)",
            Self::IpcLock => "memory that stays in place (`vrrp_no_swap`)",
            Self::NetBindService => "listening on a port below 1024 (`snmp_agent`)",
            Self::Chown => "the users of FIFOs (`notify_fifo`) and of the control socket (`control_group`)",
            Self::DacOverride => "an AgentX socket, a tracked file or a FIFO of another user",
            Self::SysAdmin => "entering `net_namespace`",
        }
    }

    /// Its bit in the kernel's masks (linux/capability.h).
    const fn bit(self) -> u64 {
        match self {
            Self::NetAdmin => 1 << 12,
            Self::NetRaw => 1 << 13,
            Self::Setuid => 1 << 7,
            Self::Setgid => 1 << 6,
            Self::Kill => 1 << 5,
            Self::SysNice => 1 << 23,
            Self::IpcLock => 1 << 14,
            Self::NetBindService => 1 << 10,
            Self::Chown => 1,
            Self::DacOverride => 1 << 1,
            Self::SysAdmin => 1 << 21,
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (needed for {})", self.name(), self.needed_by())
    }
}

/// Those of `needed` that this process lacks. Fails where /proc is not mounted.
pub fn missing_of(needed: &[Capability]) -> io::Result<Vec<Capability>> {
    let effective = effective(&fs::read_to_string("/proc/self/status")?)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no CapEff line in /proc/self/status"))?;
    Ok(lacking(effective, needed))
}

/// Has the calling thread, and those that it starts from now on, keep of its capabilities these alone. The programs that it
/// starts as root have all of them anew.
///
/// # Errors
/// Whatever the system says.
pub fn keep(kept: &[Capability]) -> Result<(), KernelError> {
    let mask = kept.iter().fold(0, |mask, capability| mask | capability.bit());
    sys::keep_capabilities(mask).map_err(|error| KernelError::from_io("giving up capabilities", &error))
}

/// The effective set in the text of /proc/PID/status.
fn effective(status: &str) -> Option<u64> {
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

fn lacking(effective: u64, needed: &[Capability]) -> Vec<Capability> {
    needed.iter().copied().filter(|capability| effective & capability.bit() == 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_lacks_nothing_and_an_ordinary_user_everything() {
        for needed in [&Capability::OF_VRRP[..], &Capability::OF_SCRIPTS] {
            assert_eq!(lacking(0x1ff_ffff_ffff, needed), []);
            assert_eq!(lacking(0, needed), needed);
        }
        assert_eq!(lacking(1 << 12, &Capability::OF_VRRP), [Capability::NetRaw]);
        // What a unit with CAP_SETGID, CAP_SETUID, CAP_NET_ADMIN and CAP_NET_RAW has.
        assert_eq!(lacking(0x30c0, &Capability::OF_VRRP), []);
        assert_eq!(lacking(0x30c0, &Capability::OF_SCRIPTS), [Capability::Kill]);
    }

    #[test]
    fn what_is_not_kept_is_gone_and_a_program_of_root_has_it_again() {
        std::thread::spawn(|| {
            keep(&Capability::KEPT).expect("this test needs root");
            let own = |file: &str| effective(&fs::read_to_string(file).unwrap()).unwrap();
            let mask = Capability::KEPT.iter().fold(0, |mask, capability| mask | capability.bit());
            assert_eq!(own("/proc/thread-self/status") & !mask, 0);
            assert_eq!(lacking(own("/proc/thread-self/status"), &Capability::OF_VRRP), []);
            let child = std::process::Command::new("cat").arg("/proc/self/status").output().unwrap();
            let child = effective(&String::from_utf8(child.stdout).unwrap()).unwrap();
            assert_ne!(child & !mask, 0, "{child:x}");
        })
        .join()
        .unwrap();
    }

    #[test]
    fn the_mask_is_read_from_the_status_file() {
        let status = "Name:\tsteadfast\nCapPrm:\t0000000000003000\nCapEff:\t0000000000002000\n";
        assert_eq!(effective(status), Some(0x2000));
        assert_eq!(effective("Name:\tsteadfast\n"), None);
        assert!(missing_of(&Capability::OF_VRRP).is_ok());
    }

    #[test]
    fn the_message_names_the_keyword() {
        let text = Capability::NetRaw.to_string();
        assert_eq!(text, "CAP_NET_RAW (needed for the advertisements of `vrrp_instance` and gratuitous ARP)");
    }
}
