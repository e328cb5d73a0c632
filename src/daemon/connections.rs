//! The thread that starts and stops the kernel's daemons that tell other routers of IPVS connections (`lvs_sync_daemon`).
//!
//! The engine says what it wants, and never waits: the kernel may load a module for it, and hangs in stopping a daemon that
//! it has started a moment ago.

use std::{
    collections::HashMap,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use tokio::sync::mpsc;
use tracing::{error, info};

use crate::{
    kernel::{
        KernelError, ReceiveBuffer, clock,
        ipvs::{Change, Ipvs, Role, SyncDaemon},
        namespace,
    },
    units::Time,
    vrrp::{SyncRequest, SyncRole},
};

/// Requests that may wait; the engine keeps the rest to itself.
const WAITING: usize = 4;
/// A daemon is not stopped sooner after its start.
const SETTLES: Duration = Duration::from_millis(300);

/// The thread, as the rest of the daemon knows it.
#[derive(Debug)]
pub(super) struct Connections {
    /// Disconnected when the thread has ended.
    ended: Receiver<()>,
}

impl Connections {
    /// Starts it, in the namespace of IPVS where that is another one; what it is asked for comes through the channel, whose
    /// end is its own.
    pub(super) fn start(namespace: Option<PathBuf>) -> io::Result<(Self, mpsc::Sender<SyncRequest>)> {
        let (requests, asked) = mpsc::channel(WAITING);
        let (alive, ended) = channel::<()>();
        thread::Builder::new().name("ipvs-sync".to_owned()).spawn(move || {
            // Dropped at the end, also by a panic.
            let _alive = alive;
            serve(asked, namespace.as_deref());
        })?;
        Ok((Self { ended }, requests))
    }

    /// Waits until everything that was asked for is done, but not for ever. Nobody may ask for more.
    pub(super) fn finish(self, limit: Duration) {
        if self.ended.recv_timeout(limit) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            error!("the synchronisation of IPVS connections is not stopped in time");
        }
    }
}

fn serve(mut asked: mpsc::Receiver<SyncRequest>, namespace: Option<&Path>) {
    // The thread is this one's alone.
    let entered = namespace.map_or(Ok(()), namespace::enter);
    if let Err(error) = &entered {
        error!("no daemon of IPVS is started: {error}");
    }
    let mut ipvs = None;
    let mut started: HashMap<SyncRole, Time> = HashMap::new();
    while let Some(request) = asked.blocking_recv() {
        if entered.is_err() {
            continue;
        }
        let role = match &request {
            SyncRequest::Start(role, _) | SyncRequest::Stop(role, _) => *role,
        };
        if let SyncRequest::Stop(..) = request
            && let Some(at) = started.remove(&role)
        {
            settle(at + SETTLES);
        }
        let done = catch_unwind(AssertUnwindSafe(|| carry_out(&mut ipvs, &request))).unwrap_or_else(|_| {
            // What is asked for next begins anew.
            ipvs = None;
            Err(KernelError::other(told(&request), "a mistake of the program"))
        });
        match done {
            Ok(()) => info!("{}", told(&request)),
            Err(why) => error!("{why}"),
        }
        if let SyncRequest::Start(..) = request {
            started.insert(role, clock::now());
        }
    }
}

/// Waits until then.
fn settle(until: Time) {
    loop {
        let now = clock::now();
        if now >= until {
            return;
        }
        thread::park_timeout(until.since(now));
    }
}

fn carry_out(ipvs: &mut Option<Ipvs>, request: &SyncRequest) -> Result<(), KernelError> {
    let opened = match ipvs {
        Some(opened) => opened,
        None => ipvs.insert(Ipvs::open(ReceiveBuffer::default())?),
    };
    opened.make(&[change(request)]).into_iter().collect()
}

fn change(request: &SyncRequest) -> Change {
    let role = |role: &SyncRole| match role {
        SyncRole::Master => Role::Master,
        SyncRole::Backup => Role::Backup,
    };
    match request {
        SyncRequest::Start(of, channel) => Change::StartDaemon(SyncDaemon {
            role: role(of),
            interface: channel.interface.to_string(),
            sync_id: channel.id,
            longest: channel.max_length,
            group: channel.group,
            port: channel.port,
            ttl: channel.ttl,
        }),
        SyncRequest::Stop(of, _) => Change::StopDaemon(role(of)),
    }
}

fn told(request: &SyncRequest) -> String {
    let word = |role: &SyncRole| match role {
        SyncRole::Master => "master",
        SyncRole::Backup => "backup",
    };
    match request {
        SyncRequest::Start(role, channel) => {
            format!("Starting the {} daemon of IPVS on {}", word(role), channel.interface)
        }
        SyncRequest::Stop(role, _) => format!("Stopping the {} daemon of IPVS", word(role)),
    }
}
