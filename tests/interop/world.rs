//! What the stories share: who plays whom, a configuration text, and cases told side by side.

use std::fmt::{Debug, Write as _};
use std::thread;
use std::time::Duration;

use lab::pcap::Vrrp;
use lab::{Host, Lan, Result, Router, Stalls, State, Subject, wait};
use steadfast::units::Family;

/// Nothing in these stories takes longer, not even on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(30);
/// The virtual address of most stories.
pub(crate) const VIP: &str = "10.9.0.100";
/// The instance of most stories.
pub(crate) const VI: &str = "VI";
/// On a busy machine a router may be this late with what a timer asks of it.
pub(crate) const LATE: Duration = Duration::from_millis(300);
/// A router's timer may seem to end this early: the capture stamps a packet after it was decided to send it.
pub(crate) const EARLY: Duration = Duration::from_millis(15);

/// The daemon under test, or keepalived in its place.
pub(crate) fn ours() -> Subject {
    Subject::from_env(env!("CARGO_BIN_EXE_steadfast"))
}

/// Whether keepalived plays our part: then the story leaves out, or tells otherwise, what the row of `docs/differences.md`
/// that begins so says of it. `tests/suites/stories.rs` sees to it that there is one.
pub(crate) fn is_keepalived(row: &str) -> bool {
    does_as_keepalived(&ours(), row)
}

/// The same of one of several routers.
pub(crate) fn does_as_keepalived(router: &Subject, row: &str) -> bool {
    let is = *router == Subject::Keepalived;
    if is {
        lab::note(&format!("of keepalived is told less, it differs: {row}"));
    }
    is
}

/// What a story looks for, where each daemon says or shows the same in its own way.
pub(crate) fn in_its_way<T>(router: &Subject, ours: T, keepalived: T) -> T {
    match router {
        Subject::Steadfast(_) => ours,
        Subject::Keepalived => keepalived,
    }
}

/// Which of two routers is ours; the other one is keepalived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ours {
    /// The one on alpha, 10.9.0.1: the better one of most stories.
    Alpha,
    /// The one on beta, 10.9.0.2.
    Beta,
}

impl Ours {
    /// Both casts.
    pub(crate) const BOTH: [Self; 2] = [Self::Alpha, Self::Beta];

    /// Who plays alpha and who plays beta.
    pub(crate) fn cast(self) -> (Subject, Subject) {
        match self {
            Self::Alpha => (ours(), Subject::Keepalived),
            Self::Beta => (Subject::Keepalived, ours()),
        }
    }
}

/// The link-local address that the captures of IPv6 advertise first.
pub(crate) const LINK_LOCAL_VIP: &str = "fe80::51";
/// The virtual address of most stories over IPv6.
pub(crate) const VIP6: &str = "2001:db8:9::100";

/// How two routers talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Talk {
    /// 2 or 3.
    pub(crate) version: u8,
    /// To each other's address instead of to the group.
    pub(crate) unicast: bool,
    /// `auth_pass`.
    pub(crate) password: Option<&'static str>,
    /// `auth_type AH` instead of PASS.
    pub(crate) header: bool,
    /// Over IPv4 or IPv6.
    pub(crate) family: Family,
}

/// Version 3 to the group, which most stories use because its interval may be short.
pub(crate) const V3: Talk =
    Talk { version: 3, unicast: false, password: None, header: false, family: Family::V4 };
/// The same over IPv6.
pub(crate) const V3_IPV6: Talk = Talk { family: Family::V6, ..V3 };
/// Advertisements of both families, for a capture.
pub(crate) const ADVERTS: &str = "ip proto 112 or ip proto 51 or ip6 proto 112";

impl Talk {
    /// Version 2 counts in seconds.
    pub(crate) fn interval(self) -> Duration {
        match self.version {
            2 => Duration::from_secs(1),
            _ => Duration::from_millis(200),
        }
    }

    /// RFC 3768 §6.1, RFC 9568 §6.1.
    pub(crate) fn skew(self, priority: u8) -> Duration {
        self.interval() * (256 - u32::from(priority)) / 256
    }

    /// How long a backup waits for a silent master.
    pub(crate) fn master_down(self, priority: u8) -> Duration {
        self.interval() * 3 + self.skew(priority)
    }

    /// A pair of hosts that can talk so: with an address of their own of the family, too, which over IPv6 is not
    /// where advertisements leave from unless they are told to.
    pub(crate) fn lan(self) -> Result<Lan> {
        let lan = Lan::pair()?;
        if self.family == Family::V6 {
            lan["alpha"].add_address("2001:db8:9::1/64", "va0")?;
            lan["beta"].add_address("2001:db8:9::2/64", "vb0")?;
            for (host, address) in [("alpha", "fe80::ff:fe00:a01"), ("beta", "fe80::ff:fe00:b02")] {
                wait::until_true("link-local addresses", SOON, || lan[host].has_address(address))?;
            }
        }
        Ok(lan)
    }

    /// Where the advertisements of alpha and of beta come from.
    pub(crate) fn senders(self) -> [&'static str; 2] {
        match (self.family, self.unicast) {
            (Family::V4, _) => ["10.9.0.1", "10.9.0.2"],
            (Family::V6, false) => ["fe80::ff:fe00:a01", "fe80::ff:fe00:b02"],
            (Family::V6, true) => ["2001:db8:9::1", "2001:db8:9::2"],
        }
    }

    /// The virtual address that matters.
    pub(crate) fn vip(self) -> &'static str {
        match self.family {
            Family::V4 => VIP,
            Family::V6 => VIP6,
        }
    }

    /// The usual router on alpha.
    pub(crate) fn alpha(self, priority: u8) -> Setup {
        let [own, other] = self.senders();
        self.setup(("va0", own, other), priority)
    }

    /// The usual router on beta.
    pub(crate) fn beta(self, priority: u8) -> Setup {
        let [other, own] = self.senders();
        self.setup(("vb0", own, other), priority)
    }

    fn setup(self, (interface, own, other): (&str, &str, &str), priority: u8) -> Setup {
        let mut lines = Vec::new();
        if let Some(password) = self.password {
            let kind = if self.header { "AH" } else { "PASS" };
            lines.push(format!("authentication {{\n    auth_type {kind}\n    auth_pass {password}\n  }}"));
        }
        if self.unicast {
            lines.push(format!("unicast_src_ip {own}\n  unicast_peer {{\n    {other}\n  }}"));
        }
        Setup {
            interface: interface.into(),
            version: self.version,
            vrid: 51,
            priority,
            advert_int: self.interval().as_secs_f64().to_string(),
            vips: match self.family {
                Family::V4 => vec![format!("{VIP}/24")],
                Family::V6 => vec![format!("{LINK_LOCAL_VIP}/64"), format!("{VIP6}/64")],
            },
            lines,
            before: String::new(),
        }
    }
}

/// One instance as a configuration text.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// `interface`.
    pub(crate) interface: String,
    /// `version`.
    pub(crate) version: u8,
    /// `virtual_router_id`.
    pub(crate) vrid: u8,
    /// `priority`.
    pub(crate) priority: u8,
    /// `advert_int`.
    pub(crate) advert_int: String,
    /// The lines of `virtual_ipaddress`.
    pub(crate) vips: Vec<String>,
    /// More lines of the instance.
    pub(crate) lines: Vec<String>,
    /// Blocks before the instance.
    pub(crate) before: String,
}

impl Setup {
    /// With one more line in the instance.
    #[must_use]
    pub(crate) fn line(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }

    /// The whole file. Gratuitous ARP as in the captures: twice, and twice again after a second.
    pub(crate) fn text(&self) -> String {
        format!("global_defs {{\n  router_id lab\n}}\n{}{}", self.before, self.instance(VI))
    }

    /// The instance alone, for files with several.
    pub(crate) fn instance(&self, name: &str) -> String {
        let Self { interface, version, vrid, priority, advert_int, .. } = self;
        let mut text = format!(
            "vrrp_instance {name} {{\n  state BACKUP\n  interface {interface}\n  version {version}\n  \
             virtual_router_id {vrid}\n  priority {priority}\n  advert_int {advert_int}\n  \
             garp_master_delay 1\n  garp_master_repeat 2\n"
        );
        for line in &self.lines {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {line}");
        }
        let _ = writeln!(text, "  virtual_ipaddress {{\n    {}\n  }}\n}}", self.vips.join("\n    "));
        text
    }

    /// Starts a router with this file.
    pub(crate) fn start(&self, subject: &Subject, host: &Host) -> Result<Router> {
        Router::start(subject, host, host.name(), &self.text())
    }

    /// Starts a router on `host` and waits until it is in `state`.
    pub(crate) fn start_until(&self, subject: &Subject, host: &Host, state: State) -> Result<Router> {
        let router = self.start(subject, host)?;
        router.wait_entering(VI, state, SOON)?;
        Ok(router)
    }
}

/// Tells `story` for all cases at the same time (they mostly wait), and fails with every case that failed.
pub(crate) fn side_by_side<C: Debug + Sync>(cases: &[C], story: impl Fn(&C) -> Result<()> + Sync) {
    let failures: Vec<String> = thread::scope(|scope| {
        let story = &story;
        let told: Vec<_> = cases.iter().map(|case| (case, scope.spawn(move || story(case)))).collect();
        told.into_iter()
            .filter_map(|(case, telling)| match telling.join() {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(format!("{case:?}: {error}")),
                Err(_) => Some(format!("{case:?}: panicked, see above")),
            })
            .collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// Neither router has thrown away anything that the other one sent.
pub(crate) fn assert_nothing_rejected(router: &Router) -> Result<()> {
    match router.subject() {
        Subject::Steadfast(_) => {
            let log = router.log();
            assert!(!log.contains("rejected"), "{log}");
        }
        Subject::Keepalived => {
            let stats = router.stats()?;
            assert_eq!(stats.group(VI, "Packet Errors"), 0, "{stats:?}");
            assert_eq!(stats.group(VI, "Authentication Errors"), 0, "{stats:?}");
        }
    }
    Ok(())
}

/// The advertisements of one sender.
pub(crate) fn from<'a>(adverts: &'a [Vrrp], sender: &str) -> Vec<&'a Vrrp> {
    adverts.iter().filter(|advert| advert.src.to_string() == sender).collect()
}

/// Asserts that every advertisement of `sender` left on time: no gap longer than the interval and `late`, but for
/// the time in which the machine ran nobody.
pub(crate) fn assert_steady(
    adverts: &[Vrrp],
    sender: &str,
    interval: Duration,
    late: Duration,
    stalls: &Stalls,
) {
    for two in from(adverts, sender).windows(2) {
        let (due, came) = (two[0].time + interval, two[1].time);
        let (silent, stalled) = (came.saturating_sub(two[0].time), stalls.within(due, came));
        assert!(
            silent <= interval + late + stalled,
            "{sender} was silent for {silent:?} at an interval of {interval:?}; the machine stalled for {stalled:?}"
        );
    }
}

/// A cable pulled out of the switch and plugged in again, without either end losing carrier: the routers
/// neither hear each other nor know that anything is wrong.
pub(crate) struct Partition<'a> {
    host: &'a Host,
    switch: String,
}

impl<'a> Partition<'a> {
    /// Cuts alpha off.
    pub(crate) fn of_alpha(lan: &'a Lan) -> Result<Self> {
        let host = &lan["alpha"];
        let switch = host.namespace().replace("-alpha", "-bridge0");
        host.run(&["ip", "-n", &switch, "link", "set", "p0", "nomaster"])?;
        Ok(Self { host, switch })
    }

    /// Joins it again.
    pub(crate) fn heal(self) -> Result<()> {
        let plug = ["ip", "-n", &self.switch, "link", "set", "p0", "master", "br0"];
        self.host.run(&plug).map(drop)
    }
}
