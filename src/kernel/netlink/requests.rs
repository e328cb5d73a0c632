//! What we ask of the kernel: add, remove, list.

use std::{
    future::{Future, ready},
    pin::pin,
};

use futures_util::{
    StreamExt as _,
    future::{Either, select},
};
use netlink_packet_core::{NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage, address::AddressMessage, link::LinkMessage};
use netlink_sys::AsyncSocket as _;
use nix::errno::Errno;
use tokio::sync::watch;

use super::{
    Address, AddressInfo, Change, Granted, Link,
    carrier::{Batch, Carrier, Orders},
    change::Added,
    decode,
};
use crate::kernel::{KernelError, ReceiveBuffer};

/// Bytes of a listing that the kernel may queue.
const RECEIVE_BUFFER: u32 = 2 << 20;
/// A listing during which something changed is repeated this often before it is taken as it is; the
/// changes then follow as events.
const LISTINGS: usize = 5;

/// What requests are made through: a socket for changes and one for listings. Clones share them.
///
/// The kernel carries a request out while it is being sent, under the lock of the whole network
/// configuration, and answers at once. So the thread that drives the connection (see
/// [`open`](Self::open)) stands still for as long as that takes: some 20 µs for an
/// address, but longer while another program holds the lock. A listing is read in one go.
#[derive(Clone)]
pub struct Requests {
    /// For changes.
    orders: Orders,
    /// For listings.
    handle: rtnetlink::Handle,
    /// Counts the times the kernel threw parts of listings away.
    lost: watch::Receiver<u64>,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// Opens the sockets. The future drives them: the lane has to run it (in its own task) for as long as
    /// requests are made; it ends with the last clone. Needs a tokio runtime with I/O enabled.
    pub fn open(
        buffer: ReceiveBuffer,
    ) -> Result<(Self, impl Future<Output = ()> + Send + 'static), KernelError> {
        let failed = |error| KernelError::from_io("opening the netlink request socket", &error);
        let (mut connection, handle, mut unsolicited) = rtnetlink::new_connection().map_err(failed)?;
        // A listing of routes then names those of one protocol only, of however many there are.
        connection.socket_mut().socket_ref().set_netlink_get_strict_chk(true).map_err(failed)?;
        // Without CAP_NET_ADMIN there are only listings to answer.
        let _ = buffer.give(connection.socket_mut(), RECEIVE_BUFFER);
        let (orders, carrier) = Carrier::open(buffer).map_err(failed)?;
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
            tokio::select! {
                () = carrier.run() => {}
                () = connection => {}
                () = listen => {}
                () = last_requester.closed() => {}
            }
        };
        Ok((Self { orders, handle, lost }, drive))
    }

    /// Asks for changes, to be made in this order whatever becomes of each. They are on their way at once, and not only
    /// when the future is polled; what came of them is in the same order.
    pub fn change(
        &self,
        changes: Vec<Change>,
    ) -> impl Future<Output = Vec<Result<Granted, KernelError>>> + Send + use<> {
        if changes.is_empty() {
            return Either::Left(ready(Vec::new()));
        }
        let mut batch = Batch::default();
        changes.iter().for_each(|change| batch.push(change.message()));
        let answers = self.orders.place(batch);
        Either::Right(async move {
            let answers = answers.await.unwrap_or_else(|_| vec![Err(Refusal::Lost); changes.len()]);
            changes.iter().zip(answers).map(|(change, answer)| change.judge(answer)).collect()
        })
    }

    /// [`Change::AddAddress`] alone.
    pub async fn add_address(&self, address: &Address) -> Result<Added, KernelError> {
        let change = Change::AddAddress(address.clone());
        let answer = self.acknowledged(change.message()).await;
        Ok(match change.judge(answer)? {
            Granted::Added(added) => added,
            Granted::Removed => Added::New,
        })
    }

    /// [`Change::RemoveAddress`] alone.
    pub async fn remove_address(&self, address: &Address) -> Result<(), KernelError> {
        let change = Change::RemoveAddress(address.clone());
        let answer = self.acknowledged(change.message()).await;
        change.judge(answer).map(|_| ())
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
        let mut batch = Batch::default();
        batch.push(request);
        let answers = self.orders.place(batch).await.unwrap_or_default();
        answers.first().copied().unwrap_or(Err(Refusal::Lost))
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

    /// Sends a request for a listing and hands every part of its answer, with the header's flags, to `part`, until the
    /// kernel says that this was all.
    async fn answer(
        &self,
        request: NetlinkMessage<RouteNetlinkMessage>,
        mut part: impl FnMut(u16, Option<RouteNetlinkMessage>),
    ) -> Result<(), Refusal> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::IfIndex;

    fn address() -> Address {
        Address::new(IfIndex(3), [10, 9, 0, 102].into(), 24)
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
