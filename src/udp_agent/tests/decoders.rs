//! Two decoders, of asn1-rs and of rasn-snmp, agree on messages, and both survive whatever else comes.

use proptest::prelude::*;

use super::*;
use crate::snmp_wire::{AROUND, varbind_size};

fn an_oid() -> impl Strategy<Value = Oid> {
    let subid = prop_oneof![any::<u32>(), 0_u32..200, Just(u32::MAX)];
    (0_u32..3, 0_u32..40, prop::collection::vec(subid, 0..20))
        .prop_map(|(first, second, rest)| Oid::try_from(&[&[first, second][..], &rest].concat()[..]).unwrap())
}

fn a_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i32>().prop_map(Value::Integer),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Value::OctetString),
        Just(Value::Null),
        an_oid().prop_map(Value::ObjectIdentifier),
        any::<[u8; 4]>().prop_map(Value::IpAddress),
        any::<u32>().prop_map(Value::Counter32),
        any::<u32>().prop_map(Value::Gauge32),
        any::<u32>().prop_map(Value::TimeTicks),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(Value::Opaque),
        any::<u64>().prop_map(Value::Counter64),
        Just(Value::NoSuchObject),
        Just(Value::NoSuchInstance),
        Just(Value::EndOfMibView),
    ]
}

fn a_response() -> impl Strategy<Value = Pdu> {
    let varbinds = prop::collection::vec((an_oid(), a_value()), 0..12);
    (any::<i32>(), 0..19, 0..13, varbinds).prop_map(|(request_id, first, second, varbinds)| {
        let varbinds = varbinds.into_iter().map(|(name, value)| VarBind::new(name, value)).collect();
        Pdu { kind: Kind::Response, request_id, first, second, varbinds }
    })
}

/// What asn1-rs's decoder makes of a message of version 2c.
fn ours(bytes: &[u8]) -> Option<(Vec<u8>, Pdu)> {
    match Message::read(bytes).ok()? {
        Message::Community { version: version @ Version::V2c, community, pdu } => {
            Some((community.to_vec(), version.pdu(pdu).ok()?))
        }
        _ => None,
    }
}

/// The same of rasn-snmp's, in words of ours: a message is encoded again by who has decoded it.
fn theirs(bytes: &[u8]) -> Option<Vec<u8>> {
    let message: v2c::Message<v2::Pdus> = rasn::ber::decode(bytes).ok()?;
    rasn::ber::encode(&message).ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_read_what_was_meant_and_it_is_as_large_as_foreseen(response in a_response()) {
        let bytes = Version::V2c.message(b"public", &response).unwrap();
        let list: usize = response.varbinds.iter().map(varbind_size).sum();
        prop_assert!(bytes.len() <= list + AROUND + 6);
        prop_assert!(bytes.len() > list);
        let (community, pdu) = ours(&bytes).unwrap();
        prop_assert_eq!(&community[..], b"public");
        prop_assert_eq!(pdu.request_id, response.request_id);
        prop_assert_eq!(&pdu.varbinds, &response.varbinds);
        prop_assert_eq!(theirs(&bytes), Some(bytes));
    }

    #[test]
    fn neither_reads_what_is_cut_off_and_what_both_read_is_the_same(
        response in a_response(), cut in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut bytes = Version::V2c.message(b"public", &response).unwrap();
        prop_assert_eq!(ours(&bytes[..cut.index(bytes.len())]), None);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        // The other one is less strict about what follows; encoded anew, what it has read is what was read here.
        if let (Some((community, pdu)), Some(again)) = (ours(&bytes), theirs(&bytes)) {
            prop_assert_eq!(ours(&again), Some((community, pdu)));
        }
    }

    #[test]
    fn whatever_comes_is_answered_or_not(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut agent = agent(vec![Community::new("public", grant(true))]);
        prop_assert_eq!(agent.handle(Duration::from_secs(160), LOCAL, &bytes), None);
    }
}
