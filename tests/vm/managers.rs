//! What managers see of pools: the tables beside `ipvsadm`, notifications as they arrive, and a weight that is set.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::TcpStream;

use lab::{Error, Result, SnmpClient, Snmpd, Snmptrapd, Subject, wait};

use crate::site::Site;
use crate::{GUEST, SOON, ours};

/// virtualServerEntry and realServerEntry.
const SERVICE: &str = ".1.3.6.1.4.1.9586.100.5.3.3.1";
const SERVER: &str = ".1.3.6.1.4.1.9586.100.5.3.4.1";
/// realServerStateChange and virtualServerQuorumStateChange.
const SERVER_CHANGE: &str = ".1.3.6.1.4.1.9586.100.5.3.5.0.1";
const QUORUM_CHANGE: &str = ".1.3.6.1.4.1.9586.100.5.3.5.0.2";
/// Columns of connections, packets in, packets out, bytes in and bytes out of services and servers, and the same per second.
const OF_SERVICE: ([u32; 5], [u32; 5]) = ([27, 28, 29, 30, 31], [32, 33, 34, 35, 36]);
const OF_SERVER: ([u32; 5], [u32; 5]) = ([14, 18, 19, 20, 21], [22, 23, 24, 25, 26]);

/// Columns of connections that are there: active and inactive ones of servers.
const CONNECTIONS: [u32; 2] = [15, 16];

/// A director whose snmpd serves the MIB and sends notifications to a receiver beside it.
struct Scene {
    site: Site,
    snmpd: Snmpd,
    receiver: Snmptrapd,
}

impl Scene {
    fn new() -> Result<Self> {
        let site = Site::new(&["10.64.0.1", "10.64.1.1", "10.64.1.2", "10.64.1.100"])?;
        let receiver = Snmptrapd::start(site.host())?;
        let snmpd = Snmpd::builder(site.host()).trap_sink("127.0.0.1:162").start()?;
        Ok(Self { site, snmpd, receiver })
    }

    /// A pool of two, of weight 1 and 3.
    fn config(&self) -> String {
        let server = |number: u8, weight: u8| {
            format!(
                "  real_server 10.64.1.{number} 80 {{\n    weight {weight}\n    TCP_CHECK {{\n      connect_timeout 10\n      \
                 retry 0\n    }}\n  }}\n"
            )
        };
        format!(
            "global_defs {{\n  router_id lab\n  enable_snmp_checker\n  enable_traps\n  snmp_set\n  snmp_socket {}\n  \
             snmp_vs_stats_update_interval 1\n  snmp_rs_stats_update_interval 1\n}}\nvirtual_server 10.64.0.1 80 {{\n  \
             delay_loop 1\n  warmup 0\n  lb_algo rr\n  lb_kind NAT\n  protocol TCP\n  quorum 2\n  sorry_server 10.64.1.100 80\n{}{}}}\n",
            self.snmpd.agentx(),
            server(1, 1),
            server(2, 3)
        )
    }

    fn manager(&self) -> SnmpClient {
        self.snmpd.client().community("private")
    }

    /// A connection through the virtual address, to its end.
    fn connect(&self) -> Result<()> {
        let connected = self.site.host().inside(|| TcpStream::connect("10.64.0.1:80"))?;
        connected.map(drop).map_err(|error| Error::io("connect to the service", error))
    }

    /// What `ipvsadm` counts: five numbers for each service and server, by address and port.
    fn counted(&self, what: &str) -> Result<BTreeMap<String, Vec<u64>>> {
        let shown = self.site.host().run(&["ipvsadm", "-Ln", what, "--exact"])?;
        let rows = shown.lines().filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (name, numbers) = (words.get(1)?, words.get(2..)?);
            let numbers = numbers.iter().map(|number| number.parse().ok()).collect::<Option<Vec<u64>>>()?;
            (numbers.len() == 5).then(|| ((*name).to_owned(), numbers))
        });
        Ok(rows.collect())
    }

    /// The same of the MIB, in one request.
    fn shown(&self, [of_service, of_server]: [[u32; 5]; 2]) -> Result<BTreeMap<String, Vec<u64>>> {
        // The sorry server is the first, and not in the kernel's table.
        let rows = [(SERVICE, "1", of_service), (SERVER, "1.2", of_server), (SERVER, "1.3", of_server)];
        let oids: Vec<String> = rows
            .iter()
            .flat_map(|(entry, index, columns)| columns.map(|column| format!("{entry}.{column}.{index}")))
            .collect();
        let oids: Vec<&str> = oids.iter().map(String::as_str).collect();
        let values = self.manager().get_all(&oids, oids.len())?;
        let number = |value: &str| {
            let number = value.rsplit(' ').next().and_then(|number| number.parse().ok());
            number.ok_or_else(|| Error::Unexpected(value.to_owned()))
        };
        let numbers: Vec<u64> = values.iter().map(|(_, value)| number(value)).collect::<Result<_>>()?;
        let names = ["10.64.0.1:80", "10.64.1.1:80", "10.64.1.2:80"];
        Ok(names
            .iter()
            .zip(numbers.chunks(5))
            .map(|(name, five)| ((*name).to_owned(), five.to_vec()))
            .collect())
    }

    /// Waits until the MIB shows what `ipvsadm` does or did a moment ago, with packets in it, while so many connections are
    /// made before each look: what is counted per second changes between two looks.
    fn wait_same(&self, what: &str, columns: [[u32; 5]; 2], connections: usize) -> Result<()> {
        let mut all_counted = Vec::new();
        wait::until(&format!("the MIB to show {what}"), SOON, || {
            let text = |error: Error| error.to_string();
            (0..connections).try_for_each(|_| self.connect()).map_err(text)?;
            let (counted, shown) = (self.counted(what).map_err(text)?, self.shown(columns).map_err(text)?);
            all_counted.extend([counted, self.counted(what).map_err(text)?]);
            let alive = shown.get("10.64.0.1:80").is_some_and(|numbers| numbers[1] > 0);
            if alive && all_counted.contains(&shown) {
                return Ok(());
            }
            Err(format!("{shown:?} beside {:?}", all_counted.last()))
        })
    }
}

#[test]
fn the_tables_count_what_ipvsadm_counts() -> Result<()> {
    GUEST.tells(|| {
        let scene = Scene::new()?;
        let _servers = [scene.site.server("10.64.1.1:80")?, scene.site.server("10.64.1.2:80")?];
        let router = scene.site.start(&scene.config())?;
        let line =
            |number: u8, weight: u8| format!("-a -t 10.64.0.1:80 -r 10.64.1.{number}:80 -m -w {weight}");
        scene.site.wait_table(&["-A -t 10.64.0.1:80 -s rr", &line(1, 1), &line(2, 3)])?;
        // The estimates change every two seconds, and fade after the last connection.
        scene.wait_same("--rate", [OF_SERVICE.1, OF_SERVER.1], 4)?;
        scene.wait_same("--stats", [OF_SERVICE.0, OF_SERVER.0], 0)?;
        router.stop().map(drop)
    })
}

#[test]
fn the_tables_show_the_connections_that_ipvsadm_shows() -> Result<()> {
    GUEST.tells(|| {
        let scene = Scene::new()?;
        let site = &scene.site;
        // They keep whoever comes until that leaves, or the reading of a line takes too long.
        let keep = |stream: &mut TcpStream| {
            let _ = stream.set_read_timeout(Some(SOON));
            let _ = stream.read(&mut [0; 16]);
        };
        let _servers = [site.server_that("10.64.1.1:81", keep)?, site.server_that("10.64.1.2:81", keep)?];
        let checked = |_: &mut TcpStream| {};
        let _checked =
            [site.server_that("10.64.1.1:80", checked)?, site.server_that("10.64.1.2:80", checked)?];
        let config = scene.config().replace("virtual_server 10.64.0.1 80", "virtual_server 10.64.0.1 81");
        let config = config
            .replace(" 80 {\n    weight", " 81 {\n    weight")
            .replace("connect_timeout", "connect_port 80\n connect_timeout");
        let router = site.start(&config)?;
        let line =
            |number: u8, weight: u8| format!("-a -t 10.64.0.1:81 -r 10.64.1.{number}:81 -m -w {weight}");
        site.wait_table(&["-A -t 10.64.0.1:81 -s rr", &line(1, 1), &line(2, 3)])?;
        let connect = || -> Result<TcpStream> {
            let made = site.host().inside(|| TcpStream::connect("10.64.0.1:81"))?;
            made.map_err(|error| Error::io("connect to the service", error))
        };
        // One at each, and one that has been there.
        let held = [connect()?, connect()?];
        let counted = || -> Result<Vec<[u64; 2]>> {
            let shown = site.host().run(&["ipvsadm", "-Ln"])?;
            let servers = shown.lines().filter(|line| line.contains("Masq"));
            let two = |line: &str| {
                let mut words = line.split_whitespace().rev().map(|word| word.parse().unwrap_or(u64::MAX));
                let (inactive, active) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
                [active, inactive]
            };
            Ok(servers.map(two).collect())
        };
        let shown = || -> Result<Vec<[u64; 2]>> {
            let server = |row: u32| -> Result<[u64; 2]> {
                let oids = CONNECTIONS.map(|column| format!("{SERVER}.{column}.1.{row}"));
                let values = scene.manager().get_all(&oids.each_ref().map(String::as_str), 2)?;
                let number = |at: usize| values[at].1.rsplit(' ').next().and_then(|word| word.parse().ok());
                Ok([number(0).unwrap_or(u64::MAX), number(1).unwrap_or(u64::MAX)])
            };
            Ok(vec![server(2)?, server(3)?])
        };
        let is = |expected: [[u64; 2]; 2]| {
            wait::until_eq("connections", SOON, &(expected.to_vec(), expected.to_vec()), || {
                (counted().unwrap_or_default(), shown().unwrap_or_default())
            })
        };
        is([[1, 0], [1, 0]])?;
        drop(held);
        is([[0, 1], [0, 1]])?;
        router.stop().map(drop)
    })
}

#[test]
fn what_happens_in_a_pool_is_notified_and_a_weight_can_be_set() -> Result<()> {
    GUEST.tells(|| {
        let scene = Scene::new()?;
        let site = &scene.site;
        let (first, _second) = (site.server("10.64.1.1:80")?, site.server("10.64.1.2:80")?);
        let router = site.start(&scene.config())?;
        let service = "-A -t 10.64.0.1:80 -s rr";
        let line =
            |number: u8, weight: u8| format!("-a -t 10.64.0.1:80 -r 10.64.1.{number}:80 -m -w {weight}");
        site.wait_table(&[service, &line(1, 1), &line(2, 3)])?;
        scene.receiver.wait_traps(QUORUM_CHANGE, 1, SOON)?;

        let manager = scene.manager();
        let weight = |server: u8| format!("{SERVER}.7.1.{server}");
        manager.set(&weight(3), "i", "1")?;
        site.wait_table(&[service, &line(1, 1), &line(2, 1)])?;
        let shown = || manager.get(&weight(3)).map_err(|error| error.to_string());
        wait::until_eq("the weight that was set", SOON, &Ok("INTEGER: 1".into()), shown)?;

        drop(first);
        site.wait_table(&[service, &line(100, 1)])?;
        let servers = scene.receiver.wait_traps(SERVER_CHANGE, 1, SOON)?;
        let quorums = scene.receiver.wait_traps(QUORUM_CHANGE, 2, SOON)?;
        let columns = |varbinds: &[(String, String)]| {
            let below = |oid: &String| oid.trim_start_matches(".1.3.6.1.4.1.9586.100.5.").to_owned();
            varbinds.iter().map(|(oid, value)| format!("{} = {value}", below(oid))).collect::<Vec<_>>()
        };
        // keepalived names columns without the index of the row.
        let at = |column: &str, index: &str| match ours() {
            Subject::Keepalived => column.to_owned(),
            Subject::Steadfast(_) => format!("{column}.{index}"),
        };
        let (of_server, of_service) = (|column| at(column, "1.2"), |column| at(column, "1"));
        let identity = [
            format!("{} = INTEGER: 2", of_service("3.3.1.2")),
            format!("{} = INTEGER: 1", of_service("3.3.1.5")),
            format!("{} = Hex-STRING: 0A 40 00 01", of_service("3.3.1.6")),
            format!("{} = Gauge32: 80", of_service("3.3.1.7")),
            format!("{} = INTEGER: 1", of_service("3.3.1.8")),
        ];
        let counts = [
            format!("{} = Gauge32: 1", of_service("3.3.1.21")),
            format!("{} = Gauge32: 2", of_service("3.3.1.20")),
            "1.2.0 = STRING: \"lab\"".to_owned(),
        ];
        let of_one = [
            format!("{} = INTEGER: 1", of_server("3.4.1.3")),
            format!("{} = Hex-STRING: 0A 40 01 01", of_server("3.4.1.4")),
            format!("{} = Gauge32: 80", of_server("3.4.1.5")),
            format!("{} = INTEGER: 2", of_server("3.4.1.6")),
        ];
        let trim = |lines: Vec<String>| lines.iter().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
        assert_eq!(trim(columns(&servers[0].varbinds)), [&of_one[..], &identity, &counts].concat());
        let quorum = [
            format!("{} = INTEGER: 2", of_service("3.3.1.23")),
            format!("{} = Gauge32: 2", of_service("3.3.1.22")),
        ];
        assert_eq!(trim(columns(&quorums[1].varbinds)), [&identity[..], &quorum, &counts].concat());
        // The server before the quorum that it takes with it.
        let order: Vec<_> = scene.receiver.traps().into_iter().map(|trap| trap.trap_oid).collect();
        let last = order.iter().rposition(|oid| oid == QUORUM_CHANGE);
        assert!(order.iter().position(|oid| oid == SERVER_CHANGE) < last, "{order:?}");
        router.stop().map(drop)
    })
}
