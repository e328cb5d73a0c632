//! Settings of the network below /proc/sys/net (sysctl(8)): read, write.
//!
//! The kernel may take the lock of the whole network configuration for it, so it is nothing for a lane that sends
//! advertisements.

use std::{fmt, fs, io, path::PathBuf};

use crate::kernel::KernelError;

/// One setting, named as sysctl(8) prints it, with `/` for `.`: `ipv4/conf/eth0.5/arp_ignore`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sysctl(String);

impl Sysctl {
    /// A setting of an interface for IPv4; `all` and `default` are interfaces here.
    pub fn ipv4(interface: &str, key: &str) -> Self {
        Self(format!("ipv4/conf/{interface}/{key}"))
    }

    /// A setting of an interface for IPv6.
    pub fn ipv6(interface: &str, key: &str) -> Self {
        Self(format!("ipv6/conf/{interface}/{key}"))
    }

    /// A setting of IPv4 or IPv6 by its name below `net`, such as one that [`name`](Self::name) gave. `None` for a name
    /// that leads elsewhere.
    pub fn named(name: &str) -> Option<Self> {
        let (family, rest) = name.split_once('/')?;
        let is_ours =
            matches!(family, "ipv4" | "ipv6") && rest.split('/').all(|part| !matches!(part, "" | "." | ".."));
        is_ours.then(|| Self(name.to_owned()))
    }

    /// Whether hosts report the link-local groups that they join (ip-sysctl: `igmp_link_local_mcast_reports`).
    pub fn igmp_link_local_reports() -> Self {
        Self("ipv4/igmp_link_local_mcast_reports".to_owned())
    }

    /// Its name below `net`.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Its value now. ENOENT where there is no such interface, or the kernel has no such setting.
    pub fn read(&self) -> Result<i64, KernelError> {
        let value = fs::read_to_string(self.path()).and_then(|text| {
            text.trim().parse().map_err(|_| io::Error::other(format!("`{}` is no number", text.trim())))
        });
        value.map_err(|error| KernelError::from_io(format!("reading {self}"), &error))
    }

    /// Sets it. EROFS or EACCES where the settings are read-only, as in many containers.
    pub fn write(&self, value: i64) -> Result<(), KernelError> {
        fs::write(self.path(), value.to_string())
            .map_err(|error| KernelError::from_io(format!("setting {self} to {value}"), &error))
    }

    /// The network namespace of the calling thread counts.
    fn path(&self) -> PathBuf {
        PathBuf::from("/proc/sys/net").join(&self.0)
    }
}

/// As sysctl(8) prints it: with dots, but for those of an interface's name.
impl fmt::Display for Sysctl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("net.")?;
        for letter in self.0.chars() {
            match letter {
                '/' => f.write_str(".")?,
                '.' => f.write_str("/")?,
                other => fmt::Write::write_char(f, other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_shown_as_sysctl_takes_it() {
        assert_eq!(Sysctl::ipv4("eth0.5", "arp_ignore").to_string(), "net.ipv4.conf.eth0/5.arp_ignore");
    }

    #[test]
    fn a_name_leads_nowhere_but_below_ipv4_and_ipv6() {
        for name in
            ["/etc/passwd", "ipv4", "ipv4/", "ipv4//a", "ipv4/./a", "ipv4/a/..", "ipv5/a", "", "core/a"]
        {
            assert_eq!(Sysctl::named(name), None, "{name:?}");
        }
        let setting = Sysctl::ipv6("eth0.5", "addr_gen_mode");
        assert_eq!(Sysctl::named(setting.name()), Some(setting));
    }

    #[test]
    fn a_setting_of_no_interface_is_named_with_its_errno() {
        let error = Sysctl::ipv4("no-such-link", "arp_ignore").read().unwrap_err();
        assert_eq!(error.errno(), Some(2));
        assert_eq!(
            error.to_string(),
            "reading net.ipv4.conf.no-such-link.arp_ignore: No such file or directory"
        );
        assert_eq!(Sysctl::ipv4("lo", "arp_ignore").read().unwrap(), 0);
    }
}
