//! Checks that follow what others look at: tracked files, and virtual addresses that come and go; and who is mailed.

use std::time::Duration;

use lab::mail::MailServer;
use lab::{Result, Subject, wait};

use crate::site::Site;
use crate::{GUEST, SOON, ours};

const ADDRESSES: [&str; 3] = ["10.64.0.1", "10.64.1.1", "10.64.1.2"];
const SERVICE: &str = "-A -t 10.64.0.1:80 -s rr";
/// More than it takes to find a server dead that is checked.
const DEAD: Duration = Duration::from_secs(6);
/// Where the lab's mail server listens.
const PORT: u16 = 2525;

/// A pool of two with these checks of each.
fn config(global: &str, lines: &str, [one, two]: [&str; 2]) -> String {
    format!(
        "global_defs {{\n  router_id lab\n  {global}\n}}\n{lines}\n  delay_loop 1\n  warmup 0\n  lb_algo rr\n  \
         lb_kind NAT\n  protocol TCP\n  connect_timeout 10\n  retry 1\n  delay_before_retry 0.5\n  \
         real_server 10.64.1.1 80 {{\n    {one}\n  }}\n  real_server 10.64.1.2 80 {{\n    {two}\n  }}\n}}\n"
    )
}

fn line(number: u8, weight: u32) -> String {
    format!("-a -t 10.64.0.1:80 -r 10.64.1.{number}:80 -m -w {weight}")
}

#[test]
fn a_file_is_a_weight_or_a_word_on_whether_to_serve() -> Result<()> {
    GUEST.tells(|| {
        let site = Site::new(&ADDRESSES)?;
        let (weight, word) = (site.host().write("weight", "3\n")?, site.host().write("word", "1\n")?);
        let files = format!(
            "track_file weight {{\n file {}\n weight 2\n}}\ntrack_file word {{\n file {}\n}}\nvirtual_server 10.64.0.1 80 {{",
            weight.display(),
            word.display()
        );
        let checks = ["FILE_CHECK {\n track_file weight\n }", "FILE_CHECK {\n track_file word\n weight 0\n }"];
        let router = site.start(&config("", &files, checks))?;
        // The word says no from the start.
        site.wait_table(&[SERVICE, &line(1, 7)])?;
        site.host().write("word", "0\n")?;
        site.wait_table(&[SERVICE, &line(1, 7), &line(2, 1)])?;
        site.host().write("weight", "-300\n")?;
        site.wait_table(&[SERVICE, &line(1, 0), &line(2, 1)])?;
        site.host().write("weight", "0\n")?;
        site.host().write("word", "5\n")?;
        site.wait_table(&[SERVICE, &line(1, 1)])?;
        router.stop()?;
        site.wait_table(&[])
    })
}

#[test]
fn servers_are_checked_only_where_the_virtual_address_is() -> Result<()> {
    GUEST.tells(|| {
        let site = Site::new(&ADDRESSES)?;
        let first = site.server("10.64.1.1:80")?;
        let _second = site.server("10.64.1.2:80")?;
        let checks = ["TCP_CHECK {\n }"; 2];
        let router = site.start(&config("", "virtual_server 10.64.0.1 80 {\n  ha_suspend", checks))?;
        let both = [SERVICE, &line(1, 1), &line(2, 1)];
        site.wait_table(&both)?;
        site.host().run(&["ip", "addr", "del", "10.64.0.1/32", "dev", "lo"])?;
        router.wait_log("Suspending healthchecker for service [10.64.1.1]:tcp:80", SOON)?;
        drop(first);
        let table = || site.is_table(&both);
        wait::throughout("the table of IPVS", DEAD, table)?;
        site.host().run(&["ip", "addr", "add", "10.64.0.1/32", "dev", "lo"])?;
        site.wait_table(&[SERVICE, &line(2, 1)])?;
        router.stop()?;
        site.wait_table(&[])
    })
}

/// What is mailed as a server of two dies and comes back, with these words of `global_defs`.
fn tell_of_mails(words: &str) -> Result<()> {
    let site = Site::new(&ADDRESSES)?;
    let mails = MailServer::start(site.host(), PORT)?;
    let mut servers = vec![site.server("10.64.1.1:80")?, site.server("10.64.1.2:80")?];
    let global = format!(
        "{words}\n  notification_email {{\n    ops@example.org\n  }}\n  notification_email_from lab@example.org\n  \
         smtp_server 10.64.0.1 {PORT}"
    );
    let service = "virtual_server 10.64.0.1 80 {\n  smtp_alert\n  quorum 2";
    let router = site.start(&config(&global, service, ["TCP_CHECK {\n }"; 2]))?;
    site.wait_table(&[SERVICE, &line(1, 1), &line(2, 1)])?;
    servers.remove(0);
    site.wait_table(&[SERVICE, &line(2, 1)])?;
    servers.push(site.server("10.64.1.1:80")?);
    site.wait_table(&[SERVICE, &line(1, 1), &line(2, 1)])?;
    let server =
        |to| format!("[lab] Realserver [10.64.1.1]:tcp:80 of virtual server [10.64.0.1]:tcp:80 - {to}");
    let service = |to| format!("[lab] Virtualserver [10.64.0.1]:tcp:80 - {to}");
    let mut expected = [server("DOWN"), service("DOWN"), server("UP"), service("UP")];
    expected.sort();
    wait::until("mails", SOON, || {
        let mut seen: Vec<String> =
            mails.mails().iter().filter_map(|mail| mail.field("Subject").map(str::to_owned)).collect();
        // The first one says that the service is there.
        seen.sort();
        seen.dedup();
        if seen == expected { Ok(()) } else { Err(format!("{seen:#?}, awaited {expected:#?}")) }
    })?;
    router.stop()?;
    site.wait_table(&[])
}

#[test]
fn mails_say_which_server_of_which_service() -> Result<()> {
    GUEST.tells(|| tell_of_mails("no_checker_emails"))
}

#[test]
fn checks_are_not_mailed_of_beside_servers() -> Result<()> {
    GUEST.tells(|| match ours() {
        // It mails of each check as well.
        Subject::Keepalived => Ok(()),
        Subject::Steadfast(_) => tell_of_mails(""),
    })
}
