//! The thread: one socket for each address, and the machine behind all of them.

use std::{
    future::pending,
    hash::{BuildHasher as _, RandomState},
    io,
    net::SocketAddr,
    time::Duration,
};

use agentx::Mib;
use futures_util::future::select_all;
use tokio::{sync::watch, task::yield_now, time::timeout};
use tracing::{info, warn};

use super::{Engines, setup::Setup};
use crate::{
    kernel::{clock, datagram::Answering},
    notify,
    snmp_wire::MAX_MESSAGE,
    udp_agent::Agent,
    units::Time,
};

/// When an address that could not be listened at is tried again: it may come with a takeover.
const AGAIN: Duration = Duration::from_secs(1);

/// How many datagrams of one socket are answered before the others have their turn.
const BURST: usize = 64;

/// The agent at work.
pub(super) struct Lane<M: Mib> {
    agent: Agent<M>,
    wanted: watch::Receiver<Option<Setup>>,
    listeners: Vec<Listener>,
    engines: Engines,
    keeper: notify::Keeper,
    buffer: Vec<u8>,
}

struct Listener {
    at: SocketAddr,
    socket: Option<Answering>,
    /// That it cannot be had has been said.
    complained: bool,
}

impl<M: Mib> Lane<M> {
    /// Serves `mib` as it is wanted; sysUpTime was 0 when it `began`.
    pub(super) fn new(
        mib: M,
        (began, engines): (Time, Engines),
        wanted: watch::Receiver<Option<Setup>>,
    ) -> Self {
        Self {
            agent: Agent::new(mib, began.0, RandomState::new().hash_one(())),
            wanted,
            listeners: Vec::new(),
            engines,
            keeper: notify::Keeper::default(),
            buffer: vec![0; MAX_MESSAGE + 1],
        }
    }

    /// From now on it is this that is wanted. Sockets that are wanted still stay open.
    fn adopt(&mut self, setup: Option<Setup>) {
        let setup = setup.unwrap_or_default();
        let engine = self.engines.at(setup.engine.as_deref());
        self.agent.set_up(setup.settings(&engine));
        let listen = setup.listen;
        self.listeners.retain(|listener| {
            let stays = listen.contains(&listener.at);
            if !stays && listener.socket.is_some() {
                info!("SNMP is no longer answered at {}", listener.at);
            }
            stays
        });
        for at in listen {
            if !self.listeners.iter().any(|listener| listener.at == at) {
                self.listeners.push(Listener { at, socket: None, complained: false });
            }
        }
    }

    /// Answers for ever.
    async fn serve(&mut self) {
        loop {
            let complete = self.listeners.iter_mut().map(Listener::open).fold(true, |all, open| all & open);
            let readable = readable(&self.listeners);
            if complete {
                readable.await;
            } else {
                let _late = timeout(AGAIN, readable).await;
            }
            for listener in &self.listeners {
                answer(&mut self.agent, &mut self.buffer, listener);
            }
            // Whoever has something else for this thread has a turn, too.
            yield_now().await;
        }
    }
}

impl Listener {
    /// Opens what is not open; false when that was not possible.
    fn open(&mut self) -> bool {
        if self.socket.is_some() {
            return true;
        }
        match Answering::listen(self.at) {
            Ok(socket) => {
                info!("SNMP is answered at {}", self.at);
                self.socket = Some(socket);
            }
            Err(why) if !self.complained => {
                warn!("snmp_agent: SNMP cannot be answered at {} yet: {why}", self.at);
                self.complained = true;
            }
            Err(_) => {}
        }
        self.socket.is_some()
    }
}

/// Waits until one of them has something.
async fn readable(listeners: &[Listener]) {
    let open = listeners.iter().filter_map(|listener| listener.socket.as_ref());
    let waits: Vec<_> = open.map(|socket| Box::pin(socket.readable())).collect();
    if waits.is_empty() {
        return pending().await;
    }
    let _ready = select_all(waits).await;
}

/// Answers what a socket has, as far as it is its turn.
fn answer<M: Mib>(agent: &mut Agent<M>, buffer: &mut [u8], listener: &Listener) {
    let Some(socket) = &listener.socket else { return };
    for _ in 0..BURST {
        match socket.try_receive(buffer) {
            Ok((length, asker)) => {
                let asked = buffer.get(..length).unwrap_or_default();
                if let Some(answer) = agent.handle(clock::now().0, asker.from.ip().to_canonical(), asked) {
                    // Who asks again hears it then.
                    let _full = socket.try_answer(&answer, asker);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            // That an answer has not arrived: the kernel tells of it here.
            Err(_) => {}
        }
    }
}

impl<M: Mib> notify::Part for Lane<M> {
    fn name(&self) -> String {
        "answering SNMP".to_owned()
    }

    fn keeper(&mut self) -> &mut notify::Keeper {
        &mut self.keeper
    }

    async fn run(&mut self) {
        while self.wanted.has_changed().is_ok() {
            let setup = self.wanted.borrow_and_update().clone();
            self.adopt(setup);
            let mut wanted = self.wanted.clone();
            tokio::select! {
                _ = wanted.changed() => {}
                () = self.serve() => {}
            }
        }
    }
}
