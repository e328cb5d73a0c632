//! Netlink attributes (linux/netlink.h): values of a kind, one after the other, each padded to four bytes.
//!
//! Whether a number is in the order of the host or of the network is a matter of the attribute, so both are here.

/// The bit of an attribute's type that says that there are attributes inside (NLA_F_NESTED).
const NESTED: u16 = 0x8000;
/// The bits of an attribute's type that are its kind: neither NLA_F_NESTED nor NLA_F_NET_BYTEORDER.
const KIND: u16 = 0x3fff;
/// Length and type.
const HEADER: usize = 4;

/// Attributes, one after the other.
#[derive(Debug, Default)]
pub(in crate::kernel) struct Attributes(Vec<u8>);

impl Attributes {
    /// A text with the NUL that the kernel expects.
    pub(in crate::kernel) fn text(&mut self, kind: u16, text: &str) -> &mut Self {
        self.put(kind, &[text.as_bytes(), &[0]].concat())
    }

    /// A number of 32 bits in network order.
    pub(in crate::kernel) fn be32(&mut self, kind: u16, number: u32) -> &mut Self {
        self.put(kind, &number.to_be_bytes())
    }

    /// A number of 16 bits in network order.
    pub(in crate::kernel) fn be16(&mut self, kind: u16, number: u16) -> &mut Self {
        self.put(kind, &number.to_be_bytes())
    }

    /// A number of 32 bits in the host's order.
    pub(in crate::kernel) fn u32(&mut self, kind: u16, number: u32) -> &mut Self {
        self.put(kind, &number.to_ne_bytes())
    }

    /// A number of 16 bits in the host's order.
    pub(in crate::kernel) fn u16(&mut self, kind: u16, number: u16) -> &mut Self {
        self.put(kind, &number.to_ne_bytes())
    }

    /// Bytes as they are, such as a value in a register. Longer ones than an attribute can have, 65,531 bytes, are cut
    /// off, which the kernel refuses; whoever may have as many makes several attributes of them.
    pub(in crate::kernel) fn bytes(&mut self, kind: u16, bytes: &[u8]) -> &mut Self {
        self.put(kind, bytes)
    }

    /// Attributes inside an attribute.
    pub(in crate::kernel) fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) -> &mut Self {
        let mut inside = Self::default();
        fill(&mut inside);
        self.put(kind | NESTED, &inside.0)
    }

    /// The bytes of all of them.
    pub(in crate::kernel) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn put(&mut self, kind: u16, value: &[u8]) -> &mut Self {
        let length = u16::try_from(HEADER + value.len()).unwrap_or(u16::MAX);
        self.0.extend(length.to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(&value[..usize::from(length) - HEADER]);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }
}

/// What the kernel says: a value by its kind. Of several of one kind the last counts, as for the kernel itself; what is cut
/// off ends the list.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernel) struct Values<'a>(&'a [u8]);

impl<'a> Values<'a> {
    /// The attributes in `bytes`.
    pub(in crate::kernel) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The bytes of the value of a kind.
    pub(in crate::kernel) fn get(self, kind: u16) -> Option<&'a [u8]> {
        self.filter(|(of, _)| *of == kind).last().map(|(_, value)| value)
    }

    /// The attributes inside one.
    pub(in crate::kernel) fn inside(self, kind: u16) -> Option<Self> {
        self.get(kind).map(Self)
    }

    /// A value of a fixed length, from which numbers are made; longer ones are cut.
    pub(in crate::kernel) fn array<const LENGTH: usize>(self, kind: u16) -> Option<[u8; LENGTH]> {
        self.get(kind)?.first_chunk().copied()
    }

    /// A number of 16 bits in the host's order.
    pub(in crate::kernel) fn u16(self, kind: u16) -> Option<u16> {
        self.array(kind).map(u16::from_ne_bytes)
    }

    /// A number of 16 bits in network order.
    pub(in crate::kernel) fn be16(self, kind: u16) -> Option<u16> {
        self.array(kind).map(u16::from_be_bytes)
    }

    /// A number of 32 bits in the host's order.
    pub(in crate::kernel) fn u32(self, kind: u16) -> Option<u32> {
        self.array(kind).map(u32::from_ne_bytes)
    }

    /// A number of 64 bits in the host's order.
    pub(in crate::kernel) fn u64(self, kind: u16) -> Option<u64> {
        self.array(kind).map(u64::from_ne_bytes)
    }

    /// A text up to its NUL.
    pub(in crate::kernel) fn text(self, kind: u16) -> Option<String> {
        let text = self.get(kind)?.split(|byte| *byte == 0).next()?;
        Some(String::from_utf8_lossy(text).into_owned())
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let length = usize::from(u16::from_ne_bytes(*self.0.first_chunk()?));
        let kind = u16::from_ne_bytes(*self.0.get(2..)?.first_chunk()?) & KIND;
        let value = self.0.get(HEADER..length)?;
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn a_value_is_padded_and_its_length_is_not() {
        let mut attributes = Attributes::default();
        attributes.text(1, "out").be32(5, 1).nest(4, |inside| {
            inside.bytes(1, &[0x8f]);
        });
        #[rustfmt::skip]
        assert_eq!(attributes.as_bytes(), [
            8, 0, 1, 0, b'o', b'u', b't', 0,
            8, 0, 5, 0, 0, 0, 0, 1,
            12, 0, 4, 0x80, 5, 0, 1, 0, 0x8f, 0, 0, 0,
        ]);
    }

    #[test]
    fn a_value_that_is_too_long_leaves_the_rest_in_place() {
        let mut attributes = Attributes::default();
        attributes.bytes(1, &[0xa5; 70_000]).be32(2, 7);
        assert_eq!(attributes.as_bytes().len(), 65_536 + 8);
    }

    #[test]
    fn what_was_written_is_read() {
        let mut attributes = Attributes::default();
        attributes.text(1, "out").be16(2, 80).u16(3, 10).u32(4, 70_000).nest(5, |inside| {
            inside.be32(1, 7);
        });
        let values = Values::of(attributes.as_bytes());
        assert_eq!(values.text(1).as_deref(), Some("out"));
        assert_eq!((values.be16(2), values.u16(3), values.u32(4)), (Some(80), Some(10), Some(70_000)));
        assert_eq!(values.inside(5).and_then(|inside| inside.array(1)), Some([0, 0, 0, 7]));
        assert_eq!((values.u64(4), values.u32(6)), (None, None), "too short, and not there");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_read_beyond_the_end(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
            let read: usize = Values::of(&bytes).map(|(_, value)| HEADER + value.len()).sum();
            proptest::prop_assert!(read <= bytes.len());
        }
    }
}
