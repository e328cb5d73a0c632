//! What we ask of the kernel: add, remove, list.

use std::{future::Future, net::IpAddr, pin::pin, sync::Arc};

use futures_util::{
    StreamExt as _,
    future::{Either, select},
};
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_EXCL, NLM_F_REQUEST, NetlinkMessage,
    NetlinkPayload,
};
use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    address::{AddressAttribute, AddressFlags, AddressMessage, AddressScope, CacheInfo},
    link::LinkMessage,
};
use netlink_sys::AsyncSocket as _;
use nix::errno::Errno;
use tokio::sync::{Semaphore, watch};

use super::{Address, AddressInfo, Link, decode, interface_name};
use crate::kernel::{KernelError, ReceiveBuffer};

/// Requests that may await their answer at once; the others wait their turn, first come first served.
///
/// It bounds the answers that can pile up in the receive buffer, and the time for which the thread that drives the
/// connection does nothing else, since they may all be carried out in a row. On a machine that is left alone 4 do as
/// well; on a busy one each round of requests and answers costs whoever makes them and whoever carries them a turn on a
/// processor.
const IN_FLIGHT: usize = 1024;
/// Bytes of answers that the kernel may queue: it counts about 1 KiB for each.
const RECEIVE_BUFFER: u32 = 2 << 20;
/// A listing during which something changed is repeated this often before it is taken as it is; the
/// changes then follow as events.
const LISTINGS: usize = 5;

/// Whether an address was put there by us, which decides whether it is ours to remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It was not there before.
    New,
    /// It was there already (EEXIST): same interface, address and prefix.
    AlreadyThere,
}

/// The request socket. Clones share it.
///
/// The kernel carries a request out while it is being sent, under the lock of the whole network
/// configuration, and answers at once. So the thread that drives the connection (see
/// [`open`](Self::open)) stands still for as long as that takes: some 40 µs for an
/// address, but longer while another program holds the lock. A listing is read in one go.
#[derive(Clone)]
pub struct Requests {
    handle: rtnetlink::Handle,
    in_flight: Arc<Semaphore>,
    /// Counts the times the kernel threw answers away.
    lost: watch::Receiver<u64>,
}

/// Why there is no answer.
pub(super) enum Refusal {
    Errno(Errno),
    Lost,
}

impl Refusal {
    pub(super) fn into_error(self, operation: String) -> KernelError {
        match self {
            Self::Errno(errno) => KernelError::new(operation, errno),
            Self::Lost => KernelError::other(operation, "the kernel's answer was lost"),
        }
    }
}

impl Requests {
    /// Opens the socket. The future drives it: the lane has to run it (in its own task) for as long as
    /// requests are made; it ends with the last clone. Needs a tokio runtime with I/O enabled.
    pub fn open(
        buffer: ReceiveBuffer,
    ) -> Result<(Self, impl Future<Output = ()> + Send + 'static), KernelError> {
        let (mut connection, handle, mut unsolicited) = rtnetlink::new_connection()
            .map_err(|error| KernelError::from_io("opening the netlink request socket", &error))?;
        // A listing of routes then names those of one protocol only, of however many there are.
        let strict = connection.socket_mut().socket_ref().set_netlink_get_strict_chk(true);
        strict.map_err(|error| KernelError::from_io("opening the netlink request socket", &error))?;
        // Without CAP_NET_ADMIN there are only listings to answer.
        let _ = buffer.give(connection.socket_mut(), RECEIVE_BUFFER);
        // Without these a dropped connection would look like success: the answers would just end.
        connection.set_forward_ack(true);
        connection.set_forward_done(true);
        let (overruns, lost) = watch::channel(0);
        let last_requester = overruns.clone();
        let listen = async move {
            while let Some((message, _)) = unsolicited.next().await {
                if matches!(message.payload, NetlinkPayload::Overrun(_)) {
                    overruns.send_modify(|count| *count += 1);
                }
            }
        };
        let drive = async move {
            // The connection alone would outlive its requesters, for the sake of unsolicited messages.
            let unused = pin!(last_requester.closed());
            select(select(pin!(connection), pin!(listen)), unused).await;
        };
        Ok((Self { handle, in_flight: Arc::new(Semaphore::new(IN_FLIGHT)), lost }, drive))
    }

    /// Puts an address on its interface. ENODEV when the interface is not there, EPERM without
    /// CAP_NET_ADMIN.
    pub async fn add_address(&self, address: &Address) -> Result<Added, KernelError> {
        match self.acknowledged(add_request(address)).await {
            Ok(()) => Ok(Added::New),
            Err(Refusal::Errno(Errno::EEXIST)) => Ok(Added::AlreadyThere),
            Err(refusal) => {
                let interface = interface_name(address.index);
                Err(refusal.into_error(format!("adding {address} to {interface}")))
            }
        }
    }

    /// Takes an address from its interface; that it or its interface is gone already is fine.
    pub async fn remove_address(&self, address: &Address) -> Result<(), KernelError> {
        match self.acknowledged(remove_request(address)).await {
            Ok(()) | Err(Refusal::Errno(Errno::EADDRNOTAVAIL | Errno::ENODEV)) => Ok(()),
            Err(refusal) => {
                let interface = interface_name(address.index);
                Err(refusal.into_error(format!("removing {address} from {interface}")))
            }
        }
    }

    /// Every interface of this network namespace.
    pub async fn links(&self) -> Result<Vec<Link>, KernelError> {
        let request = || RouteNetlinkMessage::GetLink(LinkMessage::default());
        let messages = self.listing("listing the interfaces", request).await?;
        let link = |message| match message {
            RouteNetlinkMessage::NewLink(link) => decode::link(&link),
            _ => None,
        };
        Ok(messages.into_iter().filter_map(link).collect())
    }

    /// Every address of this network namespace, of both families.
    pub async fn addresses(&self) -> Result<Vec<AddressInfo>, KernelError> {
        let request = || {
            let mut message = AddressMessage::default();
            message.header.family = AddressFamily::Unspec;
            RouteNetlinkMessage::GetAddress(message)
        };
        let messages = self.listing("listing the addresses", request).await?;
        let address = |message| match message {
            RouteNetlinkMessage::NewAddress(address) => decode::address(&address),
            _ => None,
        };
        Ok(messages.into_iter().filter_map(address).collect())
    }

    /// Sends a change and waits for the kernel's yes or no.
    pub(super) async fn acknowledged(
        &self,
        request: NetlinkMessage<RouteNetlinkMessage>,
    ) -> Result<(), Refusal> {
        self.answer(request, |_, _| {}).await
    }

    /// All messages of a listing.
    pub(super) async fn listing(
        &self,
        operation: &str,
        request: impl Fn() -> RouteNetlinkMessage,
    ) -> Result<Vec<RouteNetlinkMessage>, KernelError> {
        let mut messages = Vec::new();
        for _ in 0..LISTINGS {
            let mut message = NetlinkMessage::from(request());
            message.header.flags = NLM_F_REQUEST | NLM_F_DUMP;
            let mut interrupted = false;
            messages.clear();
            let part = |flags: u16, part| {
                interrupted |= flags & NLM_F_DUMP_INTR != 0;
                messages.extend(part);
            };
            self.answer(message, part).await.map_err(|refusal| refusal.into_error(operation.to_owned()))?;
            if !interrupted {
                break;
            }
        }
        Ok(messages)
    }

    /// Sends a request and hands every part of its answer, with the header's flags, to `part`, until the
    /// kernel says that this was all.
    async fn answer(
        &self,
        request: NetlinkMessage<RouteNetlinkMessage>,
        mut part: impl FnMut(u16, Option<RouteNetlinkMessage>),
    ) -> Result<(), Refusal> {
        let _permit = self.in_flight.acquire().await.map_err(|_| Refusal::Lost)?;
        let mut lost = self.lost.clone();
        lost.mark_unchanged();
        let mut answers = self.handle.clone().request(request).map_err(|_| Refusal::Lost)?;
        loop {
            let message = match select(answers.next(), pin!(lost.changed())).await {
                Either::Left((Some(message), _)) => message,
                Either::Left((None, _)) | Either::Right(_) => return Err(Refusal::Lost),
            };
            let flags = message.header.flags;
            match message.payload {
                NetlinkPayload::InnerMessage(inner) => part(flags, Some(inner)),
                NetlinkPayload::Error(error) => {
                    return match error.code {
                        None => Ok(()),
                        Some(code) => Err(Refusal::Errno(Errno::from_raw(-code.get()))),
                    };
                }
                NetlinkPayload::Done(_) => {
                    part(flags, None);
                    return Ok(());
                }
                _ => {}
            }
        }
    }
}

/// RTM_NEWADDR as keepalived fills it: address, peer, preferred lifetime, broadcast, label and flags where configured, no
/// protocol. Without a peer the kernel takes the local address for its address as well.
fn add_request(address: &Address) -> NetlinkMessage<RouteNetlinkMessage> {
    let mut message = header(address);
    message.header.scope = AddressScope::from(address.scope);
    message.attributes.extend(address.preferred.map(lifetime));
    message.attributes.push(AddressAttribute::Local(address.address));
    message.attributes.extend(address.peer.map(AddressAttribute::Address));
    message.attributes.extend(address.broadcast.map(AddressAttribute::Broadcast));
    message.attributes.extend(address.label.clone().map(AddressAttribute::Label));
    let flags = flags(address);
    message.attributes.extend((!flags.is_empty()).then_some(AddressAttribute::Flags(flags)));
    let mut message = NetlinkMessage::from(RouteNetlinkMessage::NewAddress(message));
    message.header.flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
    message
}

/// RTM_DELADDR for exactly this address: without IFA_ADDRESS the kernel would not look at the prefix and
/// might take one that is not ours.
fn remove_request(address: &Address) -> NetlinkMessage<RouteNetlinkMessage> {
    let mut message = header(address);
    message.attributes.push(AddressAttribute::Local(address.address));
    message.attributes.push(AddressAttribute::Address(address.peer.unwrap_or(address.address)));
    let mut message = NetlinkMessage::from(RouteNetlinkMessage::DelAddress(message));
    message.header.flags = NLM_F_REQUEST | NLM_F_ACK;
    message
}

fn flags(address: &Address) -> AddressFlags {
    let flags = [
        (address.nodad, AddressFlags::Nodad),
        (address.home, AddressFlags::Homeaddress),
        (address.manages_temporary, AddressFlags::Managetempaddr),
        (address.noprefixroute, AddressFlags::Noprefixroute),
        (address.autojoin, AddressFlags::Mcautojoin),
    ];
    let set = flags.into_iter().filter(|(on, _)| *on).map(|(_, flag)| flag);
    set.fold(AddressFlags::empty(), AddressFlags::union)
}

/// Valid for ever, preferred for so many seconds.
fn lifetime(preferred: u32) -> AddressAttribute {
    let mut lifetime = CacheInfo::default();
    (lifetime.ifa_preferred, lifetime.ifa_valid) = (preferred, u32::MAX);
    AddressAttribute::CacheInfo(lifetime)
}

fn header(address: &Address) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = match address.address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    };
    message.header.prefix_len = address.prefix;
    message.header.index = address.index.0;
    message
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::units::IfIndex;

    fn address() -> Address {
        Address::new(IfIndex(3), [10, 9, 0, 102].into(), 24)
    }

    fn bytes(mut message: NetlinkMessage<RouteNetlinkMessage>) -> Vec<u8> {
        message.finalize();
        let mut bytes = vec![0xa5; message.buffer_len()];
        message.serialize(&mut bytes);
        bytes
    }

    // The requests are keepalived 2.2.7's for the same lines of virtual_ipaddress, as strace shows
    // them, but for NLM_F_CREATE and NLM_F_EXCL (0x0600) in the flags. Byte order is the host's; these
    // bytes are little-endian.

    #[test]
    #[cfg(target_endian = "little")]
    fn a_plain_address_carries_nothing_that_is_not_configured() {
        #[rustfmt::skip]
        let golden = [
            32, 0, 0, 0, 20, 0, 0x05, 0x06, 0, 0, 0, 0, 0, 0, 0, 0, // RTM_NEWADDR
            2, 24, 0, 0, 3, 0, 0, 0,                               // AF_INET, /24, no flags, global, index 3
            8, 0, 2, 0, 10, 9, 0, 102,                             // IFA_LOCAL
        ];
        assert_eq!(bytes(add_request(&address())), golden);
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn broadcast_label_and_scope_are_sent_where_configured() {
        let broadcast = Some(Ipv4Addr::new(10, 9, 0, 255));
        let address = Address { broadcast, scope: 253, label: Some("v0:1".to_owned()), ..address() };
        #[rustfmt::skip]
        let golden = [
            52, 0, 0, 0, 20, 0, 0x05, 0x06, 0, 0, 0, 0, 0, 0, 0, 0,
            2, 24, 0, 253, 3, 0, 0, 0,
            8, 0, 2, 0, 10, 9, 0, 102,
            8, 0, 4, 0, 10, 9, 0, 255,                             // IFA_BROADCAST
            9, 0, 3, 0, b'v', b'0', b':', b'1', 0, 0, 0, 0,        // IFA_LABEL and padding
        ];
        assert_eq!(bytes(add_request(&address)), golden);
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn removal_names_address_and_prefix() {
        #[rustfmt::skip]
        let golden = [
            40, 0, 0, 0, 21, 0, 0x05, 0, 0, 0, 0, 0, 0, 0, 0, 0,   // RTM_DELADDR
            2, 24, 0, 0, 3, 0, 0, 0,
            8, 0, 2, 0, 10, 9, 0, 102,
            8, 0, 1, 0, 10, 9, 0, 102,                             // IFA_ADDRESS
        ];
        assert_eq!(bytes(remove_request(&address())), golden);
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn an_ipv6_address_goes_without_detection_and_deprecated_where_configured() {
        let address = Address {
            address: "fe80::51".parse().unwrap(),
            prefix: 128,
            nodad: true,
            preferred: Some(0),
            ..address()
        };
        #[rustfmt::skip]
        let golden = [
            72, 0, 0, 0, 20, 0, 0x05, 0x06, 0, 0, 0, 0, 0, 0, 0, 0,
            10, 128, 0, 0, 3, 0, 0, 0,                             // AF_INET6, /128
            20, 0, 6, 0, 0, 0, 0, 0, 255, 255, 255, 255,           // IFA_CACHEINFO: preferred 0, valid for ever
            0, 0, 0, 0, 0, 0, 0, 0,
            20, 0, 2, 0, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x51, // IFA_LOCAL
            8, 0, 8, 0, 2, 0, 0, 0,                                // IFA_FLAGS: IFA_F_NODAD
        ];
        assert_eq!(bytes(add_request(&address)), golden);
    }

    #[tokio::test]
    async fn a_connection_that_is_gone_is_an_error_and_not_success() {
        let (requests, connection) = Requests::open(ReceiveBuffer::default()).unwrap();
        drop(connection);
        let error = requests.add_address(&address()).await.unwrap_err();
        assert!(error.to_string().ends_with("the kernel's answer was lost"), "{error}");
        assert!(requests.links().await.is_err());
    }

    #[tokio::test]
    async fn the_connection_ends_with_the_last_requester() {
        let (requests, connection) = Requests::open(ReceiveBuffer::default()).unwrap();
        let clone = requests.clone();
        drop(requests);
        drop(clone);
        connection.await;
    }

    #[tokio::test]
    async fn loopback_is_listed_as_what_it_is() {
        let (requests, connection) = Requests::open(ReceiveBuffer::default()).unwrap();
        let links = requests.links();
        let (links, _connection) = match select(pin!(links), pin!(connection)).await {
            Either::Left((links, connection)) => (links.unwrap(), connection),
            Either::Right(_) => panic!("the connection ended"),
        };
        let loopback = links.iter().find(|link| link.name == "lo").unwrap();
        assert_eq!((loopback.index, loopback.loopback, loopback.multicast), (IfIndex(1), true, false));
    }
}
