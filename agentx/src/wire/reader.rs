//! The one cursor every decoder reads from.

use super::InvalidPdu;
use crate::oid::{MAX_SUBIDS, Oid};

/// In which order the bytes of an integer travel (RFC 2741 §6.1, flag NETWORK_BYTE_ORDER).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ByteOrder {
    /// Most significant byte first.
    #[default]
    Network,
    /// Least significant byte first, what net-snmp's own subagents send on x86.
    Little,
}

impl ByteOrder {
    pub(super) fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Network => u32::from_be_bytes(bytes),
            Self::Little => u32::from_le_bytes(bytes),
        }
    }

    pub(super) fn bytes(self, value: u32) -> [u8; 4] {
        match self {
            Self::Network => value.to_be_bytes(),
            Self::Little => value.to_le_bytes(),
        }
    }
}

/// A cursor over a payload. Every read names the field it wants, so an error can say what was missing.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
    order: ByteOrder,
}

impl<'a> Reader<'a> {
    /// A cursor at the start of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8], order: ByteOrder) -> Self {
        Self { rest: bytes, order }
    }

    /// Whether everything was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// [`InvalidPdu::Missing`] when fewer are left.
    pub fn take(&mut self, len: usize, field: &'static str) -> Result<&'a [u8], InvalidPdu> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(InvalidPdu::Missing(field))?;
        self.rest = rest;
        Ok(taken)
    }

    /// A reader of the next `len` bytes alone, which it cannot leave.
    ///
    /// # Errors
    /// [`InvalidPdu::Missing`] when fewer are left.
    pub fn window(&mut self, len: usize, field: &'static str) -> Result<Reader<'a>, InvalidPdu> {
        Ok(Reader { rest: self.take(len, field)?, order: self.order })
    }

    /// Ends the reading of `what`.
    ///
    /// # Errors
    /// [`InvalidPdu::Trailing`] when bytes are left.
    pub fn all(self, what: &'static str) -> Result<(), InvalidPdu> {
        if self.rest.is_empty() { Ok(()) } else { Err(InvalidPdu::Trailing(what)) }
    }

    /// One byte.
    ///
    /// # Errors
    /// [`InvalidPdu::Missing`] at the end.
    pub fn u8(&mut self, field: &'static str) -> Result<u8, InvalidPdu> {
        Ok(self.array::<1>(field)?[0])
    }

    /// Two bytes in the PDU's order.
    ///
    /// # Errors
    /// [`InvalidPdu::Missing`] when fewer are left.
    pub fn u16(&mut self, field: &'static str) -> Result<u16, InvalidPdu> {
        let bytes = self.array(field)?;
        Ok(match self.order {
            ByteOrder::Network => u16::from_be_bytes(bytes),
            ByteOrder::Little => u16::from_le_bytes(bytes),
        })
    }

    /// Four bytes in the PDU's order.
    ///
    /// # Errors
    /// [`InvalidPdu::Missing`] when fewer are left.
    pub fn u32(&mut self, field: &'static str) -> Result<u32, InvalidPdu> {
        Ok(self.order.u32(self.array(field)?))
    }

    /// Eight bytes, one quantity, in the PDU's order (RFC 2741 §5.4).
    ///
    /// # Errors
    /// [`InvalidPdu::Missing`] when fewer are left.
    pub fn u64(&mut self, field: &'static str) -> Result<u64, InvalidPdu> {
        let bytes = self.array(field)?;
        Ok(match self.order {
            ByteOrder::Network => u64::from_be_bytes(bytes),
            ByteOrder::Little => u64::from_le_bytes(bytes),
        })
    }

    /// An octet string: length, bytes, padding to a multiple of four (RFC 2741 §5.3). Borrowed, so nothing is
    /// allocated for a length the payload does not hold.
    ///
    /// # Errors
    /// [`InvalidPdu::Missing`] when the length goes past the end.
    pub fn octets(&mut self, field: &'static str) -> Result<&'a [u8], InvalidPdu> {
        let len = self.u32(field)? as usize;
        let bytes = self.take(len, field)?;
        self.take(len.wrapping_neg() % 4, field)?;
        Ok(bytes)
    }

    /// An object identifier and its `include` byte (RFC 2741 §5.1).
    ///
    /// # Errors
    /// [`InvalidPdu::Missing`] when the sub-identifiers go past the end, [`InvalidPdu::TooMany`] above 128 of
    /// them, counting the five that a prefix stands for.
    pub fn oid(&mut self, field: &'static str) -> Result<(Oid, bool), InvalidPdu> {
        let [count, prefix, include, _reserved] = self.array(field)?;
        let internet = [1, 3, 6, 1, u32::from(prefix)];
        let front: &[u32] = if prefix == 0 { &[] } else { &internet };
        let mut all = [0; MAX_SUBIDS];
        let len = front.len() + usize::from(count);
        let all = all.get_mut(..len).ok_or(InvalidPdu::TooMany(field))?;
        let (subids, _) = self.take(usize::from(count) * 4, field)?.as_chunks();
        for (place, &subid) in all.iter_mut().zip(front) {
            *place = subid;
        }
        for (place, bytes) in all.iter_mut().skip(front.len()).zip(subids) {
            *place = self.order.u32(*bytes);
        }
        let oid = Oid::try_from(&*all).map_err(|_| InvalidPdu::TooMany(field))?;
        Ok((oid, include != 0))
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], InvalidPdu> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(InvalidPdu::Missing(field))?;
        self.rest = rest;
        Ok(*taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(bytes: &[u8]) -> Reader<'_> {
        Reader::new(bytes, ByteOrder::Network)
    }

    #[test]
    fn null_oid_is_four_zero_bytes_and_a_bare_prefix_is_not_null() {
        assert_eq!(network(&[0; 4]).oid("id"), Ok((Oid::null(), false)));
        assert_eq!(network(&[0, 4, 1, 0]).oid("id"), Ok((Oid::from([1, 3, 6, 1, 4]), true)));
    }

    #[test]
    fn oid_length_counts_the_prefix() {
        let mut bytes = vec![124, 2, 0, 0];
        bytes.extend([0; 124 * 4]);
        assert_eq!(network(&bytes).oid("id"), Err(InvalidPdu::TooMany("id")));
        bytes[0] = 123;
        assert_eq!(network(&bytes).oid("id").map(|(oid, _)| oid.subids().len()), Ok(128));
        assert_eq!(network(&[255, 0, 0, 0]).oid("id"), Err(InvalidPdu::TooMany("id")));
        assert_eq!(network(&[2, 0, 0, 0, 0, 0, 0, 1]).oid("id"), Err(InvalidPdu::Missing("id")));
    }

    #[test]
    fn octets_skip_their_padding() {
        for len in 0..=5_u8 {
            let mut bytes = vec![0, 0, 0, len];
            bytes.extend((0..len).map(|n| n + 1));
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            let mut reader = network(&bytes);
            assert_eq!(reader.octets("text").map(<[u8]>::len), Ok(usize::from(len)));
            assert_eq!(reader.all("text"), Ok(()));
        }
        assert_eq!(network(&[0xff; 8]).octets("text"), Err(InvalidPdu::Missing("text")));
        assert_eq!(
            network(&[0, 0, 0, 1, 7]).octets("text"),
            Err(InvalidPdu::Missing("text")),
            "padding is not optional"
        );
    }

    #[test]
    fn a_window_cannot_be_left() {
        let mut outer = network(&[0, 0, 0, 1, 0, 0, 0, 2]);
        let mut inner = outer.window(4, "inner").unwrap();
        assert_eq!(inner.u32("first"), Ok(1));
        assert_eq!(inner.u32("second"), Err(InvalidPdu::Missing("second")));
        assert_eq!(outer.u32("outer"), Ok(2));
    }
}
