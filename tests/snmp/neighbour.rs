//! Another agent behind the same snmpd, in a thread of the test.

use std::thread;

use agentx::{Config, MasterAddress, Mib, Subagent};
use tokio::sync::oneshot;

/// An agent that serves until it is dropped.
pub(crate) struct Neighbour {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Neighbour {
    /// Serves one region of the master at this address.
    #[expect(clippy::expect_used, reason = "a failed expectation is a failed test, in helpers too")]
    pub(crate) fn start(master: &str, config: Config, mib: impl Mib) -> Self {
        let master: MasterAddress = master.parse().expect("the lab has an address");
        let agent = Subagent::new(master, config, mib, agentx::driver::monotonic)
            .expect("what a master may be asked");
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(agent.run_until(async {
                let _ = stopped.await;
            }));
        });
        Self { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().map(thread::JoinHandle::join);
        // One panic is enough.
        assert!(thread::panicking() || matches!(ended, Some(Ok(()))), "the agent did not end in good order");
    }
}
