//! What makes a virtual router the one it is to the network.

use std::net::IpAddr;

use super::{Instance, VirtualLinkKind};
use crate::units::{Family, Vrid};

/// A virtual router as the network knows it: with another one of these it has to stop and start anew; whatever else
/// changes, it goes on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity<'a> {
    vrid: Vrid,
    family: Family,
    interface: &'a str,
    /// The link of its own: its kind and name.
    link: Option<(VirtualLinkKind, Option<&'a str>)>,
    /// The address it sends from, when that is written.
    source: Option<IpAddr>,
    /// The group it sends to; `None` for unicast, whose peers may come and go.
    group: Option<IpAddr>,
}

impl Instance {
    /// What makes it the virtual router it is to the network.
    pub fn identity(&self) -> Identity<'_> {
        Identity {
            vrid: self.vrid,
            family: self.family,
            interface: &self.interface,
            link: self.link.as_ref().map(|link| (link.kind, link.name.as_deref())),
            source: self.source,
            group: self.peers.is_empty().then_some(self.multicast_group),
        }
    }
}
