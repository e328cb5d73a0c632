//! What anyone changes: links, addresses, routes and rules, in the kernel's order.

use std::{collections::VecDeque, io};

use netlink_packet_core::{NLM_F_REPLACE, NetlinkBuffer, NetlinkMessage};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::{AsyncSocket, AsyncSocketExt, SocketAddr, TokioSocket, protocols::NETLINK_ROUTE};
use nix::libc;
use rtnetlink::MulticastGroup;

use super::{AddressInfo, Link, RouteInfo, RuleInfo, decode};
use crate::{
    kernel::{KernelError, ReceiveBuffer},
    units::IfIndex,
};

/// Bytes the kernel may queue for us: some 4,000 events (it counts about 1 KiB for each) while the lane is
/// busy with something else. Past it comes [`Event::Overrun`].
const RECEIVE_BUFFER: u32 = 4 << 20;
/// Room for one datagram; the kernel makes none longer than 32 KiB.
const DATAGRAM: usize = 64 << 10;
/// Datagrams thrown away before the lane's other work gets its turn.
const DISCARDED_AT_ONCE: usize = 256;

/// A change, whoever made it; our own changes come back as events too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An interface appeared or something about it changed (or may have: the kernel repeats itself).
    Link(Link),
    /// An interface is gone, deleted or moved to another namespace.
    LinkGone {
        /// The index it had.
        index: IfIndex,
        /// The name it had.
        name: String,
    },
    /// An address is there, new or with changed attributes.
    AddressAdded(AddressInfo),
    /// An address is gone.
    AddressRemoved(AddressInfo),
    /// A route is there, new or with changed attributes.
    RouteAdded {
        /// The route.
        route: RouteInfo,
        /// Another one that had its place is gone.
        replaces: bool,
    },
    /// A route is gone. The kernel says nothing of IPv4 routes that go with their interface.
    RouteRemoved(RouteInfo),
    /// A rule is there.
    RuleAdded(RuleInfo),
    /// A rule is gone.
    RuleRemoved(RuleInfo),
    /// Changes were lost: what is known must be listed anew through [`Requests`](super::Requests). Every
    /// change after this event is reported again.
    Overrun,
}

/// What to hear of beside links and addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// Routes of these protocols, and those that replace others; none without a protocol.
    pub protocols: Vec<u8>,
    /// Rules.
    pub rules: bool,
}

impl Watch {
    fn groups(&self) -> impl Iterator<Item = MulticastGroup> {
        let routes = [MulticastGroup::Ipv4Route, MulticastGroup::Ipv6Route];
        let rules = [MulticastGroup::Ipv4Rule, MulticastGroup::Ipv6Rule];
        let routes = routes.into_iter().filter(|_| !self.protocols.is_empty());
        routes.chain(rules.into_iter().filter(|_| self.rules))
    }

    /// Whether a message is worth decoding: a router with a full table has hundreds of thousands of routes that are none
    /// of our business.
    fn wants(&self, kind: u16, flags: u16, body: &[u8]) -> bool {
        let is_route = matches!(kind, libc::RTM_NEWROUTE | libc::RTM_DELROUTE);
        // struct rtmsg: the protocol is its sixth byte.
        let is_ours = || body.get(5).is_some_and(|protocol| self.protocols.contains(protocol));
        !is_route || flags & NLM_F_REPLACE != 0 || is_ours()
    }
}

/// A subscription to the kernel's changes.
pub struct Events {
    socket: TokioSocket,
    watch: Watch,
    datagram: Vec<u8>,
    decoded: VecDeque<Event>,
    /// Changes were lost and the queue has not been emptied since.
    lost: bool,
}

impl Events {
    /// Subscribes; every change from here on is reported. Needs a tokio runtime with I/O enabled, no
    /// capability.
    pub fn open(watch: Watch, buffer: ReceiveBuffer) -> Result<Self, KernelError> {
        Self::subscribe(watch, buffer).map_err(|error| {
            KernelError::from_io("subscribing to changes of links, addresses, routes and rules", &error)
        })
    }

    fn subscribe(watch: Watch, buffer: ReceiveBuffer) -> io::Result<Self> {
        let mut socket = TokioSocket::new(NETLINK_ROUTE)?;
        buffer.give(&socket, RECEIVE_BUFFER)?;
        let groups = [MulticastGroup::Link, MulticastGroup::Ipv4Ifaddr, MulticastGroup::Ipv6Ifaddr];
        let groups =
            groups.into_iter().chain(watch.groups()).fold(0, |mask, group| mask | 1 << (group as u32 - 1));
        socket.socket_mut().bind(&SocketAddr::new(0, groups))?;
        let (datagram, decoded) = (Vec::with_capacity(DATAGRAM), VecDeque::new());
        Ok(Self { socket, watch, datagram, decoded, lost: false })
    }

    /// The next change. Cancelling it loses nothing. An error means that the subscription is dead: open
    /// another and list anew.
    pub async fn next(&mut self) -> Result<Event, KernelError> {
        loop {
            if let Some(event) = self.decoded.pop_front() {
                return Ok(event);
            }
            if self.lost {
                self.empty_queue().await?;
                return Ok(Event::Overrun);
            }
            self.datagram.clear();
            match self.socket.recv_from(&mut self.datagram).await {
                // Port 0 is the kernel; nobody else has anything to tell.
                Ok(from) if from.port_number() == 0 => {
                    self.decoded.extend(events(&self.datagram, &self.watch))
                }
                Ok(_) => {}
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => self.lost = true,
                Err(error) => return Err(receiving(&error)),
            }
        }
    }

    /// A change that has been reported already, if there is one: asked of the kernel, not of tokio, which may
    /// not have noticed it yet. A loss or an error shows at the next [`next`](Self::next). It reads no more datagrams
    /// than the `budget` has left, from which it takes them: whoever floods the host with changes must not keep the lane.
    pub fn try_next(&mut self, budget: &mut usize) -> Option<Event> {
        while self.decoded.is_empty() && !self.lost {
            *budget = budget.checked_sub(1)?;
            self.datagram.clear();
            match self.socket.socket_ref().recv_from(&mut self.datagram, libc::MSG_DONTWAIT) {
                Ok((_, from)) if from.port_number() == 0 => {
                    self.decoded.extend(events(&self.datagram, &self.watch))
                }
                Ok(_) => {}
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => self.lost = true,
                Err(_) => return None,
            }
        }
        self.decoded.pop_front()
    }

    /// Throws away what is queued. After it has said ENOBUFS once, the kernel drops further changes
    /// without a word until its queue has been empty; a listing made before that would miss them.
    async fn empty_queue(&mut self) -> Result<(), KernelError> {
        loop {
            for _ in 0..DISCARDED_AT_ONCE {
                self.datagram.clear();
                match self.socket.socket_ref().recv_from(&mut self.datagram, libc::MSG_DONTWAIT) {
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        self.lost = false;
                        return Ok(());
                    }
                    Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {}
                    Err(error) => return Err(receiving(&error)),
                }
            }
            tokio::task::yield_now().await;
        }
    }
}

fn receiving(error: &io::Error) -> KernelError {
    KernelError::from_io("receiving changes of links, addresses, routes and rules", error)
}

/// The events in one datagram. One that cannot be read is not skipped, since it might have been the one
/// that matters: it counts as lost.
fn events(mut datagram: &[u8], watch: &Watch) -> Vec<Event> {
    let mut events = Vec::new();
    while !datagram.is_empty() {
        let message = match NetlinkBuffer::new_checked(datagram) {
            Ok(message) => message,
            Err(error) => {
                tracing::warn!(%error, "netlink: a message with a broken header");
                events.push(Event::Overrun);
                break;
            }
        };
        let length = message.length() as usize;
        let kind = message.message_type();
        if watch.wants(kind, message.flags(), message.payload()) {
            match NetlinkMessage::<RouteNetlinkMessage>::deserialize(&datagram[..length]) {
                Ok(message) => events.extend(decode::event(message)),
                // It cannot be one of ours, and to list them all would bring it again.
                Err(error) if is_of_routes(kind) => {
                    tracing::debug!(%error, "netlink: a route or rule that cannot be decoded");
                }
                Err(error) => {
                    tracing::warn!(%error, "netlink: a message that cannot be decoded");
                    events.push(Event::Overrun);
                }
            }
        }
        // Messages are aligned to four bytes; the last one may lack its padding.
        datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    events
}

fn is_of_routes(kind: u16) -> bool {
    matches!(kind, libc::RTM_NEWROUTE | libc::RTM_DELROUTE | libc::RTM_NEWRULE | libc::RTM_DELRULE)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::{super::Detection, *};

    fn events(datagram: &[u8]) -> Vec<Event> {
        super::events(datagram, &Watch::default())
    }

    const RTM_NEWLINK: u16 = 16;
    const RTM_DELLINK: u16 = 17;
    const RTM_NEWADDR: u16 = 20;
    const RTM_DELADDR: u16 = 21;
    const AF_BRIDGE: u8 = 7;

    /// One message: nlmsghdr, then the family's header and the attributes.
    fn message(kind: u16, header: &[u8], attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = header.to_vec();
        for (kind, value) in attributes {
            let length = u16::try_from(value.len() + 4).unwrap();
            body.extend(length.to_ne_bytes());
            body.extend(kind.to_ne_bytes());
            body.extend(*value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        let length = u32::try_from(body.len() + 16).unwrap();
        let mut message = length.to_ne_bytes().to_vec();
        message.extend(kind.to_ne_bytes());
        message.extend([0; 10]);
        message.extend(body);
        message
    }

    /// struct ifinfomsg.
    fn ifinfo(family: u8, flags: u32) -> Vec<u8> {
        let mut header = vec![family, 0];
        header.extend(1_u16.to_ne_bytes());
        header.extend(7_u32.to_ne_bytes());
        header.extend(flags.to_ne_bytes());
        header.extend([0; 4]);
        header
    }

    /// struct ifaddrmsg: /24, permanent, scope link.
    fn ifaddr(family: u8, flags: u8) -> Vec<u8> {
        let mut header = vec![family, 24, flags, 253];
        header.extend(7_u32.to_ne_bytes());
        header
    }

    const NAME: (u16, &[u8]) = (3, b"eth7\0");

    #[test]
    fn a_link_is_up_when_it_is_up_and_running() {
        let mtu = 1500_u32.to_ne_bytes();
        let attributes = [NAME, (4, &mtu[..]), (1, &[2, 0, 0, 0, 0, 7][..])];
        let link = |flags| match events(&message(RTM_NEWLINK, &ifinfo(0, flags), &attributes)).as_slice() {
            [Event::Link(link)] => link.clone(),
            other => panic!("{other:?}"),
        };
        let expected = Link { mac: Some([2, 0, 0, 0, 0, 7]), ..Link::sample(7, "eth7") };
        assert_eq!(link(0x1041), expected);
        assert_eq!(link(0x1001), Link { up: false, ..expected.clone() });
        assert_eq!(link(0x1040), Link { up: false, enabled: false, ..expected.clone() });
        assert_eq!(link(0x10c9), Link { noarp: true, loopback: true, ..expected });
    }

    #[test]
    fn a_port_that_leaves_its_bridge_is_not_gone() {
        assert_eq!(events(&message(RTM_DELLINK, &ifinfo(AF_BRIDGE, 0x1043), &[NAME])), []);
        let gone = Event::LinkGone { index: IfIndex(7), name: "eth7".to_owned() };
        assert_eq!(events(&message(RTM_DELLINK, &ifinfo(0, 0x1002), &[NAME])), [gone]);
    }

    #[test]
    fn a_fragment_about_wireless_is_not_a_link() {
        assert_eq!(events(&message(RTM_NEWLINK, &ifinfo(0, 0x1043), &[NAME])), []);
    }

    #[test]
    fn messages_of_one_datagram_keep_their_order() {
        let info = AddressInfo {
            index: IfIndex(7),
            address: [10, 9, 0, 100].into(),
            prefix: 24,
            label: Some("eth7:1".to_owned()),
            secondary: true,
            scope: 253,
            detection: Detection::Passed,
        };
        let attributes: [(u16, &[u8]); 3] = [(1, &[10, 9, 0, 1]), (2, &[10, 9, 0, 100]), (3, b"eth7:1\0")];
        let mut datagram = message(RTM_DELADDR, &ifaddr(2, 0x81), &attributes);
        datagram.extend(message(RTM_NEWADDR, &ifaddr(2, 0x81), &attributes));
        assert_eq!(events(&datagram), [Event::AddressRemoved(info.clone()), Event::AddressAdded(info)]);
    }

    #[test]
    fn an_ipv6_address_tells_how_far_its_detection_is() {
        let address: Ipv6Addr = "fe80::1".parse().unwrap();
        let detection = |header: u8, flags: u32| {
            let flags = flags.to_ne_bytes();
            let attributes: [(u16, &[u8]); 2] = [(1, &address.octets()), (8, &flags)];
            match events(&message(RTM_NEWADDR, &ifaddr(10, header), &attributes)).as_slice() {
                [Event::AddressAdded(info)] => {
                    assert_eq!((info.address, info.secondary), (address.into(), false));
                    info.detection
                }
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(detection(0x80, 0x80), Detection::Passed);
        assert_eq!(detection(0xc0, 0xc0), Detection::Tentative);
        assert_eq!(detection(0xc8, 0xc8), Detection::Duplicate);
        // A temporary address (RFC 8981) is no secondary one; flags beyond the header's eight are IFA_FLAGS' alone.
        assert_eq!(detection(0x01, 0x101), Detection::Passed);
    }

    #[test]
    fn what_cannot_be_read_counts_as_lost_and_hides_nothing_behind_it() {
        let mut datagram = message(RTM_NEWADDR, &ifaddr(2, 0x80), &[(2, &[10, 9, 0])]);
        datagram.extend(message(RTM_DELLINK, &ifinfo(0, 0), &[NAME]));
        let gone = Event::LinkGone { index: IfIndex(7), name: "eth7".to_owned() };
        assert_eq!(events(&datagram), [Event::Overrun, gone]);
        assert_eq!(events(&[0xa5; 7]), [Event::Overrun]);
        assert_eq!(events(&[0; 16]), [Event::Overrun]);
    }
}
