//! Reloads of virtual servers: what differs is changed in the table, the rest is left alone, and what leaves is told of.

use std::fs;

use lab::{FifoReader, Result, wait};

use crate::site::Site;
use crate::{GUEST, SOON};

const ADDRESSES: [&str; 11] = [
    "10.64.0.1",
    "10.64.0.2",
    "10.64.0.3",
    "10.64.0.4",
    "10.64.1.1",
    "10.64.1.2",
    "10.64.1.3",
    "10.64.1.4",
    "10.64.1.5",
    "10.64.1.6",
    "10.64.1.100",
];

/// A server of that number and weight with a TCP check.
fn server(number: u8, weight: u8, lines: &str) -> String {
    format!(
        "  real_server 10.64.1.{number} 80 {{\n    weight {weight}\n    TCP_CHECK {{\n      connect_timeout 10\n      \
         retry 1\n      delay_before_retry 0.5\n      {lines}\n    }}\n  }}\n"
    )
}

/// A service of that number.
fn service(number: u8, lines: &str, servers: &[String]) -> String {
    format!(
        "virtual_server 10.64.0.{number} 80 {{\n  delay_loop 1\n  warmup 0\n  lb_kind NAT\n  protocol TCP\n  {lines}\n{}}}\n",
        servers.concat()
    )
}

fn line(service: u8, number: u8, weight: u8) -> String {
    format!("-a -t 10.64.0.{service}:80 -r 10.64.1.{number}:80 -m -w {weight}")
}

#[test]
fn what_differs_is_changed_and_what_leaves_is_told_of() -> Result<()> {
    GUEST.tells(|| {
        let site = Site::new(&ADDRESSES)?;
        let _servers: Vec<_> = [1, 3, 5, 6]
            .iter()
            .map(|number| site.server(&format!("10.64.1.{number}:80")))
            .collect::<Result<_>>()?;
        let host = site.host();
        let said = host.dir().join("said");
        let note = host.write("note", &format!("#!/bin/sh\necho \"$@\" >> {}\n", said.display()))?;
        host.run(&["chmod", "755", &note.to_string_lossy()])?;
        let fifo = host.dir().join("fifo");
        let fifo_name = fifo.display();
        // One that is there before stays over a reload of keepalived, too.
        host.sh(&format!("mkfifo {fifo_name}"))?;
        let global = format!("global_defs {{\n  script_user root\n  lvs_notify_fifo {fifo_name}\n}}\n");
        let down = format!("quorum_down \"{} lost\"", note.display());
        let same = service(3, "lb_algo rr\n  sorry_server 10.64.1.100 80", &[server(4, 1, "")]);
        let before = [
            global.clone(),
            service(1, "lb_algo rr", &[server(1, 1, ""), server(2, 1, ""), server(3, 1, "")]),
            service(2, &format!("lb_algo rr\n  {down}"), &[server(5, 1, "")]),
            same.clone(),
        ];
        let after = [
            global,
            service(
                1,
                "lb_algo wrr\n  persistence_timeout 77",
                &[server(1, 5, ""), server(2, 1, "retry 2"), server(6, 1, "")],
            ),
            same,
            service(4, "lb_algo rr\n  alpha", &[server(3, 1, ""), server(4, 1, "")]),
        ];
        let router = site.start(&before.concat())?;
        let mut told = FifoReader::open(&fifo, SOON)?;
        let [first, third] = ["-A -t 10.64.0.1:80 -s rr", "-A -t 10.64.0.3:80 -s rr"];
        let second = "-A -t 10.64.0.2:80 -s rr";
        let (one, three, five) = (line(1, 1, 1), line(1, 3, 1), line(2, 5, 1));
        let sorry = line(3, 100, 1);
        site.wait_table(&[first, &one, &three, second, &five, third, &sorry])?;
        let known = wait::until("the beginning to be told", SOON, || {
            let lines = told.lines();
            if lines.len() == 6 { Ok(lines) } else { Err(format!("{lines:?}")) }
        })?;
        router.reload(host, "director", &after.concat(), SOON)?;
        let first = "-A -t 10.64.0.1:80 -s wrr -p 77";
        let fourth = "-A -t 10.64.0.4:80 -s rr";
        let (one, six, of_fourth) = (line(1, 1, 5), line(1, 6, 1), line(4, 3, 1));
        let right = [first, &one, &six, third, &sorry, fourth, &of_fourth];
        site.wait_table(&right)?;
        router.reload(host, "director", &after.concat(), SOON)?;
        router.stop()?;
        site.wait_table(&[])?;
        let expected = [
            "RS [10.64.1.3]:tcp:80 [10.64.0.1]:tcp:80 DOWN",
            "RS [10.64.1.5]:tcp:80 [10.64.0.2]:tcp:80 DOWN",
            "VS [10.64.0.2]:tcp:80 DOWN",
            "RS [10.64.1.3]:tcp:80 [10.64.0.4]:tcp:80 UP",
            "VS [10.64.0.4]:tcp:80 UP",
        ];
        assert_eq!(told.lines()[known.len()..], expected);
        wait::until_eq("what the script said", SOON, &"lost\n".to_owned(), || {
            fs::read_to_string(&said).unwrap_or_default()
        })?;
        Ok(())
    })
}

#[test]
fn the_first_services_come_and_the_last_go() -> Result<()> {
    GUEST.tells(|| {
        let site = Site::new(&ADDRESSES)?;
        let _server = site.server("10.64.1.1:80")?;
        let host = site.host();
        let global = "global_defs {\n  router_id lab\n}\n";
        let group = |member: &str| format!("virtual_server_group G {{\n  10.64.0.1 80\n  {member}\n}}\n");
        let of_group = service(0, "lb_algo rr", &[server(1, 1, "")])
            .replace("virtual_server 10.64.0.0 80", "virtual_server group G");
        let router = site.start(&[global, &service(2, "lb_algo rr", &[server(1, 1, "")])].concat())?;
        let (second, of_second) = ("-A -t 10.64.0.2:80 -s rr", line(2, 1, 1));
        site.wait_table(&[second, &of_second])?;
        let (first, of_first) = ("-A -t 10.64.0.1:80 -s rr", line(1, 1, 1));
        router.reload(host, "director", &[global, &group(""), &of_group].concat(), SOON)?;
        site.wait_table(&[first, &of_first])?;
        let with_member = [global, &group("10.64.0.3 80"), &of_group].concat();
        router.reload(host, "director", &with_member, SOON)?;
        let (third, of_third) = ("-A -t 10.64.0.3:80 -s rr", line(3, 1, 1));
        site.wait_table(&[first, &of_first, third, &of_third])?;
        router.reload(host, "director", &[global, &group(""), &of_group].concat(), SOON)?;
        site.wait_table(&[first, &of_first])?;
        router.reload(host, "director", global, SOON)?;
        site.wait_table(&[])?;
        router.reload(host, "director", &with_member, SOON)?;
        site.wait_table(&[first, &of_first, third, &of_third])?;
        router.stop()?;
        site.wait_table(&[])
    })
}

#[test]
fn one_that_has_failed_waits_for_another_check_to_find_it_well() -> Result<()> {
    GUEST.tells(|| {
        let site = Site::new(&ADDRESSES)?;
        let host = site.host();
        let _one = site.server("10.64.1.1:80")?;
        let _two = site.server("10.64.1.2:81")?;
        let config =
            |lines: &str| service(1, "lb_algo rr\n  quorum 2", &[server(1, 1, ""), server(2, 1, lines)]);
        let router = site.start(&config(""))?;
        let first = "-A -t 10.64.0.1:80 -s rr";
        let (one, two) = (line(1, 1, 1), line(1, 2, 1));
        site.wait_table(&[first, &one])?;
        router.reload(host, "director", &config("connect_port 81"), SOON)?;
        site.wait_table(&[first, &one, &two])?;
        // Its check would fail a second later; keepalived has it serve until then.
        router.reload(host, "director", &config("connect_port 82"), SOON)?;
        site.wait_table(&[first, &one])?;
        router.reload(host, "director", &config("connect_port 83"), SOON)?;
        if crate::ours() != lab::Subject::Keepalived {
            let stays = || if site.table().len() == 2 { Ok(()) } else { Err(format!("{:?}", site.table())) };
            wait::throughout("it does not serve", std::time::Duration::from_millis(800), stays)?;
        }
        router.stop()?;
        site.wait_table(&[])
    })
}
