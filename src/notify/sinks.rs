//! All sinks together.

use std::{io, sync::Arc, time::Duration};

use futures_util::{
    FutureExt as _, StreamExt as _,
    future::{LocalBoxFuture, join_all},
    stream::FuturesUnordered,
};

use super::{
    dbus::{Dbus, Errands},
    fifo::Fifo,
    kept::{Keeper, Part, kept},
    mail::Mail,
    runner::Runner,
};
use crate::{
    config::{Config, Global, settings},
    kernel::{Deadline, clock, process::Owner},
    registry::{DbusConfig, FifoConfig, FifoScope, MailConfig, Registry, SinkConfig, SinkRow},
};

/// Mode of a FIFO before the umask takes bits from it, as keepalived has it.
const FIFO_MODE: u32 = 0o644;

/// How long may take what a reload has removed: the readers of a FIFO and the bus to take the rest, and a script to end.
const LEAVES_WITHIN: Duration = Duration::from_secs(1);
/// How long the mails may take that wait when a reload says that nobody is mailed any more.
const MAILED_WITHIN: Duration = Duration::from_secs(10);

/// The rows of the sinks that the configuration asks for.
pub fn rows(config: &Config) -> Vec<Arc<SinkRow>> {
    let global = &config.global;
    let settings = &global.settings;
    let mut rows = vec![SinkRow::new("notify scripts", SinkConfig::Scripts)];
    let fifos = [
        ("notify_fifo", FifoScope::All, &settings.notify_fifo, &settings.notify_fifo_script),
        ("vrrp_notify_fifo", FifoScope::Vrrp, &settings.vrrp_notify_fifo, &settings.vrrp_notify_fifo_script),
        ("lvs_notify_fifo", FifoScope::Checks, &settings.lvs_notify_fifo, &settings.lvs_notify_fifo_script),
    ];
    for (keyword, scope, fifo, script) in fifos {
        let Some(settings::Fifo { path, owner, .. }) = fifo.as_deref().filter(|fifo| !fifo.ignored) else {
            continue;
        };
        let script = script.as_ref().and_then(|line| line.script.as_deref().cloned());
        let mode = FIFO_MODE & !settings.umask.0;
        let config = FifoConfig { scope, path: path.clone(), mode, owner: owner.clone(), script };
        rows.push(SinkRow::new(format!("{keyword} {}", path.display()), SinkConfig::Fifo(config)));
    }
    rows.extend(
        mail(global)
            .map(|mail| SinkRow::new(format!("mail by way of {}", mail.server), SinkConfig::Mail(mail))),
    );
    rows.extend(settings.enable_dbus.then(|| {
        let service = settings.dbus_service_name.to_string();
        let no_interface = settings.dbus_no_interface_name.as_deref().unwrap_or("none").to_owned();
        SinkRow::new(format!("D-Bus {service}"), SinkConfig::Dbus(DbusConfig { service, no_interface }))
    }));
    let targets = config.snmp_notify.iter().flat_map(|notify| &notify.target).map(|target| target.heading.0);
    rows.extend(targets.map(|at| SinkRow::new(format!("snmp_notify {at}"), SinkConfig::Snmp(at))));
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

impl Part for Runner {
    fn name(&self) -> String {
        "starting notify scripts".to_owned()
    }

    async fn run(&mut self) {
        Self::run(self).await;
    }

    fn keeper(&mut self) -> &mut Keeper {
        &mut self.keeper
    }
}

impl Part for Fifo {
    fn name(&self) -> String {
        self.row().name.clone()
    }

    async fn run(&mut self) {
        Self::run(self).await;
    }

    fn keeper(&mut self) -> &mut Keeper {
        &mut self.keeper
    }

    fn position(&self) -> u64 {
        self.row().position()
    }

    fn pass_over(&mut self) {
        Self::pass_over(self);
    }
}

impl Part for Mail {
    fn name(&self) -> String {
        "writing mails".to_owned()
    }

    async fn run(&mut self) {
        Self::run(self).await;
    }

    fn keeper(&mut self) -> &mut Keeper {
        &mut self.keeper
    }
}

/// Every sink of the manage lane. None of them can keep another one waiting.
pub struct Sinks {
    registry: Arc<Registry>,
    scripts: Option<Runner>,
    fifos: Vec<Fifo>,
    mail: Option<Mail>,
    dbus: Option<Dbus>,
    /// For callers on D-Bus.
    errands: Arc<dyn Errands>,
    /// Those that a reload has removed, until they are done.
    leaving: FuturesUnordered<LocalBoxFuture<'static, ()>>,
}

impl Sinks {
    /// The sinks of the registry's rows; each begins with the first transition of the stream. Needs a tokio runtime
    /// with I/O enabled.
    ///
    /// # Errors
    /// When descriptors run out.
    pub fn new(registry: &Arc<Registry>, errands: Arc<dyn Errands>) -> io::Result<Self> {
        let (scripts, fifos, mail, dbus, leaving) = Default::default();
        let registry = Arc::clone(registry);
        let mut sinks = Self { registry, scripts, fifos, mail, dbus, errands, leaving };
        sinks.follow(0)?;
        Ok(sinks)
    }

    /// After a reload: has those told who are in the registry's rows now. Those who are new begin with the first transition
    /// after `since`, with which those end who are gone.
    ///
    /// # Errors
    /// When descriptors run out.
    pub fn follow(&mut self, since: u64) -> io::Result<()> {
        let topology = self.registry.topology();
        let mut fifos = std::mem::take(&mut self.fifos);
        let mut mail = self.mail.take();
        let mut dbus = self.dbus.take();
        for row in &topology.sinks {
            match &row.config {
                // Told by a thread of their own.
                SinkConfig::Snmp(_) => {}
                SinkConfig::Scripts if self.scripts.is_some() => {}
                SinkConfig::Scripts => self.scripts = Some(Runner::new(&self.registry, row)?),
                SinkConfig::Fifo(config) => {
                    let fifo = match fifos.iter().position(|fifo| fifo.is_of(config)) {
                        None => Fifo::new(&self.registry, row, config, since),
                        Some(place) => {
                            let known = fifos.swap_remove(place);
                            let (fifo, left) = known.succeed(&self.registry, row, config, since);
                            left.into_iter().try_for_each(|left| self.end_fifo(left, since))?;
                            fifo
                        }
                    };
                    self.fifos.push(fifo);
                }
                SinkConfig::Mail(config) => {
                    let mut mail = match mail.take() {
                        Some(known) => known,
                        None => Mail::new(&self.registry, row, config, since)?,
                    };
                    mail.follow(row, config);
                    self.mail = Some(mail);
                }
                SinkConfig::Dbus(config) => {
                    self.dbus = Some(match dbus.take_if(|known| known.is_of(row)) {
                        Some(known) => known,
                        None => Dbus::start(&self.registry, (row, config), &self.errands, since)?,
                    });
                }
            }
        }
        fifos.into_iter().try_for_each(|fifo| self.end_fifo(fifo, since))?;
        dbus.map_or(Ok(()), |dbus| self.end_dbus(dbus, since))?;
        mail.map_or(Ok(()), |mail| self.end_mail(mail, since))
    }

    /// A FIFO is no longer written into: it is told the rest, and its readers that this was the end.
    fn end_fifo(&self, mut fifo: Fifo, until: u64) -> io::Result<()> {
        self.leave(LEAVES_WITHIN, |limit| async move {
            within(limit, fifo.finish(until)).await;
            fifo.kill();
        })
    }

    /// D-Bus is told the rest, and that this was the end.
    fn end_dbus(&self, mut dbus: Dbus, until: u64) -> io::Result<()> {
        self.leave(LEAVES_WITHIN, |limit| async move { within(limit, dbus.finish(until)).await })
    }

    /// Nobody is mailed any more, but for what has happened already.
    fn end_mail(&self, mut mail: Mail, until: u64) -> io::Result<()> {
        self.leave(MAILED_WITHIN, |limit| async move {
            within(limit, mail.finish(until)).await;
            mail.kill();
        })
    }

    /// Somebody is told no more, and has until the deadline to end.
    fn leave<F>(&self, span: Duration, end: impl FnOnce(Deadline) -> F) -> io::Result<()>
    where
        F: Future<Output = ()> + 'static,
    {
        let mut limit = Deadline::new()?;
        limit.set(Some(clock::now() + span))?;
        self.leaving.push(end(limit).boxed_local());
        Ok(())
    }

    /// Runs for ever. Cancelling it loses nothing; [`Self::finish`] goes on with what runs.
    pub async fn run(&mut self) {
        let Self { registry, scripts, fifos, mail, leaving, .. } = self;
        let scripts = join_all(scripts.iter_mut().map(|scripts| kept(scripts, registry)));
        let fifos = join_all(fifos.iter_mut().map(|fifo| kept(fifo, registry)));
        let mail = join_all(mail.iter_mut().map(|mail| kept(mail, registry)));
        let leaving = async { while leaving.next().await.is_some() {} };
        tokio::join!(scripts, fifos, mail, leaving);
    }

    /// Delivers what is still in the stream and waits for everything that runs; whoever calls it sets the limit.
    pub async fn finish(&mut self) {
        let Self { registry, scripts, fifos, mail, dbus, leaving, .. } = self;
        let until = registry.transitions.newest();
        let scripts = join_all(scripts.iter_mut().map(Runner::finish));
        let fifos = join_all(fifos.iter_mut().map(|fifo| fifo.finish(until)));
        let mail = join_all(mail.iter_mut().map(|mail| mail.finish(until)));
        let dbus = join_all(dbus.iter_mut().map(|dbus| dbus.finish(until)));
        let leaving = async { while leaving.next().await.is_some() {} };
        tokio::join!(scripts, fifos, mail, dbus, leaving);
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

/// Waits for the end of something, or for the deadline.
async fn within(mut limit: Deadline, end: impl Future<Output = ()>) {
    tokio::select! {
        () = end => {}
        _ = limit.expired() => {}
    }
}
