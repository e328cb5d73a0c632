//! Mail: who is told of which change, in which words, and what becomes of it when the mail server does not answer.

use std::time::Duration;

use lab::mail::{Mail, MailServer, Temper};
use lab::{Host, Lan, Result, Router, State, wait};

use crate::groups::{self, Group};
use crate::world::{SOON, V3, VI, is_keepalived, ours};

/// Where the lab's mail server listens.
pub(crate) const PORT: u16 = 2525;

/// Words of `global_defs`: the server on the host of this address, two recipients.
pub(crate) fn globals(server: &str) -> String {
    format!(
        "  notification_email {{\n    ops@example.org\n    night@example.org\n  }}\n  \
         notification_email_from lab@example.org\n  smtp_server {server} {PORT}\n  smtp_helo_name lab.example.org\n"
    )
}

/// A router with one instance of priority 150 and these words in it.
fn start(host: &Host, globals: &str, line: &str) -> Result<Router> {
    let text = V3.alpha(150).line(line).text();
    let text = text.replacen("router_id lab\n", &format!("router_id lab\n{globals}"), 1);
    Router::start(&ours(), host, host.name(), &text)
}

fn subjects(mails: &[Mail]) -> Vec<String> {
    mails.iter().filter_map(|mail| mail.field("Subject").map(str::to_owned)).collect()
}

/// Waits until mails with these subjects have come, those of a step in any order; returns all mails.
fn wait_mails(server: &MailServer, steps: &[Vec<String>]) -> Result<Vec<Mail>> {
    wait::until("mails", SOON, || {
        let mails = server.mails();
        let mut seen = subjects(&mails);
        let mut rest = seen.as_mut_slice();
        for step in steps {
            let (now, later) = rest.split_at_mut(step.len().min(rest.len()));
            now.sort();
            rest = later;
        }
        if seen == steps.concat() { Ok(mails) } else { Err(format!("{seen:?}, awaited {steps:?}")) }
    })
}

fn of_instance(name: &str, state: &str) -> String {
    format!("[lab] VRRP Instance {name} - Entering {state} state")
}

#[test]
fn every_change_of_instances_and_groups_is_mailed() -> Result<()> {
    let lan = groups::lan()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let server = MailServer::start(beta, PORT)?;
    let mut group = Group::of(&V3.alpha(150)).line("smtp_alert").each("smtp_alert");
    group.globals = globals("10.9.0.2");
    let router = group.start(&ours(), alpha)?;
    let all = |state: &str| {
        let group = format!("[lab] VRRP Group G - Entering {state} state");
        vec![group, of_instance("ONE", state), of_instance("TWO", state)]
    };
    let mut told = Vec::new();
    let mut told_of = |state: &str| {
        told.push(all(state));
        wait_mails(&server, &told)
    };
    told_of("BACKUP")?;
    told_of("MASTER")?;
    alpha.link_down("va1")?;
    told_of("FAULT")?;
    alpha.link_up("va1")?;
    told_of("BACKUP")?;
    let mails = told_of("MASTER")?;
    router.stop()?;
    assert_eq!(server.mails().len(), mails.len(), "a stop is not mailed");
    for mail in &mails {
        assert_eq!((mail.helo.as_str(), mail.from.as_str()), ("lab.example.org", "lab@example.org"));
        assert_eq!(mail.to, ["ops@example.org", "night@example.org"]);
        let subject = mail.field("Subject").unwrap_or_default();
        let state = subject.split(' ').rev().nth(1).unwrap_or_default();
        let body = match (subject.contains("Group"), state) {
            (true, state) => format!("=> All VRRP group instances are now in {state} state <="),
            (false, "MASTER") => "=> VRRP Instance is now owning VRRP VIPs <=".to_owned(),
            (false, _) => "=> VRRP Instance is no longer owning VRRP VIPs <=".to_owned(),
        };
        assert_eq!(mail.body, [body], "{subject}");
        assert_eq!(mail.field("From"), Some("lab@example.org"));
        assert_eq!(mail.field("To"), Some("ops@example.org, night@example.org"));
    }
    Ok(())
}

#[test]
fn nobody_is_mailed_unless_somebody_asks_for_it() -> Result<()> {
    let lan = Lan::pair()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let server = MailServer::start(beta, PORT)?;
    for globals in [globals("10.9.0.2"), globals("10.9.0.2") + "  smtp_alert\n  smtp_alert_vrrp off\n"] {
        let router = start(alpha, &globals, "")?;
        router.wait_entering(VI, State::Master, SOON)?;
        router.stop()?;
    }
    let router = start(alpha, &(globals("10.9.0.2") + "  smtp_alert\n"), "")?;
    wait_mails(&server, &[vec![of_instance(VI, "BACKUP")], vec![of_instance(VI, "MASTER")]])?;
    router.stop().map(drop)
}

#[test]
fn the_same_state_is_not_mailed_twice_and_faults_only_where_they_are_asked_for() -> Result<()> {
    let lan = groups::lan()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let server = MailServer::start(beta, PORT)?;
    let better = V3.beta(200).start_until(&ours(), beta, State::Master)?;
    // The server is reached over the other link.
    let globals = globals("10.8.0.2") + "  no_email_faults\n  smtp_alert\n";
    let router = start(alpha, &globals, "")?;
    let mut told = vec![vec![of_instance(VI, "BACKUP")]];
    wait_mails(&server, &told)?;
    alpha.link_down("va0")?;
    router.wait_entering(VI, State::Fault, SOON)?;
    let mark = router.mark();
    alpha.link_up("va0")?;
    router.wait_entering_since(mark, VI, State::Backup, SOON)?;
    better.stop()?;
    told.push(vec![of_instance(VI, "MASTER")]);
    wait_mails(&server, &told)?;
    router.stop().map(drop)
}

#[test]
fn mails_wait_for_a_server_and_arrive_in_order() -> Result<()> {
    if is_keepalived("mail while the mail server is away") {
        return Ok(());
    }
    let lan = groups::lan()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let router = start(alpha, &(globals("10.8.0.2") + "  smtp_connect_timeout 1\n"), "smtp_alert")?;
    let mut told = vec![vec![of_instance(VI, "BACKUP")], vec![of_instance(VI, "MASTER")]];
    router.wait_log("Connection refused", SOON)?;
    router.wait_entering(VI, State::Master, SOON)?;
    let server = MailServer::start(beta, PORT)?;
    wait_mails(&server, &told)?;
    for (temper, problem) in [(Temper::Hangs, "does not answer in time"), (Temper::Busy, "451")] {
        server.set_temper(temper);
        let mark = router.mark();
        for (state, change) in [(State::Fault, "down"), (State::Master, "up")] {
            alpha.run(&["ip", "link", "set", "va0", change])?;
            router.wait_entering_since(mark, VI, state, SOON)?;
        }
        router.process().wait_log_since(mark, problem, SOON)?;
        server.set_temper(Temper::Takes);
        told.extend(["FAULT", "BACKUP", "MASTER"].map(|state| vec![of_instance(VI, state)]));
        wait_mails(&server, &told)?;
    }
    let numbers: Vec<u64> =
        server.mails().iter().filter_map(|mail| mail.field("X-Transition")?.parse().ok()).collect();
    assert!(numbers.len() == told.len() && numbers.is_sorted(), "{numbers:?}");
    let reasons: Vec<_> =
        server.mails().iter().filter_map(|mail| mail.field("X-Reason").map(str::to_owned)).collect();
    assert_eq!(reasons[1..3], ["no master heard", "interface va0 is down"]);
    router.stop().map(drop)
}

#[test]
fn a_server_that_hangs_delays_neither_the_router_nor_its_stop() -> Result<()> {
    let lan = Lan::pair()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let server = MailServer::start(beta, PORT)?;
    server.set_temper(Temper::Hangs);
    let router = start(alpha, &globals("10.9.0.2"), "smtp_alert")?;
    router.wait_entering(VI, State::Master, SOON)?;
    let asked = lab::clock::wall();
    router.stop()?;
    let took = lab::clock::wall().saturating_sub(asked);
    assert!(took < Duration::from_secs(4), "the stop took {took:?}");
    Ok(())
}

#[test]
fn an_address_that_the_server_does_not_know_keeps_no_mail_from_the_others() -> Result<()> {
    if is_keepalived("recipient that the mail server refuses for good") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let server = MailServer::start(beta, PORT)?;
    server.set_temper(Temper::DoesNotKnow("ops@example.org"));
    let globals =
        globals("10.9.0.2").replace("night@example.org", "\"Night Shift <night@example.org>\"\n    root");
    let router = start(alpha, &globals, "smtp_alert")?;
    let mails = wait_mails(&server, &[vec![of_instance(VI, "BACKUP")], vec![of_instance(VI, "MASTER")]])?;
    router.wait_log("the mail server refuses ops@example.org", SOON)?;
    for mail in mails {
        assert_eq!(mail.to[0], "night@example.org");
        assert!(mail.to.len() == 2 && mail.to[1].starts_with("root@"), "{:?}", mail.to);
    }
    router.stop().map(drop)
}
