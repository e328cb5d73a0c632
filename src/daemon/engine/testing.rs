//! An engine for tests: what it asks of the kernel stays on its way, and tests say what came of it.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use nix::sched::{CloneFlags, unshare};
use tokio::sync::mpsc;

use super::{Command, Engine, Neighbours, holder::Holder, holdings::Request, observe::Listed};
use crate::{
    config::{self, Config, Elsewhere, Options},
    daemon::{host::Host, netlink::Netlink, real_time::RealTime, tether::Voice},
    kernel::{AddressInfo, Detection, Link, ReceiveBuffer, Requests, clock},
    registry::{Registry, Topology},
    units::{IfIndex, Time},
    vrrp::SyncRequest,
};

/// An engine, and what keeps its requests from failing.
pub(super) struct Stuck {
    pub(super) engine: Engine,
    pub(super) commands: mpsc::Sender<Command>,
    /// What IPVS is asked for, one request at a time.
    pub(super) of_ipvs: mpsc::Receiver<SyncRequest>,
    _connection: Pin<Box<dyn Future<Output = ()>>>,
}

impl Stuck {
    /// With one instance VI on eth0, which has more `lines`, and other blocks of a configuration.
    pub(super) fn new(lines: &str, blocks: &str) -> Self {
        Self::of(&format!(
            "vrrp_instance VI {{\n interface eth0\n virtual_router_id 7\n \
             virtual_ipaddress {{\n 10.9.0.100/24\n }}\n{lines}\n}}\n{blocks}\n"
        ))
    }

    /// Of a whole configuration.
    pub(super) fn of(text: &str) -> Self {
        let config = config(text);
        let host = Host::without_lane();
        let (commands, receiver) = mpsc::channel(8);
        let (ipvs, of_ipvs) = mpsc::channel(1);
        let registry = Arc::new(Registry::new(Topology::new(config, "Steadfast".to_owned(), Vec::new())));
        let real_time = Arc::new(RealTime::new(&registry.topology().global.settings));
        let netlink = Netlink::without_thread(Arc::clone(&real_time));
        let (voice, _said) = Voice::new();
        let neighbours = Neighbours {
            host,
            commands: receiver,
            real_time,
            recorder: None,
            ipvs: Some(ipvs),
            voice,
            died_at: None,
        };
        let (requests, connection) = Requests::open(ReceiveBuffer::default()).unwrap();
        let engine = Engine::new(registry, (netlink, requests), neighbours, true).unwrap();
        Self { engine, commands, of_ipvs, _connection: Box::pin(connection) }
    }

    /// Has the engine start, whatever the kernel says to its requests.
    pub(super) fn start(&mut self, found: Listed) {
        self.engine.handle_listed(Ok(found));
        let mut now: Time = clock::now();
        while !self.engine.has_started() {
            self.engine.go_on_starting(now);
            now = now + Duration::from_secs(60);
        }
    }

    /// What a holder has asked for and has no answer to yet.
    pub(super) fn asked(&mut self, holder: Holder) -> Vec<Request> {
        let Engine { routers, statics, departing, .. } = &mut self.engine;
        holder.holdings(routers, statics, departing).0.asked().to_vec()
    }
}

/// The configuration of a text.
pub(super) fn config(text: &str) -> Config {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let (config, report) = config::load_with(file.path(), &Options::default(), &Elsewhere);
    config.unwrap_or_else(|| panic!("{:?}", report.lines().collect::<Vec<_>>()))
}

/// Tells a story in a network namespace of its own, so that nothing happens in it that the story does not tell.
pub(super) fn in_namespace(story: impl AsyncFnOnce() + Send + 'static) {
    let thread = std::thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace needs root");
        crate::daemon::runtime().unwrap().block_on(story());
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// An address of 10.9.0.0/24 on an interface.
pub(super) fn address(index: u32, last: u8, secondary: bool) -> AddressInfo {
    AddressInfo {
        index: IfIndex(index),
        address: [10, 9, 0, last].into(),
        prefix: 24,
        label: None,
        secondary,
        scope: 0,
        detection: Detection::Passed,
    }
}

/// A host with eth0 and eth1, and these addresses.
pub(super) fn listed(addresses: Vec<AddressInfo>) -> Listed {
    Listed {
        links: vec![Link::sample(2, "eth0"), Link::sample(3, "eth1")],
        addresses,
        routes: Vec::new(),
        rules: Vec::new(),
    }
}
