//! The same configuration gives the same bytes as keepalived's, which the captures hold.

use std::path::Path;

use lab::pcap::{self, Packet, Vrrp};
use lab::{Capture, Result, State, wait};

use crate::world::{ADVERTS, SOON, Setup, Talk, V3, V3_IPV6, VI, ours, side_by_side};

/// Where an Ethernet frame of IPv4 has what is different in every packet: the identification and the header's
/// checksum.
const VARIABLE: [std::ops::Range<usize>; 2] = [18..20, 24..26];
/// Where a frame of IPv4 has the protocol.
const PROTOCOL: usize = 23;
/// Where one with an authentication header has what is different in every packet.
const SEQUENCE_AND_ICV: std::ops::Range<usize> = 42..58;
/// Where a frame of IPv6 has the flow label, in the lower half of the first byte: the peer's kernel makes one up.
const FLOW_LABEL: std::ops::Range<usize> = 15..18;

/// A capture, and the configuration it was made with.
#[derive(Debug)]
struct Case {
    file: &'static str,
    talk: Talk,
    advert_int: &'static str,
    vips: &'static [&'static str],
    /// One more line of the instance, where there is one.
    line: Option<&'static str>,
}

const ONE: &[&str] = &["10.9.0.100/24"];
const TWO: &[&str] = &["10.9.0.100/24", "10.9.0.101/24"];
const V2: Talk = Talk { version: 2, ..V3 };

const OF_IPV6: &[&str] = &["fe80::51", "2001:db8:9::100"];
const V2_IPV6: Talk = Talk { version: 2, ..V3_IPV6 };

const AH: Talk = Talk { password: Some("s3cret99"), header: true, ..V2 };

const CASES: [Case; 13] = [
    case("v2_noauth", V2, "1", TWO),
    case("v2_pass", Talk { password: Some("s3cret99"), ..V2 }, "1", ONE),
    case("v2_unicast", Talk { unicast: true, ..V2 }, "1", ONE),
    case("v2_ah", AH, "1", ONE),
    case("v2_ah_unicast", Talk { unicast: true, ..AH }, "1", ONE),
    case("v3_ipv4", V3, "1", TWO),
    case("v3_ipv4_250ms", V3, "0.25", ONE),
    case("v3_unicast", Talk { unicast: true, ..V3 }, "1", ONE),
    case("v3_ipv6", V3_IPV6, "1", OF_IPV6),
    case("v2_ipv6", V2_IPV6, "1", OF_IPV6),
    Case { line: Some("use_vmac"), ..case("v3_vmac", V3, "1", ONE) },
    Case {
        line: Some("old_unicast_checksum"),
        ..case("v3_unicast_oldcsum", Talk { unicast: true, ..V3 }, "1", ONE)
    },
    case("v3_unicast6", Talk { unicast: true, ..V3_IPV6 }, "1", &["2001:db8:9::100"]),
];

const fn case(
    file: &'static str,
    talk: Talk,
    advert_int: &'static str,
    vips: &'static [&'static str],
) -> Case {
    Case { file, talk, advert_int, vips, line: None }
}

impl Case {
    fn setup(&self) -> Setup {
        Setup {
            advert_int: self.advert_int.into(),
            vips: self.vips.iter().map(ToString::to_string).collect(),
            ..self.line.into_iter().fold(self.talk.alpha(150), Setup::line)
        }
    }

    fn captured(&self) -> Result<Vec<Packet>> {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/pcap");
        pcap::read_file(&corpus.join(format!("{}.pcap", self.file)))
    }
}

#[test]
fn adverts_and_announcements_are_those_of_the_captures() {
    side_by_side(&CASES, |case| {
        let theirs = case.captured()?;
        let (their_adverts, theirs) = (adverts(&theirs), announcements(&theirs));
        let ours = record(case, theirs.len())?;
        let (adverts, ours) = (adverts(&ours), announcements(&ours));
        assert_eq!(ours, theirs, "announcements as in {}", case.file);
        let ([.., release], [.., their_release]) = (&adverts[..], &their_adverts[..]) else {
            panic!("no adverts: {adverts:?}, {their_adverts:?}");
        };
        // The identification counts from 1, so the first ones are equal to the last bit.
        let both = (adverts.len() - 1).min(their_adverts.len() - 1);
        assert!(both >= 3, "{both}");
        assert_eq!(adverts[..both], their_adverts[..both], "adverts as in {}", case.file);
        assert_eq!(determined(release), determined(their_release), "the last one, priority 0");
        Ok(())
    });
}

/// Runs alpha until it has sent three advertisements and as many announcements as `count`, and to its end.
fn record(case: &Case, count: usize) -> Result<Vec<Packet>> {
    let lan = case.talk.lan()?;
    let capture = Capture::start(&lan["beta"], "vb0", &format!("{ADVERTS} or arp or icmp6"))?;
    let router = case.setup().start_until(&ours(), &lan["alpha"], State::Master)?;
    wait::until(&format!("adverts and {count} announcements"), SOON, || {
        let packets = capture.packets().map_err(|error| error.to_string())?;
        let seen = (adverts(&packets).len(), announcements(&packets).len());
        if seen.0 >= 3 && seen.1 >= count { Ok(()) } else { Err(format!("{seen:?}")) }
    })?;
    router.stop()?;
    capture.wait_vrrp("priority 0", SOON, |seen| seen.last().is_some_and(is_release))?;
    assert_eq!(router.entries(VI, State::Master), 1);
    capture.stop()
}

fn is_release(advert: &Vrrp) -> bool {
    advert.priority() == 0
}

/// The frames with advertisements, Ethernet header included.
fn adverts(packets: &[Packet]) -> Vec<Vec<u8>> {
    let is_advert = |packet: &&Packet| pcap::vrrp(std::slice::from_ref(*packet)).next().is_some();
    packets.iter().filter(is_advert).map(|packet| without_flow_label(&packet.bytes)).collect()
}

fn is_ipv6(frame: &[u8]) -> bool {
    frame.get(12..14) == Some(&[0x86, 0xdd])
}

fn without_flow_label(frame: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    if is_ipv6(&frame) {
        frame[FLOW_LABEL.start] &= 0xf0;
        frame[FLOW_LABEL.start + 1..FLOW_LABEL.end].fill(0);
    }
    frame
}

/// The ARP frames whose sender and target are the same address, and the neighbour advertisements to everybody.
fn announcements(packets: &[Packet]) -> Vec<Vec<u8>> {
    let is_gratuitous =
        |bytes: &[u8]| bytes.get(12..14) == Some(&[8, 6]) && bytes.get(28..32) == bytes.get(38..42);
    // The next header ICMPv6, the type 136, and the source its own target.
    let is_unsolicited = |bytes: &[u8]| {
        is_ipv6(bytes)
            && (bytes.get(20), bytes.get(54)) == (Some(&58), Some(&136))
            && bytes.get(22..38) == bytes.get(62..78)
            && bytes.get(38) == Some(&0xff)
    };
    let is_one = |bytes: &&Vec<u8>| is_gratuitous(bytes) || is_unsolicited(bytes);
    packets.iter().map(|packet| &packet.bytes).filter(is_one).cloned().collect()
}

/// A frame without the fields that depend on how many were sent before it.
fn determined(frame: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    if !is_ipv6(&frame) {
        let is_authenticated = frame[PROTOCOL] == 51;
        for range in VARIABLE.into_iter().chain(is_authenticated.then_some(SEQUENCE_AND_ICV)) {
            frame[range].fill(0);
        }
    }
    frame
}
