//! What a router survives: losing its link, its addresses, its interface's name, two seconds of its life, or the
//! kernel's reports.

use std::fmt::Write as _;
use std::time::Duration;

use lab::{Capture, Host, Lan, Result, Router, State, Subject, pcap::Vrrp, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::world::{SOON, Setup, V3, VI, VIP, does_as_keepalived, from, is_keepalived, ours, side_by_side};

/// A stop has two seconds for the kernel to remove the addresses; a busy machine gets one more.
const PROMPT: Duration = Duration::from_secs(3);
/// More than four times as many changes as the kernel queues for the daemon.
const CHURN: usize = 9_000;
/// Addresses that are there afterwards, so that a listing takes its time. The kernel's work for each grows with
/// their number.
const LEFT: usize = 1_000;

/// Holds a router's breath, or lets it breathe again.
fn signal(router: &Router, signal: Signal) -> Result<()> {
    let pid = router.vrrp_pid(SOON)?;
    kill(Pid::from_raw(pid), signal).map_err(|error| lab::Error::io(format!("send {signal} to {pid}"), error))
}

/// Waits until `interface` holds exactly the `expected` addresses, in whatever order.
fn wait_addresses(router: &Router, host: &Host, interface: &str, expected: &[String]) -> Result<()> {
    let sorted = |mut addresses: Vec<String>| {
        addresses.sort();
        addresses
    };
    let expected = sorted(expected.to_vec());
    wait::until(&format!("{} addresses", expected.len()), SOON, || {
        let held = sorted(host.addresses(interface).unwrap_or_default());
        let missing: Vec<_> = expected.iter().filter(|address| !held.contains(address)).collect();
        if held == expected {
            return Ok(());
        }
        Err(format!("{} held, {missing:?} missing\n{}", held.len(), router.process().log_tail()))
    })
}

/// Waits until `count` instances of a router have entered `state`, each once.
fn wait_all(router: &Router, state: State, count: usize) -> Result<()> {
    wait::until_eq(&format!("{count} times {state}"), SOON, &count, || entered(router, state))
}

/// How often any instance of a router has entered `state`.
fn entered(router: &Router, state: State) -> usize {
    router.log().matches(&format!("Entering {state} STATE")).count()
}

#[test]
fn a_master_that_had_lost_its_link_still_puts_back_what_others_remove() -> Result<()> {
    if is_keepalived("VIP, virtual route or rule removed by another program while MASTER") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let before = alpha.addresses("va0")?;
    let vips = ["10.9.0.100/24", "10.9.0.101/24", "10.9.0.102/32"].map(String::from);
    let setup = Setup { vips: vips.to_vec(), ..V3.alpha(150) };
    let router = setup.start_until(&ours(), alpha, State::Master)?;
    let held = [&before[..], &vips].concat();
    wait_addresses(&router, alpha, "va0", &held)?;

    let mark = router.mark();
    alpha.link_down("va0")?;
    router.wait_entering_since(mark, VI, State::Fault, SOON)?;
    wait_addresses(&router, alpha, "va0", &before)?;
    let mark = router.mark();
    alpha.link_up("va0")?;
    router.wait_entering_since(mark, VI, State::Master, SOON)?;
    wait_addresses(&router, alpha, "va0", &held)?;

    let mark = router.mark();
    for vip in &vips {
        alpha.del_address(vip, "va0")?;
        wait_addresses(&router, alpha, "va0", &held)?;
    }
    assert!(!router.process().log_since(mark).contains("Entering"), "{}", router.log());
    Ok(())
}

#[test]
fn a_hundred_addresses_removed_at_once_are_all_back_at_once() -> Result<()> {
    if is_keepalived("VIP, virtual route or rule removed by another program while MASTER") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    alpha.add_address("10.9.1.250/24", "va0")?;
    let before = alpha.addresses("va0")?;
    let vips: Vec<_> = (1..=100).map(|number| format!("10.9.1.{number}/24")).collect();
    let setup = Setup { vips: vips.clone(), ..V3.alpha(150) };
    let router = setup.start_until(&ours(), alpha, State::Master)?;
    let held = [before, vips.clone()].concat();
    wait_addresses(&router, alpha, "va0", &held)?;

    let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112")?;
    let commands: String = vips.iter().map(|vip| format!("addr del {vip} dev va0\n")).collect();
    batch(alpha, &commands)?;
    wait_addresses(&router, alpha, "va0", &held)?;
    let enough = capture.vrrp()?.len() + 5;
    let adverts = capture.wait_vrrp("five more adverts", SOON, |seen| seen.len() >= enough)?;
    assert!(adverts.iter().all(|advert| advert.priority() == 150), "{adverts:?}");
    assert_eq!((router.entries(VI, State::Master), router.entries(VI, State::Backup)), (1, 1));
    wait_addresses(&router, alpha, "va0", &held)
}

/// Commands of `ip`, one a line, by one process.
pub(crate) fn batch(host: &Host, commands: &str) -> Result<()> {
    let file = host.write("batch", commands)?;
    // Whoever makes a change gives up its turn while a listener's queue is half full, thousands of times here; with a
    // real-time priority that costs nothing where others keep the machine busy.
    host.run(&["chrt", "-r", "1", "ip", "-batch", &file.to_string_lossy()]).map(drop)
}

/// A file with as many instances, which differ in name, VRID and addresses.
fn crowd(usual: &Setup, count: u8, vips: impl Fn(u8) -> Vec<String>) -> String {
    (1..=count)
        .map(|vrid| Setup { vrid, vips: vips(vrid), ..usual.clone() }.instance(&format!("V{vrid}")))
        .collect()
}

#[test]
fn a_standby_that_was_stopped_for_a_while_counts_what_it_has_heard_before_it_takes_over() -> Result<()> {
    const CROWD: u8 = 200;
    let lan = Lan::pair()?;
    let vip = |vrid| vec![format!("10.9.8.{vrid}/32")];
    let start =
        |host: &str, setup: &Setup| Router::start(&ours(), &lan[host], host, &crowd(setup, CROWD, vip));
    let master = start("alpha", &V3.alpha(150))?;
    wait_all(&master, State::Master, CROWD.into())?;
    let standby = start("beta", &V3.beta(100))?;
    wait_all(&standby, State::Backup, CROWD.into())?;

    let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112")?;
    // What the first instance sends is a clock that all of them go by.
    let clock = |adverts: &[Vrrp]| adverts.iter().filter(|advert| advert.vrid() == 1).count();
    let intervals = |count: usize| {
        let enough = clock(&capture.vrrp()?) + count;
        capture.wait_vrrp("adverts of the master", SOON, |seen| clock(seen) >= enough)
    };
    intervals(2)?;
    signal(&standby, Signal::SIGSTOP)?;
    intervals(10)?;
    signal(&standby, Signal::SIGCONT)?;
    let adverts = intervals(6)?;
    let log = standby.log();
    for vrid in 1..=CROWD {
        // A busy machine may silence the master itself.
        let silence = longest_silence(&adverts, "10.9.0.1", vrid);
        let takes_over = log.contains(&format!("(V{vrid}) Entering MASTER STATE"));
        assert!(!takes_over || silence >= V3.master_down(100), "V{vrid} took over after {silence:?}\n{log}");
    }
    Ok(())
}

/// For how long a master said nothing of a virtual router.
fn longest_silence(adverts: &[Vrrp], master: &str, vrid: u8) -> Duration {
    let times: Vec<_> = from(adverts, master)
        .iter()
        .filter(|advert| advert.vrid() == vrid)
        .map(|advert| advert.time)
        .collect();
    times.windows(2).map(|two| two[1].saturating_sub(two[0])).max().unwrap_or_default()
}

/// Renames an interface; a kernel before 6.2 only does that while it is down.
fn rename(host: &Host, from: &str, to: &str) -> Result<()> {
    host.sh(&format!(
        "ip link set {from} name {to} || \
         {{ ip link set {from} down && ip link set {from} name {to} && ip link set {to} up; }}"
    ))
    .map(drop)
}

#[test]
fn a_renamed_interface_is_missing_until_it_has_its_name_again() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let before = alpha.addresses("va0")?;
    let held = [&before[..], &[format!("{VIP}/24")]].concat();
    let router = V3.alpha(150).start_until(&ours(), alpha, State::Master)?;
    wait_addresses(&router, alpha, "va0", &held)?;

    let mark = router.mark();
    rename(alpha, "va0", "other")?;
    router.wait_entering_since(mark, VI, State::Fault, SOON)?;
    wait_addresses(&router, alpha, "other", &before)?;

    let mark = router.mark();
    rename(alpha, "other", "va0")?;
    router.wait_entering_since(mark, VI, State::Master, SOON)?;
    wait_addresses(&router, alpha, "va0", &held)?;
    let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112")?;
    capture.wait_vrrp("adverts", SOON, |seen| from(seen, "10.9.0.1").len() >= 3)?;
    router.stop()?;
    assert_eq!(alpha.addresses("va0")?, before);
    Ok(())
}

/// An instance on alpha and its one peer.
#[derive(Clone, Copy, Debug)]
struct Pair {
    instance: &'static str,
    peer: &'static str,
    interface: &'static str,
    address: &'static str,
    vip: &'static str,
}

const P: Pair =
    Pair { instance: "P", peer: "beta", interface: "vb0", address: "10.9.0.2", vip: "10.9.0.100" };
const Q: Pair =
    Pair { instance: "Q", peer: "gamma", interface: "vc0", address: "10.9.0.3", vip: "10.9.0.101" };

impl Pair {
    /// alpha's end.
    fn here(self) -> String {
        self.end("va0", "10.9.0.1", self.address, 100).instance(self.instance)
    }

    /// The other end, played by keepalived.
    fn there(self, lan: &Lan, priority: u8) -> Result<Router> {
        let setup = self.end(self.interface, self.address, "10.9.0.1", priority);
        setup.start(&Subject::Keepalived, &lan[self.peer])
    }

    fn end(self, interface: &str, own: &str, other: &str, priority: u8) -> Setup {
        let vips = vec![format!("{}/24", self.vip)];
        Setup { interface: interface.into(), vips, ..V3.alpha(priority) }
            .line(format!("unicast_src_ip {own}"))
            .line(format!("unicast_peer {{\n    {other}\n  }}"))
    }
}

#[test]
fn two_unicast_instances_of_one_vrid_each_hear_their_own_peer() {
    side_by_side(&[(P, Q), (Q, P)], |&(beaten, unbeaten)| {
        let lan = Lan::builder()
            .host("alpha", "va0", "10.9.0.1/24")
            .host("beta", "vb0", "10.9.0.2/24")
            .host("gamma", "vc0", "10.9.0.3/24")
            .build()?;
        let better = beaten.there(&lan, 200)?;
        better.wait_entering(VI, State::Master, SOON)?;
        let _worse = unbeaten.there(&lan, 50)?;
        let router = Router::start(&ours(), &lan["alpha"], "alpha", &format!("{}{}", P.here(), Q.here()))?;
        router.wait_entering(unbeaten.instance, State::Master, SOON)?;
        lan.wait_holder(unbeaten.vip, "alpha", SOON)?;
        lan.wait_holder(beaten.vip, beaten.peer, SOON)?;
        // More than twice what a backup that hears nobody waits.
        wait::throughout("each address on one host", V3.master_down(100) * 2, || {
            let held = [beaten.vip, unbeaten.vip].map(|vip| lan.holders(vip));
            if held == [[beaten.peer], ["alpha"]] { Ok(()) } else { Err(format!("{held:?}")) }
        })?;
        assert_eq!(router.entries(beaten.instance, State::Master), 0, "{}", router.log());

        better.kill9();
        router.wait_entering(beaten.instance, State::Master, SOON)?;
        assert_eq!(router.entries(unbeaten.instance, State::Backup), 1, "{}", router.log());
        Ok(())
    });
}

/// What happens while nobody reads the kernel's reports.
#[derive(Clone, Copy, Debug)]
enum Meanwhile {
    /// The interface is deleted and made again.
    NewInterface,
    /// Its own address is replaced by the same one with a label.
    OtherLabel,
}

/// More changes than the kernel keeps for a daemon that does not look.
fn flood(host: &Host) -> Result<()> {
    let mut commands = String::new();
    for number in 0..LEFT {
        // Writing to a String cannot fail.
        let _ = writeln!(commands, "addr add 10.200.{}.{}/32 dev lo", number / 250, number % 250 + 1);
    }
    commands.push_str(&"addr add 10.201.0.1/32 dev lo\naddr del 10.201.0.1/32 dev lo\n".repeat(CHURN));
    batch(host, &commands)
}

impl Meanwhile {
    fn happens(self, host: &Host) -> Result<()> {
        let switch = host.namespace().replace("-alpha", "-bridge0");
        let script = match self {
            Self::NewInterface => format!(
                "ip link del va0 && ip link add va0 type veth peer name p0 netns {switch} && \
                 ip -n {switch} link set p0 master br0 up && \
                 ip addr add 10.9.0.1/24 dev va0 && ip link set va0 up"
            ),
            Self::OtherLabel => "ip addr del 10.9.0.1/24 dev va0 && \
                                 ip addr add 10.9.0.1/24 dev va0 label va0:own"
                .into(),
        };
        host.sh(&script).map(drop)
    }
}

/// From SIGCONT on: the kernel is asked anew, and adverts of all instances leave.
fn recovers(lan: &Lan, router: &Router, instances: u8) -> Result<()> {
    let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112")?;
    let mark = router.mark();
    signal(router, Signal::SIGCONT)?;
    if !does_as_keepalived(
        router.subject(),
        "reports of links and addresses lost while the process did not run",
    ) {
        router.process().wait_log_since(mark, "listing them anew", SOON)?;
    }
    capture
        .wait_vrrp("three adverts of each", SOON, |seen| {
            let sent =
                |vrid| seen.iter().filter(|advert| advert.vrid() == vrid && advert.priority() == 150).count();
            (1..=instances).all(|vrid| sent(vrid) >= 3)
        })
        .map(drop)
}

#[test]
fn after_an_overrun_of_reports_a_changed_interface_is_found_out() {
    use Meanwhile::{NewInterface, OtherLabel};
    if is_keepalived("reports of links and addresses lost while the process did not run") {
        return;
    }
    let cases = [(NewInterface, true), (NewInterface, false), (OtherLabel, true), (OtherLabel, false)];
    side_by_side(&cases, |&(meanwhile, after_the_flood)| {
        let lan = Lan::pair()?;
        let alpha = &lan["alpha"];
        let before = alpha.addresses("va0")?;
        let held = [&before[..], &[format!("{VIP}/24")]].concat();
        let router = Setup { vrid: 1, ..V3.alpha(150) }.start_until(&ours(), alpha, State::Master)?;
        wait_addresses(&router, alpha, "va0", &held)?;

        signal(&router, Signal::SIGSTOP)?;
        // Reports from before the flood are queued, those from after it are lost.
        if after_the_flood {
            flood(alpha)?;
            meanwhile.happens(alpha)?;
        } else {
            meanwhile.happens(alpha)?;
            flood(alpha)?;
        }
        recovers(&lan, &router, 1)?;
        wait_addresses(&router, alpha, "va0", &held)?;
        router.process().terminate(PROMPT)?;
        assert_eq!(alpha.addresses("va0")?, before);
        Ok(())
    });
}

#[test]
fn an_overrun_of_reports_amid_an_installation_leaves_no_address_out() -> Result<()> {
    const CROWD: u8 = 10;
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let before = alpha.addresses("va0")?;
    let vips = |vrid| (1..=250).map(|number| format!("10.61.{vrid}.{number}/32")).collect::<Vec<_>>();
    let held = [before.clone(), (1..=CROWD).flat_map(vips).collect()].concat();
    let router = Router::start(&ours(), alpha, "alpha", &crowd(&V3.alpha(150), CROWD, vips))?;
    wait::until_true("the first address", SOON, || {
        alpha.addresses("va0").is_ok_and(|held| held.len() > before.len())
    })?;
    signal(&router, Signal::SIGSTOP)?;
    println!("stopped with {} of {} addresses", alpha.addresses("va0")?.len(), held.len());
    flood(alpha)?;
    recovers(&lan, &router, CROWD)?;
    wait_addresses(&router, alpha, "va0", &held)?;
    assert_eq!(entered(&router, State::Master), usize::from(CROWD), "{}", router.process().log_tail());
    router.process().terminate(PROMPT)?;
    assert_eq!(alpha.addresses("va0")?, before);
    Ok(())
}
