//! What there is to change: an address, a route or a rule, to be added or removed.

use netlink_packet_core::NetlinkMessage;
use netlink_packet_route::RouteNetlinkMessage;
use nix::errno::Errno;

use super::{Address, PreparedRoute, PreparedRule, address, interface_name, requests::Refusal, route, rule};
use crate::kernel::KernelError;

/// A change to ask the kernel for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Put an address on its interface. ENODEV when the interface is not there, EPERM without CAP_NET_ADMIN.
    AddAddress(Address),
    /// Take an address from its interface; that it or its interface is gone already is fine.
    RemoveAddress(Address),
    /// Install a route. EEXIST when another one has its place and it was to be added only where there is none; ENETUNREACH
    /// when its gateway cannot be reached, ENETDOWN when its interface is down.
    AddRoute(PreparedRoute),
    /// Remove a route; that it is gone already is fine.
    RemoveRoute(PreparedRoute),
    /// Install a rule; that the very same is there already is fine.
    AddRule(PreparedRule),
    /// Remove a rule; that it is gone already is fine.
    RemoveRule(PreparedRule),
}

/// What the kernel did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granted {
    /// It added it, or had it already.
    Added(Added),
    /// It removed it, or did not have it.
    Removed,
}

/// Whether an address was put there by us, which decides whether it is ours to remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It was not there before.
    New,
    /// It was there already (EEXIST): same interface, address and prefix.
    AlreadyThere,
}

impl Change {
    /// The request.
    pub(super) fn message(&self) -> NetlinkMessage<RouteNetlinkMessage> {
        match self {
            Self::AddAddress(address) => address::add_request(address),
            Self::RemoveAddress(address) => address::remove_request(address),
            Self::AddRoute(route) => route::add_request(route),
            Self::RemoveRoute(route) => route::remove_request(route),
            Self::AddRule(rule) => rule::add_request(rule),
            Self::RemoveRule(rule) => rule::remove_request(rule),
        }
    }

    /// What the kernel's answer to the request means.
    pub(super) fn judge(&self, answer: Result<(), Refusal>) -> Result<Granted, KernelError> {
        let refusal = match answer {
            Ok(()) => return Ok(self.granted(Added::New)),
            Err(Refusal::Errno(errno)) if self.is_met_by(errno) => {
                return Ok(self.granted(Added::AlreadyThere));
            }
            Err(refusal) => refusal,
        };
        let place = |address: &Address| (address.to_string(), interface_name(address.index));
        Err(refusal.into_error(match self {
            Self::AddAddress(address) => {
                let (address, interface) = place(address);
                format!("adding {address} to {interface}")
            }
            Self::RemoveAddress(address) => {
                let (address, interface) = place(address);
                format!("removing {address} from {interface}")
            }
            Self::AddRoute(route) => format!("adding route {route}"),
            Self::RemoveRoute(route) => format!("removing route {route}"),
            Self::AddRule(rule) => format!("adding rule {rule}"),
            Self::RemoveRule(rule) => format!("removing rule {rule}"),
        }))
    }

    /// Whether what is refused for that reason is so already.
    fn is_met_by(&self, errno: Errno) -> bool {
        match self {
            Self::AddAddress(_) | Self::AddRule(_) => errno == Errno::EEXIST,
            Self::AddRoute(route) => errno == Errno::EEXIST && !route.is_exclusive(),
            Self::RemoveAddress(_) => matches!(errno, Errno::EADDRNOTAVAIL | Errno::ENODEV),
            Self::RemoveRoute(_) => matches!(errno, Errno::ESRCH | Errno::ENODEV),
            Self::RemoveRule(_) => errno == Errno::ENOENT,
        }
    }

    fn granted(&self, added: Added) -> Granted {
        match self {
            Self::AddAddress(_) => Granted::Added(added),
            // Whose they are is known by other means.
            Self::AddRoute(_) | Self::AddRule(_) => Granted::Added(Added::New),
            Self::RemoveAddress(_) | Self::RemoveRoute(_) | Self::RemoveRule(_) => Granted::Removed,
        }
    }
}
