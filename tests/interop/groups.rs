//! Sync groups: two routers, each with an interface on two links, and a member of the group on either.

use std::time::Duration;

use lab::lan::Join;
use lab::pcap::Vrrp;
use lab::{Capture, Host, Injector, Lan, Result, Router, State, Subject, clock, frame, wait};

use crate::scripts::{in_order_of_start, lines, script};
use crate::world::{
    EARLY, LATE, Ours, SOON, Setup, V3, V3_IPV6, VIP6, from, is_keepalived, ours, side_by_side,
};

/// The two members.
const MEMBERS: [&str; 2] = ["ONE", "TWO"];
/// Their virtual addresses.
const VIPS: [&str; 2] = ["10.9.0.100", "10.8.0.100"];

/// Two hosts on two links: alpha with va0 and va1, beta with vb0 and vb1.
pub(crate) fn lan() -> Result<Lan> {
    let mut lan = Lan::pair()?;
    lan.add_segment(Join::Bridge, &[("alpha", "va1", "10.8.0.1/24"), ("beta", "vb1", "10.8.0.2/24")])?;
    // A router that starts before its link has come up begins in FAULT.
    for (host, interface) in [("alpha", "va0"), ("alpha", "va1"), ("beta", "vb0"), ("beta", "vb1")] {
        wait::until_true(&format!("{interface} to be up"), SOON, || {
            let link = lan[host].run(&["ip", "-br", "link", "show", interface]).unwrap_or_default();
            link.contains("LOWER_UP") && link.split_whitespace().nth(1) == Some("UP")
        })?;
    }
    Ok(lan)
}

/// A router's file: blocks above the group, its lines besides `group`, and what the members of `base` (the one on the
/// first link) are like.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// Words of `global_defs`.
    pub(crate) globals: String,
    pub(crate) before: String,
    pub(crate) lines: String,
    pub(crate) members: [Setup; 2],
}

impl Group {
    /// Members of this priority on `va0` and `va1`, or `vb0` and `vb1`.
    pub(crate) fn of(base: &Setup) -> Self {
        let mut second = base.clone();
        second.interface = base.interface.replace('0', "1");
        second.vrid += 1;
        second.vips = vec![format!("{}/24", VIPS[1])];
        Self {
            globals: String::new(),
            before: String::new(),
            lines: String::new(),
            members: [base.clone(), second],
        }
    }

    /// With one more line in the group.
    pub(crate) fn line(mut self, line: &str) -> Self {
        self.lines += &format!("  {line}\n");
        self
    }

    /// With one more line in each member;
    pub(crate) fn each(mut self, line: &str) -> Self {
        self.members = self.members.map(|member| member.line(line));
        self
    }

    fn text(&self) -> String {
        let Self { globals, before, lines, members } = self;
        let [one, two] = MEMBERS;
        format!(
            "global_defs {{\n  router_id lab\n  script_user root\n{globals}}}\n{before}vrrp_sync_group G {{\n  group {{\n    {one}\n    \
             {two}\n  }}\n{lines}}}\n{}{}",
            members[0].instance(one),
            members[1].instance(two)
        )
    }

    pub(crate) fn start(&self, subject: &Subject, host: &Host) -> Result<Router> {
        Router::start(subject, host, host.name(), &self.text())
    }

    pub(crate) fn start_until(&self, subject: &Subject, host: &Host, state: State) -> Result<Router> {
        let router = self.start(subject, host)?;
        wait_all(&router, 0, state)?;
        Ok(router)
    }
}

/// Waits until both members have entered `state` since `mark`.
fn wait_all(router: &Router, mark: usize, state: State) -> Result<()> {
    MEMBERS.iter().try_for_each(|member| router.wait_entering_since(mark, member, state, SOON).map(drop))
}

/// Waits until both addresses are on one host alone.
fn wait_holder(lan: &Lan, host: &str) -> Result<()> {
    VIPS.iter().try_for_each(|vip| lan.wait_holder(vip, host, SOON))
}

fn nobody(holders: &[String]) -> std::result::Result<(), String> {
    if holders.is_empty() { Ok(()) } else { Err(format!("{holders:?}")) }
}

/// The first advertisement of `sender` with this priority after `since`.
fn first<'a>(seen: &'a [Vrrp], sender: &str, priority: u8, since: Duration) -> Option<&'a Vrrp> {
    from(seen, sender).into_iter().find(|advert| advert.priority() == priority && advert.time >= since)
}

#[test]
fn one_link_that_fails_takes_the_whole_group_over_and_back() {
    side_by_side(&Ours::BOTH, |ours| {
        let (better, worse) = ours.cast();
        let lan = lan()?;
        let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
        let first_router = Group::of(&V3.alpha(150)).start_until(&better, alpha, State::Master)?;
        let second_router = Group::of(&V3.beta(100)).start_until(&worse, beta, State::Backup)?;
        wait_holder(&lan, "alpha")?;

        // The link that works tells the backup at once; the other one is silent for the master down interval, and
        // the group waits for it.
        let capture = Capture::start(beta, "vb1", "ip proto 112")?;
        let (fallen, risen) = (first_router.mark(), second_router.mark());
        let pulled = clock::wall();
        alpha.link_down("va0")?;
        wait_all(&first_router, fallen, State::Fault)?;
        wait_all(&second_router, risen, State::Master)?;
        wait_holder(&lan, "beta")?;
        let seen = capture.wait_vrrp("beta's first advertisement", SOON, |seen| {
            first(seen, "10.8.0.2", 100, pulled).is_some()
        })?;
        let released = first(&seen, "10.8.0.1", 0, pulled).expect("alpha releases its other mastership").time;
        let taken = first(&seen, "10.8.0.2", 100, pulled).expect("it was awaited").time;
        let waited = taken.saturating_sub(pulled);
        assert!(released < taken, "released at {released:?}, taken over at {taken:?}");
        let earliest = V3.master_down(100).saturating_sub(V3.interval() + EARLY);
        assert!(waited >= earliest, "taken over after {waited:?}: the first link was silent for less");
        assert!(waited <= V3.master_down(100) + LATE * 2, "taken over after {waited:?}");

        let (returned, fallen) = (first_router.mark(), second_router.mark());
        alpha.link_up("va0")?;
        wait_all(&first_router, returned, State::Backup)?;
        wait_all(&first_router, returned, State::Master)?;
        wait_all(&second_router, fallen, State::Backup)?;
        wait_holder(&lan, "alpha")
    });
}

#[test]
fn a_router_that_stops_or_dies_hands_both_links_over() {
    side_by_side(&[(Ours::Alpha, true), (Ours::Alpha, false), (Ours::Beta, true)], |(ours, orderly)| {
        let (better, worse) = ours.cast();
        let lan = lan()?;
        let alpha = Group::of(&V3.alpha(150)).start_until(&better, &lan["alpha"], State::Master)?;
        let beta = Group::of(&V3.beta(100)).start_until(&worse, &lan["beta"], State::Backup)?;
        if *orderly {
            alpha.stop()?;
        } else {
            alpha.kill9();
            // What a killed router leaves behind is not the story.
            let leftovers = [(VIPS[0], "va0"), (VIPS[1], "va1")];
            leftovers.iter().try_for_each(|(vip, on)| lan["alpha"].del_address(&format!("{vip}/24"), on))?;
        }
        wait_all(&beta, 0, State::Master)?;
        wait_holder(&lan, "beta")
    });
}

#[test]
fn the_two_families_of_one_link_move_together() {
    side_by_side(&Ours::BOTH, |ours| {
        let (better, worse) = ours.cast();
        let lan = V3_IPV6.lan()?;
        let both = |talk6: &Setup, talk4: &Setup| {
            let members = [talk6.clone(), Setup { vrid: 52, ..talk4.clone() }];
            Group { globals: String::new(), before: String::new(), lines: String::new(), members }
        };
        let holders = |host: &str| {
            lan.wait_holder(VIP6, host, SOON)?;
            lan.wait_holder(VIPS[0], host, SOON)
        };
        let alpha =
            both(&V3_IPV6.alpha(150), &V3.alpha(150)).start_until(&better, &lan["alpha"], State::Master)?;
        let beta =
            both(&V3_IPV6.beta(100), &V3.beta(100)).start_until(&worse, &lan["beta"], State::Backup)?;
        holders("alpha")?;
        let mark = beta.mark();
        alpha.stop()?;
        wait_all(&beta, mark, State::Master)?;
        holders("beta")
    });
}

#[test]
fn a_better_router_on_one_link_keeps_the_group_from_both() {
    side_by_side(&[()], |()| {
        let lan = lan()?;
        let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
        let group = Group::of(&V3.alpha(150)).start_until(&ours(), alpha, State::Master)?;
        // Alone, on the second link only.
        let mut rival = Group::of(&V3.beta(200)).members[1].clone();
        rival.before = String::new();
        let mark = group.mark();
        let rival = rival.start_until(&Subject::Keepalived, beta, State::Master)?;
        wait_all(&group, mark, State::Backup)?;
        lan.wait_holder(VIPS[1], "beta", SOON)?;
        // Longer than the master down interval: nobody is MASTER on the first link.
        wait::throughout("the first address on no host", V3.master_down(150) * 2, || {
            nobody(&lan.holders(VIPS[0]))
        })?;
        let mark = group.mark();
        rival.stop()?;
        wait_all(&group, mark, State::Master)?;
        wait_holder(&lan, "alpha")
    });
}

#[test]
fn a_link_that_is_down_at_the_start_keeps_the_group_in_fault() -> Result<()> {
    let lan = lan()?;
    let alpha = &lan["alpha"];
    alpha.link_down("va1")?;
    let router = Group::of(&V3.alpha(150)).start(&ours(), alpha)?;
    let in_fault = |log: String| {
        let log = log.to_lowercase();
        MEMBERS
            .iter()
            .all(|member| log.contains(&format!("({}) entering fault state", member.to_lowercase())))
    };
    wait::until_true("both members in FAULT", SOON, || in_fault(router.log()))?;
    wait::throughout("no address", V3.master_down(150) * 2, || {
        VIPS.iter().try_for_each(|vip| nobody(&lan.holders(vip)))
    })?;
    alpha.link_up("va1")?;
    wait_holder(&lan, "alpha")
}

#[test]
fn a_script_of_the_group_moves_every_member() {
    // With weight 0 the group goes to FAULT, with a weight it falls below the other router.
    side_by_side(&[(Ours::Alpha, ""), (Ours::Alpha, "weight -60"), (Ours::Beta, "")], |(ours, weight)| {
        let (better, worse) = ours.cast();
        let lan = lan()?;
        let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
        let sick = alpha.dir().join("sick");
        let mut group = Group::of(&V3.alpha(150)).line(&format!("track_script {{\n    chk {weight}\n  }}"));
        group.before = format!(
            "vrrp_script chk {{\n  script \"/usr/bin/test ! -e {}\"\n  interval 1\n}}\n",
            sick.display()
        );
        let first_router = group.start_until(&better, alpha, State::Master)?;
        let second_router = Group::of(&V3.beta(100)).start_until(&worse, beta, State::Backup)?;
        wait_holder(&lan, "alpha")?;
        let (mark, risen) = (first_router.mark(), second_router.mark());
        alpha.write("sick", "")?;
        wait_all(&second_router, risen, State::Master)?;
        wait_all(&first_router, mark, if weight.is_empty() { State::Fault } else { State::Backup })?;
        wait_holder(&lan, "beta")?;
        alpha.run(&["rm", &sick.to_string_lossy()])?;
        wait_holder(&lan, "alpha")
    });
}

#[test]
fn scripts_are_told_of_the_member_that_moved_then_of_the_others_then_of_the_group() -> Result<()> {
    let lan = lan()?;
    let alpha = &lan["alpha"];
    let told = alpha.dir().join("told");
    let tell = script(alpha, "tell.sh", &format!("echo \"$$ $*\" >> {}", told.display()))?;
    let tell = tell.display();
    let mut group = Group::of(&V3.alpha(150))
        .line(&format!("notify_master \"{tell} of the group MASTER\""))
        .line(&format!("notify_backup \"{tell} of the group BACKUP\""))
        .line(&format!("notify_fault \"{tell} of the group FAULT\""))
        .line(&format!("notify_stop \"{tell} of the group STOP\""))
        .line(&format!("notify \"{tell} any\""))
        .each(&format!("notify \"{tell} any\""));
    // The second member is always ready last.
    group.members[1].priority = 140;
    let [one, two] = MEMBERS;
    let mut expected: Vec<String> = Vec::new();
    let mut told_of = |state: &str, order: [&str; 3]| {
        for name in order {
            expected.extend(match name {
                "G" => vec![format!("of the group {state}"), format!("any GROUP G {state} 0")],
                name => {
                    let priority = if name == one { 150 } else { 140 };
                    vec![format!("any INSTANCE {name} {state} {priority}")]
                }
            });
        }
        wait::until(state, SOON, || {
            let seen = in_order_of_start(&lines(&told), 4);
            if seen == expected { Ok(()) } else { Err(format!("{seen:?}, awaited {expected:?}")) }
        })
    };
    let router = group.start(&ours(), alpha)?;
    told_of("BACKUP", ["G", one, two])?;
    told_of("MASTER", [two, one, "G"])?;
    alpha.link_down("va1")?;
    told_of("FAULT", [two, one, "G"])?;
    alpha.link_up("va1")?;
    told_of("BACKUP", [two, one, "G"])?;
    told_of("MASTER", [two, one, "G"])?;
    router.stop()?;
    told_of("STOP", [one, two, "G"])
}

#[test]
fn a_worse_router_on_one_link_makes_both_members_announce_their_addresses() -> Result<()> {
    let lan = lan()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let captures = [Capture::start(beta, "vb0", "arp")?, Capture::start(beta, "vb1", "arp")?];
    let router = Group::of(&V3.alpha(150)).start_until(&ours(), alpha, State::Master)?;
    let announced = |capture: &Capture, vip: &str, since: Duration| -> Result<usize> {
        let vip: Vec<u8> = vip.split('.').filter_map(|part| part.parse().ok()).collect();
        let packets = capture.packets()?;
        // Sender and target of the ARP message are the address.
        let of_vip =
            |bytes: &[u8]| bytes.get(28..32) == Some(&vip[..]) && bytes.get(38..42) == Some(&vip[..]);
        Ok(packets.iter().filter(|packet| packet.time >= since && of_vip(&packet.bytes)).count())
    };
    let wait_announced = |count: usize, since: Duration| {
        captures.iter().zip(VIPS).try_for_each(|(capture, vip)| {
            wait::until(&format!("{count} times gratuitous ARP for {vip}"), SOON, || {
                let seen = announced(capture, vip, since).map_err(|e| e.to_string())?;
                if seen >= count { Ok(()) } else { Err(format!("{seen}\n{}", router.process().log_tail())) }
            })
        })
    };
    // The bursts of becoming MASTER are over: two, and two after a second.
    wait_announced(4, Duration::ZERO)?;
    let since = clock::wall();
    let source = [10, 8, 0, 77];
    let advert = frame::advert_v3((source, frame::VRRP_GROUP), 52, 50, 20, &[[10, 8, 0, 100]]);
    Injector::open(beta, "vb1")?.send(&frame::Ipv4::vrrp(source, &advert).ethernet([2, 0, 0, 0, 0, 0x77]))?;
    wait_announced(1, since)
}

#[test]
fn a_contested_mastership_is_told_of_when_it_begins_and_when_it_is_over() -> Result<()> {
    if is_keepalived("another router advertises as master with a lower claim, again and again") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let router = V3.alpha(150).start_until(&ours(), alpha, State::Master)?;
    let capture = Capture::start(beta, "vb0", "arp")?;
    let injector = Injector::open(beta, "vb0")?;
    let source = [10, 9, 0, 77];
    let advert = frame::advert_v3((source, frame::VRRP_GROUP), 51, 50, 20, &[[10, 9, 0, 100]]);
    let rival = frame::Ipv4::vrrp(source, &advert).ethernet([2, 0, 0, 0, 0, 0x77]);
    let begun = "(VI) router 10.9.0.77 advertises as master too, with priority 50";
    // Until the crossing of first advertisements is over, and some more.
    wait::until_true(begun, SOON, || injector.send(&rival).is_ok() && router.log().contains(begun))?;
    let over = router.wait_log("(VI) contest with router 10.9.0.77 is over after", SOON)?;
    assert!(over.contains("it fell silent"), "{over}");
    let ended = clock::wall();
    assert_eq!(
        (router.log().matches(begun).count(), router.entries(crate::world::VI, State::Backup)),
        (1, 1)
    );
    // At the end, or with the second burst that was still to come.
    wait::until("gratuitous ARP after the contest", SOON, || {
        let packets = capture.packets().map_err(|e| e.to_string())?;
        let last = packets.last().map(|packet| packet.time);
        if last.is_some_and(|last| last + LATE >= ended) { Ok(()) } else { Err(format!("{last:?}")) }
    })
}
