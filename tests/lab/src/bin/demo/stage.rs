//! The two routers and the station, what may be expected of them, and the list of what was.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lab::{AddressMonitor, Error, Host, Lan, Process, Result, Router, Snmpd, Subject, clock, wait};

use crate::interrupt;
use crate::service;
use crate::station::{Listener, Means};
use crate::timeline::{Event, Timeline, What};

/// The address that the service is known by.
pub(crate) const VIP: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 100);
/// The routers' hosts, with their own addresses.
pub(crate) const ROUTERS: [(&str, &str); 2] = [("alpha", "10.9.0.1"), ("beta", "10.9.0.2")];
const STATION: (&str, &str) = ("nms", "10.9.0.3");
const AGENTX: &str = "tcp:127.0.0.1:705";
/// Long against every timer of the story: three advertisement intervals, a check, a trap.
const SOON: Duration = Duration::from_secs(6);
const DISAPPOINTED: Duration = Duration::from_millis(500);

/// Everything that runs, in the order in which it is to end.
pub(crate) struct Stage {
    pub(crate) timeline: Timeline,
    pub(crate) snmp: bool,
    routers: Vec<Router>,
    services: Vec<Process>,
    _agents: Vec<Snmpd>,
    checks: Vec<(String, bool)>,
    patience: Duration,
    lan: Lan,
}

impl Stage {
    /// Hosts, services, SNMP where it is wanted, then the routers.
    pub(crate) fn build(subject: &Subject, means: Option<&Means>) -> Result<Self> {
        let lan = Lan::builder()
            .host("alpha", "eth0", "10.9.0.1/24")
            .host("beta", "eth0", "10.9.0.2/24")
            .host(STATION.0, "eth0", "10.9.0.3/24")
            .build()?;
        let services = ROUTERS.map(|(name, _)| service::start(&lan[name]));
        let services = services.into_iter().collect::<Result<_>>()?;
        let agents = if matches!(means, Some(Means::NetSnmp)) { start_agents(&lan)? } else { Vec::new() };
        let station = means.map(|means| Listener::start(means, &lan[STATION.0])).transpose()?;
        let monitors =
            ROUTERS.map(|(name, _)| AddressMonitor::start(&lan[name]).map(|monitor| (name, monitor)));

        let mut timeline = Timeline::new();
        for monitor in monitors {
            let (name, monitor) = monitor?;
            timeline.follow_addresses(name, monitor);
        }
        if let Some(station) = station {
            timeline.follow_traps(STATION.0, station);
        }
        let mut stage = Self {
            timeline,
            snmp: means.is_some(),
            routers: Vec::new(),
            services,
            _agents: agents,
            checks: Vec::new(),
            patience: SOON,
            lan,
        };
        for (name, _) in ROUTERS {
            stage.start_router(subject, means, name)?;
        }
        Ok(stage)
    }

    /// The host from which the service is used and the MIB is read.
    pub(crate) fn station(&self) -> &Host {
        &self.lan[STATION.0]
    }

    /// Begins the next part; an error when the user has asked for the end.
    pub(crate) fn chapter(&mut self, title: &str) -> Result<()> {
        if interrupt::requested() {
            return Err(Error::Unexpected("interrupted; everything has been removed".into()));
        }
        self.timeline.chapter(title);
        Ok(())
    }

    /// Ends the service on alpha, as a crash would.
    pub(crate) fn stop_service(&mut self) -> Duration {
        self.services[0].kill();
        self.timeline.note("alpha's service has been killed")
    }

    /// Starts it again.
    pub(crate) fn start_service(&mut self) -> Result<Duration> {
        self.timeline.look();
        let now = clock::wall();
        self.services[0] = service::start(&self.lan["alpha"])?;
        self.timeline.note("alpha's service runs again");
        Ok(now)
    }

    /// kill -9 for alpha's router.
    pub(crate) fn kill_router(&mut self) -> Duration {
        self.timeline.look();
        let now = clock::wall();
        self.routers[0].kill9();
        self.timeline.note("alpha's router has been killed with SIGKILL");
        now
    }

    /// Lets the story run until an event after `since` satisfies `fits`; checks it off, and returns it.
    pub(crate) fn expect(
        &mut self,
        what: &str,
        since: Duration,
        fits: impl Fn(&Event) -> bool,
    ) -> Option<Event> {
        let timeline = &mut self.timeline;
        let found = patiently(self.patience, what, || {
            let mut events = timeline.look().iter().filter(|event| event.time >= since);
            events.find(|event| fits(event)).cloned().ok_or_else(String::new)
        });
        self.check(what, found.is_some());
        found
    }

    /// `host` becomes `state` after `since`, and with SNMP the station is told.
    pub(crate) fn expect_state(&mut self, host: &'static str, state: &'static str, since: Duration) {
        self.expect(&format!("{host} becomes {state}"), since, |event| {
            event.host == host && event.what.is_transition(Some(state))
        });
        if self.snmp {
            let word = state.to_lowercase();
            let trap = What::Trap(host.into(), word.clone());
            self.expect(&format!("a trap says that {host} is {word}"), since, |event| event.what == trap);
        }
    }

    /// The virtual address is added to `host` after `since`; returns how long that took.
    pub(crate) fn expect_address(&mut self, host: &'static str, since: Duration) -> Option<Duration> {
        let added = self.expect(&format!("{VIP} moves to {host}"), since, |event| {
            event.host == host && matches!(event.what, What::Address(true, _))
        })?;
        Some(added.time.saturating_sub(since))
    }

    /// A user of the virtual address reaches the service on `host`.
    pub(crate) fn expect_answer(&mut self, host: &str) {
        let station = self.station().clone();
        let timeline = &mut self.timeline;
        let answered = patiently(self.patience, "an answer", || {
            timeline.look();
            let seen = service::ask(&station, VIP)?;
            if seen == host { Ok(()) } else { Err(seen) }
        });
        if answered.is_some() {
            self.timeline.note(&format!("http://{VIP}/ is answered by {host}"));
        }
        self.check(&format!("http://{VIP}/ is answered by {host}"), answered.is_some());
    }

    /// The station has received as many notifications as the routers have logged transitions.
    pub(crate) fn expect_trap_for_each_transition(&mut self) -> bool {
        let timeline = &mut self.timeline;
        let balanced = patiently(self.patience, "a trap for each transition", || {
            timeline.look();
            let transitions = timeline.count(|what| what.is_transition(None));
            let traps = timeline.count(|what| matches!(what, What::Trap(..)));
            if traps == transitions {
                Ok(())
            } else {
                Err(format!("{traps} traps, {transitions} transitions"))
            }
        });
        self.check("a trap for each transition", balanced.is_some());
        balanced.is_some()
    }

    /// Remembers whether something expected happened.
    pub(crate) fn check(&mut self, what: &str, happened: bool) {
        if !happened && !interrupt::requested() {
            self.timeline.note(&format!("EXPECTED, BUT NOT SEEN: {what}"));
        }
        if !happened {
            // What follows builds on it: do not wait as long for each of the consequences.
            self.patience = DISAPPOINTED;
        }
        self.checks.push((what.into(), happened));
    }

    /// How many expectations there were, and those that were not met.
    pub(crate) fn verdict(&self) -> (usize, Vec<&str>) {
        let missed = self.checks.iter().filter(|(_, happened)| !happened).map(|(what, _)| what.as_str());
        (self.checks.len(), missed.collect())
    }

    /// The end of each router's log, for a reader who wants to know why.
    pub(crate) fn log_tails(&self) -> String {
        let tails: Vec<String> = self
            .routers
            .iter()
            .map(|router| format!("--- {} ---\n{}", router.process().name(), router.process().log_tail()))
            .collect();
        tails.join("\n")
    }

    fn start_router(&mut self, subject: &Subject, means: Option<&Means>, name: &'static str) -> Result<()> {
        let host = &self.lan[name];
        let router = match means {
            Some(Means::Own(_)) => Router::start(subject, host, name, &without_snmpd(name)?)?,
            _ => Router::start_file(subject, host, name, &example(name), &[])?,
        };
        self.timeline.follow_router(name, &router);
        self.routers.push(router);
        Ok(())
    }
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../examples/demo/{name}.conf"))
}

/// A router's configuration for a host without snmpd.
fn without_snmpd(name: &str) -> Result<String> {
    let read = |name: &str| {
        let path = example(name);
        fs::read_to_string(&path).map_err(|e| Error::io(format!("read {}", path.display()), e))
    };
    let is_about_snmpd = |line: &str| {
        ["enable_snmp_vrrp", "enable_traps", "snmp_socket"]
            .iter()
            .any(|word| line.trim_start().starts_with(word))
    };
    let router = read(name)?;
    let kept = router.lines().filter(|line| !is_about_snmpd(line)).map(|line| format!("{line}\n"));
    Ok(kept.collect::<String>() + &read("without-snmpd")?)
}

/// Waits; `None` when it passes, or when the user has asked for the end.
fn patiently<T>(
    patience: Duration,
    what: &str,
    mut probe: impl FnMut() -> std::result::Result<T, String>,
) -> Option<T> {
    let waited = wait::until(what, patience, || match probe() {
        Ok(value) => Ok(Some(value)),
        Err(_) if interrupt::requested() => Ok(None),
        Err(seen) => Err(seen),
    });
    waited.ok().flatten()
}

fn start_agents(lan: &Lan) -> Result<Vec<Snmpd>> {
    let sink = format!("{}:162", STATION.1);
    ROUTERS
        .iter()
        .map(|(name, _)| {
            Snmpd::builder(&lan[*name])
                .agentx(AGENTX)
                .trap_sink(&sink)
                .line(&format!("sysName {name}"))
                .start()
        })
        .collect()
}
