//! Pools of real servers: what IPVS holds as servers die and come back, and what is told of it.

use std::fs;
use std::path::Path;

use lab::{FifoReader, Result, wait};

use crate::site::Site;
use crate::{GUEST, SOON};

const SERVERS: [&str; 3] = ["10.64.1.1:80", "10.64.1.2:80", "10.64.1.3:80"];
const ADDRESSES: [&str; 5] = ["10.64.0.1", "10.64.1.1", "10.64.1.2", "10.64.1.3", "10.64.1.100"];

/// A pool of three with a TCP check each, of weight 2, 2 and 1.
fn of_three(global: &str, lines: &str, of_server: &str) -> String {
    let server = |number: u8, weight: u8| {
        format!(
            "  real_server 10.64.1.{number} 80 {{\n    weight {weight}\n    {of_server}\n    TCP_CHECK {{\n      \
             connect_timeout 10\n      retry 1\n      delay_before_retry 0.5\n    }}\n  }}\n"
        )
    };
    let servers = [server(1, 2), server(2, 2), server(3, 1)].concat();
    format!(
        "global_defs {{\n  router_id lab\n  script_user root\n  {global}\n}}\nvirtual_server 10.64.0.1 80 {{\n  \
         delay_loop 1\n  warmup 0\n  lb_algo rr\n  lb_kind NAT\n  protocol TCP\n  {lines}\n{servers}}}\n"
    )
}

const SERVICE: &str = "-A -t 10.64.0.1:80 -s rr";

fn line(number: u8, weight: u8) -> String {
    format!("-a -t 10.64.0.1:80 -r 10.64.1.{number}:80 -m -w {weight}")
}

fn file(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

#[test]
fn servers_leave_and_come_back_and_a_sorry_server_stands_in() -> Result<()> {
    GUEST.tells(|| {
        let site = Site::new(&ADDRESSES)?;
        let mut servers: Vec<_> = SERVERS.iter().map(|at| site.server(at)).collect::<Result<_>>()?;
        let said = site.host().dir().join("said");
        let note = site.host().write("note", &format!("#!/bin/sh\necho \"$@\" >> {}\n", said.display()))?;
        site.host().run(&["chmod", "755", &note.to_string_lossy()])?;
        let note = note.display();
        let fifo = site.host().dir().join("fifo");
        let lines = format!(
            "quorum 3\n  sorry_server 10.64.1.100 80\n  quorum_up \"{note} gained\"\n  quorum_down \"{note} lost\""
        );
        let of_server = format!("notify_up \"{note} up\"\n    notify_down \"{note} down\"");
        let config = of_three(&format!("lvs_notify_fifo {}", fifo.display()), &lines, &of_server);
        let router = site.start(&config)?;
        let mut told = FifoReader::open(&fifo, SOON)?;
        let (one, two, three, sorry) = (line(1, 2), line(2, 2), line(3, 1), line(100, 1));
        site.wait_table(&[SERVICE, &one, &two, &three])?;
        servers.remove(0);
        site.wait_table(&[SERVICE, &two, &three])?;
        servers.remove(0);
        site.wait_table(&[SERVICE, &sorry])?;
        servers.push(site.server(SERVERS[0])?);
        site.wait_table(&[SERVICE, &one, &three])?;
        servers.push(site.server(SERVERS[1])?);
        site.wait_table(&[SERVICE, &one, &two, &three])?;
        router.stop()?;
        site.wait_table(&[])?;

        let server = |number: u8, to| format!("RS [10.64.1.{number}]:tcp:80 [10.64.0.1]:tcp:80 {to}");
        let service = |to| format!("VS [10.64.0.1]:tcp:80 {to}");
        let expected = [
            service("UP"),
            server(1, "DOWN"),
            server(2, "DOWN"),
            service("DOWN"),
            server(1, "UP"),
            service("UP"),
            server(2, "UP"),
        ];
        assert_eq!(told.lines(), expected);
        let all = ["gained", "down", "down", "lost", "up", "gained", "up"];
        wait::until_eq("what scripts said", SOON, &all.len(), || file(&said).len())?;
        // Two that are started together may write in either order.
        let (mut seen, mut all) = (file(&said), all.map(str::to_owned));
        seen.sort();
        all.sort();
        assert_eq!(seen, all);
        Ok(())
    })
}

#[test]
fn inhibited_servers_stay_with_weight_0_and_omega_tells_of_the_end() -> Result<()> {
    GUEST.tells(|| {
        let site = Site::new(&ADDRESSES)?;
        let mut servers: Vec<_> = SERVERS.iter().map(|at| site.server(at)).collect::<Result<_>>()?;
        let fifo = site.host().dir().join("fifo");
        let lines = "inhibit_on_failure\n  omega\n  sorry_server 10.64.1.100 80\n  sorry_server_inhibit";
        let global = format!("rs_init_notifies\n  lvs_notify_fifo {}", fifo.display());
        let router = site.start(&of_three(&global, lines, ""))?;
        let mut told = FifoReader::open(&fifo, SOON)?;
        let idle = line(100, 0);
        site.wait_table(&[SERVICE, &line(1, 2), &line(2, 2), &line(3, 1), &idle])?;
        servers.remove(0);
        site.wait_table(&[SERVICE, &line(1, 0), &line(2, 2), &line(3, 1), &idle])?;
        servers.clear();
        site.wait_table(&[SERVICE, &line(1, 0), &line(2, 0), &line(3, 0), &line(100, 1)])?;
        servers.push(site.server(SERVERS[2])?);
        site.wait_table(&[SERVICE, &line(1, 0), &line(2, 0), &line(3, 1), &idle])?;
        router.stop()?;
        site.wait_table(&[])?;
        let lines = told.lines();
        let server = |number: u8, to| format!("RS [10.64.1.{number}]:tcp:80 [10.64.0.1]:tcp:80 {to}");
        let service = |to| format!("VS [10.64.0.1]:tcp:80 {to}");
        assert_eq!(lines[..4], [server(1, "UP"), server(2, "UP"), server(3, "UP"), service("UP")]);
        assert_eq!(lines[4], server(1, "DOWN"));
        let end = [server(3, "UP"), service("UP"), server(3, "DOWN"), service("DOWN")];
        assert_eq!(lines[lines.len() - 4..], end);
        Ok(())
    })
}

#[test]
fn with_alpha_a_server_serves_after_its_first_success() -> Result<()> {
    GUEST.tells(|| {
        let site = Site::new(&ADDRESSES)?;
        let router = site.start(&of_three("", "alpha", ""))?;
        site.wait_table(&[SERVICE])?;
        let _one = site.server(SERVERS[0])?;
        site.wait_table(&[SERVICE, &line(1, 2)])?;
        let _two = site.server(SERVERS[1])?;
        site.wait_table(&[SERVICE, &line(1, 2), &line(2, 2)])?;
        router.stop()?;
        site.wait_table(&[])
    })
}

#[test]
fn groups_marks_and_every_way_to_a_server_are_in_the_table() -> Result<()> {
    GUEST.tells(|| {
        let site = Site::new(&[])?;
        let config = "virtual_server_group G {\n  10.67.0.20 80\n  10.67.0.21-22 81\n  fwmark 300\n}\n\
             virtual_server group G {\n  lb_algo wlc\n  lb_kind DR\n  protocol TCP\n  real_server 10.67.1.1 80 {\n    weight 3\n  }\n}\n\
             virtual_server fwmark 7 {\n  lb_algo fo\n  lb_kind TUN\n  real_server 10.67.1.10 {\n  }\n}\n\
             virtual_server 10.67.0.3 443 {\n  lb_algo mh\n  mh-port\n  lb_kind TUN type gue port 6080 csum\n  protocol SCTP\n  \
             persistence_timeout 120\n  persistence_granularity 255.255.255.0\n  real_server 10.67.1.6 443 {\n  }\n  \
             real_server 10.67.1.8 443 {\n    lvs_method NAT\n    uthreshold 100\n    lthreshold 50\n  }\n}\n\
             virtual_server fd00:67::1 53 {\n  lb_algo sh\n  sh-port\n  ops\n  lb_kind NAT\n  protocol UDP\n  real_server fd00:67::2 5353 {\n  }\n}\n";
        let router = site.start(config)?;
        site.wait_table(&[
            "-A -f 300 -s wlc",
            "-A -f 7 -s fo",
            "-A -t 10.67.0.20:80 -s wlc",
            "-A -t 10.67.0.21:81 -s wlc",
            "-A -t 10.67.0.22:81 -s wlc",
            "-A -u [fd00:67::1]:53 -s sh -o -b sh-port",
            "-A --sctp-service 10.67.0.3:443 -s mh -p 120 -M 255.255.255.0 -b mh-port",
            "-a -f 300 -r 10.67.1.1:0 -g -w 3",
            "-a -f 7 -r 10.67.1.10:0 -i -w 1 --tun-type ipip",
            "-a -t 10.67.0.20:80 -r 10.67.1.1:80 -g -w 3",
            "-a -t 10.67.0.21:81 -r 10.67.1.1:81 -g -w 3",
            "-a -t 10.67.0.22:81 -r 10.67.1.1:81 -g -w 3",
            "-a -u [fd00:67::1]:53 -r [fd00:67::2]:5353 -m -w 1",
            "-a --sctp-service 10.67.0.3:443 -r 10.67.1.6:443 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum",
            "-a --sctp-service 10.67.0.3:443 -r 10.67.1.8:443 -m -w 1",
        ])?;
        router.stop()?;
        site.wait_table(&[])
    })
}

#[test]
fn what_is_there_is_adopted_corrected_and_kept_right() -> Result<()> {
    GUEST.tells(|| {
        if crate::ours() == lab::Subject::Keepalived {
            return Ok(());
        }
        let site = Site::new(&ADDRESSES)?;
        let _servers: Vec<_> = SERVERS.iter().map(|at| site.server(at)).collect::<Result<_>>()?;
        // Another scheduler, another weight, a server of nobody, and a service that is not ours.
        site.host()
            .sh("ipvsadm -A -t 10.64.0.1:80 -s wlc\nipvsadm -a -t 10.64.0.1:80 -r 10.64.1.1:80 -m -w 9\n\
             ipvsadm -a -t 10.64.0.1:80 -r 10.64.1.77:80 -m -w 1\nipvsadm -A -t 10.64.9.9:80 -s rr")?;
        let foreign = "-A -t 10.64.9.9:80 -s rr";
        let router = site.start(&of_three("", "", ""))?;
        let (one, two, three) = (line(1, 2), line(2, 2), line(3, 1));
        let right = [foreign, SERVICE, &one, &two, &three];
        site.wait_table(&right)?;
        for harm in ["-d -t 10.64.0.1:80 -r 10.64.1.2:80", "-D -t 10.64.0.1:80", "-E -t 10.64.0.1:80 -s wrr"]
        {
            site.host().sh(&format!("ipvsadm {harm}"))?;
            router.wait_log("changed by another program", SOON)?;
            site.wait_table(&right)?;
        }
        router.stop()?;
        site.wait_table(&[foreign])
    })
}
