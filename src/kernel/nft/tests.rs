//! Messages as `nft` 1.0.6 sends them for the same text, but for some things: it asks for no answer to each message
//! (NLM_F_ACK, 4 in the flags), it names a set in a lookup and with its elements, which it counts, by its number in the
//! batch beside its name, and it notes of the map that its values are no intervals, of joined types what they are made of.
#![cfg(target_endian = "little")]

use super::*;

/// table ip keepalived
const TABLE: &str = "\
    2c000000000a05000000000000000000020000000f0001006b656570616c6976656400000800020000000000";
/// chain out { type filter hook output priority filter - 1; policy accept; }
const CHAIN: &str = "\
    54000000030a05040000000000000000020000000f0001006b656570616c697665640000080003006f7574000b00070066696c74\
    65720000080005000000000114000480080001000000000308000200ffffffff";
/// map vmac_map { type iface_index : iface_index }, with the byte order of keys and values
const MAP: &str = "\
    74000000090a05040000000000000000020000000f0001006b656570616c6976656400000d000200766d61635f6d617000000000\
    0800030000000008080004000000001408000500000000040800060000000014080007000000000408000a000000000110000d00\
    000401000000010401000000";
/// elements = { 4 : 3 }
const ELEMENTS: &str = "\
    540000000c0a05040000000000000000020000000f0001006b656570616c6976656400000d000200766d61635f6d617000000000\
    200003801c0001800c00018008000100040000000c0002800800010003000000";
/// ip protocol igmp meta oifkind "macvlan" dup to ip daddr device oif map @vmac_map counter drop
const RULE: &str = "\
    dc010000060a050c0000000000000000020000000f0001006b656570616c697665640000080002006f757400b0010480\
    340001800c0001007061796c6f616400240002800800010000000001080002000000000108000300000000090800040000000001\
    2c00018008000100636d700020000280080001000000000108000200000000000c0003800500010002000000\
    24000180090001006d6574610000000014000280080002000000001b0800010000000001\
    3800018008000100636d70002c0002800800010000000001080002000000000018000380140001006d6163766c616e0000000000\
    00000000\
    340001800c0001007061796c6f616400240002800800010000000001080002000000000108000300000000100800040000000004\
    24000180090001006d657461000000001400028008000200000000050800010000000002\
    340001800b0001006c6f6f6b7570000024000280080002000000000208000300000000020d000100766d61635f6d617000000000\
    2000018008000100647570001400028008000100000000010800020000000002\
    140001800c000100636f756e7465720004000280\
    300001800e000100696d6d6564696174650000001c0002800800010000000000100002800c0002800800010000000000";
/// In table ip6: set vips_link_local { type ipv6_addr . iface_index }
const JOINED: &str = "\
    64000000090a050400000000000000000a0000000f0001006b656570616c69766564000014000200766970735f6c696e6b5f6c6f\
    63616c000800030000000000080004000000021408000500000000140800\
    0a00000000010a000d000004000000000000";
/// elements = { fe80::77 . "lo" }
const JOINED_ELEMENTS: &str = "\
    5c0000000c0a050400000000000000000a0000000f0001006b656570616c69766564000014000200766970735f6c696e6b5f6c6f\
    63616c0024000380200001801c00018018000100fe80000000000000000000000000007701000000";
/// set neighbor-discovery { type icmpv6_type; flags constant }, with its size
const CONSTANT: &str = "\
    74000000090a050400000000000000000a0000000f0001006b656570616c697665640000170002006e65696768626f722d646973\
    636f7665727900000800030000000002080004000000001d080005000000000108000a00000000020c0009800800010000000002\
    0a000d000004020000000000";
/// elements = { nd-neighbor-solicit, nd-neighbor-advert }
const CONSTANT_ELEMENTS: &str = "\
    600000000c0a050400000000000000000a0000000f0001006b656570616c697665640000170002006e65696768626f722d646973\
    636f7665727900\
    0024000380100001800c0001800500010087000000100001800c0001800500010088000000";
/// chain in_link_local
const PLAIN_CHAIN: &str = "\
    38000000030a050400000000000000000a0000000f0001006b656570616c69766564000012000300696e5f6c696e6b5f6c6f6361\
    6c000000";
/// chain in: ip6 daddr fe80::/10 counter goto in_link_local
const GOTO: &str = "\
    50010000060a050c00000000000000000a0000000f0001006b656570616c69766564000007000200696e000024010480\
    340001800c0001007061796c6f616400240002800800010000000001080002000000000108000300000000180800040000000010\
    5c0001800c00010062697477697365004c000280080001000000000108000200000000010800030000000010\
    1800048014000100ffc0000000000000000000000000000018000580140001000000000000000000000000000000000038000180\
    08000100636d70002c000280080001000000000108000200000000001800038014000100fe800000000000000000000000000000\
    140001800c000100636f756e7465720004000280\
    440001800e000100696d6d656469617465000000300002800800010000000000240002802000028008000100fffffffc12000200\
    696e5f6c696e6b5f6c6f63616c000000";
/// table ip: delete element vips { 10.9.0.100 }
const DELETED: &str = "\
    440000000e0a05000000000000000000020000000f0001006b656570616c69766564000009000200766970730000000014000380\
    100001800c000180080001000a090064";
/// The IGMP rule of the text above.
const IGMP: u8 = 2;

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    hex.as_bytes().chunks(2).map(byte).collect()
}

/// The messages of a batch between begin and end, with their sequence numbers taken out.
fn messages(batch: Batch) -> Vec<Vec<u8>> {
    let mut rest = &batch.into_bytes()[..];
    let mut messages = Vec::new();
    while let Some(length) = rest.first_chunk::<4>() {
        let (message, more) = rest.split_at(u32::from_le_bytes(*length) as usize);
        let mut message = message.to_vec();
        message[8..12].fill(0);
        messages.push(message);
        rest = more;
    }
    assert_eq!(messages.first().unwrap(), &bytes("140000001000010000000000000000000000000a"));
    assert_eq!(messages.last().unwrap(), &bytes("140000001100010000000000000000000000000a"));
    messages[1..messages.len() - 1].to_vec()
}

#[test]
fn every_message_is_as_nft_sends_it() {
    let map = DataType::InterfaceIndex;
    let map = Set { values: Some(map), ..Set::of("vmac_map", map) };
    let element = Element { key: vec![4, 0, 0, 0], value: Some(vec![3, 0, 0, 0]) };
    let mut batch = Batch::new("keepalived");
    batch.add_table(Family::Ipv4);
    batch.add_chain(Family::Ipv4, Chain { name: "out", hook: Hook::Output, priority: -1 });
    batch.add_set(Family::Ipv4, &map, &[element]);
    let rule = [
        Expression::Load(Header::Network, 9, 1, Register::One),
        Expression::Is(Register::One, vec![IGMP]),
        Expression::Know(Meta::OutputKind, Register::One),
        Expression::Is(Register::One, b"macvlan\0\0\0\0\0\0\0\0\0".to_vec()),
        Expression::Load(Header::Network, 16, 4, Register::One),
        Expression::Know(Meta::OutputInterface, Register::Two),
        Expression::Map(Register::Two, "vmac_map", Register::Two),
        Expression::Copy(Register::One, Register::Two),
        Expression::Count,
        Expression::Decide(Verdict::Drop),
    ];
    batch.add_rule(Family::Ipv4, "out", &rule);
    assert_eq!(messages(batch), [TABLE, CHAIN, MAP, ELEMENTS, RULE].map(bytes));
}

#[test]
fn sets_of_addresses_are_as_nft_sends_them() {
    let mut batch = Batch::new("keepalived");
    let joined = Set::of("vips_link_local", DataType::Ipv6AddressOnInterface);
    let address = std::net::Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x77);
    let key = [&address.octets()[..], &[1, 0, 0, 0]].concat();
    batch.add_set(Family::Ipv6, &joined, &[Element::key(key)]);
    let types = Set { constant: true, ..Set::of("neighbor-discovery", DataType::Icmpv6Type) };
    batch.add_set(Family::Ipv6, &types, &[Element::key([135]), Element::key([136])]);
    batch.delete_elements(Family::Ipv4, "vips", &[Element::key([10, 9, 0, 100])]);
    let golden = [JOINED, JOINED_ELEMENTS, CONSTANT, CONSTANT_ELEMENTS, DELETED].map(bytes);
    assert_eq!(messages(batch), golden);
}

#[test]
fn chains_that_rules_lead_to_are_as_nft_sends_them() {
    let mut batch = Batch::new("keepalived");
    batch.add_plain_chain(Family::Ipv6, "in_link_local");
    let octets = |first: u16| std::net::Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, 0).octets().to_vec();
    let rule = [
        Expression::Load(Header::Network, 24, 16, Register::One),
        Expression::Mask(Register::One, octets(0xffc0)),
        Expression::Is(Register::One, octets(0xfe80)),
        Expression::Count,
        Expression::Decide(Verdict::Goto("in_link_local")),
    ];
    batch.add_rule(Family::Ipv6, "in", &rule);
    assert_eq!(messages(batch), [PLAIN_CHAIN, GOTO].map(bytes));
}

#[test]
fn many_elements_are_more_than_one_message() {
    let set = Set::of("s", DataType::InterfaceIndex);
    let elements: Vec<Element> = (1..=2_500_u32).map(|number| Element::key(number.to_ne_bytes())).collect();
    let mut batch = Batch::new("t");
    batch.add_set(Family::Ipv6, &set, &elements);
    let kinds: Vec<u8> = messages(batch).iter().map(|message| message[4]).collect();
    assert_eq!(kinds, [9, 12, 12, 12]);
}
