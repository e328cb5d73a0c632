//! Requests to the kernel that are on their way, each batch for one holder.

use std::{
    collections::VecDeque,
    future::{poll_fn, ready},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use futures_util::{
    StreamExt as _,
    future::{FutureExt as _, join_all},
    stream::FuturesUnordered,
};

use super::{
    holder::Holder,
    holdings::{Answer, Request},
};
use crate::{
    config::{self, Preferred},
    kernel::{Added, Address, AddressInfo, KernelError, PreparedRoute, PreparedRule, Requests},
    registry::AddressRow,
    units::{Family, IfIndex},
};

/// Batches that the kernel has at once: more than it needs to be kept busy. Of thousands each takes some kilobytes until it
/// is answered.
const AT_ONCE: usize = 64;

/// The batches on their way.
#[derive(Default)]
pub(super) struct Work {
    batches: FuturesUnordered<Batch>,
    /// Those after which something had to come first, which may take its time.
    late: FuturesUnordered<Batch>,
    /// Those that have to wait until others are answered.
    waiting: VecDeque<Waiting>,
    /// Something was granted since somebody asked.
    headway: Arc<AtomicBool>,
}

/// The requests of one holder, sent together.
type Batch = Pin<Box<dyn Future<Output = Done> + Send>>;

/// What became of a batch.
pub(super) struct Done {
    /// Whose it was.
    pub(super) holder: Holder,
    /// Each request with the kernel's answer, and its words where it refused.
    pub(super) answers: Vec<(Request, Answer, Option<KernelError>)>,
}

/// What has to be done before a batch is sent.
pub(super) type Before = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A batch that is not sent yet.
struct Waiting {
    netlink: Requests,
    holder: Holder,
    requests: Vec<(Request, Option<Object>)>,
}

impl Work {
    /// Takes the requests of a holder as one batch, after what has to come `before`, and unless too many are on their way
    /// sends what it can of it at once, not only when the loop comes around. What came of it is heard through
    /// [`next`](Self::next), which polls the batch anew and so is woken by its answers.
    pub(super) fn add(
        &mut self,
        netlink: &Requests,
        holder: Holder,
        requests: Vec<(Request, Option<Object>)>,
        before: Option<Before>,
    ) {
        if let Some(before) = before {
            let batch = batch(netlink, &self.headway, holder, requests);
            let mut batch: Batch = Box::pin(before.then(|()| batch));
            let begun = (&mut batch).now_or_never();
            self.late.push(begun.map_or(batch, |done| Box::pin(ready(done))));
            return;
        }
        self.waiting.push_back(Waiting { netlink: netlink.clone(), holder, requests });
        self.send();
    }

    /// Sends batches that wait, as many as the kernel may have.
    fn send(&mut self) {
        while self.batches.len() < AT_ONCE
            && let Some(Waiting { netlink, holder, requests }) = self.waiting.pop_front()
        {
            let mut batch = batch(&netlink, &self.headway, holder, requests);
            let begun = (&mut batch).now_or_never();
            self.batches.push(begun.map_or(batch, |done| Box::pin(ready(done))));
        }
    }

    /// Whether nothing is on its way.
    pub(super) fn is_idle(&self) -> bool {
        self.batches.is_empty() && self.late.is_empty() && self.waiting.is_empty()
    }

    /// Whether the kernel has granted anything since this was asked last.
    pub(super) fn take_headway(&self) -> bool {
        self.headway.swap(false, Ordering::Relaxed)
    }

    /// The next batch to end; never while there is none.
    pub(super) async fn next(&mut self) -> Done {
        poll_fn(|context| {
            let Self { batches, late, .. } = self;
            let ended = [batches, late].into_iter().find_map(|set| match set.poll_next_unpin(context) {
                Poll::Ready(done) => done,
                Poll::Pending => None,
            });
            let Some(done) = ended else { return Poll::Pending };
            self.send();
            Poll::Ready(done)
        })
        .await
    }
}

/// What a request is about.
#[derive(Debug)]
pub(super) enum Object {
    /// An address.
    Address(Address),
    /// A route.
    Route(PreparedRoute),
    /// A rule.
    Rule(PreparedRule),
}

impl Object {
    async fn add(&self, netlink: &Requests) -> Result<Added, KernelError> {
        match self {
            Self::Address(address) => netlink.add_address(address).await,
            Self::Route(route) => netlink.add_route(route).await.map(|()| Added::New),
            Self::Rule(rule) => netlink.add_rule(rule).await.map(|()| Added::New),
        }
    }

    /// Takes it away.
    pub(super) async fn remove(&self, netlink: &Requests) -> Result<(), KernelError> {
        match self {
            Self::Address(address) => netlink.remove_address(address).await,
            Self::Route(route) => netlink.remove_route(route).await,
            Self::Rule(rule) => netlink.remove_rule(rule).await,
        }
    }
}

/// The requests of a holder as one batch, which notes every grant as `headway`. An object that names an interface which
/// is gone is none for the kernel.
fn batch(
    netlink: &Requests,
    headway: &Arc<AtomicBool>,
    holder: Holder,
    requests: Vec<(Request, Option<Object>)>,
) -> Batch {
    let asked = requests.into_iter().map(|(request, object)| {
        let (netlink, headway) = (netlink.clone(), Arc::clone(headway));
        async move {
            let answer = match (request, object) {
                (Request::Add(..), Some(object)) => object.add(&netlink).await.map(Answer::Added),
                (Request::Add(..), None) => {
                    Err(KernelError::other("adding a route", "its interface does not exist"))
                }
                (Request::Remove(..), Some(object)) => {
                    object.remove(&netlink).await.map(|()| Answer::Removed)
                }
                (Request::Remove(..), None) => Ok(Answer::Removed),
            };
            match answer {
                Ok(answer) => {
                    headway.store(true, Ordering::Relaxed);
                    (request, answer, None)
                }
                Err(error) => (request, error.errno().map_or(Answer::Lost, Answer::Refused), Some(error)),
            }
        }
    });
    let asked: Vec<_> = asked.collect();
    Box::pin(join_all(asked).map(move |answers| Done { holder, answers }))
}

/// A configured address as the kernel wants it.
pub(super) fn kernel_address(row: &AddressRow, index: IfIndex) -> Address {
    let line = &row.config;
    Address {
        peer: line.peer,
        broadcast: line.broadcast,
        scope: line.scope.0,
        label: line.label.clone(),
        // RFC 9568 §8.2.2 (8.2.2-7).
        nodad: line.nodad,
        // As in keepalived an IPv4 address has no lifetime.
        preferred: match line.preferred {
            Preferred::Seconds(seconds) if line.address.is_ipv6() => Some(seconds),
            _ => None,
        },
        home: line.home,
        manages_temporary: line.mngtmpaddr,
        noprefixroute: line.noprefixroute,
        autojoin: line.autojoin,
        ..Address::new(index, line.address, line.prefix)
    }
}

/// Whether an address on an interface was left there by an earlier run, and is not the interface's own.
///
/// The virtual addresses of a router that does not own them (`owner`) have no business on the interface before it
/// is MASTER, unless they are all that its own interface has (`sole`): then it was set up with them. An owner's address
/// is the interface's own when it leads its subnet, so when it is neither secondary nor a host address.
pub(super) fn is_leftover(
    known: &AddressInfo,
    wanted: &config::AddressLine,
    owner: bool,
    sole: bool,
) -> bool {
    let same = known.address == wanted.address && known.prefix == wanted.prefix;
    let follows = known.secondary || known.prefix == Family::of(known.address).bits();
    same && if owner { follows } else { !sole }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::engine::holdings::Site;
    use crate::{config::AddressLine, kernel::Detection};

    #[tokio::test]
    async fn every_batch_ends_however_many_wait_and_whatever_one_waits_for() {
        let (netlink, _connection) = Requests::open(crate::kernel::ReceiveBuffer::default()).unwrap();
        let mut work = Work::default();
        let gone = |slot| vec![(Request::Remove(slot, Site::Interface(IfIndex(9))), None)];
        // Nobody ever lets this one go on; the others do not wait for it.
        work.add(&netlink, Holder::Static, gone(0), Some(Box::pin(std::future::pending())));
        for number in 0..1000 {
            work.add(&netlink, Holder::Router(number), gone(0), None);
        }
        let mut ended = Vec::new();
        while ended.len() < 1000 {
            let Done { holder, answers } = work.next().await;
            assert_eq!(answers[0].1, Answer::Removed);
            ended.push(holder);
        }
        assert_eq!(ended, (0..1000).map(Holder::Router).collect::<Vec<_>>());
        assert!(work.next().now_or_never().is_none());
        assert!(!work.is_idle());
    }

    #[test]
    fn an_interfaces_own_address_is_no_leftover() {
        let wanted = |prefix| AddressLine { prefix, ..AddressLine::new([10, 9, 0, 100].into()) };
        let known = |prefix, secondary| AddressInfo {
            index: IfIndex(2),
            address: [10, 9, 0, 100].into(),
            prefix,
            label: None,
            secondary,
            scope: 0,
            detection: Detection::Passed,
        };
        // Of a router that does not own its addresses: whatever the address looks like.
        assert!(is_leftover(&known(24, false), &wanted(24), false, false));
        assert!(is_leftover(&known(32, false), &wanted(32), false, false));
        assert!(!is_leftover(&known(24, false), &wanted(24), false, true));
        assert!(!is_leftover(&known(24, true), &wanted(32), false, false));
        // Of an owner.
        assert!(is_leftover(&known(24, true), &wanted(24), true, false));
        assert!(is_leftover(&known(32, false), &wanted(32), true, true));
        assert!(!is_leftover(&known(24, false), &wanted(24), true, false));
    }
}
