//! Sets: keys that rules look up, and maps from keys to values.

use crate::kernel::attributes::Attributes;

/// NFT_SET_CONSTANT and NFT_SET_MAP.
const CONSTANT: u32 = 0x2;
const MAP: u32 = 0x8;

/// What a set holds; the numbers are those of `nft`, which shows elements accordingly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataType {
    /// An IPv4 address, 4 bytes.
    Ipv4Address = 7,
    /// An IPv6 address, 16 bytes.
    Ipv6Address = 8,
    /// The index of an interface in the host's byte order, 4 bytes.
    InterfaceIndex = 20,
    /// The type of an ICMPv6 message, 1 byte.
    Icmpv6Type = 29,
    /// An IPv6 address and the index of an interface, 20 bytes: one type behind the other, 6 bits each.
    Ipv6AddressOnInterface = 8 << 6 | 20,
}

impl DataType {
    /// Bytes of a value.
    const fn length(self) -> u32 {
        match self {
            Self::Icmpv6Type => 1,
            Self::Ipv4Address | Self::InterfaceIndex => 4,
            Self::Ipv6Address => 16,
            Self::Ipv6AddressOnInterface => 20,
        }
    }

    /// How `nft` notes in which order a value's bytes are: 1 is the host's, 2 the network's, 0 that of each part.
    const fn order(self) -> u8 {
        match self {
            Self::InterfaceIndex => 1,
            Self::Ipv4Address | Self::Ipv6Address | Self::Icmpv6Type => 2,
            Self::Ipv6AddressOnInterface => 0,
        }
    }
}

/// A set of keys, or a map from keys to values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Set {
    /// Its name.
    pub name: &'static str,
    /// What its keys are.
    pub keys: DataType,
    /// What its values are, for a map.
    pub values: Option<DataType>,
    /// Its elements stay as they are.
    pub constant: bool,
}

impl Set {
    /// A set of keys that come and go.
    pub const fn of(name: &'static str, keys: DataType) -> Self {
        Self { name, keys, values: None, constant: false }
    }

    /// Appends what makes it: `number` is its own within a batch, `elements` how many it has.
    pub(super) fn describe(&self, attributes: &mut Attributes, number: u32, elements: usize) {
        let map = self.values.map_or(0, |_| MAP);
        let constant = if self.constant { CONSTANT } else { 0 };
        attributes.be32(3, map | constant).be32(4, self.keys as u32).be32(5, self.keys.length());
        let mut user_data = vec![0, 4, self.keys.order(), 0, 0, 0];
        if let Some(values) = self.values {
            attributes.be32(6, values as u32).be32(7, values.length());
            user_data.extend([1, 4, values.order(), 0, 0, 0]);
        }
        attributes.be32(10, number);
        if self.constant {
            let size = u32::try_from(elements).unwrap_or(u32::MAX);
            attributes.nest(9, |description| {
                description.be32(1, size);
            });
        }
        attributes.bytes(13, &user_data);
    }
}

/// An element of a set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Element {
    /// As many bytes as keys of the set have.
    pub key: Vec<u8>,
    /// What it is mapped to.
    pub value: Option<Vec<u8>>,
}

impl Element {
    /// A key without value.
    pub fn key(key: impl Into<Vec<u8>>) -> Self {
        Self { key: key.into(), value: None }
    }

    /// Appends it to a list of elements.
    pub(super) fn write(&self, list: &mut Attributes) {
        list.nest(1, |element| {
            for (kind, bytes) in [(1, Some(&self.key)), (2, self.value.as_ref())] {
                if let Some(bytes) = bytes {
                    element.nest(kind, |data| {
                        data.bytes(1, bytes);
                    });
                }
            }
        });
    }
}
