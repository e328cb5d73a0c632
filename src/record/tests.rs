//! What is recorded replays, and holds no password.

use std::{
    io::Cursor,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{wipe::Wiper, *};
use crate::{
    config::{AntiReplay, SignatureMode, Signatures, SigningKey},
    registry::{Counters, Reason, State},
    units::{Time, Version},
    vrrp::{
        Auth, Fault, Input, Instance, Settings, Source,
        auth::{header, reseal::in_public, trailer},
        testing::{advert_of, capture, settings},
    },
};

const PASSWORD: [u8; 8] = *b"s3cret99";
/// A quarter of a key.
const KEY: [u8; 8] = *b"f00dcafe";
const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 0, 77));

fn at(milliseconds: u64) -> Time {
    Time(Duration::from_millis(milliseconds))
}

/// Records what a story does to a machine; the text of the recording.
fn record(settings: &Settings, story: impl FnOnce(&mut Recorded)) -> String {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let tape = Some(Tape::new(0, settings, Box::new(move |line| sink.lock().unwrap().push(line))));
    let instance = Instance::new(settings.clone(), Arc::new(Counters::default()));
    story(&mut Recorded::new(instance, tape));
    let header = Header { steadfast_recording: VERSION, program: "test".into() };
    let mut text = serde_json::to_string(&header).unwrap() + "\n";
    for line in lines.lock().unwrap().iter() {
        text += &(serde_json::to_string(line).unwrap() + "\n");
    }
    text
}

fn carry_out(machine: &mut Recorded) {
    while machine.poll_action().is_some() {}
}

/// A router that becomes MASTER, gives way, fails and stops, and hears all that the captures have.
fn whole_life(machine: &mut Recorded, settings: &Settings) {
    machine.handle_source(at(0), Source::Address([10, 9, 0, 1].into()));
    machine.handle_start(at(0));
    carry_out(machine);
    machine.handle_timeout(at(5000));
    carry_out(machine);
    assert_eq!(machine.status().state, State::Master);
    machine.handle_addresses_installed(at(5000), Vec::new());
    carry_out(machine);
    let other = [10, 9, 0, 77].into();
    for (time, priority) in [(5100, 50), (5200, 250), (5300, 0)] {
        machine.handle_packet(at(time), &advert_of(settings, other, priority));
        carry_out(machine);
    }
    for packet in capture("v2_pass").iter().chain(&capture("v2_ah")).chain(&capture("v3_ipv4")) {
        machine.handle_packet(at(5400), packet);
        machine.handle_packet(at(5400), &packet[..packet.len() - 1]);
        carry_out(machine);
    }
    let reason = Reason::InterfaceDown { interface: "eth0".into() };
    machine.handle_fault(at(9000), Fault::Interface, Some(reason));
    carry_out(machine);
    machine.handle_shutdown(at(9500), true);
    carry_out(machine);
}

fn of_every_kind() -> Vec<Settings> {
    let password = Settings { version: Version::V2, auth: Auth::Pass(PASSWORD), ..settings() };
    let signed = Settings { auth: signed(), ..settings() };
    let signed_v2 = Settings { version: Version::V2, ..signed.clone() };
    let plain = [settings(), Settings { version: Version::V2, ..settings() }];
    plain.into_iter().chain([password, with_header(), signed, signed_v2]).collect()
}

fn with_header() -> Settings {
    Settings { version: Version::V2, auth: Auth::Header(PASSWORD), ..settings() }
}

/// Two keys, the second of which signs.
fn signed() -> Auth {
    let key = |id| SigningKey::new(id, KEY.repeat(4).into()).unwrap();
    Auth::Signed(Box::new(Signatures {
        keys: vec![key(1), key(2)],
        active: 2,
        anti_replay: AntiReplay::Monotonic,
        mode: SignatureMode::Enforce,
    }))
}

#[test]
fn a_recording_replays_without_a_difference() {
    for settings in of_every_kind() {
        let text = record(&settings, |machine| whole_life(machine, &settings));
        let replayed = replay(Cursor::new(&text)).unwrap();
        assert_eq!(replayed.differences, [], "{text}");
        assert_eq!(replayed.notes, [""; 0]);
        assert!(replayed.inputs > 30 && replayed.actions >= 10, "{replayed:?}");
    }
}

#[test]
fn a_changed_line_is_a_difference_with_its_place() {
    let settings = settings();
    let text = record(&settings, |machine| whole_life(machine, &settings));
    let (number, line) = text.lines().enumerate().find(|(_, line)| line.contains("to: Master")).unwrap();
    let changed = text.replace(line, &line.replace("to: Master", "to: Fault"));
    let replayed = replay(Cursor::new(changed)).unwrap();
    let [difference] = &replayed.differences[..] else { panic!("{replayed:?}") };
    assert_eq!((difference.line, &*difference.name), (number + 1, "VI"));
    // One input left out, and its number with it, is noticed, too.
    let (packet, _) = text.lines().enumerate().find(|(_, line)| line.contains("packet")).unwrap();
    let gap: Vec<&str> =
        text.lines().enumerate().filter(|(n, _)| *n != packet).map(|(_, line)| line).collect();
    let replayed = replay(Cursor::new(gap.join("\n"))).unwrap();
    assert_eq!((replayed.differences.len(), replayed.notes.len()), (0, 1), "{replayed:?}");
    assert!(replayed.notes[0].contains("1 lines were lost"), "{replayed:?}");
}

#[test]
fn a_machine_that_does_less_than_was_recorded_or_more_differs() {
    let settings = settings();
    let text = record(&settings, |machine| whole_life(machine, &settings));
    let lines: Vec<&str> = text.lines().collect();
    let less = lines[..lines.len() - 1].join("\n");
    let replayed = replay(Cursor::new(less)).unwrap();
    assert_eq!(replayed.differences[0].recorded, None, "{replayed:?}");
    let n = lines.len();
    let more = format!(r#"{text}{{"router":0,"n":{n},"event":{{"action":"InstallAddresses"}}}}"#);
    let replayed = replay(Cursor::new(more)).unwrap();
    assert_eq!(replayed.differences[0].found, None, "{replayed:?}");
}

#[test]
fn a_line_cut_off_by_a_crash_is_left_out_and_other_rubbish_is_named() {
    let settings = settings();
    let text = record(&settings, |machine| machine.handle_start(at(0)));
    let cut = format!("{text}{{\"router\":0,\"n\":");
    assert_eq!(replay(Cursor::new(cut)).unwrap().inputs, 1);
    let rubbish = replay(Cursor::new(format!("{text}rubbish\n"))).unwrap_err();
    assert!(rubbish.to_string().starts_with("line 4: "), "{rubbish}");
    assert!(matches!(replay(Cursor::new("")), Err(Invalid::Empty)));
    let other = text.replacen("\"steadfast_recording\":3", "\"steadfast_recording\":1", 1);
    assert!(matches!(replay(Cursor::new(other)), Err(Invalid::Version(1))));
}

#[test]
fn rejected_packets_do_not_fill_a_recording_and_those_left_out_are_not_missed() {
    let settings = settings();
    let other = [10, 9, 0, 77].into();
    let text = record(&settings, |machine| {
        machine.handle_source(at(0), Source::Address([10, 9, 0, 1].into()));
        machine.handle_start(at(0));
        for number in 0..10_000 {
            let packet = advert_of(&settings, other, 200);
            if number % 100 == 0 {
                machine.handle_packet(at(number), &packet);
            }
            machine.handle_packet(at(number), &packet[..packet.len() - 1]);
            carry_out(machine);
        }
        machine.handle_timeout(at(20_000));
        carry_out(machine);
    });
    assert!((165..200).contains(&text.lines().count()), "{} lines", text.lines().count());
    let replayed = replay(Cursor::new(text)).unwrap();
    assert_eq!((replayed.differences.as_slice(), replayed.notes.len()), (&[][..], 0));
}

#[test]
fn no_password_gets_into_a_recording_ours_or_anybody_elses() {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let theirs = Settings { auth: Auth::Pass(*b"0thers99"), version: Version::V2, ..settings() };
    for settings in of_every_kind() {
        let ours = advert_of(&settings, OTHER, 250);
        let text = record(&settings, |machine| {
            whole_life(machine, &settings);
            machine.handle(at(9800), Input::Packet(ours.clone()));
            let packet = advert_of(&theirs, [10, 9, 0, 77].into(), 200);
            for length in 0..=packet.len() {
                machine.handle(at(9900), Input::Packet(packet[..length].to_vec()));
            }
            let mut wrong_count = packet.clone();
            for count in 0..=255 {
                wrong_count[23] = count;
                machine.handle(at(9900), Input::Packet(wrong_count.clone()));
            }
        });
        // Nor what was made with a key, from which a weak one could be guessed.
        let proof = match &settings.auth {
            Auth::None | Auth::Pass(_) => &[][..],
            Auth::Header(_) => &ours[20..][header::field::ICV],
            Auth::Signed(_) => &ours[ours.len() - trailer::MAC_LEN..],
        };
        assert!(proof.is_empty() || !text.contains(&hex(proof)), "{text}");
        for secret in [&PASSWORD[..], &KEY, b"0thers99"] {
            for part in secret.windows(4) {
                assert!(!text.contains(&hex(part)), "{part:?}");
                assert!(!text.contains(&*String::from_utf8_lossy(part)), "{part:?}");
            }
        }
    }
}

#[test]
fn every_packet_is_judged_as_it_was_before_it_was_wiped() {
    for ours in of_every_kind() {
        let public = Settings { auth: in_public(&ours.auth), ..ours.clone() };
        let wiper = Wiper::new(&ours.auth);
        let judge = |settings: &Settings, packet: &[u8]| {
            let mut guard = crate::vrrp::auth::Guard::new(&settings.auth);
            crate::vrrp::validate::validate(settings, &mut guard, at(0), packet)
        };
        let good = advert_of(&ours, OTHER, 150);
        assert!(judge(&ours, &good).is_ok(), "{ours:?}");
        let bits = (0..good.len() * 8).map(|bit| {
            let mut packet = good.clone();
            packet[bit / 8] ^= 1 << (bit % 8);
            packet
        });
        let cuts = (0..good.len()).map(|length| good[..length].to_vec());
        let padded = [1, 4, 28, 100].map(|more| [&good[..], &vec![7; more]].concat());
        for packet in bits.chain(cuts).chain(padded).chain([good.clone()]) {
            let (before, after) = (judge(&ours, &packet), judge(&public, &wiper.wiped(&packet)));
            assert_eq!(before, after, "{:?}: {packet:02x?}", ours.auth);
        }
    }
}

#[test]
fn a_replayed_advertisement_with_an_authentication_header_replays_though_it_is_rejected() {
    let settings = with_header();
    let worse = advert_of(&settings, OTHER, 50);
    let text = record(&settings, |machine| {
        machine.handle_source(at(0), Source::Address([10, 9, 0, 1].into()));
        machine.handle_start(at(0));
        for number in 0..200 {
            // Rejected, and more of them than are recorded.
            machine.handle_packet(at(number), &worse[..worse.len() - 1]);
        }
        machine.handle_timeout(at(5000));
        carry_out(machine);
        // It has the number of the router's own last one, and makes it leave the next one out.
        machine.handle_packet(at(5500), &worse);
        carry_out(machine);
        machine.handle_timeout(at(6000));
        carry_out(machine);
    });
    let replayed = replay(Cursor::new(&text)).unwrap();
    assert_eq!((replayed.differences.as_slice(), replayed.notes.len()), (&[][..], 0), "{text}");
    assert!(text.lines().count() < 90, "{} lines", text.lines().count());
}
