//! The same configuration gives the same bytes as keepalived's, which the captures hold.

use std::path::Path;

use lab::pcap::{self, Packet, Vrrp};
use lab::{Capture, Lan, Result, State, wait};

use crate::world::{SOON, Setup, Talk, V3, VI, ours, side_by_side};

/// Where an Ethernet frame of IPv4 has what is different in every packet: the identification and the header's
/// checksum.
const VARIABLE: [std::ops::Range<usize>; 2] = [18..20, 24..26];

/// A capture, and the configuration it was made with.
#[derive(Debug)]
struct Case {
    file: &'static str,
    talk: Talk,
    advert_int: &'static str,
    vips: &'static [&'static str],
}

const ONE: &[&str] = &["10.9.0.100/24"];
const TWO: &[&str] = &["10.9.0.100/24", "10.9.0.101/24"];
const V2: Talk = Talk { version: 2, ..V3 };

const CASES: [Case; 6] = [
    case("v2_noauth", V2, "1", TWO),
    case("v2_pass", Talk { password: Some("s3cret99"), ..V2 }, "1", ONE),
    case("v2_unicast", Talk { unicast: true, ..V2 }, "1", ONE),
    case("v3_ipv4", V3, "1", TWO),
    case("v3_ipv4_250ms", V3, "0.25", ONE),
    case("v3_unicast", Talk { unicast: true, ..V3 }, "1", ONE),
];

const fn case(
    file: &'static str,
    talk: Talk,
    advert_int: &'static str,
    vips: &'static [&'static str],
) -> Case {
    Case { file, talk, advert_int, vips }
}

impl Case {
    fn setup(&self) -> Setup {
        Setup {
            advert_int: self.advert_int.into(),
            vips: self.vips.iter().map(ToString::to_string).collect(),
            ..self.talk.alpha(150)
        }
    }

    fn captured(&self) -> Result<Vec<Packet>> {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/pcap");
        pcap::read_file(&corpus.join(format!("{}.pcap", self.file)))
    }
}

#[test]
fn adverts_and_gratuitous_arp_are_those_of_the_captures() {
    side_by_side(&CASES, |case| {
        let theirs = case.captured()?;
        let (their_adverts, their_arps) = (adverts(&theirs), gratuitous_arps(&theirs));
        let ours = record(case, their_arps.len())?;
        let (adverts, arps) = (adverts(&ours), gratuitous_arps(&ours));
        assert_eq!(arps, their_arps, "gratuitous ARP as in {}", case.file);
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

/// Runs alpha until it has sent three advertisements and as many gratuitous ARPs as `arps`, and to its end.
fn record(case: &Case, arps: usize) -> Result<Vec<Packet>> {
    let lan = Lan::pair()?;
    let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112 or arp")?;
    let router = case.setup().start_until(&ours(), &lan["alpha"], State::Master)?;
    wait::until(&format!("adverts and {arps} ARPs"), SOON, || {
        let packets = capture.packets().map_err(|error| error.to_string())?;
        let seen = (adverts(&packets).len(), gratuitous_arps(&packets).len());
        if seen.0 >= 3 && seen.1 >= arps { Ok(()) } else { Err(format!("{seen:?}")) }
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
    packets.iter().filter(is_advert).map(|packet| packet.bytes.clone()).collect()
}

/// The ARP frames whose sender and target are the same address.
fn gratuitous_arps(packets: &[Packet]) -> Vec<Vec<u8>> {
    let is_gratuitous =
        |bytes: &&Vec<u8>| bytes.get(12..14) == Some(&[8, 6]) && bytes.get(28..32) == bytes.get(38..42);
    packets.iter().map(|packet| &packet.bytes).filter(is_gratuitous).cloned().collect()
}

/// A frame without the fields that depend on how many were sent before it.
fn determined(frame: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    for range in VARIABLE {
        frame[range].fill(0);
    }
    frame
}
