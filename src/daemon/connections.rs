//! The thread that starts and stops the kernel's daemons that tell other routers of IPVS connections (`lvs_sync_daemon`).
//!
//! The engine says what it wants, and never waits: the kernel may load a module for it, and hangs in stopping a daemon that
//! it has started a moment ago.

use std::{
    collections::HashMap,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{Receiver, channel},
    },
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
    notify,
    registry::Registry,
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
    /// end is its own. Mistakes are told of in the registry.
    pub(super) fn start(
        namespace: Option<PathBuf>,
        registry: Arc<Registry>,
    ) -> io::Result<(Self, mpsc::Sender<SyncRequest>)> {
        Self::with(move |asked| {
            // The thread is this one's alone.
            if let Some(Err(error)) = namespace.as_deref().map(namespace::enter) {
                error!("no daemon of IPVS is started: {error}");
                return ignore(asked);
            }
            serve(asked, &registry, carry_out);
        })
    }

    /// A thread that does this with what comes.
    fn with(
        serve: impl FnOnce(mpsc::Receiver<SyncRequest>) + Send + 'static,
    ) -> io::Result<(Self, mpsc::Sender<SyncRequest>)> {
        let (requests, asked) = mpsc::channel(WAITING);
        let (alive, ended) = channel::<()>();
        thread::Builder::new().name("ipvs-sync".to_owned()).spawn(move || {
            // Dropped at the end, also by a panic.
            let _alive = alive;
            serve(asked);
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

/// Takes what is asked for, in vain.
fn ignore(mut asked: mpsc::Receiver<SyncRequest>) {
    while asked.blocking_recv().is_some() {}
}

/// Has each request carried out, over the socket that the one before may have opened. A mistake fails that request alone.
fn serve<Socket>(
    mut asked: mpsc::Receiver<SyncRequest>,
    registry: &Registry,
    carry_out: impl Fn(&mut Option<Socket>, &SyncRequest) -> Result<(), KernelError>,
) {
    let mut socket = None;
    let mut started: HashMap<SyncRole, Time> = HashMap::new();
    while let Some(request) = asked.blocking_recv() {
        let role = match &request {
            SyncRequest::Start(role, _) | SyncRequest::Stop(role, _) => *role,
        };
        if let SyncRequest::Stop(..) = request
            && let Some(at) = started.remove(&role)
        {
            settle(at + SETTLES);
        }
        let done = catch_unwind(AssertUnwindSafe(|| carry_out(&mut socket, &request)));
        let done = done.unwrap_or_else(|_| {
            socket = None;
            notify::tell_of_restart("synchronising connections", registry);
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::registry::{Cursor, Reason, testing::topology};

    #[test]
    fn a_mistake_over_one_request_is_told_of_and_the_next_one_is_carried_out_from_the_beginning() {
        let registry = Arc::new(Registry::new(topology()));
        let done = Arc::new(Mutex::new(Vec::new()));
        let (rows, noted) = (Arc::clone(&registry), Arc::clone(&done));
        let carry_out = move |socket: &mut Option<u8>, request: &SyncRequest| {
            let SyncRequest::Stop(_, number) = request else { panic!("nothing is started here") };
            let known = socket.replace(*number);
            assert_ne!(*number, 2, "a mistake");
            noted.lock().unwrap().push((*number, known));
            Ok(())
        };
        let (connections, requests) = Connections::with(move |asked| serve(asked, &rows, carry_out)).unwrap();
        for number in 1..=4 {
            requests.blocking_send(SyncRequest::Stop(SyncRole::Master, number)).unwrap();
        }
        drop(requests);
        connections.finish(Duration::from_secs(30));
        assert_eq!(*done.lock().unwrap(), [(1, None), (3, None), (4, Some(3))]);
        let told = Cursor::default().peek(&registry.transitions).unwrap();
        let Reason::Restarted { part, .. } = &told.change.reason else { panic!("{told:?}") };
        assert_eq!((part.as_str(), registry.transitions.newest()), ("synchronising connections", 1));
    }
}
