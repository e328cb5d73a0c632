//! IPVS over generic netlink (linux/ip_vs.h): virtual services, their destinations, synchronisation of connections.
//!
//! A codec of our own: no crate speaks it. [`Ipvs`] is a socket in the network namespace of the thread that opened it; a
//! [`Change`] is one request, and many go to the kernel together. What the kernel holds comes back as
//! [`Held`] services and destinations. Nothing is decided here: what should be in the table, and what a refusal means,
//! is for whoever asks.
//!
//! The kernel works on a request while it is being sent, and may load a module for it: not for a lane that may not wait.
//! What the bytes mean was held against what Debian's 6.1 kernel answers, and `ipvsadm` says whether it understood them.

mod change;
mod daemon;
mod destination;
mod family;
mod service;
mod socket;
mod statistics;
#[cfg(test)]
mod tests;
mod wide;

use crate::kernel::{KernelError, ReceiveBuffer};

pub use change::Change;
pub use daemon::{Role, SyncDaemon};
pub use destination::{Connections, Destination, DestinationKey, Encapsulation, Forwarding};
pub use service::{Flags, Persistence, Protocol, Service, ServiceKey};
pub use statistics::Statistics;

use family::Opened;

/// What the kernel's answers say, from the attributes behind the header of generic netlink on.
pub mod answers {
    pub use super::{daemon::read as daemon, destination::read as destination, service::read as service};
}

/// The commands of the family (IPVS_CMD_*).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Command {
    NewService = 1,
    SetService = 2,
    DeleteService = 3,
    GetService = 4,
    NewDestination = 5,
    SetDestination = 6,
    DeleteDestination = 7,
    GetDestination = 8,
    NewDaemon = 9,
    DeleteDaemon = 10,
    GetDaemon = 11,
    SetConfig = 12,
    GetConfig = 13,
    GetInfo = 15,
    Flush = 17,
}

/// The attributes at the top of a message (IPVS_CMD_ATTR_*).
mod attribute {
    pub(super) const SERVICE: u16 = 1;
    pub(super) const DESTINATION: u16 = 2;
    pub(super) const DAEMON: u16 = 3;
    pub(super) const TIMEOUT_TCP: u16 = 4;
    pub(super) const TIMEOUT_TCP_FIN: u16 = 5;
    pub(super) const TIMEOUT_UDP: u16 = 6;
}

/// Something in the kernel's table, with what the kernel counts of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held<T> {
    /// What it is.
    pub what: T,
    /// Since it was made or zeroed.
    pub statistics: Statistics,
}

/// `lvs_timeouts`: how long connections are remembered, in seconds; `None` leaves one as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// TCP.
    pub tcp: Option<u32>,
    /// TCP after a FIN.
    pub tcp_fin: Option<u32>,
    /// UDP.
    pub udp: Option<u32>,
}

/// IPVS in a network namespace.
#[derive(Debug)]
pub struct Ipvs(Opened);

impl Ipvs {
    /// In the network namespace of this thread. The kernel loads the module by itself where it can; otherwise `modprobe` is
    /// tried.
    ///
    /// # Errors
    ///
    /// Without CAP_NET_ADMIN, and where the kernel has no IPVS: the error names the module.
    pub fn open(buffer: ReceiveBuffer) -> Result<Self, KernelError> {
        family::open(buffer).map(Self)
    }

    /// Has the kernel make changes, in order. Each has its own answer; one that is refused does not keep the next ones from
    /// being made.
    pub fn make(&mut self, changes: &[Change]) -> Vec<Result<(), KernelError>> {
        self.0.make(changes)
    }

    /// The services in the table.
    pub fn services(&mut self) -> Result<Vec<Held<Service>>, KernelError> {
        let answers = self.0.list("listing the services of IPVS", Command::GetService, |_| {})?;
        Ok(answers.iter().filter_map(|answer| service::read(answer)).collect())
    }

    /// The destinations of a service; none where the service is not in the table.
    pub fn destinations(
        &mut self,
        service: &ServiceKey,
    ) -> Result<Vec<Held<(Destination, Connections)>>, KernelError> {
        let doing = format!("listing the servers of {service}");
        let answers = self.0.list(&doing, Command::GetDestination, |request| {
            request.nest(attribute::SERVICE, |key| service.write(key));
        })?;
        Ok(answers.iter().filter_map(|answer| destination::read(answer, service.family())).collect())
    }

    /// The daemons that synchronise connections.
    pub fn daemons(&mut self) -> Result<Vec<SyncDaemon>, KernelError> {
        let answers = self.0.list("listing the daemons of IPVS", Command::GetDaemon, |_| {})?;
        Ok(answers.iter().filter_map(|answer| daemon::read(answer)).collect())
    }

    /// How long connections are remembered.
    pub fn timeouts(&mut self) -> Result<Timeouts, KernelError> {
        let answer = self.0.ask("reading the time-outs of IPVS", Command::GetConfig)?;
        let values = crate::kernel::attributes::Values::of(&answer);
        Ok(Timeouts {
            tcp: values.u32(attribute::TIMEOUT_TCP),
            tcp_fin: values.u32(attribute::TIMEOUT_TCP_FIN),
            udp: values.u32(attribute::TIMEOUT_UDP),
        })
    }

    /// The version of IPVS (major, minor, patch) and how many chains its table of connections has (`conn_tab_bits`).
    pub fn info(&mut self) -> Result<([u8; 3], u32), KernelError> {
        let answer = self.0.ask("asking IPVS for its version", Command::GetInfo)?;
        let values = crate::kernel::attributes::Values::of(&answer);
        let [_, version @ ..] = values.u32(1).unwrap_or_default().to_be_bytes();
        Ok((version, values.u32(2).unwrap_or_default()))
    }
}
