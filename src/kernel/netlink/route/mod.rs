//! Routes: installed as the configuration says, and recognised when the kernel reports them.

mod attributes;
mod encap;
pub(super) mod seen;

use std::fmt;

use netlink_packet_core::{NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, NetlinkMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage, route::RouteMessage};

pub use self::seen::RouteInfo;
use super::Requests;
use crate::{
    config::{Insertion, Route},
    kernel::KernelError,
    units::{Family, IfIndex},
};

/// What the names in a line of the configuration stand for.
pub trait Devices {
    /// The interface of that name, if it exists.
    fn index(&self, name: &str) -> Option<IfIndex>;
    /// The routing table of a VRF.
    fn vrf_table(&self, name: &str) -> Option<u32>;
}

/// A route ready to be installed: its interfaces are known by index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreparedRoute {
    message: RouteMessage,
    insertion: Insertion,
    shown: String,
}

impl PreparedRoute {
    /// Whether everything that the line names exists, without which [`new`](Self::new) has nothing to prepare.
    pub fn is_possible(route: &Route, devices: &impl Devices) -> bool {
        let has_table = route.vrf.as_deref().is_none_or(|vrf| devices.vrf_table(vrf).is_some());
        has_table && route.devices().all(|name| devices.index(name).is_some())
    }

    /// `None` when an interface that the line names does not exist.
    pub fn new(route: &Route, devices: &impl Devices) -> Option<Self> {
        let message = attributes::message(route, devices)?;
        Some(Self { message, insertion: route.insertion, shown: route.to_string() })
    }

    /// Whether it is to be added only where no other one has its place.
    pub(super) fn is_exclusive(&self) -> bool {
        self.insertion == Insertion::Add
    }

    /// How the kernel will report it.
    pub fn info(&self) -> RouteInfo {
        seen::wanted(&self.message)
    }
}

impl fmt::Display for PreparedRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Requests {
    /// Every route of both families that has one of these protocols.
    pub async fn routes(&self, protocols: &[u8]) -> Result<Vec<RouteInfo>, KernelError> {
        let mut routes = Vec::new();
        for family in [AddressFamily::Inet, AddressFamily::Inet6] {
            for protocol in protocols {
                let request = || {
                    let mut message = RouteMessage::default();
                    message.header.address_family = family;
                    message.header.protocol = (*protocol).into();
                    RouteNetlinkMessage::GetRoute(message)
                };
                let messages = self.listing("listing the routes", request).await?;
                routes.extend(messages.into_iter().filter_map(|message| match message {
                    RouteNetlinkMessage::NewRoute(route) => seen::route(&route),
                    _ => None,
                }));
            }
        }
        Ok(routes)
    }
}

/// RTM_NEWROUTE with the flags that `ip route add`, `prepend` or `append` would send.
pub(super) fn add_request(route: &PreparedRoute) -> NetlinkMessage<RouteNetlinkMessage> {
    let how = match route.insertion {
        Insertion::Add => NLM_F_EXCL,
        Insertion::Prepend => 0,
        Insertion::Append => NLM_F_APPEND,
    };
    let mut message = NetlinkMessage::from(RouteNetlinkMessage::NewRoute(route.message.clone()));
    message.header.flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | how;
    message
}

/// RTM_DELROUTE with everything that the route has, so that the kernel takes no other one.
pub(super) fn remove_request(route: &PreparedRoute) -> NetlinkMessage<RouteNetlinkMessage> {
    let mut message = NetlinkMessage::from(RouteNetlinkMessage::DelRoute(route.message.clone()));
    message.header.flags = NLM_F_REQUEST | NLM_F_ACK;
    message
}

/// A table as the header of a route or rule has it: RT_TABLE_UNSPEC for one whose number is too large for it.
pub(super) fn header_table(table: u32) -> u8 {
    u8::try_from(table).unwrap_or(0)
}

/// A family by the kernel's name for it.
pub(super) fn address_family(family: Family) -> AddressFamily {
    match family {
        Family::V4 => AddressFamily::Inet,
        Family::V6 => AddressFamily::Inet6,
    }
}
