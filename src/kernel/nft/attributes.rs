//! Netlink attributes as nf_tables wants them: numbers in network byte order, nested ones marked as such.

/// The bit of an attribute's type that says that there are attributes inside (NLA_F_NESTED).
const NESTED: u16 = 0x8000;
/// Length and type.
const HEADER: usize = 4;

/// Attributes, one after the other.
#[derive(Debug, Default)]
pub(super) struct Attributes(Vec<u8>);

impl Attributes {
    /// A text with the NUL that the kernel expects.
    pub(super) fn text(&mut self, kind: u16, text: &str) -> &mut Self {
        self.put(kind, &[text.as_bytes(), &[0]].concat())
    }

    /// A number of 32 bits.
    pub(super) fn number(&mut self, kind: u16, number: u32) -> &mut Self {
        self.put(kind, &number.to_be_bytes())
    }

    /// Bytes as they are, such as a value in a register. Longer ones than an attribute can have, 65,531 bytes, are cut
    /// off, which the kernel refuses; whoever may have as many makes several attributes of them.
    pub(super) fn bytes(&mut self, kind: u16, bytes: &[u8]) -> &mut Self {
        self.put(kind, bytes)
    }

    /// Attributes inside an attribute.
    pub(super) fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) -> &mut Self {
        let mut inside = Self::default();
        fill(&mut inside);
        self.put(kind | NESTED, &inside.0)
    }

    /// The bytes of all of them.
    pub(super) fn as_bytes(&self) -> &[u8] {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn a_value_is_padded_and_its_length_is_not() {
        let mut attributes = Attributes::default();
        attributes.text(1, "out").number(5, 1).nest(4, |inside| {
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
        attributes.bytes(1, &[0xa5; 70_000]).number(2, 7);
        assert_eq!(attributes.as_bytes().len(), 65_536 + 8);
    }
}
