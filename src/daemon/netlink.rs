//! The thread that carries the engine's netlink requests.
//!
//! The kernel works on a request while it is being sent, under a lock that any other program may hold for as long as it
//! likes. The thread that sends advertisements must not be the one that waits for it.

use std::{convert::Infallible, sync::Arc, thread, time::Duration};

use tokio::sync::oneshot;

use super::{real_time::RealTime, runtime};
use crate::{
    kernel::{KernelError, ReceiveBuffer, Requests},
    units::Time,
};

/// A thread that has ended twice within this time would do so again.
const REST: Duration = Duration::from_secs(10);

/// The thread, as the engine knows it.
pub(super) struct Netlink {
    real_time: Arc<RealTime>,
    /// `vrrp_netlink_cmd_rcv_bufs`.
    buffer: ReceiveBuffer,
    /// Says nothing, and is disconnected when the thread has ended.
    ended: oneshot::Receiver<Infallible>,
    begun_anew: Option<Time>,
}

impl Netlink {
    /// Starts the thread, and returns what to make requests with.
    pub(super) fn start(
        real_time: Arc<RealTime>,
        buffer: ReceiveBuffer,
    ) -> Result<(Self, Requests), KernelError> {
        let (requests, ended) = start(Arc::clone(&real_time), buffer)?;
        Ok((Self { real_time, buffer, ended, begun_anew: None }, requests))
    }

    /// One without a thread, which therefore does not end.
    #[cfg(test)]
    pub(super) fn without_thread(real_time: Arc<RealTime>) -> Self {
        let (alive, ended) = oneshot::channel();
        std::mem::forget(alive);
        Self { real_time, buffer: ReceiveBuffer::default(), ended, begun_anew: None }
    }

    /// Waits until the thread has ended, which it does not do while anybody can make requests, unless it panics. Every
    /// request that was on its way has failed then.
    pub(super) async fn ended(&mut self) {
        // Nothing is ever sent.
        let _ = (&mut self.ended).await;
    }

    /// Starts another thread in its place.
    ///
    /// # Errors
    /// When that is not possible, or was necessary a moment ago already.
    pub(super) fn begin_anew(&mut self, now: Time) -> Result<Requests, KernelError> {
        if self.begun_anew.is_some_and(|last| now.since(last) < REST) {
            return Err(KernelError::other("carrying netlink requests", "the thread for it keeps ending"));
        }
        let (requests, ended) = start(Arc::clone(&self.real_time), self.buffer)?;
        (self.ended, self.begun_anew) = (ended, Some(now));
        Ok(requests)
    }
}

fn start(
    real_time: Arc<RealTime>,
    buffer: ReceiveBuffer,
) -> Result<(Requests, oneshot::Receiver<Infallible>), KernelError> {
    let (opened, requests) = std::sync::mpsc::channel();
    let (alive, ended) = oneshot::channel();
    let lane = move || {
        // Dropped at the end, also by a panic.
        let _alive: oneshot::Sender<Infallible> = alive;
        real_time.enter();
        let starting = |error| KernelError::from_io("starting the netlink lane", &error);
        let runtime = match runtime().map_err(starting) {
            Ok(runtime) => runtime,
            Err(error) => return opened.send(Err(error)).unwrap_or_default(),
        };
        runtime.block_on(async {
            match Requests::open(buffer) {
                Ok((requests, connection)) => {
                    // The engine waits for it, and the connection ends with its last request.
                    let _ = opened.send(Ok(requests));
                    connection.await;
                }
                Err(error) => drop(opened.send(Err(error))),
            }
        });
    };
    thread::Builder::new()
        .name("netlink".to_owned())
        .spawn(lane)
        .map_err(|error| KernelError::from_io("starting the netlink lane", &error))?;
    let requests = requests
        .recv()
        .unwrap_or_else(|_| Err(KernelError::other("starting the netlink lane", "it ended at once")))?;
    Ok((requests, ended))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::GlobalDefs;

    #[tokio::test]
    async fn the_end_of_the_thread_is_noticed_and_another_takes_its_place_but_not_again_and_again() {
        let real_time = Arc::new(RealTime::new(&GlobalDefs::default()));
        let (mut netlink, requests) = Netlink::start(real_time, ReceiveBuffer::default()).unwrap();
        assert!(!requests.links().await.unwrap().is_empty());
        drop(requests);
        netlink.ended().await;
        let requests = netlink.begin_anew(Time::from_secs(100)).unwrap();
        assert!(!requests.links().await.unwrap().is_empty());
        drop(requests);
        netlink.ended().await;
        assert!(netlink.begin_anew(Time::from_secs(109)).is_err());
        assert!(netlink.begin_anew(Time::from_secs(110)).is_ok());
    }
}
