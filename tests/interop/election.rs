//! Who is MASTER.

use std::time::Duration;

use lab::pcap::Vrrp;
use lab::{Capture, Lan, Result, Router, State, Subject};

use steadfast::units::Family;

use crate::world::{
    ADVERTS, EARLY, LATE, Ours, Partition, SOON, Talk, V3, V3_IPV6, VI, VIP, assert_nothing_rejected, from,
    in_its_way, ours, side_by_side,
};

const PASSWORD: Option<&str> = Some("s3cret99");
const HIGH: u8 = 150;
const LOW: u8 = 100;

/// Every way to talk over a family that both programs know, with each of them in each part.
fn talks(version: u8, family: Family) -> Vec<(Talk, Ours)> {
    let kinds: &[_] = match (version, family) {
        (2, Family::V4) => &[(None, false), (PASSWORD, false), (PASSWORD, true)],
        _ => &[(None, false)],
    };
    let mut talks = Vec::new();
    for &(password, header) in kinds {
        for unicast in [false, true] {
            let talk = Talk { version, unicast, password, header, family };
            talks.extend(Ours::BOTH.map(|ours| (talk, ours)));
        }
    }
    talks
}

#[test]
fn two_routers_of_version_2_hand_the_address_over() {
    side_by_side(&talks(2, Family::V4), hand_over);
}

#[test]
fn two_routers_of_version_3_hand_the_address_over() {
    side_by_side(&talks(3, Family::V4), hand_over);
}

#[test]
fn two_routers_over_ipv6_hand_the_address_over() {
    side_by_side(&[talks(2, Family::V6), talks(3, Family::V6)].concat(), hand_over);
}

/// Election by priority with preemption, then an orderly stop, then a sudden death.
fn hand_over(&(talk, ours): &(Talk, Ours)) -> Result<()> {
    let lan = talk.lan()?;
    let (better, worse) = ours.cast();
    let capture = Capture::start(&lan["beta"], "vb0", ADVERTS)?;
    let beta = talk.beta(LOW).start_until(&worse, &lan["beta"], State::Master)?;
    let alpha = preempt(&lan, talk, &better, &beta)?;
    assert_nothing_rejected(&alpha)?;

    let mark = beta.mark();
    alpha.stop()?;
    beta.wait_entering_since(mark, VI, State::Master, SOON)?;
    lan.wait_holder(talk.vip(), "beta", SOON)?;
    let waited = takeover(&capture, talk, |advert| advert.priority() == 0)?;
    assert_in_time("after priority 0", waited, talk.skew(LOW));

    let alpha = preempt(&lan, talk, &better, &beta)?;
    let mark = beta.mark();
    alpha.kill9();
    beta.wait_entering_since(mark, VI, State::Master, SOON)?;
    let waited = takeover(&capture, talk, |_| true)?;
    assert_in_time("after kill -9", waited, talk.master_down(LOW));
    assert_nothing_rejected(&beta)
}

/// Starts the better router beside the worse one, which is MASTER, and waits until they have changed places.
fn preempt(lan: &Lan, talk: Talk, better: &Subject, beta: &Router) -> Result<Router> {
    let mark = beta.mark();
    let alpha = talk.alpha(HIGH).start_until(better, &lan["alpha"], State::Master)?;
    beta.wait_entering_since(mark, VI, State::Backup, SOON)?;
    lan.wait_holder(talk.vip(), "alpha", SOON)?;
    Ok(alpha)
}

/// From the last advertisement of alpha, which `is_last` must recognise, to beta's first after it.
fn takeover(capture: &Capture, talk: Talk, is_last: impl Fn(&Vrrp) -> bool) -> Result<Duration> {
    let [alpha, beta] = talk.senders();
    let silence = |seen: &[Vrrp]| {
        let last = from(seen, alpha).last().map(|advert| advert.time)?;
        let first = from(seen, beta).into_iter().find(|advert| advert.time > last)?;
        Some(first.time - last)
    };
    let seen = capture.wait_vrrp("beta to follow alpha", SOON, |seen| silence(seen).is_some())?;
    let last = from(&seen, alpha).pop();
    assert!(last.is_some_and(is_last), "{last:?}");
    Ok(silence(&seen).unwrap_or_default())
}

fn assert_in_time(what: &str, waited: Duration, due: Duration) {
    let range = due.saturating_sub(EARLY)..=due + LATE;
    assert!(range.contains(&waited), "{what}: took over after {waited:?}, due {due:?}");
}

#[test]
fn of_two_masters_the_better_one_stays() {
    let cases: Vec<_> = [(HIGH, LOW, "alpha"), (LOW, LOW, "beta")]
        .into_iter()
        .flat_map(|case| Ours::BOTH.map(|ours| (case, ours)))
        .flat_map(|(case, ours)| [V3, V3_IPV6].map(|talk| (talk, case, ours)))
        .collect();
    side_by_side(&cases, |&(talk, (one, two, stays), ours)| {
        let lan = talk.lan()?;
        let partition = Partition::of_alpha(&lan)?;
        let (alpha, beta) = ours.cast();
        let alpha = talk.alpha(one).start_until(&alpha, &lan["alpha"], State::Master)?;
        let beta = talk.beta(two).start_until(&beta, &lan["beta"], State::Master)?;
        let (winner, loser) = if stays == "alpha" { (&alpha, &beta) } else { (&beta, &alpha) };
        let mark = loser.mark();
        partition.heal()?;
        loser.wait_entering_since(mark, VI, State::Backup, SOON)?;
        lan.wait_holder(talk.vip(), stays, SOON)?;
        assert_eq!(winner.entries(VI, State::Master), 1, "{}", winner.log());
        assert_eq!(winner.entries(VI, State::Backup), 1, "{}", winner.log());
        assert_nothing_rejected(&alpha)?;
        assert_nothing_rejected(&beta)
    });
}

#[test]
fn with_nopreempt_a_better_router_waits_for_the_master_to_go() {
    side_by_side(&Ours::BOTH, |ours| {
        let lan = Lan::pair()?;
        let (better, worse) = ours.cast();
        let beta = V3.beta(LOW).start_until(&worse, &lan["beta"], State::Master)?;
        let capture = Capture::start(&lan["alpha"], "va0", "ip proto 112")?;
        let polite = V3.alpha(HIGH).line("nopreempt");
        let alpha = polite.start_until(&better, &lan["alpha"], State::Backup)?;
        // Twelve intervals: three times what a preempting router would wait.
        let seen = capture.wait_vrrp("twelve adverts of beta", SOON, |seen| seen.len() >= 12)?;
        assert_eq!(from(&seen, "10.9.0.1"), Vec::<&Vrrp>::new());
        assert_eq!(alpha.entries(VI, State::Master), 0);
        beta.kill9();
        alpha.wait_entering(VI, State::Master, SOON).map(drop)
    });
}

#[test]
fn without_its_link_a_router_is_in_fault_until_the_link_is_back() {
    let cases: Vec<_> =
        Ours::BOTH.into_iter().flat_map(|ours| [V3, V3_IPV6].map(|talk| (talk, ours))).collect();
    side_by_side(&cases, |&(talk, ours)| {
        let lan = talk.lan()?;
        let (better, worse) = ours.cast();
        let beta = talk.beta(LOW).start_until(&worse, &lan["beta"], State::Master)?;
        let alpha = preempt(&lan, talk, &better, &beta)?;
        let (mark, beta_mark) = (alpha.mark(), beta.mark());
        lan["alpha"].link_down("va0")?;
        alpha.wait_entering_since(mark, VI, State::Fault, SOON)?;
        beta.wait_entering_since(beta_mark, VI, State::Master, SOON)?;
        lan.wait_holder(talk.vip(), "beta", SOON)?;
        let (mark, beta_mark) = (alpha.mark(), beta.mark());
        lan["alpha"].link_up("va0")?;
        alpha.wait_entering_since(mark, VI, State::Backup, SOON)?;
        alpha.wait_entering_since(mark, VI, State::Master, SOON)?;
        beta.wait_entering_since(beta_mark, VI, State::Backup, SOON)?;
        lan.wait_holder(talk.vip(), "alpha", SOON)?;
        assert_eq!(beta.entries(VI, State::Fault), 0);
        assert_nothing_rejected(&alpha)
    });
}

/// Two routers that do not believe each other, and why: our log line, keepalived's counter.
#[derive(Debug)]
struct Mismatch {
    theirs: Option<&'static str>,
    line: &'static str,
    counter: &'static str,
}

#[test]
fn routers_with_different_authentication_do_not_believe_each_other() {
    let cases = [
        Mismatch {
            theirs: Some("other"),
            line: "packet from 10.9.0.2 rejected: wrong password",
            counter: "Authentication Errors/Failure",
        },
        Mismatch {
            theirs: None,
            line: "packet from 10.9.0.2 rejected: authentication type",
            counter: "Authentication Errors/Type Mismatch",
        },
    ];
    side_by_side(&cases, |mismatch| {
        let talk = |password| Talk { version: 2, password, ..V3 };
        let lan = Lan::pair()?;
        let alpha = talk(PASSWORD).alpha(LOW).start(&ours(), &lan["alpha"])?;
        let beta = talk(mismatch.theirs).beta(HIGH).start(&Subject::Keepalived, &lan["beta"])?;
        for router in [&alpha, &beta] {
            router.wait_entering(VI, State::Master, SOON)?;
            wait_distrust(router, mismatch)?;
            assert_eq!(router.entries(VI, State::Backup), 1, "{}", router.log());
        }
        Ok(())
    });
}

fn wait_distrust(router: &Router, mismatch: &Mismatch) -> Result<()> {
    if in_its_way(router.subject(), true, false) {
        return router.wait_log(mismatch.line, SOON).map(drop);
    }
    lab::wait::until(mismatch.counter, SOON, || {
        let stats = router.stats().map_err(|error| error.to_string())?;
        if stats.count(VI, mismatch.counter) > 0 { Ok(()) } else { Err(format!("{stats:?}")) }
    })
}

#[test]
fn routers_of_different_vrids_do_not_notice_each_other() -> Result<()> {
    let lan = Lan::pair()?;
    let mut other = V3.beta(HIGH);
    other.vrid = 52;
    let alpha = V3.alpha(LOW).start_until(&ours(), &lan["alpha"], State::Master)?;
    let beta = other.start_until(&Subject::Keepalived, &lan["beta"], State::Master)?;
    let capture = Capture::start(&lan["alpha"], "va0", "ip proto 112")?;
    // Longer than either would need to give way or to take over.
    capture.wait_vrrp("six adverts of each", SOON, |seen| {
        ["10.9.0.1", "10.9.0.2"].iter().all(|sender| from(seen, sender).len() >= 6)
    })?;
    assert_eq!(lan.holders(VIP), ["alpha", "beta"]);
    for router in [&alpha, &beta] {
        assert_eq!(router.entries(VI, State::Master), 1, "{}", router.log());
        assert_eq!(router.entries(VI, State::Backup), 1, "{}", router.log());
        assert_nothing_rejected(router)?;
    }
    Ok(())
}
