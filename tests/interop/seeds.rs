//! Configurations from the field, unchanged, with the failover that they were written for: haproxy stops on the
//! host that holds the address, and the other host takes it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use lab::{Capture, Error, Host, Lan, Process, Result, Router, State, Subject};

use crate::scripts::script;
use crate::world::{Ours, SOON, from, side_by_side};

/// A seed's text; `None`, and a line that says so, where the corpus is not beside the repository. The line is seen
/// although the story passes, because it is written past what the harness keeps to itself.
fn seed(name: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/seeds").join(name);
    let text = fs::read_to_string(&path).ok();
    if text.is_none() {
        let line = format!(
            "The corpus of real configurations is not beside this checkout: {} is not told of (scripts.rs has stories \
             of the same kind).\n",
            path.display()
        );
        // Who cannot be told is not told.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
    text
}

/// A host with haproxy on it, or rather with a process of that name, and what configurations ask about it.
struct Site<'a> {
    host: &'a Host,
    haproxy: Option<Process>,
}

impl<'a> Site<'a> {
    /// The service runs. `bin/killall` sees this host's processes only (psmisc's sees those of all labs), and
    /// `etc` is what the routers of this host find in /etc/keepalived.
    fn new(host: &'a Host) -> Result<Self> {
        for dir in ["bin", "etc"] {
            let dir = host.dir().join(dir);
            fs::create_dir(&dir).map_err(|error| Error::io(format!("create {}", dir.display()), error))?;
        }
        let here = host.dir().display();
        let asks = format!("[ \"$(cat /proc/$(cat {here}/haproxy.pid)/comm)\" = haproxy ]");
        script(host, "bin/killall", &format!("[ \"$*\" = '-0 haproxy' ] && {asks}"))?;
        script(host, "etc/chk_haproxy.sh", &asks)?;
        let program = host.dir().join("haproxy");
        fs::copy("/bin/sleep", &program)
            .map_err(|error| Error::io(format!("copy /bin/sleep to {}", program.display()), error))?;
        let mut site = Self { host, haproxy: None };
        site.start_haproxy()?;
        Ok(site)
    }

    fn start_haproxy(&mut self) -> Result<()> {
        let program = self.host.dir().join("haproxy");
        let haproxy = self.host.spawn("haproxy", &[&program.to_string_lossy(), "1000"])?;
        self.host.write("haproxy.pid", &haproxy.pid().to_string())?;
        self.haproxy = Some(haproxy);
        Ok(())
    }

    fn stop_haproxy(&mut self) {
        self.haproxy = None;
    }

    /// A router with this site's /etc/keepalived and killall. Every program of a host has mounts of its own, so
    /// nothing outside is touched.
    fn router(&self, subject: &Subject, config: &str) -> Result<Router> {
        let here = self.host.dir().display();
        let run = if let Subject::Steadfast(binary) = subject {
            format!("exec {} \"$@\"", binary.display())
        } else {
            format!("TMPDIR={here} exec keepalived \"$@\" -G -r {here}/vrrp.pid")
        };
        let wrapper =
            format!("mount --bind {here}/etc /etc/keepalived || exit\nPATH={here}/bin:$PATH\n{run}");
        let wrapper: PathBuf = script(self.host, "router.sh", &wrapper)?;
        Router::start(&Subject::Steadfast(wrapper), self.host, self.host.name(), config)
    }
}

/// `backup.conf` on beta; alpha has what the walkthrough gives the other host: MASTER, priority 101.
#[test]
fn with_a_weighted_script_the_priority_drops_and_the_backup_takes_over() {
    let Some(backup) = seed("backup.conf") else { return };
    let master = backup.replace("state BACKUP", "state MASTER").replace("priority 100", "priority 101");
    assert_ne!(master, backup);
    side_by_side(&Ours::BOTH, |ours| {
        const VIP: &str = "192.168.56.100";
        let lan = Lan::builder()
            .host("alpha", "enp0s8", "192.168.56.11/24")
            .host("beta", "enp0s8", "192.168.56.12/24")
            .build()?;
        let (one, two) = ours.cast();
        let (mut alpha, mut beta) = (Site::new(&lan["alpha"])?, Site::new(&lan["beta"])?);
        let capture = Capture::start(&lan["beta"], "enp0s8", "ip proto 112")?;
        let alphas = alpha.router(&one, &master)?;
        let betas = beta.router(&two, &backup)?;
        let wait_priority = |sender: &str, priority: u8| {
            capture.wait_vrrp(&format!("priority {priority} of {sender}"), SOON, |seen| {
                from(seen, sender).last().is_some_and(|advert| advert.priority() == priority)
            })
        };
        alphas.wait_entering("VI_1", State::Master, SOON)?;
        wait_priority("192.168.56.11", 103)?;
        lan.wait_holder(VIP, "alpha", SOON)?;

        alpha.stop_haproxy();
        betas.wait_entering("VI_1", State::Master, SOON)?;
        wait_priority("192.168.56.12", 102)?;
        lan.wait_holder(VIP, "beta", SOON)?;

        // Neither has the service now: the base priorities decide.
        let mark = alphas.mark();
        beta.stop_haproxy();
        alphas.wait_entering_since(mark, "VI_1", State::Master, SOON)?;
        wait_priority("192.168.56.11", 101)?;
        lan.wait_holder(VIP, "alpha", SOON)
    });
}

/// Whether the better host takes the address back when its service has returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Better {
    /// As in the seed.
    Preempts,
    /// With `state BACKUP` and `nopreempt` on both hosts.
    IsPolite,
}

/// `lb_vip_master.conf` on alpha, `lb_vip_backup.conf` on beta.
#[test]
fn with_a_script_without_weight_the_master_is_in_fault_and_the_backup_takes_over() {
    let (Some(master), Some(backup)) = (seed("lb_vip_master.conf"), seed("lb_vip_backup.conf")) else {
        return;
    };
    let polite = master.replace("state MASTER", "state BACKUP\n    nopreempt");
    assert_ne!(polite, master);
    let cases = [Better::Preempts, Better::IsPolite]
        .into_iter()
        .flat_map(|better| Ours::BOTH.map(|ours| (better, ours)));
    side_by_side(&cases.collect::<Vec<_>>(), |&(better, ours)| {
        let lan = Lan::builder()
            .host("alpha", "ens192", "10.150.160.30/24")
            .host("beta", "ens192", "10.150.160.31/24")
            .build()?;
        let (one, two) = ours.cast();
        let (mut alpha, mut beta) = (Site::new(&lan["alpha"])?, Site::new(&lan["beta"])?);
        let alphas = alpha.router(&one, if better == Better::IsPolite { &polite } else { &master })?;
        // The backup starts when the service has an owner: neither may preempt the other.
        alphas.wait_entering("LB_VIP", State::Master, SOON)?;
        let betas = beta.router(&two, &backup)?;
        betas.wait_entering("LB_VIP", State::Backup, SOON)?;
        fails_over(&lan, &mut alpha, &alphas, &betas)?;

        let (mark, betas_mark) = (alphas.mark(), betas.mark());
        alpha.start_haproxy()?;
        alphas.wait_entering_since(mark, "LB_VIP", State::Backup, SOON)?;
        if better == Better::IsPolite {
            stays_with_beta(&lan, &alphas, mark)?;
            beta.stop_haproxy();
            betas.wait_entering_since(betas_mark, "LB_VIP", State::Fault, SOON)?;
        }
        alphas.wait_entering_since(mark, "LB_VIP", State::Master, SOON)?;
        lan.wait_holder(LB_VIP, "alpha", SOON)
    });
}

const LB_VIP: &str = "10.150.160.32";

fn fails_over(lan: &Lan, alpha: &mut Site<'_>, alphas: &Router, betas: &Router) -> Result<()> {
    lan.wait_holder(LB_VIP, "alpha", SOON)?;
    assert_eq!(betas.entries("LB_VIP", State::Master), 0);
    alpha.stop_haproxy();
    alphas.wait_entering("LB_VIP", State::Fault, SOON)?;
    betas.wait_entering("LB_VIP", State::Master, SOON)?;
    lan.wait_holder(LB_VIP, "beta", SOON)
}

/// Five seconds' adverts: longer than the other router would need to take over.
fn stays_with_beta(lan: &Lan, alphas: &Router, mark: usize) -> Result<()> {
    let capture = Capture::start(&lan["alpha"], "ens192", "ip proto 112")?;
    let seen = capture.wait_vrrp("five adverts of beta", SOON, |seen| seen.len() >= 5)?;
    assert_eq!(from(&seen, "10.150.160.31").len(), seen.len(), "{seen:?}");
    let log = alphas.process().log_since(mark);
    assert!(!log.contains("Entering MASTER"), "{log}");
    assert_eq!(lan.holders(LB_VIP), ["beta"]);
    Ok(())
}
