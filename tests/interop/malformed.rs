//! Garbage on the wire: nobody who can send packets can stop a MASTER, start a BACKUP or delay an advertisement.

use std::fs;
use std::path::Path;
use std::time::Duration;

use lab::frame::{Ipv4, VRRP_GROUP, advert_v2, advert_v3, checksum};
use lab::{Capture, Control, Host, Injector, Lan, Result, Router, State, pcap, wait};

use crate::world::{LATE, SOON, Talk, V3, VIP, assert_steady, in_its_way, is_keepalived, ours};

const VIP_V3: [u8; 4] = [10, 9, 0, 100];
const VIP_V2: [u8; 4] = [10, 9, 0, 101];
const PASSWORD: [u8; 8] = *b"s3cret99";
/// Better than both routers: whoever believed it would give way.
const BETTER: u8 = 200;
const MUTATIONS: usize = 10_000;
/// Frames sent before the routers have to have read them: fewer than fit into a socket.
const BATCH: usize = 50;

/// Two routers of ours with an instance of each version, `V3` and `V2`, and a third host that attacks.
struct Siege {
    lan: Lan,
    routers: [Router; 2],
    injector: Injector,
    mac: [u8; 6],
}

impl Siege {
    fn lay() -> Result<Self> {
        let lan = Lan::builder()
            .host("alpha", "va0", "10.9.0.1/24")
            .host("beta", "vb0", "10.9.0.2/24")
            .host("gamma", "vg0", "10.9.0.3/24")
            .build()?;
        let alpha = start(&lan["alpha"], "va0", 150)?;
        for name in ["V3", "V2"] {
            alpha.wait_entering(name, State::Master, SOON)?;
        }
        let beta = start(&lan["beta"], "vb0", 100)?;
        for name in ["V3", "V2"] {
            beta.wait_entering(name, State::Backup, SOON)?;
        }
        let injector = Injector::open(&lan["gamma"], "vg0")?;
        let mac = lan["gamma"].mac("vg0")?;
        Ok(Self { lan, routers: [alpha, beta], injector, mac })
    }

    fn send(&self, packet: &Ipv4) -> Result<()> {
        self.injector.send(&packet.ethernet(self.mac))
    }

    /// Waits until both routers have read everything.
    fn wait_read(&self) -> Result<()> {
        wait::until_eq("empty sockets", SOON, &0, || self.sockets().0)
    }

    /// Bytes that wait in the raw sockets of both routers, and packets that found no room there.
    fn sockets(&self) -> (u64, u64) {
        let tables = self.routers.iter().map(|router| {
            let path = format!("/proc/{}/net/raw", router.process().pid());
            fs::read_to_string(path).unwrap_or_default()
        });
        let rows = tables.flat_map(|table| table.lines().skip(1).map(row).collect::<Vec<_>>());
        rows.fold((0, 0), |sum, row| (sum.0 + row.0, sum.1 + row.1))
    }

    /// Nothing has happened since the start.
    fn assert_unmoved(&self) {
        for (router, masters) in self.routers.iter().zip([1, 0]) {
            let log = router.log();
            assert!(router.process().status().is_none(), "ended: {log}");
            for name in ["V3", "V2"] {
                let entries =
                    [State::Backup, State::Master, State::Fault].map(|state| router.entries(name, state));
                assert_eq!(entries, [1, masters, 0], "{name}: {log}");
            }
        }
        assert_eq!(self.lan.holders(VIP), ["alpha"]);
    }
}

/// `tx:rx` is the fifth column, `drops` the last.
fn row(line: &str) -> (u64, u64) {
    let columns: Vec<_> = line.split_whitespace().collect();
    let waiting = columns[4].split(':').nth(1).expect("rx_queue");
    let drops = columns.last().expect("drops");
    (u64::from_str_radix(waiting, 16).expect("hex"), drops.parse().expect("decimal"))
}

fn start(host: &Host, interface: &str, priority: u8) -> Result<Router> {
    let mut three = V3.alpha(priority);
    let v2 = Talk { version: 2, password: Some("s3cret99"), ..V3 };
    let mut two = v2.alpha(priority);
    (three.interface, two.interface) = (interface.into(), interface.into());
    two.vrid = 52;
    two.vips = vec!["10.9.0.101/24".into()];
    let text = [three.instance("V3"), two.instance("V2")].concat();
    Router::start(&ours(), host, host.name(), &text)
}

/// A packet with one mistake, and how the instance that it is for refuses it.
struct Bad {
    packet: Ipv4,
    says: &'static str,
}

fn good_v3(src: [u8; 4]) -> Ipv4 {
    Ipv4::vrrp(src, &advert_v3((src, VRRP_GROUP), 51, BETTER, 20, &[VIP_V3]))
}

fn good_v2(src: [u8; 4]) -> Ipv4 {
    Ipv4::vrrp(src, &advert_v2(52, BETTER, 1, Some(PASSWORD), &[VIP_V2]))
}

/// Changes the message of a good packet and makes its checksum right again.
fn with(mut packet: Ipv4, change: impl Fn(&mut Vec<u8>)) -> Ipv4 {
    change(&mut packet.payload);
    seal(&mut packet);
    packet
}

/// The checksum of the version that the message claims to have.
fn seal(packet: &mut Ipv4) {
    let message = &mut packet.payload;
    if message.len() < 8 {
        return;
    }
    message[6..8].fill(0);
    let mut covered = Vec::new();
    if message[0] >> 4 == 3 {
        let length = u16::try_from(message.len()).expect("short").to_be_bytes();
        covered = [packet.src, packet.dst, [0, 112, length[0], length[1]]].concat();
    }
    covered.extend(message.iter());
    let sum = checksum(&covered).to_be_bytes();
    message[6..8].copy_from_slice(&sum);
}

/// One of each, from senders of their own, so that each is logged.
fn bad_packets() -> Vec<Bad> {
    let sender = |number: u8| [10, 9, 0, 30 + number];
    let v3 = |number| good_v3(sender(number));
    let v2 = |number| good_v2(sender(number));
    let bad = |packet, says| Bad { packet, says };
    vec![
        bad(with(v3(1), |m| m.truncate(8)), "its version and address count ask for"),
        bad(with(v3(2), |m| m.extend([0; 4])), "its version and address count ask for"),
        bad(with(v3(3), |m| m[3] = 255), "its version and address count ask for"),
        bad(with(v3(4), |m| m[3] = 0), "its version and address count ask for"),
        bad(Ipv4 { ttl: 254, ..v3(5) }, "TTL 254"),
        bad(with(v3(6), |m| m[0] = 0x41), "version 4"),
        bad(with(v2(7), |m| m[1] = 51), "version 2"),
        bad(with(v3(8), |m| m[0] = 0x32), "type 2"),
        bad(with(v3(9), |m| m[4..6].fill(0)), "interval 0"),
        bad(
            Ipv4 {
                payload: {
                    let mut m = v3(10).payload;
                    m[7] ^= 1;
                    m
                },
                ..v3(10)
            },
            "wrong checksum",
        ),
        bad(with(v2(11), |m| m.truncate(19)), "its version and address count ask for"),
        bad(with(v2(12), |m| m[3] = 200), "its version and address count ask for"),
        bad(with(v2(13), |m| m[19] ^= 1), "wrong password"),
        bad(with(v2(14), |m| m[4] = 0), "authentication type"),
        bad(with(v2(15), |m| m[4] = 2), "authentication type"),
        bad(with(v2(16), |m| m[4] = 7), "authentication type 7 does not exist"),
        bad(with(v2(17), |m| m[5] = 3), "interval 3s"),
        bad(
            Ipv4 {
                payload: {
                    let mut m = v2(18).payload;
                    m[6] ^= 1;
                    m
                },
                ..v2(18)
            },
            "wrong checksum",
        ),
        bad(with(v2(19), |m| m[0] = 0x23), "type 3"),
        bad(Ipv4 { ttl: 1, ..v2(20) }, "TTL 1,"),
    ]
}

#[test]
fn a_malformed_packet_is_refused_with_its_reason_and_changes_nothing() -> Result<()> {
    let siege = Siege::lay()?;
    let follows_interval_0 = is_keepalived("version 3 advertisement with interval 0");
    for Bad { packet, says } in bad_packets() {
        if follows_interval_0 && says == "interval 0" {
            continue;
        }
        siege.send(&packet)?;
        let [_, _, _, last] = packet.src;
        for router in siege.routers.iter().filter(|router| in_its_way(router.subject(), true, false)) {
            let line = router.wait_log(&format!("packet from 10.9.0.{last} rejected"), SOON)?;
            assert!(line.contains(says), "{line}; expected: {says}");
        }
    }
    // Too short to name an instance, and not for us at all: nothing to say about them.
    for length in 0..8 {
        let mut packet = good_v3([10, 9, 0, 60]);
        packet.payload.truncate(length);
        siege.send(&packet)?;
    }
    siege.send(&with(good_v3([10, 9, 0, 61]), |m| m[1] = 99))?;
    siege.wait_read()?;
    siege.assert_unmoved();

    // The same packets without a mistake are believed.
    siege.send(&good_v3([10, 9, 0, 70]))?;
    siege.send(&good_v2([10, 9, 0, 71]))?;
    siege.routers[0].wait_log("(V3) Master received advert from 10.9.0.70 with higher priority 200", SOON)?;
    siege.routers[0].wait_log("(V2) Master received advert from 10.9.0.71 with higher priority 200", SOON)?;
    Ok(())
}

#[test]
fn ten_thousand_mutated_packets_neither_move_nor_delay_a_router() -> Result<()> {
    if is_keepalived("invalid packets for a MASTER's VRID") {
        return Ok(());
    }
    let siege = Siege::lay()?;
    let originals = captured_messages()?;
    let capture = Capture::start(&siege.lan["beta"], "vb0", "src host 10.9.0.1 and ip proto 112")?;
    let control = Control::start();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for number in 0..MUTATIONS {
        siege.send(&mutation(&originals[number % originals.len()], &mut random))?;
        if number % BATCH == 0 {
            siege.wait_read()?;
        }
    }
    siege.wait_read()?;
    assert_eq!(siege.sockets(), (0, 0), "every packet was read");
    flood(&siege, &capture)?;
    siege.assert_unmoved();
    for reason in ["its version and address count", "wrong checksum", "wrong password", "version 2", "type "]
    {
        let log = siege.routers[0].log();
        let line = |line: &str| line.contains("packet from 10.9.0.3 rejected") && line.contains(reason);
        assert!(log.lines().any(line), "{reason}: {log}");
    }
    let (v3, v2) = capture.vrrp()?.into_iter().partition::<Vec<_>, _>(|advert| advert.vrid() == 51);
    assert!(v3.len() >= 5, "{}", v3.len());
    let stalls = control.stop();
    assert_steady(&v3, "10.9.0.1", V3.interval(), LATE / 3, &stalls);
    assert_steady(&v2, "10.9.0.1", Duration::from_secs(1), LATE / 3, &stalls);
    Ok(())
}

/// Rejected packets, many in each interval, until alpha has sent five more advertisements.
fn flood(siege: &Siege, capture: &Capture) -> Result<()> {
    let rejected = Ipv4 { ttl: 64, ..good_v3([10, 9, 0, 3]) };
    let sent = || capture.vrrp().map(|seen| seen.iter().filter(|advert| advert.vrid() == 51).count());
    let enough = sent()? + 5;
    wait::until("adverts under a flood", SOON, || {
        siege.send(&rejected).map_err(|error| error.to_string())?;
        let now = sent().map_err(|error| error.to_string())?;
        if now >= enough { Ok(()) } else { Err(format!("{now} of {enough}")) }
    })
}

/// Every VRRP message of the corpus.
fn captured_messages() -> Result<Vec<Vec<u8>>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/pcap");
    let mut files: Vec<_> = fs::read_dir(&corpus)
        .expect("tests/corpus/pcap is in the repository")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.sort();
    let mut messages = Vec::new();
    for file in files {
        messages.extend(pcap::vrrp(&pcap::read_file(&file)?).map(|vrrp| vrrp.message));
    }
    Ok(messages)
}

/// One to four bytes are others, and in one of eight the end is missing. Half of them have a right checksum,
/// and the priority 1 with it, so that whoever believes one has no reason to change its state.
fn mutation(original: &[u8], random: &mut Random) -> Ipv4 {
    let mut message = original.to_vec();
    if random.below(2) == 0 {
        message[1] = 52;
    }
    for _ in 0..=random.below(4) {
        let at = random.below(message.len());
        message[at] ^= u8::try_from(1 + random.below(255)).expect("a byte");
    }
    if random.below(8) == 0 {
        message.truncate(random.below(message.len()));
    }
    let mut packet = Ipv4::vrrp([10, 9, 0, 3], &message);
    if random.below(2) == 0 && packet.payload.len() > 2 {
        packet.payload[2] = 1;
        seal(&mut packet);
    }
    packet
}

/// xorshift64: the same ten thousand in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }
}

/// How many advertisements of a worse router arrive in a moment.
const WORSE: usize = 2_400;
/// How many virtual addresses the router under fire announces on each.
const ANNOUNCED: u8 = 200;

#[test]
fn a_worse_router_that_never_stops_talking_silences_nobody() -> Result<()> {
    if is_keepalived("flood of lower-priority or priority 0 advertisements at a MASTER") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let (mut big, mut quiet) = (V3.alpha(200), V3.alpha(200));
    big.vips = (1..=ANNOUNCED).map(|last| format!("10.9.1.{last}/32")).collect();
    quiet.vrid = 52;
    let text = [big.instance("BIG"), quiet.instance("QUIET")].concat();
    let router = Router::start(&ours(), alpha, "alpha", &text)?;
    router.wait_entering("QUIET", State::Master, SOON)?;
    router.wait_entering("BIG", State::Master, SOON)?;
    let vips: Vec<_> = (1..=ANNOUNCED).map(|last| [10, 9, 1, last]).collect();
    let worse = Ipv4::vrrp([10, 9, 0, 2], &advert_v3(([10, 9, 0, 2], VRRP_GROUP), 51, 50, 20, &vips));
    let (injector, mac) = (Injector::open(beta, "vb0")?, beta.mac("vb0")?);
    let adverts = Capture::start(beta, "vb0", "src host 10.9.0.1 and ip proto 112")?;
    let arp = Capture::start(beta, "vb0", "arp")?;
    let control = Control::start();
    for _ in 0..WORSE {
        injector.send(&worse.ethernet(mac))?;
    }
    adverts.wait_vrrp("adverts after the flood", SOON, |seen| {
        seen.iter().filter(|advert| advert.vrid() == 52).count() >= 15
    })?;
    let quiet: Vec<_> = adverts.vrrp()?.into_iter().filter(|advert| advert.vrid() == 52).collect();
    assert_steady(&quiet, "10.9.0.1", V3.interval(), LATE / 3, &control.stop());
    // A burst for the flood, a second one after its delay, and what was left of those of the takeover.
    let frames = arp.packets()?.len();
    assert!(frames <= 4 * 2 * usize::from(ANNOUNCED), "{frames} gratuitous ARP frames for one flood");
    Ok(())
}
