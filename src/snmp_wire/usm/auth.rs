//! Who a message is from (RFC 3414 §6 and §7, RFC 7860): HMAC over the whole message, cut short.

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::usm_protocols::Authentication;

/// Does the same with whichever hash it is.
macro_rules! with_hash {
    ($of:expr, $hash:ident => $do:expr) => {
        match $of {
            Authentication::Md5 => {
                type $hash = Md5;
                $do
            }
            Authentication::Sha1 => {
                type $hash = Sha1;
                $do
            }
            Authentication::Sha224 => {
                type $hash = Sha224;
                $do
            }
            Authentication::Sha256 => {
                type $hash = Sha256;
                $do
            }
            Authentication::Sha384 => {
                type $hash = Sha384;
                $do
            }
            Authentication::Sha512 => {
                type $hash = Sha512;
                $do
            }
        }
    };
}

/// What a password is repeated to before it is a key (RFC 3414 §2.6).
const STRETCHED: usize = 1_048_576;

impl Authentication {
    /// Bytes of a signature.
    pub(crate) fn length(self) -> usize {
        match self {
            Self::Md5 | Self::Sha1 => 12,
            Self::Sha224 => 16,
            Self::Sha256 => 24,
            Self::Sha384 => 32,
            Self::Sha512 => 48,
        }
    }

    /// The key of a password for all engines (RFC 3414 §2.6, A.2). A millisecond or more of work.
    fn stretched(self, password: &str) -> Zeroizing<Vec<u8>> {
        let password = password.as_bytes();
        if password.is_empty() {
            return Zeroizing::default();
        }
        with_hash!(self, H => {
            // As much of it as makes whole repetitions, so that it is hashed in large pieces.
            let repeated = Zeroizing::new(password.repeat(4096_usize.div_ceil(password.len())));
            let (mut hash, mut left) = (H::new(), STRETCHED);
            while left > 0 {
                let piece = repeated.get(..left).unwrap_or(&repeated);
                hash.update(piece);
                left -= piece.len();
            }
            Zeroizing::new(hash.finalize().to_vec())
        })
    }

    /// The key of a password for one engine, from the one for all.
    fn localized(self, key: &[u8], engine: &[u8]) -> Zeroizing<Vec<u8>> {
        with_hash!(self, H => {
            let hash = H::new().chain_update(key).chain_update(engine).chain_update(key);
            Zeroizing::new(hash.finalize().to_vec())
        })
    }

    /// A key made as long as a cipher needs it, as net-snmp does: each time with the hash of all of it
    /// (draft-blumenthal-aes-usm-04 §3.1.2.1).
    pub(crate) fn extended(self, mut key: Zeroizing<Vec<u8>>, length: usize) -> Zeroizing<Vec<u8>> {
        while key.len() < length {
            let more = with_hash!(self, H => H::digest(&key[..]).to_vec());
            let longer = Zeroizing::new([&key[..], &more].concat());
            key = longer;
        }
        key.truncate(length);
        key
    }

    /// The signature of pieces that make up a message.
    pub(crate) fn sign<'a>(self, key: &[u8], pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
        with_hash!(self, H => {
            let Ok(mut mac) = Hmac::<H>::new_from_slice(key) else { return Vec::new() };
            for piece in pieces {
                mac.update(piece);
            }
            let mut signature = mac.finalize().into_bytes().to_vec();
            signature.truncate(self.length());
            signature
        })
    }

    /// Whether a signature is right, which takes as long when it is not.
    pub(crate) fn verify<'a>(
        self,
        key: &[u8],
        pieces: impl IntoIterator<Item = &'a [u8]>,
        signature: &[u8],
    ) -> bool {
        signature.len() == self.length() && self.sign(key, pieces).ct_eq(signature).into()
    }
}

/// Keys of passwords for all engines, as long as users are being set up: several often have the same password.
#[derive(Default)]
pub struct Passwords(Vec<(Authentication, Zeroizing<String>, Zeroizing<Vec<u8>>)>);

impl Passwords {
    /// The key of a password for one engine.
    pub(crate) fn key(&mut self, auth: Authentication, password: &str, engine: &[u8]) -> Zeroizing<Vec<u8>> {
        let known =
            |(of, text, _): &&(Authentication, Zeroizing<String>, _)| *of == auth && **text == password;
        if let Some((.., key)) = self.0.iter().find(known) {
            return auth.localized(key, engine);
        }
        let key = auth.stretched(password);
        let localized = auth.localized(&key, engine);
        self.0.push((auth, Zeroizing::new(password.to_owned()), key));
        localized
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENGINE: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn keys_of_the_rfc() {
        // RFC 3414 A.3.1 and A.3.2.
        let mut passwords = Passwords::default();
        let mut key = |protocol| hex(&passwords.key(protocol, "maplesyrup", &ENGINE));
        assert_eq!(key(Authentication::Md5), "526f5eed9fcce26f8964c2930787d82b");
        assert_eq!(key(Authentication::Sha1), "6695febc9288e36282235fc7151f128497b38f3f");
        assert_eq!(key(Authentication::Md5), "526f5eed9fcce26f8964c2930787d82b", "the second time");
    }

    #[test]
    fn a_key_grows_by_its_own_hash() {
        let key = Zeroizing::new(vec![7; 16]);
        let long = Authentication::Md5.extended(key.clone(), 32);
        assert_eq!((&long[..16], &long[16..]), (&key[..], &Md5::digest(&key[..])[..]));
        assert_eq!(Authentication::Sha512.extended(Zeroizing::new(vec![7; 64]), 16).len(), 16);
    }

    #[test]
    fn a_signature_is_of_the_key_and_of_every_byte() {
        for protocol in [
            Authentication::Md5,
            Authentication::Sha1,
            Authentication::Sha224,
            Authentication::Sha256,
            Authentication::Sha384,
            Authentication::Sha512,
        ] {
            let signature = protocol.sign(b"key", [&b"mes"[..], b"sage"]);
            assert_eq!(signature.len(), protocol.length());
            assert!(protocol.verify(b"key", [&b"message"[..]], &signature));
            assert!(!protocol.verify(b"kex", [&b"message"[..]], &signature));
            assert!(!protocol.verify(b"key", [&b"messagf"[..]], &signature));
            assert!(!protocol.verify(b"key", [&b"message"[..]], &signature[1..]));
        }
    }
}
