//! What every encoder writes to: the counterpart of `Reader`.

use super::ByteOrder;
use crate::oid::Oid;

/// Appends fields to a buffer in one byte order.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    out: &'a mut Vec<u8>,
    order: ByteOrder,
}

impl<'a> Writer<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>, order: ByteOrder) -> Self {
        Self { out, order }
    }

    pub(super) fn u8(&mut self, value: u8) {
        self.out.push(value);
    }

    pub(super) fn u8s<const N: usize>(&mut self, values: [u8; N]) {
        self.out.extend_from_slice(&values);
    }

    pub(super) fn zeros(&mut self, count: usize) {
        self.out.resize(self.out.len() + count, 0);
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.out.extend_from_slice(&match self.order {
            ByteOrder::Network => value.to_be_bytes(),
            ByteOrder::Little => value.to_le_bytes(),
        });
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.out.extend_from_slice(&self.order.bytes(value));
    }

    pub(super) fn u32s(&mut self, values: &[u32]) {
        let start = self.out.len();
        self.zeros(4 * values.len());
        let (places, _) = self.out.get_mut(start..).unwrap_or_default().as_chunks_mut();
        for (place, &value) in places.iter_mut().zip(values) {
            *place = self.order.bytes(value);
        }
    }

    pub(super) fn u64(&mut self, value: u64) {
        self.out.extend_from_slice(&match self.order {
            ByteOrder::Network => value.to_be_bytes(),
            ByteOrder::Little => value.to_le_bytes(),
        });
    }

    /// Length, bytes and zero padding. What is longer than its length field can say is cut there.
    pub(super) fn octets(&mut self, bytes: &[u8]) {
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.u32(len);
        self.out.extend_from_slice(bytes.get(..len as usize).unwrap_or(bytes));
        self.zeros((len as usize).wrapping_neg() % 4);
    }

    /// An OID, shortened by its prefix where it has one: 1.3.6.1.x with x from 1 to 255.
    pub(super) fn oid(&mut self, oid: &Oid, include: bool) {
        let (prefix, subids) = match *oid.subids() {
            [1, 3, 6, 1, x, ref rest @ ..] => match u8::try_from(x) {
                Ok(x) if x != 0 => (x, rest),
                _ => (0, oid.subids()),
            },
            _ => (0, oid.subids()),
        };
        // An Oid has at most 128 sub-identifiers.
        let count = u8::try_from(subids.len()).unwrap_or(u8::MAX);
        self.u8s([count, prefix, u8::from(include), 0]);
        self.u32s(subids);
    }

    pub(super) fn patch_u32(&mut self, at: usize, value: u32) {
        if let Some(place) = self.out.get_mut(at..at + 4) {
            place.copy_from_slice(&self.order.bytes(value));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.out.len()
    }
}
