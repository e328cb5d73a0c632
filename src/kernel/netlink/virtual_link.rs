//! Links of our own making: macvlans and ipvlans that virtual routers use, on a parent interface.

use std::fmt;

use futures_util::future::join_all;
use netlink_packet_core::{NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, NetlinkMessage};
use netlink_packet_route::{
    RouteNetlinkMessage,
    link::{
        InfoData, InfoIpVlan, InfoKind, InfoMacVlan, IpVlanFlags, IpVlanMode, LinkAttribute, LinkFlags,
        LinkInfo, LinkMessage, MacVlanMode,
    },
};
use nix::errno::Errno;

use super::{Isolation, Link, Requests, interface_name, requests::Refusal};
use crate::{kernel::KernelError, units::IfIndex};

/// A link to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLink {
    /// Its name, at most 15 bytes.
    pub name: String,
    /// The interface it is stacked upon.
    pub parent: IfIndex,
    /// A macvlan with this MAC in private mode, or an ipvlan, which has its parent's, in L2 mode.
    pub kind: NewLinkKind,
    /// The number that `ip link set group` gives.
    pub group: u32,
}

/// What kind of link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewLinkKind {
    /// A macvlan in private mode with this MAC.
    Macvlan([u8; 6]),
    /// An ipvlan in L2 mode, with its parent's MAC.
    Ipvlan(Isolation),
}

impl fmt::Display for NewLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            NewLinkKind::Macvlan(_) => "macvlan",
            NewLinkKind::Ipvlan(_) => "ipvlan",
        };
        write!(f, "{kind} {} on {}", self.name, interface_name(self.parent))
    }
}

impl Requests {
    /// Creates a link, down as all new ones are, and returns its index. EEXIST when the name is taken,
    /// EOPNOTSUPP when the kernel has no such kind, EINVAL or EBUSY when the parent cannot have it, ENODEV when there is no
    /// parent.
    pub async fn create_link(&self, link: &NewLink) -> Result<IfIndex, KernelError> {
        let failed = || format!("creating {link}");
        self.acknowledged(create_request(link)).await.map_err(|refusal| refusal.into_error(failed()))?;
        let index = nix::net::if_::if_nametoindex(link.name.as_str());
        index.map(IfIndex).map_err(|errno| KernelError::new(failed(), errno))
    }

    /// Deletes a link; that it is gone already is fine.
    pub async fn delete_link(&self, link: &Link) -> Result<(), KernelError> {
        let mut message = LinkMessage::default();
        message.header.index = link.index.0;
        let mut request = NetlinkMessage::from(RouteNetlinkMessage::DelLink(message));
        request.header.flags = NLM_F_REQUEST | NLM_F_ACK;
        match self.acknowledged(request).await {
            Ok(()) | Err(Refusal::Errno(Errno::ENODEV)) => Ok(()),
            Err(refusal) => Err(refusal.into_error(format!("deleting {}", link.name))),
        }
    }

    /// Deletes links, and returns what was refused; `others` are those that there are beside them.
    ///
    /// After each deletion the kernel waits until no processor can still be using the link, some 40 ms. It does so once
    /// for a whole group of links; so they get a group of their own first. Those that it will not delete so are deleted
    /// one by one.
    pub async fn delete_links(&self, links: &[Link], others: &[Link]) -> Vec<KernelError> {
        if links.len() > 1 {
            let group = free_group(others);
            join_all(links.iter().map(|link| self.move_link(link.index, group))).await;
            // Whatever stays is found below.
            let _ = self.delete_group(group).await;
        }
        let deleted = join_all(links.iter().map(|link| self.delete_link(link))).await;
        deleted.into_iter().filter_map(Result::err).collect()
    }

    async fn delete_group(&self, group: u32) -> Result<(), Refusal> {
        let mut message = LinkMessage::default();
        message.attributes.push(LinkAttribute::Group(group));
        let mut request = NetlinkMessage::from(RouteNetlinkMessage::DelLink(message));
        request.header.flags = NLM_F_REQUEST | NLM_F_ACK;
        self.acknowledged(request).await
    }

    /// Brings a link up. EADDRINUSE when another one on its parent has the same MAC and is up.
    pub async fn bring_up(&self, index: IfIndex) -> Result<(), KernelError> {
        let mut message = LinkMessage::default();
        message.header.index = index.0;
        message.header.flags = LinkFlags::Up;
        message.header.change_mask = LinkFlags::Up;
        let brought = self.change_link(message).await;
        brought.map_err(|refusal| refusal.into_error(format!("bringing {} up", interface_name(index))))
    }

    /// Has the kernel report a link to whoever listens, by giving it the group that it has.
    pub async fn repeat_link(&self, link: &Link) -> Result<(), KernelError> {
        let repeated = self.move_link(link.index, link.group).await;
        repeated.map_err(|refusal| refusal.into_error(format!("having {} reported", link.name)))
    }

    async fn move_link(&self, index: IfIndex, group: u32) -> Result<(), Refusal> {
        let mut message = LinkMessage::default();
        message.header.index = index.0;
        message.attributes.push(LinkAttribute::Group(group));
        self.change_link(message).await
    }

    async fn change_link(&self, message: LinkMessage) -> Result<(), Refusal> {
        let mut request = NetlinkMessage::from(RouteNetlinkMessage::NewLink(message));
        request.header.flags = NLM_F_REQUEST | NLM_F_ACK;
        self.acknowledged(request).await
    }
}

/// The largest number of a group.
const MAX_GROUP: u32 = i32::MAX.unsigned_abs();

/// A group that no link is in. People give their groups small numbers, and 0 is that of every link without one.
fn free_group(links: &[Link]) -> u32 {
    let is_free = |group: &u32| links.iter().all(|link| link.group != *group);
    // The kernel and iproute2 take them for signed numbers.
    (1..=MAX_GROUP).rev().find(is_free).unwrap_or(MAX_GROUP)
}

/// RTM_NEWLINK with everything that the link is; it appears complete or not at all.
fn create_request(link: &NewLink) -> NetlinkMessage<RouteNetlinkMessage> {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName(link.name.clone()));
    message.attributes.push(LinkAttribute::Link(link.parent.0));
    if link.group != 0 {
        message.attributes.push(LinkAttribute::Group(link.group));
    }
    let info = match link.kind {
        NewLinkKind::Macvlan(mac) => {
            message.attributes.push(LinkAttribute::Address(mac.to_vec()));
            let mode = InfoMacVlan::Mode(MacVlanMode::Private);
            vec![LinkInfo::Kind(InfoKind::MacVlan), LinkInfo::Data(InfoData::MacVlan(vec![mode]))]
        }
        NewLinkKind::Ipvlan(isolation) => {
            let flags = match isolation {
                Isolation::Bridge => IpVlanFlags::empty(),
                Isolation::Private => IpVlanFlags::Private,
                Isolation::Vepa => IpVlanFlags::Vepa,
            };
            let data = vec![InfoIpVlan::Mode(IpVlanMode::L2), InfoIpVlan::Flags(flags)];
            vec![LinkInfo::Kind(InfoKind::IpVlan), LinkInfo::Data(InfoData::IpVlan(data))]
        }
    };
    message.attributes.push(LinkAttribute::LinkInfo(info));
    let mut request = NetlinkMessage::from(RouteNetlinkMessage::NewLink(message));
    request.header.flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
    request
}
