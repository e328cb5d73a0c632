//! A flood of datagrams at the agent of our own: the virtual router beside it is on time, the daemon does not grow, and who
//! may ask is answered. `FLOOD` of the environment says for how many seconds at least; without it as long as it takes to see that.

use std::{
    env, io,
    net::UdpSocket,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use lab::{Error, Host, Lan, Result, Router, SnmpClient, State, clock, wait};

use crate::{
    cadence::Cadence,
    scene::{ROUTER_ID, SOON, alone, instance, resident, steadfast},
};

const HERE: &str = "127.0.0.1:1161";
/// How many there are at least.
const LEAST: u32 = 200_000;
/// Where the flood ends, if nobody has ended it before.
const MOST: u32 = 1_000_000_000;
/// So many questions have to be answered meanwhile.
const ANSWERS: usize = 3;
/// advert_int of the virtual router.
const INTERVAL: Duration = Duration::from_millis(300);
/// What the daemon may hold more afterwards, whatever was said to it: a few of the largest datagrams.
const GROWTH_KIB: u64 = 2048;

/// Questions of nobody, beginnings of messages, and noise.
fn datagram(number: u32) -> Vec<u8> {
    let mut question = b"\x30\x1f\x02\x01\x01\x04\x06nobody\xa5\x12\x02\x01\x01\x02\x01\x00\x02\x01\x7f\
                         \x30\x07\x30\x05\x06\x01\x2b\x05\x00"
        .to_vec();
    let bytes = number.to_be_bytes();
    let place = usize::from(bytes[2]) % question.len();
    match bytes[3] % 4 {
        0 => question,
        1 => question[..place].to_vec(),
        2 => {
            question[place] ^= bytes[1] | 1;
            question
        }
        _ => bytes.repeat(8),
    }
}

/// Sends them as fast as the kernel takes them, until somebody has seen enough; how many those were.
fn flood(host: &Host, enough: &AtomicBool) -> Result<u32> {
    let sent = host.inside(|| -> io::Result<u32> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        let mut sent = 0;
        while sent < LEAST || sent < MOST && !enough.load(Ordering::Relaxed) {
            // What the agent's socket has no room for is lost.
            let _ = socket.send_to(&datagram(sent), HERE);
            sent += 1;
        }
        Ok(sent)
    })?;
    sent.map_err(|error| Error::io("send datagrams", error))
}

/// Asks until it is answered, whatever else arrives.
fn ask(client: &SnmpClient) -> Result<()> {
    wait::until("an answer in the flood", SOON * 3, || {
        // Of what comes so fast the socket has room for little.
        let asked = client.tool("snmpget", &["-t", "0.3", "-r", "20"], &[ROUTER_ID]);
        asked.map(drop).map_err(|error| error.to_string())
    })
}

#[test]
fn a_flood_moves_no_virtual_router_fills_no_memory_and_who_may_ask_is_answered() -> Result<()> {
    let _alone = alone();
    let seconds =
        env::var("FLOOD").map_or(0, |seconds| seconds.parse().expect("FLOOD is a number of seconds"));
    let lan = Lan::pair()?;
    let globals = "global_defs {\n  router_id lab\n  vrrp_version 3\n  vrrp_rt_priority 50\n}\n";
    let agent = "snmp_agent {\n  listen 127.0.0.1:1161\n  community public source 127.0.0.1\n}\n";
    let router = |interface, priority| globals.to_owned() + &instance("VI", interface, 51, priority, "0.3");
    let alpha = Router::start(&steadfast(), &lan["alpha"], "alpha", &(router("va0", 200) + agent))?;
    alpha.wait_entering("VI", State::Master, SOON)?;
    let beta = Router::start(&steadfast(), &lan["beta"], "beta", &router("vb0", 100))?;
    beta.wait_entering("VI", State::Backup, SOON)?;
    let client = SnmpClient::new(&lan["alpha"], HERE);
    client.get(ROUTER_ID)?;
    let engine = alpha.vrrp_pid(SOON)?;
    let before = resident(engine);
    let cadence = Cadence::start(&lan["beta"], "vb0", 51, INTERVAL)?;
    let (enough, start) = (AtomicBool::new(false), clock::wall());
    let (sent, answers) = thread::scope(|scope| {
        let flood = scope.spawn(|| flood(&lan["alpha"], &enough));
        let mut answers = 0;
        let asked = loop {
            let goes_on =
                answers < ANSWERS || clock::wall().saturating_sub(start) < Duration::from_secs(seconds);
            if !goes_on {
                break Ok(());
            }
            match ask(&client) {
                Ok(()) => answers += 1,
                failed => break failed,
            }
        };
        enough.store(true, Ordering::Relaxed);
        let sent = flood.join().expect("it does not panic");
        asked.and(sent).map(|sent| (sent, answers))
    })?;
    let (lasted, grown) = (clock::wall().saturating_sub(start), resident(engine).saturating_sub(before));
    let gap = cadence.assert_largest_gap()?;
    println!(
        "{sent} datagrams in {lasted:?}, {answers} answers, {gap:?} between advertisements at most, {grown} KiB more"
    );
    assert!(sent >= LEAST, "{sent} datagrams");
    assert!(grown <= GROWTH_KIB, "{grown} KiB more than {before}");
    assert!(!beta.log().contains("Entering MASTER"), "{}", beta.log());
    assert!(!alpha.log().contains("Entering BACKUP STATE (router"), "{}", alpha.log());
    client.get(ROUTER_ID).map(drop)
}
