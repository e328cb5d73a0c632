//! IPVS of the kernel: what it understands of our requests, as `ipvsadm` shows it, and what we read of its table.

use std::net::SocketAddr;

use lab::{Host, Lan, Result};
use steadfast::kernel::ipvs::{
    Change, Destination, Encapsulation, Flags, Forwarding, Ipvs, Persistence, Protocol, Role, Service,
    ServiceKey, SyncDaemon, Timeouts,
};
use steadfast::kernel::{KernelError, ReceiveBuffer};
use steadfast::units::Family;

use crate::GUEST;

fn tcp(address: &str) -> ServiceKey {
    let address: SocketAddr = address.parse().expect("an address in a story");
    (Protocol::Tcp, address.ip(), address.port()).into()
}

fn service(key: ServiceKey, scheduler: &str) -> Service {
    Service { key, scheduler: scheduler.into(), flags: Flags::default(), persistence: None }
}

fn server(address: &str, forwarding: Forwarding) -> Destination {
    Destination {
        key: address.parse().expect("an address in a story"),
        forwarding,
        weight: 1,
        upper_threshold: 0,
        lower_threshold: 0,
    }
}

/// A table with something of everything.
fn table() -> Vec<(Service, Vec<Destination>)> {
    let client = |granularity| Some(Persistence { timeout: 50, granularity, engine: None });
    let web = Service { persistence: client(24), ..service(tcp("10.9.0.100:80"), "wrr") };
    let names = ServiceKey::Socket {
        protocol: Protocol::Udp,
        address: "10.9.0.100:53".parse().expect("an address in a story"),
    };
    let names = Service { flags: Flags::ONE_PACKET, ..service(names, "rr") };
    let hashed = Service { flags: Flags::SCHEDULER_2, ..service(tcp("[2001:db8:9::100]:443"), "sh") };
    let marked = service(ServiceKey::Mark { family: Family::V4, mark: 7 }, "wlc");
    let heavy = Destination {
        weight: 70_000,
        upper_threshold: 20,
        lower_threshold: 10,
        ..server("10.9.0.11:8080", Forwarding::Masquerade)
    };
    vec![
        (web, vec![heavy, server("10.9.0.12:8080", Forwarding::Masquerade)]),
        (names, vec![server("10.9.0.11:53", Forwarding::Route)]),
        (hashed, vec![server("[2001:db8:9::11]:443", Forwarding::Masquerade)]),
        (marked, vec![server("10.9.0.11:0", Forwarding::Tunnel(Encapsulation::Ipip))]),
    ]
}

/// IPVS of a host.
fn on<T: Send>(host: &Host, what: impl FnOnce(&mut Ipvs) -> T + Send) -> Result<T> {
    host.inside(|| Ipvs::open(ReceiveBuffer::default()).map(|mut ipvs| what(&mut ipvs)))?
        .map_err(|error| lab::Error::Unexpected(error.to_string()))
}

fn additions() -> Vec<Change> {
    let additions = table().into_iter().flat_map(|(service, servers)| {
        let key = service.key;
        let servers = servers.into_iter().map(move |server| Change::AddDestination(key, server));
        std::iter::once(Change::AddService(service)).chain(servers)
    });
    additions.collect()
}

fn refused(answers: &[Result<(), KernelError>]) -> Vec<String> {
    answers.iter().filter_map(|answer| answer.as_ref().err().map(ToString::to_string)).collect()
}

#[test]
fn ipvsadm_shows_what_was_asked_for_and_it_is_read_again() -> Result<()> {
    GUEST.tells(|| {
        let lan = Lan::pair()?;
        let alpha = &lan["alpha"];
        let (refusals, held) = on(alpha, |ipvs| {
            let answers = ipvs.make(&additions());
            let services = ipvs.services().expect("a listing");
            let held = services.into_iter().map(|held| {
                let servers = ipvs.destinations(&held.what.key).expect("a listing");
                (held.what, servers.into_iter().map(|held| held.what.0).collect::<Vec<_>>())
            });
            (refused(&answers), held.collect::<Vec<_>>())
        })?;
        assert_eq!(refusals, Vec::<String>::new());

        let mut lines: Vec<String> =
            alpha.run(&["ipvsadm", "-Sn"])?.lines().map(|line| line.trim_end().to_owned()).collect();
        lines.sort();
        assert_eq!(
            lines,
            [
                "-A -f 7 -s wlc",
                "-A -t 10.9.0.100:80 -s wrr -p 50 -M 255.255.255.0",
                "-A -t [2001:db8:9::100]:443 -s sh -b sh-port",
                "-A -u 10.9.0.100:53 -s rr -o",
                "-a -f 7 -r 10.9.0.11:0 -i -w 1 --tun-type ipip",
                "-a -t 10.9.0.100:80 -r 10.9.0.11:8080 -m -w 70000",
                "-a -t 10.9.0.100:80 -r 10.9.0.12:8080 -m -w 1",
                "-a -t [2001:db8:9::100]:443 -r [2001:db8:9::11]:443 -m -w 1",
                "-a -u 10.9.0.100:53 -r 10.9.0.11:53 -g -w 1",
            ]
        );
        for (service, servers) in table() {
            let found = held.iter().find(|(held, _)| held.key == service.key).expect("the service");
            assert_eq!(found.0, service);
            assert!(servers.len() == found.1.len() && servers.iter().all(|server| found.1.contains(server)));
        }
        Ok(())
    })
}

#[test]
fn what_is_refused_is_named_and_the_rest_is_made() -> Result<()> {
    GUEST.tells(|| {
        let lan = Lan::pair()?;
        let web = tcp("10.9.0.100:80");
        let answers = on(&lan["alpha"], move |ipvs| {
            ipvs.make(&[
                Change::AddService(service(web, "nonsense")),
                Change::AddService(service(web, "rr")),
                Change::AddService(service(web, "rr")),
                Change::DeleteDestination(web, "10.9.0.11:80".parse().expect("an address")),
                Change::DeleteService(tcp("10.9.0.100:81")),
                Change::AddDestination(web, server("10.9.0.12:80", Forwarding::Masquerade)),
            ])
        })?;
        let errors: Vec<Option<i32>> =
            answers.iter().map(|answer| answer.as_ref().err().and_then(KernelError::errno)).collect();
        assert_eq!(errors, [Some(2), None, Some(17), Some(2), Some(3), None]);
        assert_eq!(
            refused(&answers)[0],
            "adding service tcp 10.9.0.100:80 with scheduler nonsense to IPVS: No such file or directory"
        );
        let shown = lan["alpha"].run(&["ipvsadm", "-Sn"])?;
        assert_eq!(shown.lines().count(), 2, "{shown}");
        Ok(())
    })
}

#[test]
fn thousands_of_servers_go_in_one_call() -> Result<()> {
    GUEST.tells(|| {
        let lan = Lan::pair()?;
        let held = on(&lan["alpha"], |ipvs| {
            let web = tcp("10.9.0.100:80");
            let servers = (0..3_000_u16).map(|number| {
                let [high, low] = number.to_be_bytes();
                Change::AddDestination(web, server(&format!("10.8.{high}.{low}:80"), Forwarding::Masquerade))
            });
            let changes: Vec<Change> =
                std::iter::once(Change::AddService(service(web, "rr"))).chain(servers).collect();
            let refusals = refused(&ipvs.make(&changes));
            (refusals, ipvs.destinations(&web).expect("a listing").len())
        })?;
        assert_eq!(held, (Vec::new(), 3_000));
        Ok(())
    })
}

#[test]
fn daemons_and_time_outs_are_as_ipvsadm_shows_them() -> Result<()> {
    GUEST.tells(|| {
        let lan = Lan::pair()?;
        let alpha = &lan["alpha"];
        let daemon = SyncDaemon {
            role: Role::Backup,
            interface: "va0".into(),
            sync_id: 51,
            longest: Some(1_400),
            group: None,
            port: None,
            ttl: None,
        };
        let started = daemon.clone();
        let (refusals, daemons, timeouts) = on(alpha, |ipvs| {
            let timeouts = Timeouts { tcp: Some(100), tcp_fin: Some(20), udp: None };
            let refusals =
                refused(&ipvs.make(&[Change::StartDaemon(started), Change::SetTimeouts(timeouts)]));
            (refusals, ipvs.daemons().expect("a listing"), ipvs.timeouts().expect("an answer"))
        })?;
        assert_eq!(refusals, Vec::<String>::new());
        let told = SyncDaemon {
            group: Some("224.0.0.81".parse().expect("an address")),
            port: Some(8848),
            ttl: Some(1),
            ..daemon
        };
        assert_eq!(daemons, [told]);
        assert_eq!(timeouts, Timeouts { tcp: Some(100), tcp_fin: Some(20), udp: Some(300) });
        let shown = alpha.run(&["ipvsadm", "-Ln", "--daemon"])?;
        assert!(shown.contains("backup sync daemon (mcast=va0, syncid=51, maxlen=1400"), "{shown}");
        assert!(alpha.run(&["ipvsadm", "-Ln", "--timeout"])?.contains("100 20 300"));
        let refusals = on(alpha, |ipvs| refused(&ipvs.make(&[Change::StopDaemon(Role::Backup)])))?;
        assert_eq!(refusals, Vec::<String>::new());
        Ok(())
    })
}
