//! What a name server answers a check.

use steadfast::check::{Reply, reply};

/// The first two bytes are the number that was asked for.
pub fn check(input: &[u8]) {
    let Some((number, datagram)) = input.split_first_chunk() else { return };
    let number = u16::from_be_bytes(*number);
    if let Reply::Code(code) = reply(datagram, number) {
        assert!(code < 16 && datagram.len() >= 12 && datagram[..2] == number.to_be_bytes());
    }
    // The number decides: with another one nothing is an answer.
    assert_eq!(
        reply(
            datagram,
            !u16::from_be_bytes([*datagram.first().unwrap_or(&0), *datagram.get(1).unwrap_or(&0)])
        ),
        Reply::Other
    );
}
