//! The thread of the host lane: orders carried out, one after the other. A mistake in one fails that one alone.

use std::{
    collections::VecDeque,
    convert::Infallible,
    io,
    panic::AssertUnwindSafe,
    sync::{
        Arc, OnceLock, Weak,
        mpsc::{self as blocking, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use futures_util::FutureExt as _;
use tokio::{sync::mpsc, task::JoinSet};
use tracing::{error, warn};

use super::{Order, Report, firewall::Firewall, links::Links};
use crate::{
    daemon::runtime,
    kernel::{KernelError, ReceiveBuffer, Requests},
    notify,
    registry::Registry,
};

/// Orders looked at together.
const ORDERS: usize = 1024;
/// How long the process waits in the end for the host to be left as it was: the kernel needs milliseconds for each link,
/// and may have stopped answering at all.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where mistakes are told of: the lane is started before there is a registry.
type Told = Arc<OnceLock<Weak<Registry>>>;

/// The thread of the lane, which ends after the vrrp lane.
pub(in crate::daemon) struct Lane {
    thread: thread::JoinHandle<()>,
    /// Nothing comes through it; it closes with the thread.
    ended: blocking::Receiver<Infallible>,
    registry: Told,
}

impl Lane {
    /// Starts it with what there is to do.
    pub(super) fn start(work: impl FnOnce(Told) -> Work + Send + 'static) -> io::Result<Self> {
        let (ending, ended) = blocking::channel();
        let registry = Told::default();
        let told = Arc::clone(&registry);
        let live = move || {
            let _ending: blocking::Sender<Infallible> = ending;
            if let Err(error) = work(told).live() {
                error!("the host lane has ended: {error}");
            }
        };
        let thread = thread::Builder::new().name("host".to_owned()).spawn(live)?;
        Ok(Self { thread, ended, registry })
    }

    /// Mistakes are told of there from now on.
    pub(in crate::daemon) fn tell_in(&self, registry: &Arc<Registry>) {
        // It is told once.
        let _ = self.registry.set(Arc::downgrade(registry));
    }

    /// Waits until it has left the host as it was. Returns why it has not.
    pub(in crate::daemon) fn finish(self) -> Result<(), &'static str> {
        if let Err(RecvTimeoutError::Timeout) = self.ended.recv_timeout(PATIENCE) {
            return Err("the kernel does not answer");
        }
        self.thread.join().map_err(|_| "the host lane panicked")
    }
}

/// What there is to do, and what is left of it after a mistake.
pub(super) struct Work {
    links: Links,
    orders: mpsc::UnboundedReceiver<Order>,
    /// Those that were taken and have not been begun.
    waiting: VecDeque<Order>,
    /// The links that are being made ready.
    making: Vec<usize>,
    report: mpsc::Sender<Vec<Report>>,
    stage: Stage,
    /// Whether everything is put back in the end.
    release: bool,
    registry: Told,
}

/// How far it has come. Nothing is begun twice: what panics would panic again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    New,
    /// What an earlier run left is being undone.
    Begun,
    AtWork,
    Leaving,
}

impl Work {
    /// Orders come and reports go by these channels.
    pub(super) fn new(
        links: Links,
        (orders, report): (mpsc::UnboundedReceiver<Order>, mpsc::Sender<Vec<Report>>),
        release: bool,
        registry: Told,
    ) -> Self {
        let (waiting, making, stage) = (VecDeque::new(), Vec::new(), Stage::New);
        Self { links, orders, waiting, making, report, stage, release, registry }
    }

    /// Carries orders out until there is nobody left to give any.
    fn live(mut self) -> Result<(), KernelError> {
        let runtime = runtime().map_err(|error| KernelError::from_io("starting the host lane", &error))?;
        runtime.block_on(async {
            loop {
                match AssertUnwindSafe(self.go_on()).catch_unwind().await {
                    Ok(outcome) => return outcome,
                    Err(_) => self.recover().await,
                }
            }
        })
    }

    /// From the stage that it has come to, to the end.
    async fn go_on(&mut self) -> Result<(), KernelError> {
        if self.stage == Stage::New {
            self.stage = Stage::Begun;
            self.links.begin();
        }
        let (requests, connection) = Requests::open(ReceiveBuffer::default())?;
        let mut tasks = JoinSet::new();
        tasks.spawn(connection);
        if self.stage == Stage::Begun {
            self.stage = Stage::AtWork;
            self.links.clear_left(&requests).await;
        }
        while self.stage == Stage::AtWork {
            self.carry_out_waiting(&requests).await;
            let mut taken = Vec::new();
            if self.orders.recv_many(&mut taken, ORDERS).await == 0 {
                break;
            }
            self.waiting.extend(taken);
        }
        if self.release && self.stage != Stage::Leaving {
            self.stage = Stage::Leaving;
            for error in self.links.release(&requests).await {
                warn!("{error}");
            }
        }
        Ok(())
    }

    async fn carry_out_waiting(&mut self, requests: &Requests) {
        if self.waiting.iter().any(|order| matches!(order, Order::Refuse(..))) {
            self.links.note_rules();
        }
        refuse_all(&mut self.links.firewall, &mut self.waiting);
        while let Some(order) = self.waiting.pop_front() {
            self.carry_out(requests, order).await;
        }
    }

    async fn carry_out(&mut self, requests: &Requests, order: Order) {
        match order {
            Order::Follow(planned, addresses, lasting) => self.links.follow(planned, addresses, lasting),
            Order::Remove(gone) => self.links.remove(requests, &gone).await,
            Order::Links(order) => {
                self.making.clone_from(&order);
                let reports = self.links.prepare(requests, &order).await;
                self.making.clear();
                // Without the vrrp lane nobody wants to know.
                let _ = self.report.send(reports).await;
            }
            Order::Refuse(router, addresses, done) => {
                self.links.firewall.refuse(addresses.into_iter().map(|address| (router, address)));
                let _ = done.send(());
            }
            Order::Accept(router) => self.links.firewall.accept(router),
            Order::Wish(wish, _room, done) => match self.links.fulfil(wish) {
                // Whoever has given up waiting does not matter any more.
                Ok(()) => drop(done.try_send(())),
                Err(error) => warn!("{error}"),
            },
        }
    }

    /// After a mistake: whoever waits for the links hears that there are none, and orders them again soon; whoever waits for
    /// anything else has heard already that nothing came of it.
    async fn recover(&mut self) {
        if let Some(registry) = self.registry.get().and_then(Weak::upgrade) {
            notify::tell_of_restart("making links and rules", &registry);
        }
        self.links.firewall.doubt();
        let failed = |link| {
            let why = KernelError::other("making a link", "a mistake of the program, which the log names");
            Report { link, outcome: Err(why) }
        };
        let reports: Vec<Report> = self.making.drain(..).map(failed).collect();
        if !reports.is_empty() {
            let _ = self.report.send(reports).await;
        }
    }
}

/// Carries out the orders to refuse that are ahead of all others, in one step: a thousand routers may become MASTER at
/// the same time.
fn refuse_all(firewall: &mut Firewall, waiting: &mut VecDeque<Order>) {
    let ahead = waiting.iter().take_while(|order| matches!(order, Order::Refuse(..))).count();
    let mut refusals = Vec::new();
    let mut answers = Vec::new();
    for order in waiting.drain(..ahead) {
        if let Order::Refuse(router, addresses, done) = order {
            refusals.extend(addresses.into_iter().map(|address| (router, address)));
            answers.push(done);
        }
    }
    if ahead > 0 {
        firewall.refuse(refusals);
    }
    for done in answers {
        // A router that has given up meanwhile does not wait.
        let _ = done.send(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{Config, Elsewhere},
        daemon::host::{Host, Wanted},
        registry::testing::topology,
    };

    fn config() -> Config {
        let file = tempfile::NamedTempFile::new().unwrap();
        crate::config::load(file.path(), None, &Elsewhere).0.unwrap()
    }

    #[tokio::test]
    async fn a_mistake_in_one_order_fails_that_order_alone() {
        let (config, registry) = (config(), Arc::new(Registry::new(topology())));
        let notes = tempfile::tempdir().unwrap();
        let wanted = Wanted::new(&config, Vec::new());
        let (mut host, lane) = Host::start(wanted, &config, &notes.path().join("notes"), true).unwrap();
        lane.tell_in(&registry);
        for restarts in 1..=2 {
            // There is no such link in the plan.
            assert!(host.order(vec![7]));
            let reports = host.reports().await.unwrap();
            assert_eq!(reports.len(), 1);
            assert_eq!(reports[0].link, 7);
            let why = reports[0].outcome.as_ref().unwrap_err().to_string();
            assert!(why.contains("a mistake of the program"), "{why}");
            assert_eq!(registry.panics.restarts(), restarts);
        }
        assert!(host.order(Vec::new()));
        assert!(host.reports().await.unwrap().is_empty());
        drop(host);
        lane.finish().unwrap();
    }
}
