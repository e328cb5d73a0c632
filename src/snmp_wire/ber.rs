//! A cursor over BER: every element has a window that reading it cannot leave.
//!
//! Only what SNMP uses is read (RFC 3417 §8): definite lengths and tags of one byte. Nothing is copied and nothing recurses.

use agentx::{Oid, oid::MAX_SUBIDS};
use asn1_rs::{Any, FromBer as _, Header, Length, Tag};

/// INTEGER.
pub(crate) const INTEGER: u8 = 0x02;
/// OCTET STRING.
pub(crate) const OCTET_STRING: u8 = 0x04;
/// OBJECT IDENTIFIER.
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
/// SEQUENCE.
pub(crate) const SEQUENCE: u8 = 0x30;
/// IpAddress.
pub(super) const IP_ADDRESS: u8 = 0x40;
/// TimeTicks.
pub(super) const TIME_TICKS: u8 = 0x43;

/// The field that could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed {0}")]
pub(crate) struct Malformed(pub(crate) &'static str);

/// What is left to read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

/// One element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    /// Class, form and tag as they are on the wire.
    pub(crate) identifier: u8,
    pub(crate) content: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The next element, whatever it is.
    pub(crate) fn element(&mut self, field: &'static str) -> Result<Element<'a>, Malformed> {
        let (rest, header) = Header::from_ber(self.0).map_err(|_| Malformed(field))?;
        let (Length::Definite(length), Tag(tag @ ..=30)) = (header.length(), header.tag()) else {
            return Err(Malformed(field));
        };
        let (content, rest) = rest.split_at_checked(length).ok_or(Malformed(field))?;
        self.0 = rest;
        let form = u8::from(header.is_constructed()) << 5;
        let tag = u8::try_from(tag).map_err(|_| Malformed(field))?;
        Ok(Element { identifier: (header.class() as u8) << 6 | form | tag, content })
    }

    /// The content of the next element, which must be of this kind.
    pub(crate) fn content(&mut self, identifier: u8, field: &'static str) -> Result<&'a [u8], Malformed> {
        let element = self.element(field)?;
        if element.identifier == identifier { Ok(element.content) } else { Err(Malformed(field)) }
    }

    /// What is in the next element, a SEQUENCE.
    pub(crate) fn sequence(&mut self, field: &'static str) -> Result<Self, Malformed> {
        self.content(SEQUENCE, field).map(Self)
    }

    pub(crate) fn octets(&mut self, field: &'static str) -> Result<&'a [u8], Malformed> {
        self.content(OCTET_STRING, field)
    }

    /// An INTEGER of 32 bits.
    pub(crate) fn integer(&mut self, field: &'static str) -> Result<i32, Malformed> {
        integer(self.content(INTEGER, field)?).ok_or(Malformed(field))
    }

    pub(crate) fn oid(&mut self, field: &'static str) -> Result<Oid, Malformed> {
        oid(self.content(OBJECT_IDENTIFIER, field)?).ok_or(Malformed(field))
    }

    /// Nothing may follow.
    pub(crate) fn end(self, field: &'static str) -> Result<(), Malformed> {
        if self.is_empty() { Ok(()) } else { Err(Malformed(field)) }
    }
}

/// The number of an INTEGER's content, if it fits; the numbers of SNMP's own types have the same content.
pub(crate) fn integer<T>(content: &[u8]) -> Option<T>
where
    T: for<'a> TryFrom<Any<'a>>,
{
    if content.is_empty() {
        return None;
    }
    T::try_from(Any::from_tag_and_data(Tag::Integer, content)).ok()
}

/// The object identifier of a content (X.690 §8.19): the first sub-identifier stands for two.
pub(crate) fn oid(content: &[u8]) -> Option<Oid> {
    let mut subids = [0_u32; MAX_SUBIDS];
    let (mut count, mut subid, mut begun) = (1, 0_u32, false);
    for byte in content {
        if subid > u32::MAX >> 7 {
            return None;
        }
        subid = subid << 7 | u32::from(byte & 0x7f);
        begun = byte & 0x80 != 0;
        if !begun {
            *subids.get_mut(count)? = std::mem::take(&mut subid);
            count += 1;
        }
    }
    if begun || count < 2 {
        return None;
    }
    let first = (subids[1] / 40).min(2);
    (subids[0], subids[1]) = (first, subids[1] - 40 * first);
    Oid::try_from(subids.get(..count)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_leads_nowhere_outside() {
        for bytes in [
            &[0x30][..],
            &[0x30, 0x01],
            &[0x30, 0x80, 0x00, 0x00],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0x30, 0xff],
            &[0x3f, 0x81, 0x01, 0x00],
        ] {
            assert_eq!(Reader::new(bytes).element("it"), Err(Malformed("it")), "{bytes:02x?}");
        }
        let mut reader = Reader::new(&[0x30, 0x81, 0x01, 0x05, 0x05, 0x00]);
        assert_eq!(reader.content(SEQUENCE, "it"), Ok(&[5][..]));
        assert_eq!(reader.end("it"), Err(Malformed("it")));
    }

    #[test]
    fn numbers_of_any_length_that_fit() {
        assert_eq!(integer::<i32>(&[0xff]), Some(-1));
        assert_eq!(integer::<i32>(&[0x00, 0x00, 0x80]), Some(128));
        assert_eq!(integer::<u32>(&[0x00, 0xff, 0xff, 0xff, 0xff]), Some(u32::MAX));
        assert_eq!(integer::<i32>(&[0x00, 0x80, 0x00, 0x00, 0x00]), None);
        assert_eq!(integer::<u32>(&[0xff]), None);
        assert_eq!(integer::<i32>(&[]), None);
    }

    #[test]
    fn names() {
        assert_eq!(oid(&[0x2b, 6, 1]), Some(Oid::from([1, 3, 6, 1])));
        assert_eq!(oid(&[0x88, 0x37, 3]), Some(Oid::from([2, 999, 3])));
        assert_eq!(oid(&[0]), Some(Oid::from([0, 0])));
        assert_eq!(oid(&[0x2b, 0x8f, 0xff, 0xff, 0xff, 0x7f]), Some(Oid::from([1, 3, u32::MAX])));
        for bytes in [&[][..], &[0x2b, 0x80], &[0x2b, 0x90, 0x80, 0x80, 0x80, 0x00], &[1; 128]] {
            assert_eq!(oid(bytes), None, "{bytes:02x?}");
        }
        assert_eq!(oid(&[1; 127]).map(|oid| oid.subids().len()), Some(128));
    }
}
