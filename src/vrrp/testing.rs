//! What the tests of this room share.

use super::checksum::Sum;

/// The Internet checksum of `bytes`; 0 when they contain a right one.
pub(crate) fn checksum(bytes: &[u8]) -> u16 {
    let mut sum = Sum::default();
    sum.add(bytes);
    sum.finish()
}
