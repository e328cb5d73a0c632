//! D-Bus (`enable_dbus`): keepalived's interfaces on the system bus, and its signals for each transition.
//!
//! It has a thread and a runtime of its own: what a library waits for there is waited for nowhere else, and a message is
//! never left off in the middle. A bus that hangs holds up nobody; one that dies is connected to again, later each time,
//! and what has happened meanwhile follows in order. The state of an instance is its row's, looked at when somebody asks.
//!
//! | file | what |
//! |---|---|
//! | `teller` | what the bus is told, and what becomes of it when the bus does not take it |
//! | `station` | one connection: the name, the objects, the signals |
//! | `objects` | what can be asked, and what it does |
//! | `caller` | who asks |
//! | `path` | where an instance is |

mod caller;
mod objects;
mod path;
mod station;
mod teller;

use std::{io, sync::Arc, thread};

use futures_util::FutureExt as _;
use tokio::{runtime, sync::oneshot};
use tracing::error;

use self::teller::Teller;
use super::kept::kept;
use crate::registry::{DbusConfig, Operator, Registry, SinkRow};

/// What callers on the bus ask the daemon to do. None of it waits.
pub trait Errands: Send + Sync {
    /// Write `keepalived.data`.
    fn print_data(&self);
    /// Write `keepalived.stats`, and begin to count anew if `clear` says so.
    fn print_stats(&self, clear: bool);
    /// Read the configuration anew; `by` is who asks, where the bus knows it.
    fn reload(&self, by: Option<Operator>);
    /// Announce the addresses of the instance of this name once, if it is MASTER.
    fn announce(&self, instance: &str);
}

/// The thread that tells the bus.
pub(super) struct Dbus {
    row: Arc<SinkRow>,
    /// Takes the number of the last transition to tell of.
    finish: Option<oneshot::Sender<u64>>,
    ended: Option<oneshot::Receiver<()>>,
    /// Dropped to have it end at once.
    _life: oneshot::Sender<()>,
}

impl Dbus {
    /// Begins with the first transition of the stream after `since`.
    pub(super) fn start(
        registry: &Arc<Registry>,
        (row, config): (&Arc<SinkRow>, &DbusConfig),
        errands: &Arc<dyn Errands>,
        since: u64,
    ) -> io::Result<Self> {
        let (finish, finished) = oneshot::channel();
        let (end, ended) = oneshot::channel::<()>();
        let (life, killed) = oneshot::channel();
        let parts = (Arc::clone(registry), Arc::clone(row), Arc::clone(errands));
        let config = config.clone();
        thread::Builder::new().name("dbus".to_owned()).spawn(move || {
            // Whoever waits for the end hears of it however it comes.
            let _end = end;
            let (registry, row, errands) = parts;
            let finished = finished.shared();
            let told = (Arc::clone(&registry), Arc::clone(&row));
            let mut teller = Teller::new(told, config, errands, (since, finished.clone()));
            let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return error!("{} is told nothing: {error}", row.name),
            };
            let tell = async {
                kept(&mut teller, &registry).await;
                if let Ok(until) = finished.await {
                    teller.finish(until).await;
                }
            };
            runtime.block_on(async {
                tokio::select! {
                    () = tell => {}
                    _ = killed => {}
                }
            });
        })?;
        Ok(Self { row: Arc::clone(row), finish: Some(finish), ended: Some(ended), _life: life })
    }

    /// Whether it tells for that row.
    pub(super) fn is_of(&self, row: &Arc<SinkRow>) -> bool {
        Arc::ptr_eq(&self.row, row)
    }

    /// Has it tell what is in the stream up to that transition, and that this was the end; whoever calls it sets the limit.
    pub(super) async fn finish(&mut self, until: u64) {
        if let Some(finish) = self.finish.take() {
            // Without a thread there is nothing to finish.
            let _ = finish.send(until);
        }
        if let Some(ended) = &mut self.ended {
            // It says nothing, and hangs up.
            let _ = ended.await;
            self.ended = None;
        }
    }
}
