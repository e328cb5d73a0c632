//! Real connections through a director: they outlive reloads and restarts, and none goes to a server that is known to be dead.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use lab::{Error, Host, Lan, Result, Router, wait};

use crate::{GUEST, SOON, ours};

/// alpha is the director between the client, beta, and the servers, gamma; these see one another only through it, or, with
/// DR, answer for it.
fn lan(kind: &str) -> Result<Lan> {
    let lan = Lan::builder()
        .host("alpha", "va0", "10.9.0.1/24")
        .host("beta", "vb0", "10.8.0.2/24")
        .host("gamma", "vc0", "10.9.0.3/24")
        .build()?;
    lan["alpha"].sh("ip addr add 10.8.0.1/24 dev va0; ip addr add 10.8.0.100/32 dev lo; sysctl -qw net.ipv4.ip_forward=1 \
        net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.va0.send_redirects=0 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.va0.rp_filter=0")?;
    lan["beta"].sh("ip route add 10.9.0.0/24 via 10.8.0.1")?;
    // With DR they answer the client themselves: the director takes nobody's packets that come from its own address.
    let answers = match kind {
        "DR" => "ip addr add 10.8.0.100/32 dev lo; ip route add 10.8.0.0/24 dev vc0",
        _ => "true",
    };
    lan["gamma"].sh(&format!(
        "ip addr add 10.9.0.4/24 dev vc0; ip route add default via 10.9.0.1; sysctl -qw net.ipv4.conf.all.arp_ignore=1 \
         net.ipv4.conf.all.arp_announce=2; {answers}"
    ))?;
    Ok(lan)
}

fn config(kind: &str, weight: u8, lines: &str) -> String {
    let server = |number: u8| {
        format!(
            "  real_server 10.9.0.{number} 80 {{\n    weight {weight}\n    TCP_CHECK {{\n      connect_timeout 5\n      retry 0\n    }}\n  }}\n"
        )
    };
    format!(
        "virtual_server 10.8.0.100 80 {{\n  delay_loop 1\n  warmup 0\n  lb_algo rr\n  lb_kind {kind}\n  protocol TCP\n  {lines}\n{}{}}}\n",
        server(3),
        server(4)
    )
}

/// A server that gives every connection its bytes back, until its address is taken away.
fn echo(host: &Host, address: &str) -> Result<()> {
    let bound = host.inside(|| TcpListener::bind(address))?;
    let listener = bound.map_err(|error| Error::io(format!("listen at {address}"), error))?;
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            thread::spawn(move || {
                let mut bytes = [0; 64];
                while let Ok(length @ 1..) = stream.read(&mut bytes) {
                    if stream.write_all(&bytes[..length]).is_err() {
                        return;
                    }
                }
            });
        }
    });
    Ok(())
}

fn connect(host: &Host) -> Result<TcpStream> {
    let address = "10.8.0.100:80".parse().map_err(|_| Error::Unexpected("no address".into()))?;
    let connected = host.inside(|| TcpStream::connect_timeout(&address, SOON))?;
    let stream = connected.map_err(|error| Error::io("connect to the service", error))?;
    stream.set_read_timeout(Some(SOON)).map_err(|error| Error::io("set a limit", error))?;
    Ok(stream)
}

/// A word there and back.
fn talk(stream: &mut TcpStream, word: &str) -> Result<()> {
    let mut back = vec![0; word.len()];
    let talked = stream.write_all(word.as_bytes()).and_then(|()| stream.read_exact(&mut back));
    talked.map_err(|error| Error::io(format!("send {word} there and back"), error))?;
    assert_eq!(back, word.as_bytes());
    Ok(())
}

/// Starts the daemon; returns when both servers are in the table.
fn start(director: &Host, config: &str) -> Result<Router> {
    start_with(director, config, &[])
}

fn start_with(director: &Host, config: &str, more: &[&str]) -> Result<Router> {
    let config = director.write("director.conf", config)?;
    let pid_file = director.dir().join("check.pid");
    let pid_file = pid_file.to_string_lossy();
    let flags = [&["-C", "-c", &*pid_file], more].concat();
    let router = Router::start_parts(&ours(), director, "director", &config, &flags)?;
    // What an earlier one left is in the table already.
    router.wait_log("Gained quorum", SOON)?;
    wait_servers(director, 2)?;
    Ok(router)
}

fn wait_servers(director: &Host, count: usize) -> Result<()> {
    let shown = || director.look(&["ipvsadm", "-Sn"]).unwrap_or_default();
    wait::until_eq("servers in the table", SOON, &count, || {
        shown().lines().filter(|line| line.starts_with("-a ")).count()
    })
}

#[test]
fn connections_outlive_reloads_and_restarts() -> Result<()> {
    GUEST.tells(|| {
        for kind in ["NAT", "DR"] {
            let lan = lan(kind)?;
            let (director, client) = (&lan["alpha"], &lan["beta"]);
            echo(&lan["gamma"], "0.0.0.0:80")?;
            let router = start(director, &config(kind, 1, ""))?;
            let mut streams = [connect(client)?, connect(client)?];
            let mut all = |word: &str| streams.iter_mut().try_for_each(|stream| talk(stream, word));
            all("before")?;
            router.reload(director, "director", &config(kind, 5, "persistence_timeout 60"), SOON)?;
            let changed = || director.look(&["ipvsadm", "-Sn"]).unwrap_or_default().matches("-w 5").count();
            wait::until_eq("the weights", SOON, &2, changed)?;
            all("after a reload")?;
            router.kill9();
            all("while nobody is there")?;
            let router = start(director, &config(kind, 2, ""))?;
            all("after a crash")?;
            router.stop()?;
            wait_servers(director, 0)?;
            let router = start(director, &config(kind, 2, ""))?;
            all("after a restart")?;
            router.stop()?;
        }
        Ok(())
    })
}

#[test]
fn with_dont_release_ipvs_a_stop_tells_nobody_and_connections_go_on_until_the_next_run() -> Result<()> {
    GUEST.tells(|| {
        let lan = lan("NAT")?;
        let (director, client) = (&lan["alpha"], &lan["beta"]);
        echo(&lan["gamma"], "0.0.0.0:80")?;
        let said = director.dir().join("said");
        let note = director.write("note", &format!("#!/bin/sh\necho \"$@\" >> {}\n", said.display()))?;
        director.run(&["chmod", "755", &note.to_string_lossy()])?;
        let lines = format!("quorum_down \"{} lost\"", note.display());
        let router = start_with(director, &config("NAT", 1, &lines), &["-I"])?;
        let table = director.look(&["ipvsadm", "-Sn"])?;
        let mut before = connect(client)?;
        talk(&mut before, "before")?;
        router.stop()?;
        assert_eq!(director.look(&["ipvsadm", "-Sn"])?, table);
        assert!(!said.exists(), "nothing is lost");
        let mut after = connect(client)?;
        [&mut before, &mut after].into_iter().try_for_each(|stream| talk(stream, "while nobody is there"))?;
        let router = start(director, &config("NAT", 1, ""))?;
        [&mut before, &mut after].into_iter().try_for_each(|stream| talk(stream, "after a restart"))?;
        router.stop()?;
        wait_servers(director, 0)
    })
}

#[test]
fn a_dead_server_gets_no_new_connection() -> Result<()> {
    GUEST.tells(|| {
        let lan = lan("NAT")?;
        let (director, client, servers) = (&lan["alpha"], &lan["beta"], &lan["gamma"]);
        echo(servers, "0.0.0.0:80")?;
        let router = start(director, &config("NAT", 1, ""))?;
        let mut both = [connect(client)?, connect(client)?];
        both.iter_mut().try_for_each(|stream| talk(stream, "well"))?;
        servers.sh("ip addr del 10.9.0.4/24 dev vc0")?;
        wait_servers(director, 1)?;
        for _ in 0..20 {
            talk(&mut connect(client)?, "still well")?;
        }
        servers.sh("ip addr add 10.9.0.4/24 dev vc0")?;
        wait_servers(director, 2)?;
        for _ in 0..4 {
            talk(&mut connect(client)?, "well again")?;
        }
        // The kernel sums its counters up every two seconds.
        let counted = || {
            let shown = director.look(&["ipvsadm", "-Ln", "--stats"]).unwrap_or_default();
            let back = shown.lines().find(|line| line.contains("10.9.0.4:80")).unwrap_or_default();
            back.split_whitespace().nth(2).is_some_and(|connections| connections != "0")
        };
        wait::until_true("new connections to the server that is back", SOON, counted)?;
        router.stop().map(drop)
    })
}
