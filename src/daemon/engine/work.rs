//! Requests to the kernel that are on their way: those of many holders leave together, and are answered by holder.

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

use futures_util::{StreamExt as _, future::FutureExt as _, stream::FuturesUnordered};

use super::{
    holder::Holder,
    holdings::{Answer, Request},
};
use crate::{
    config::{self, Preferred},
    kernel::{Address, AddressInfo, Change, Granted, KernelError, Requests},
    registry::AddressRow,
    units::{Family, IfIndex},
};

/// Requests that leave together when many wait: less than a millisecond of work for the kernel, whose answers then take
/// their turn with everything else.
const TOGETHER: usize = 64;
/// Batches that the kernel has at once: it is faster than the lane is with what comes of them. The reports of so many changes
/// fit into the receive buffer several times.
const AT_ONCE: usize = 32;

/// The requests on their way.
#[derive(Default)]
pub(super) struct Work {
    batches: FuturesUnordered<Batch>,
    /// Those after which something had to come first, which may take its time.
    late: FuturesUnordered<Batch>,
    /// What has to wait until others are answered.
    waiting: VecDeque<Asked>,
    /// How many requests that is.
    count: usize,
    /// Something was granted since somebody asked.
    headway: Arc<AtomicBool>,
}

/// Requests that were sent together.
type Batch = Pin<Box<dyn Future<Output = Vec<Done>> + Send>>;

/// What became of the requests of a holder.
pub(super) struct Done {
    /// Whose they were.
    pub(super) holder: Holder,
    /// Each request with the kernel's answer, and its words where it refused.
    pub(super) answers: Vec<(Request, Answer, Option<KernelError>)>,
}

/// What has to be done before requests are sent.
pub(super) type Before = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The requests of one holder, each with what the kernel is asked for: `None` when something that it names is missing.
struct Asked {
    holder: Holder,
    requests: Vec<(Request, Option<Change>)>,
}

impl Work {
    /// Takes the requests of a holder, after what has to come `before`. They are sent at once when no others are on their
    /// way, and not only when the loop comes around; else together with others. What came of them is heard through
    /// [`next`](Self::next).
    pub(super) fn add(
        &mut self,
        netlink: &Requests,
        holder: Holder,
        requests: Vec<(Request, Option<Change>)>,
        before: Option<Before>,
    ) {
        let asked = Asked { holder, requests };
        if let Some(before) = before {
            let (netlink, headway) = (netlink.clone(), Arc::clone(&self.headway));
            let mut batch: Batch = Box::pin(before.then(move |()| batch(&netlink, headway, vec![asked])));
            // What it waits for is asked for now.
            let begun = (&mut batch).now_or_never();
            self.late.push(begun.map_or(batch, |done| Box::pin(ready(done))));
            return;
        }
        self.count += asked.requests.len();
        self.waiting.push_back(asked);
        if self.batches.is_empty() || self.count >= TOGETHER {
            self.send(netlink);
        }
    }

    /// Sends what waits, as much as the kernel may have.
    fn send(&mut self, netlink: &Requests) {
        while self.batches.len() < AT_ONCE && !self.waiting.is_empty() {
            let mut together = Vec::new();
            let mut count = 0;
            while count < TOGETHER
                && let Some(asked) = self.waiting.pop_front()
            {
                count += asked.requests.len();
                together.push(asked);
            }
            self.count -= count;
            self.batches.push(Box::pin(batch(netlink, Arc::clone(&self.headway), together)));
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

    /// The next requests to be answered, by holder; never while there are none. What waits for that is sent by way of
    /// `netlink`.
    pub(super) async fn next(&mut self, netlink: &Requests) -> Vec<Done> {
        poll_fn(|context| {
            let Self { batches, late, .. } = self;
            let ended = [batches, late].into_iter().find_map(|set| match set.poll_next_unpin(context) {
                Poll::Ready(done) => done,
                Poll::Pending => None,
            });
            let Some(done) = ended else { return Poll::Pending };
            self.send(netlink);
            Poll::Ready(done)
        })
        .await
    }
}

/// Sends the requests of some holders, and notes every grant as `headway`. An object that names an interface which is gone
/// is none for the kernel.
fn batch(
    netlink: &Requests,
    headway: Arc<AtomicBool>,
    together: Vec<Asked>,
) -> impl Future<Output = Vec<Done>> + Send + use<> {
    let mut changes = Vec::new();
    let mut split = |Asked { holder, requests }: Asked| {
        let asked = requests.into_iter().map(|(request, change)| {
            let is_change = change.is_some();
            changes.extend(change);
            (request, is_change)
        });
        (holder, asked.collect::<Vec<_>>())
    };
    let asked: Vec<_> = together.into_iter().map(&mut split).collect();
    let granted = netlink.change(changes);
    async move {
        let mut granted = granted.await.into_iter();
        let mut answer = |(request, is_change): (Request, bool)| {
            let answer = judge(request, if is_change { granted.next() } else { None });
            if answer.2.is_none() {
                headway.store(true, Ordering::Relaxed);
            }
            answer
        };
        let done = |(holder, requests): (Holder, Vec<_>)| Done {
            holder,
            answers: requests.into_iter().map(&mut answer).collect(),
        };
        asked.into_iter().map(done).collect()
    }
}

/// What came of a request, from what the kernel said to the change it stands for, if it stands for one.
fn judge(
    request: Request,
    granted: Option<Result<Granted, KernelError>>,
) -> (Request, Answer, Option<KernelError>) {
    let granted = match (request, granted) {
        (_, Some(granted)) => granted,
        (Request::Add(..), None) => Err(KernelError::other("adding a route", "its interface does not exist")),
        (Request::Remove(..), None) => Ok(Granted::Removed),
    };
    match granted {
        Ok(Granted::Added(added)) => (request, Answer::Added(added), None),
        Ok(Granted::Removed) => (request, Answer::Removed, None),
        Err(error) => (request, error.errno().map_or(Answer::Lost, Answer::Refused), Some(error)),
    }
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
    async fn all_requests_end_however_many_wait_and_whatever_some_wait_for() {
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
            for Done { holder, answers } in work.next(&netlink).await {
                assert_eq!(answers[0].1, Answer::Removed);
                ended.push(holder);
            }
        }
        assert_eq!(ended, (0..1000).map(Holder::Router).collect::<Vec<_>>());
        assert!(work.next(&netlink).now_or_never().is_none());
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
