//! All sinks together.

use std::{io, sync::Arc};

use futures_util::future::join_all;

use super::{fifo::Fifo, runner::Runner};
use crate::{
    config::{Global, settings},
    registry::{FifoConfig, Registry, SinkConfig, SinkRow},
};

/// Mode of a FIFO before the umask takes bits from it, as keepalived has it.
const FIFO_MODE: u32 = 0o644;

/// The rows of the sinks that the configuration asks for.
pub fn rows(global: &Global) -> Vec<Arc<SinkRow>> {
    let settings = &global.settings;
    let mut rows = vec![SinkRow::new("notify scripts", SinkConfig::Scripts)];
    let fifos = [
        ("notify_fifo", &settings.notify_fifo, &settings.notify_fifo_script),
        ("vrrp_notify_fifo", &settings.vrrp_notify_fifo, &settings.vrrp_notify_fifo_script),
    ];
    for (keyword, fifo, script) in fifos {
        let Some(settings::Fifo { path, owner, .. }) = fifo.as_deref().filter(|fifo| !fifo.ignored) else {
            continue;
        };
        let script = script.as_ref().and_then(|line| line.script.as_deref().cloned());
        let mode = FIFO_MODE & !settings.umask.0;
        let config = FifoConfig { path: path.clone(), mode, owner: owner.clone(), script };
        rows.push(SinkRow::new(format!("{keyword} {}", path.display()), SinkConfig::Fifo(config)));
    }
    rows.into_iter().map(Arc::new).collect()
}

/// Every sink of the manage lane. None of them can keep another one waiting.
pub struct Sinks {
    scripts: Option<Runner>,
    fifos: Vec<Fifo>,
}

impl Sinks {
    /// The sinks of the registry's rows; each begins with the first transition of the stream. Needs a tokio runtime
    /// with I/O enabled.
    ///
    /// # Errors
    /// When descriptors run out.
    pub fn new(registry: &Arc<Registry>) -> io::Result<Self> {
        let mut sinks = Self { scripts: None, fifos: Vec::new() };
        for row in &registry.topology().sinks {
            match &row.config {
                SinkConfig::Scripts => sinks.scripts = Some(Runner::new(registry, row)?),
                SinkConfig::Fifo(config) => sinks.fifos.push(Fifo::new(registry, row, config)),
            }
        }
        Ok(sinks)
    }

    /// Runs for ever. Cancelling it loses nothing; [`Self::finish`] goes on with what runs.
    pub async fn run(&mut self) {
        let Self { scripts, fifos } = self;
        let scripts = join_all(scripts.iter_mut().map(Runner::run));
        let fifos = join_all(fifos.iter_mut().map(Fifo::run));
        tokio::join!(scripts, fifos);
    }

    /// Delivers what is still in the stream and waits for everything that runs; whoever calls it sets the limit.
    pub async fn finish(&mut self) {
        let Self { scripts, fifos } = self;
        let scripts = join_all(scripts.iter_mut().map(Runner::finish));
        let fifos = join_all(fifos.iter_mut().map(Fifo::finish));
        tokio::join!(scripts, fifos);
    }

    /// Kills what still runs, and leaves behind what cannot be killed within a second.
    pub async fn kill(&mut self) {
        self.fifos.iter_mut().for_each(Fifo::kill);
        if let Some(scripts) = &mut self.scripts {
            scripts.kill().await;
        }
    }
}
