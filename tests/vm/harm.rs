//! What others do to the table of IPVS, or to IPVS itself: the daemon brings it back, and goes on.
//!
//! A kernel that is out of memory refuses to take a request at all, and so it looks from here: it waits for the little that a
//! service or a server takes rather than answer ENOMEM, and Debian's has nothing built in that would make it fail. A refusal is a
//! refusal, whatever its number: those of `ipvs::what_is_refused_is_named_and_the_rest_is_made` are said once, and tried again at
//! the next look at the table.

use std::time::Duration;

use lab::{Process, Result, Router, Subject, clock, wait};

use crate::scale::scale;
use crate::site::Site;
use crate::{GUEST, SOON, ours};

const ADDRESSES: [&str; 3] = ["10.64.0.1", "10.64.1.1", "10.64.1.2"];
const SERVICE: &str = "-A -t 10.64.0.1:80 -s rr";
const ONE: &str = "-a -t 10.64.0.1:80 -r 10.64.1.1:80 -m -w 1";
const TWO: &str = "-a -t 10.64.0.1:80 -r 10.64.1.2:80 -m -w 1";

/// For how long the table is edited: for a minute where `SCALE=1` asks for all of it.
fn span() -> Duration {
    Duration::from_secs(if scale() == 1 { 60 } else { 12 })
}

fn config() -> String {
    let server = |number: u8| {
        format!(
            "  real_server 10.64.1.{number} 80 {{\n    TCP_CHECK {{\n      connect_timeout 10\n      retry 0\n    }}\n  }}\n"
        )
    };
    format!(
        "global_defs {{\n  snmp_vs_stats_update_interval 1\n}}\nvirtual_server 10.64.0.1 80 {{\n  delay_loop 1\n  warmup 0\n  \
         lb_algo rr\n  lb_kind NAT\n  protocol TCP\n{}{}}}\n",
        server(1),
        server(2)
    )
}

#[test]
fn a_table_that_is_edited_all_the_time_is_right_when_it_ends() -> Result<()> {
    GUEST.tells(|| {
        // keepalived leaves the table as others have made it.
        if ours() == Subject::Keepalived {
            return Ok(());
        }
        let site = Site::new(&ADDRESSES)?;
        let first = site.server("10.64.1.1:80")?;
        let _second = site.server("10.64.1.2:80")?;
        let router = site.start(&config())?;
        site.wait_table(&[SERVICE, ONE, TWO])?;
        let harm = [
            "-d -t 10.64.0.1:80 -r 10.64.1.2:80",
            "-e -t 10.64.0.1:80 -r 10.64.1.1:80 -m -w 9",
            "-a -t 10.64.0.1:80 -r 10.64.1.77:80 -m",
            "-E -t 10.64.0.1:80 -s wlc -p 9",
            "-D -t 10.64.0.1:80",
            "-C",
        ];
        let began = clock::now();
        for (number, edit) in harm.iter().cycle().enumerate() {
            if number >= harm.len() && began.elapsed() >= span() {
                break;
            }
            // What is not there at the moment cannot be harmed.
            site.host().sh(&format!("ipvsadm {edit} 2>/dev/null; sleep 0.5"))?;
        }
        site.wait_table(&[SERVICE, ONE, TWO])?;
        let told = status(&site, &router)?;
        assert!(told.restored > 0, "{told:?}");
        // What another program adds before the daemon does is taken over and put right.
        drop(first);
        site.wait_table(&[SERVICE, TWO])?;
        site.host().sh("ipvsadm -a -t 10.64.0.1:80 -r 10.64.1.1:80 -i -w 7")?;
        let _again = site.server("10.64.1.1:80")?;
        site.wait_table(&[SERVICE, ONE, TWO])?;
        router.stop()?;
        site.wait_table(&[])
    })
}

/// What `steadfast ctl` says of the table.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Faults {
    restored: u64,
    refused: u64,
    unread: u64,
    problem: Option<String>,
}

fn status(site: &Site, router: &Router) -> Result<Faults> {
    let pid = router.dir().join("pid");
    let asked = [env!("CARGO_BIN_EXE_steadfast"), "-p", &pid.to_string_lossy(), "ctl", "status", "--json"];
    let said = site.host().run(&asked)?;
    let all: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    Ok(serde_json::from_value(all["status"]["daemon"]["ipvs"].clone()).unwrap_or_default())
}

/// Has the kernel refuse whatever the thread that drives IPVS sends, as it does without memory for it, until it is dropped; the thread
/// has noticed.
fn without_memory(site: &Site, router: &Router) -> Result<Process> {
    let processes: Vec<String> = [router.process().pid()]
        .into_iter()
        .chain(router.process().children())
        .map(|pid| format!("/proc/{pid}/task/*/comm"))
        .collect();
    let comm = site.host().sh(&format!("grep -lx ipvs {}", processes.join(" ")))?;
    let thread = comm.trim().trim_end_matches("/comm").rsplit('/').next().unwrap_or_default().to_owned();
    let refuses = ["-e", "trace=sendto", "-e", "inject=sendto:error=ENOMEM"];
    let before = status(site, router)?.unread;
    let memory = site.host().spawn("strace", &[&["strace", "-q", "-p", &thread], &refuses[..]].concat())?;
    wait::until("a look that fails", SOON, || match status(site, router) {
        Ok(Faults { unread, .. }) if unread > before => Ok(()),
        other => Err(format!("{other:?}")),
    })?;
    Ok(memory)
}

#[test]
fn a_kernel_without_memory_is_asked_again() -> Result<()> {
    GUEST.tells(|| {
        if ours() == Subject::Keepalived {
            return Ok(());
        }
        let site = Site::new(&ADDRESSES)?;
        let (first, _second) = (site.server("10.64.1.1:80")?, site.server("10.64.1.2:80")?);
        let router = site.start(&config())?;
        site.wait_table(&[SERVICE, ONE, TWO])?;
        let memory = without_memory(&site, &router)?;
        router.wait_log("the table of IPVS cannot be read: ", SOON)?;
        router.wait_log("IPVS cannot be used, servers are checked without it: ", SOON)?;
        // Servers are checked, and dealt with, as soon as the kernel takes requests again.
        drop(first);
        router.wait_log("10.64.1.1]:tcp:80 failed", SOON)?;
        site.is_table(&[SERVICE, ONE, TWO]).expect("as it was");
        // After a second, two, and four; not once a minute.
        wait::until("more attempts", Duration::from_secs(60), || match status(&site, &router) {
            Ok(Faults { unread: 4.., problem: Some(why), .. }) if why.contains("Out of memory") => Ok(()),
            other => Err(format!("{other:?}")),
        })?;
        memory.kill();
        site.wait_table(&[SERVICE, TWO])?;
        wait::until("no problem", SOON, || match status(&site, &router) {
            Ok(Faults { problem: None, unread: 4.., restored: 0, .. }) => Ok(()),
            other => Err(format!("{other:?}")),
        })?;
        let times = router.log().matches("IPVS cannot be used").count();
        assert_eq!(times, 1, "said once");
        // A table that cannot be reached at the end is not left without a word.
        let memory = without_memory(&site, &router)?;
        router.stop()?;
        let stays = "services of IPVS stay, which could not be removed: tcp 10.64.0.1:80";
        assert!(router.log().contains(stays), "{}", router.log());
        site.is_table(&[SERVICE, TWO]).expect("as it was");
        memory.kill();
        // One that can be reached again by then is.
        let router = site.start(&config())?;
        router.wait_log("Initializing ipvs", SOON)?;
        let memory = without_memory(&site, &router)?;
        memory.kill();
        router.stop()?;
        site.wait_table(&[])
    })
}

#[test]
fn a_scheduler_that_the_kernel_has_not_is_said_once_and_asked_for_again() -> Result<()> {
    GUEST.tells(|| {
        if ours() == Subject::Keepalived {
            return Ok(());
        }
        let site = Site::new(&ADDRESSES)?;
        let _servers = [site.server("10.64.1.1:80")?, site.server("10.64.1.2:80")?];
        let router = site.start(&config().replace("lb_algo rr", "lb_algo twos"))?;
        let refusal =
            "adding service tcp 10.64.0.1:80 with scheduler twos to IPVS: No such file or directory";
        router.wait_log(&format!("the kernel refuses a change of IPVS: {refusal}"), SOON)?;
        wait::until("more refusals", SOON, || match status(&site, &router) {
            Ok(Faults { refused: 10.., problem: Some(_), restored: 0, .. }) => Ok(()),
            other => Err(format!("{other:?}")),
        })?;
        assert_eq!(router.log().matches(refusal).count(), 1, "said once");
        router.stop()?;
        site.wait_table(&[])
    })
}

/// The modules of the kernel, hidden until this is dropped.
struct Hidden<'a>(&'a Site);

impl<'a> Hidden<'a> {
    fn new(site: &'a Site) -> Result<Self> {
        // Where the kernel looks, and whoever is started on a host from then on.
        site.outside("mount -t tmpfs none /lib/modules")?;
        Ok(Self(site))
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        let _ = self.0.outside("umount /lib/modules");
    }
}

#[test]
fn a_module_that_is_unloaded_is_loaded_again() -> Result<()> {
    GUEST.tells(|| {
        if ours() == Subject::Keepalived {
            return Ok(());
        }
        let site = Site::new(&ADDRESSES)?;
        let _servers = [site.server("10.64.1.1:80")?, site.server("10.64.1.2:80")?];
        let unload = || {
            site.host().sh("timeout 300 sh -c 'until ipvsadm -C && rmmod $(lsmod | sed -n \"s/^\\(ip_vs_[a-z]*\\) .*/\\1/p\") ip_vs; do :; done' 2>/dev/null")
        };
        unload()?;
        let hidden = Hidden::new(&site)?;
        let router = site.start(&config())?;
        let named = "servers are checked without it: loading module ip_vs: modprobe: FATAL: Module ip_vs not found";
        router.wait_log(named, SOON)?;
        router.wait_log("[10.64.1.1]:tcp:80 success", SOON)?;
        drop(hidden);
        site.wait_table(&[SERVICE, ONE, TWO])?;
        unload()?;
        router.wait_log("the table of IPVS cannot be read", SOON)?;
        site.wait_table(&[SERVICE, ONE, TWO])?;
        router.stop()?;
        site.wait_table(&[])
    })
}
