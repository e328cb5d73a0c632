//! How users of SNMPv3 sign and encrypt, by the names that net-snmp has for it: what the configuration, the command line and the
//! messages mean the same by.

use clap::ValueEnum;

/// How messages are signed: HMAC-MD5-96 and HMAC-SHA-96 (RFC 3414 §6 and §7), HMAC-SHA-224-128 to HMAC-SHA-512-384 (RFC 7860).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the names are the protocols'")]
pub enum Authentication {
    #[value(name = "MD5")]
    Md5,
    #[value(name = "SHA", aliases = ["SHA-1", "SHA1"])]
    Sha1,
    #[value(name = "SHA-224", alias = "SHA224")]
    Sha224,
    #[value(name = "SHA-256", alias = "SHA256")]
    Sha256,
    #[value(name = "SHA-384", alias = "SHA384")]
    Sha384,
    #[value(name = "SHA-512", alias = "SHA512")]
    Sha512,
}

/// How messages are encrypted: CBC-DES (RFC 3414 §8), CFB128-AES with 128 bits (RFC 3826), and with 192 and 256 as net-snmp has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the names are the protocols'")]
pub enum Privacy {
    #[value(name = "DES")]
    Des,
    #[value(name = "AES", aliases = ["AES-128", "AES128"])]
    Aes128,
    #[value(name = "AES-192", alias = "AES192")]
    Aes192,
    #[value(name = "AES-256", alias = "AES256")]
    Aes256,
}

/// The protocol of a name, in capital letters or not.
#[must_use]
pub fn named<P: ValueEnum>(name: &str) -> Option<P> {
    P::from_str(name, true).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_net_snmp_s_however_they_are_written() {
        for (name, protocol) in [
            ("md5", Authentication::Md5),
            ("SHA", Authentication::Sha1),
            ("sha1", Authentication::Sha1),
            ("SHA-256", Authentication::Sha256),
            ("Sha512", Authentication::Sha512),
        ] {
            assert_eq!(named(name), Some(protocol), "{name}");
        }
        for (name, protocol) in [
            ("des", Privacy::Des),
            ("AES", Privacy::Aes128),
            ("AES128", Privacy::Aes128),
            ("aes-256", Privacy::Aes256),
        ] {
            assert_eq!(named(name), Some(protocol), "{name}");
        }
        assert_eq!(named::<Authentication>("SHA-1024"), None);
        assert_eq!(named::<Privacy>(""), None);
    }
}
