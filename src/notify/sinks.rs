//! All sinks together.

use std::{io, sync::Arc, time::Duration};

use futures_util::future::join_all;

use super::{fifo::Fifo, mail::Mail, runner::Runner};
use crate::{
    config::{Global, settings},
    kernel::process::Owner,
    registry::{FifoConfig, MailConfig, Registry, SinkConfig, SinkRow},
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
    rows.extend(
        mail(global)
            .map(|mail| SinkRow::new(format!("mail by way of {}", mail.server), SinkConfig::Mail(mail))),
    );
    rows.into_iter().map(Arc::new).collect()
}

/// Mail goes out when there is a server and somebody to send it to.
fn mail(global: &Global) -> Option<MailConfig> {
    let Global { settings, host_name, .. } = global;
    let server = settings.smtp_server.as_ref()?;
    let to: Vec<_> = settings.notification_email.iter().map(|(address, _)| address.to_string()).collect();
    let from = || format!("{}@{host_name}", Owner::own().name());
    (!to.is_empty()).then(|| MailConfig {
        server: server.host.to_string(),
        port: server.port,
        helo: settings.smtp_helo_name.as_deref().unwrap_or(host_name).to_owned(),
        timeout: Duration::from_secs((*settings.smtp_connect_timeout).into()),
        from: settings.notification_email_from.as_deref().map_or_else(from, str::to_owned),
        to,
        faults: !settings.no_email_faults,
        host_name: host_name.clone(),
    })
}

/// Every sink of the manage lane. None of them can keep another one waiting.
pub struct Sinks {
    scripts: Option<Runner>,
    fifos: Vec<Fifo>,
    mail: Option<Mail>,
}

impl Sinks {
    /// The sinks of the registry's rows; each begins with the first transition of the stream. Needs a tokio runtime
    /// with I/O enabled.
    ///
    /// # Errors
    /// When descriptors run out.
    pub fn new(registry: &Arc<Registry>) -> io::Result<Self> {
        let mut sinks = Self { scripts: None, fifos: Vec::new(), mail: None };
        for row in &registry.topology().sinks {
            match &row.config {
                SinkConfig::Scripts => sinks.scripts = Some(Runner::new(registry, row)?),
                SinkConfig::Fifo(config) => sinks.fifos.push(Fifo::new(registry, row, config)),
                SinkConfig::Mail(config) => sinks.mail = Some(Mail::new(registry, row, config)?),
            }
        }
        Ok(sinks)
    }

    /// Runs for ever. Cancelling it loses nothing; [`Self::finish`] goes on with what runs.
    pub async fn run(&mut self) {
        let Self { scripts, fifos, mail } = self;
        let scripts = join_all(scripts.iter_mut().map(Runner::run));
        let fifos = join_all(fifos.iter_mut().map(Fifo::run));
        let mail = join_all(mail.iter_mut().map(Mail::run));
        tokio::join!(scripts, fifos, mail);
    }

    /// Delivers what is still in the stream and waits for everything that runs; whoever calls it sets the limit.
    pub async fn finish(&mut self) {
        let Self { scripts, fifos, mail } = self;
        let scripts = join_all(scripts.iter_mut().map(Runner::finish));
        let fifos = join_all(fifos.iter_mut().map(Fifo::finish));
        let mail = join_all(mail.iter_mut().map(Mail::finish));
        tokio::join!(scripts, fifos, mail);
    }

    /// Kills what still runs, and leaves behind what cannot be killed within a second.
    pub async fn kill(&mut self) {
        self.fifos.iter_mut().for_each(Fifo::kill);
        self.mail.iter_mut().for_each(Mail::kill);
        if let Some(scripts) = &mut self.scripts {
            scripts.kill().await;
        }
    }
}
