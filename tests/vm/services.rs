//! Kinds of services and what they ask of their servers, as servers die and come back.

use lab::Result;

use crate::site::{Server, Site};
use crate::{GUEST, SOON};

/// Servers 1 to 3 at port 80, the sorry server, and addresses to serve.
const ADDRESSES: [&str; 8] = [
    "10.64.0.1",
    "10.64.0.2",
    "10.64.1.1",
    "10.64.1.2",
    "10.64.1.3",
    "10.64.1.100",
    "fd00:64::1",
    "fd00:64:1::1",
];

const CHECK: &str = "TCP_CHECK {\n connect_timeout 10\n retry 0\n }";

/// `real_server` of that number and weight, with these lines.
fn server(number: u8, weight: u8, lines: &str) -> String {
    format!("real_server 10.64.1.{number} 80 {{\n weight {weight}\n {lines}\n}}\n")
}

/// A service with these lines and servers, which are checked every second.
fn service(heading: &str, lines: &str, servers: &[String]) -> String {
    format!(
        "virtual_server {heading} {{\n delay_loop 1\n warmup 0\n lb_algo rr\n lb_kind NAT\n protocol TCP\n {lines}\n {}}}\n",
        servers.concat()
    )
}

/// Servers 1 to 3 with a check each, of weight 2, 2 and 1.
fn three(heading: &str, lines: &str) -> String {
    service(heading, lines, &[server(1, 2, CHECK), server(2, 2, CHECK), server(3, 1, CHECK)])
}

/// A site where the servers of these numbers run.
struct Scene {
    site: Site,
    servers: Vec<(u8, Server)>,
}

impl Scene {
    fn new(running: &[u8]) -> Result<Self> {
        let mut scene = Self { site: Site::new(&ADDRESSES)?, servers: Vec::new() };
        running.iter().try_for_each(|number| scene.begin(*number))?;
        Ok(scene)
    }

    fn begin(&mut self, number: u8) -> Result<()> {
        let server = self.site.server(&format!("10.64.1.{number}:80"))?;
        self.servers.push((number, server));
        Ok(())
    }

    fn end(&mut self, number: u8) {
        self.servers.retain(|(other, _)| *other != number);
    }

    /// Waits until the table has these services, each with these servers and their weights.
    fn wait(&self, services: &[&str], servers: &[(u8, u8)]) -> Result<()> {
        let mut lines: Vec<String> = services.iter().map(|service| format!("-A {service} -s rr")).collect();
        for service in services {
            let line =
                |&(number, weight): &(u8, u8)| format!("-a {service} -r 10.64.1.{number}:80 -m -w {weight}");
            lines.extend(servers.iter().map(line));
        }
        self.site.wait_table(&lines.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

const FIRST: &str = "-t 10.64.0.1:80";

#[test]
fn a_quorum_is_gained_above_and_lost_below_its_hysteresis() -> Result<()> {
    GUEST.tells(|| {
        let mut scene = Scene::new(&[1, 2, 3])?;
        let config = three("10.64.0.1 80", "quorum 3\n hysteresis 2\n sorry_server 10.64.1.100 80");
        let router = scene.site.start(&config)?;
        scene.wait(&[FIRST], &[(1, 2), (2, 2), (3, 1)])?;
        scene.end(1);
        scene.wait(&[FIRST], &[(2, 2), (3, 1)])?;
        scene.end(2);
        scene.wait(&[FIRST], &[(3, 1)])?;
        scene.end(3);
        scene.wait(&[FIRST], &[(100, 1)])?;
        // 3 are not enough to gain it, nor 4.
        scene.begin(3)?;
        scene.begin(1)?;
        router.wait_log("Adding service [10.64.1.1]", SOON)?;
        scene.wait(&[FIRST], &[(100, 1)])?;
        scene.begin(2)?;
        scene.wait(&[FIRST], &[(1, 2), (2, 2), (3, 1)])?;
        router.stop().map(drop)
    })
}

#[test]
fn without_a_sorry_server_those_that_are_left_go_on() -> Result<()> {
    GUEST.tells(|| {
        let mut scene = Scene::new(&[1, 2, 3])?;
        let router = scene.site.start(&three("10.64.0.1 80", "quorum 4"))?;
        scene.wait(&[FIRST], &[(1, 2), (2, 2), (3, 1)])?;
        scene.end(1);
        scene.wait(&[FIRST], &[(2, 2), (3, 1)])?;
        router.wait_log("Lost quorum 4-0=4 > 3", SOON)?;
        scene.end(2);
        scene.end(3);
        scene.wait(&[FIRST], &[])?;
        scene.begin(2)?;
        scene.wait(&[FIRST], &[(2, 2)])?;
        router.stop().map(drop)
    })
}

#[test]
fn a_sorry_server_that_is_inhibited_waits_with_weight_0() -> Result<()> {
    GUEST.tells(|| {
        let mut scene = Scene::new(&[1, 2, 3])?;
        let config = three("10.64.0.1 80", "sorry_server 10.64.1.100 80\n sorry_server_inhibit");
        let router = scene.site.start(&config)?;
        scene.wait(&[FIRST], &[(1, 2), (2, 2), (3, 1), (100, 0)])?;
        scene.end(1);
        scene.end(2);
        scene.wait(&[FIRST], &[(3, 1), (100, 0)])?;
        scene.end(3);
        scene.wait(&[FIRST], &[(100, 1)])?;
        scene.begin(2)?;
        scene.wait(&[FIRST], &[(2, 2), (100, 0)])?;
        router.stop().map(drop)
    })
}

#[test]
fn one_that_is_inhibited_and_has_yet_to_pass_waits_with_weight_0() -> Result<()> {
    GUEST.tells(|| {
        let mut scene = Scene::new(&[2])?;
        let router = scene.site.start(&three("10.64.0.1 80", "alpha\n inhibit_on_failure"))?;
        scene.wait(&[FIRST], &[(1, 0), (2, 2), (3, 0)])?;
        scene.begin(3)?;
        scene.wait(&[FIRST], &[(1, 0), (2, 2), (3, 1)])?;
        scene.end(2);
        scene.wait(&[FIRST], &[(1, 0), (2, 0), (3, 1)])?;
        router.stop().map(drop)
    })
}

#[test]
fn all_checks_of_a_server_have_to_pass() -> Result<()> {
    GUEST.tells(|| {
        let scene = Scene::new(&[1, 2])?;
        let other = "TCP_CHECK {\n connect_port 81\n connect_timeout 10\n retry 0\n }";
        let servers = [1, 2].map(|number| server(number, 1, &format!("{CHECK}\n {other}")));
        let first = scene.site.server("10.64.1.1:81")?;
        let router = scene.site.start(&service("10.64.0.1 80", "", &servers))?;
        scene.wait(&[FIRST], &[(1, 1)])?;
        let _second = scene.site.server("10.64.1.2:81")?;
        scene.wait(&[FIRST], &[(1, 1), (2, 1)])?;
        drop(first);
        scene.wait(&[FIRST], &[(2, 1)])?;
        router.stop().map(drop)
    })
}

#[test]
fn the_services_of_a_group_have_the_same_servers() -> Result<()> {
    GUEST.tells(|| {
        let mut scene = Scene::new(&[1, 2, 3])?;
        let group = "virtual_server_group G {\n 10.64.0.1-2 80\n fwmark 9\n}\n";
        let router = scene.site.start(&format!("{group}{}", three("group G", "inhibit_on_failure")))?;
        let all = [FIRST, "-t 10.64.0.2:80", "-f 9"];
        scene.wait(&all, &[(1, 2), (2, 2), (3, 1)])?;
        scene.end(2);
        scene.wait(&all, &[(1, 2), (2, 0), (3, 1)])?;
        scene.begin(2)?;
        scene.wait(&all, &[(1, 2), (2, 2), (3, 1)])?;
        router.stop()?;
        scene.wait(&[], &[])
    })
}

#[test]
fn a_mark_has_servers_that_die() -> Result<()> {
    GUEST.tells(|| {
        let mut scene = Scene::new(&[1, 2, 3])?;
        let router = scene.site.start(&three("fwmark 7", "sorry_server 10.64.1.100 80\n quorum 3"))?;
        scene.wait(&["-f 7"], &[(1, 2), (2, 2), (3, 1)])?;
        scene.end(1);
        scene.wait(&["-f 7"], &[(2, 2), (3, 1)])?;
        scene.end(3);
        scene.wait(&["-f 7"], &[(100, 1)])?;
        router.stop().map(drop)
    })
}

#[test]
fn over_ipv6() -> Result<()> {
    GUEST.tells(|| {
        let site = Site::new(&ADDRESSES)?;
        let server = site.server("[fd00:64:1::1]:80")?;
        let config = format!(
            "virtual_server fd00:64::1 80 {{\n delay_loop 1\n warmup 0\n lb_algo rr\n lb_kind NAT\n protocol TCP\n \
             persistence_timeout 30\n sorry_server fd00:64:1::9 80\n real_server fd00:64:1::1 80 {{\n weight 4\n {CHECK}\n }}\n}}\n"
        );
        let router = site.start(&config)?;
        let service = "-A -t [fd00:64::1]:80 -s rr -p 30";
        let alive = "-a -t [fd00:64::1]:80 -r [fd00:64:1::1]:80 -m -w 4";
        site.wait_table(&[service, alive])?;
        drop(server);
        site.wait_table(&[service, "-a -t [fd00:64::1]:80 -r [fd00:64:1::9]:80 -m -w 1"])?;
        let _again = site.server("[fd00:64:1::1]:80")?;
        site.wait_table(&[service, alive])?;
        router.stop()?;
        site.wait_table(&[])
    })
}
