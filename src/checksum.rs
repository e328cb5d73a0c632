//! The Internet checksum (RFC 1071), with and without the pseudo header of IPv4 or IPv6. It imports nothing of the program.

use std::net::IpAddr;

/// A running one's complement sum.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum(u64);

impl Sum {
    /// The sum of the pseudo header of a message of `length` bytes in a packet of an IP protocol (RFC 9568 §5.2.8, RFC 8200
    /// §8.1). The families differ in the width of their fields, which makes no difference to a sum.
    pub(crate) fn pseudo_header(protocol: u8, source: IpAddr, destination: IpAddr, length: usize) -> Self {
        let length = u64::try_from(length).unwrap_or(0);
        let mut sum = Self(u64::from(protocol) + length);
        sum.add_address(source);
        sum.add_address(destination);
        sum
    }

    fn add_address(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(address) => self.add(&address.octets()),
            IpAddr::V6(address) => self.add(&address.octets()),
        }
    }

    /// Adds bytes, as big-endian 16-bit words; an odd byte is followed by a zero.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        let (words, odd) = bytes.as_chunks::<2>();
        for word in words {
            self.0 += u64::from(u16::from_be_bytes(*word));
        }
        if let [byte] = odd {
            self.0 += u64::from(*byte) << 8;
        }
    }

    /// The checksum: the complement of the folded sum; 0 when the bytes contained a right checksum.
    pub(crate) fn finish(self) -> u16 {
        let mut sum = self.0;
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        // Folded to 16 bits above.
        !u16::try_from(sum).unwrap_or(u16::MAX)
    }
}

/// The checksum of a message of which bytes, from an even offset on, were replaced by as many others (RFC 1624 §3): right
/// when `checksum` was, and wrong when that was.
pub(crate) fn updated(checksum: u16, old: &[u8], new: &[u8]) -> u16 {
    let mut sum = Sum(u64::from(!checksum));
    for word in old.as_chunks::<2>().0 {
        sum.0 += u64::from(!u16::from_be_bytes(*word));
    }
    sum.add(new);
    sum.finish()
}

/// The checksum of bytes alone; 0 when they contain a right one.
#[cfg(test)]
pub(crate) fn plain(bytes: &[u8]) -> u16 {
    let mut sum = Sum::default();
    sum.add(bytes);
    sum.finish()
}

#[cfg(test)]
mod tests {
    use super::{plain, updated};

    #[test]
    fn the_example_of_rfc_1071_sums_to_its_result() {
        // RFC 1071 §3: the words 0001 f203 f4f5 f6f7 sum to ddf2.
        assert_eq!(plain(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
    }

    #[test]
    fn an_odd_byte_counts_as_the_high_half_of_a_word() {
        assert_eq!(plain(&[0x12, 0x34, 0x56]), plain(&[0x12, 0x34, 0x56, 0x00]));
    }

    #[test]
    fn bytes_with_their_checksum_sum_to_zero() {
        let mut bytes = [0x45, 0xc0, 0, 0, 0xff, 0x70];
        let sum = plain(&bytes);
        bytes[2..4].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(plain(&bytes), 0);
    }

    #[test]
    fn an_updated_checksum_is_that_of_the_changed_bytes() {
        let old = *b"a password";
        let mut new = old;
        new[2..8].copy_from_slice(b"xx\xff\xff\0\0");
        assert_eq!(updated(plain(&old), &old[2..8], &new[2..8]), plain(&new));
        assert_ne!(updated(plain(&old) ^ 1, &old[2..8], &new[2..8]), plain(&new));
    }
}
