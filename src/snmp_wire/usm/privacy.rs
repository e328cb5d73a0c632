//! What nobody else reads: CBC-DES (RFC 3414 §8) and CFB128-AES (RFC 3826; 192 and 256 bits as net-snmp has them).

use aes::{Aes128, Aes192, Aes256, cipher::KeyIvInit};
use cbc::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, block_padding::NoPadding};
use des::Des;

use crate::usm_protocols::Privacy;

/// What a message carries for its initialisation vector.
pub(crate) type Salt = [u8; 8];

/// Bytes of a block of DES.
const DES_BLOCK: usize = 8;

impl Privacy {
    /// Bytes of a key; DES's has its second half for the initialisation vector.
    pub(crate) fn key_length(self) -> usize {
        match self {
            Self::Des | Self::Aes128 => 16,
            Self::Aes192 => 24,
            Self::Aes256 => 32,
        }
    }

    /// The salt of a message: never the same again for this key.
    pub(crate) fn salt(self, boots: u32, counter: u64) -> Salt {
        match self {
            // RFC 3414 §8.1.1.1: the boots, then a number.
            Self::Des => {
                let [.., a, b, c, d] = counter.to_be_bytes();
                let [e, f, g, h] = boots.to_be_bytes();
                [e, f, g, h, a, b, c, d]
            }
            _ => counter.to_be_bytes(),
        }
    }

    /// Encrypts; DES makes it a few bytes longer, which a reader of BER passes over. `None` for a key of another length.
    pub(crate) fn encrypt(
        self,
        key: &[u8],
        (boots, time): (u32, u32),
        salt: Salt,
        mut data: Vec<u8>,
    ) -> Option<Vec<u8>> {
        let vector = vector(boots, time, salt);
        match self {
            Self::Des => {
                data.resize(data.len().next_multiple_of(DES_BLOCK), 0);
                let length = data.len();
                let (key, vector) = des(key, salt)?;
                let cipher = cbc::Encryptor::<Des>::new_from_slices(key, &vector).ok()?;
                cipher.encrypt_padded::<NoPadding>(&mut data, length).ok()?;
            }
            Self::Aes128 => {
                cfb_mode::Encryptor::<Aes128>::new_from_slices(key, &vector).ok()?.encrypt(&mut data)
            }
            Self::Aes192 => {
                cfb_mode::Encryptor::<Aes192>::new_from_slices(key, &vector).ok()?.encrypt(&mut data)
            }
            Self::Aes256 => {
                cfb_mode::Encryptor::<Aes256>::new_from_slices(key, &vector).ok()?.encrypt(&mut data)
            }
        }
        Some(data)
    }

    /// Decrypts; whether it makes sense is for who reads it. `None` for what nobody has encrypted.
    pub(crate) fn decrypt(
        self,
        key: &[u8],
        (boots, time): (u32, u32),
        salt: &[u8],
        data: &[u8],
    ) -> Option<Vec<u8>> {
        let salt: Salt = salt.try_into().ok()?;
        let vector = vector(boots, time, salt);
        let mut data = data.to_vec();
        match self {
            Self::Des => {
                let (key, vector) = des(key, salt)?;
                let cipher = cbc::Decryptor::<Des>::new_from_slices(key, &vector).ok()?;
                cipher.decrypt_padded::<NoPadding>(&mut data).ok()?;
            }
            Self::Aes128 => {
                cfb_mode::Decryptor::<Aes128>::new_from_slices(key, &vector).ok()?.decrypt(&mut data)
            }
            Self::Aes192 => {
                cfb_mode::Decryptor::<Aes192>::new_from_slices(key, &vector).ok()?.decrypt(&mut data)
            }
            Self::Aes256 => {
                cfb_mode::Decryptor::<Aes256>::new_from_slices(key, &vector).ok()?.decrypt(&mut data)
            }
        }
        Some(data)
    }
}

/// RFC 3826 §3.1.2.1.
fn vector(boots: u32, time: u32, salt: Salt) -> [u8; 16] {
    let mut vector = [0; 16];
    vector[..4].copy_from_slice(&boots.to_be_bytes());
    vector[4..8].copy_from_slice(&time.to_be_bytes());
    vector[8..].copy_from_slice(&salt);
    vector
}

/// The key of DES, and its initialisation vector: the other half of the key and the salt.
fn des(key: &[u8], salt: Salt) -> Option<(&[u8], [u8; DES_BLOCK])> {
    let (key, other) = key.split_at_checked(DES_BLOCK)?;
    let mut vector: [u8; DES_BLOCK] = other.get(..DES_BLOCK)?.try_into().ok()?;
    for (byte, salt) in vector.iter_mut().zip(salt) {
        *byte ^= salt;
    }
    Some((key, vector))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encrypted_is_read_with_the_same_key_alone() {
        for privacy in [Privacy::Des, Privacy::Aes128, Privacy::Aes192, Privacy::Aes256] {
            let key: Vec<u8> = (1..).take(privacy.key_length()).collect();
            let salt = privacy.salt(3, 77);
            let secret = b"0123456789abc".to_vec();
            let hidden = privacy.encrypt(&key, (3, 4), salt, secret.clone()).unwrap();
            assert!(!hidden.starts_with(b"0123"));
            let read = privacy.decrypt(&key, (3, 4), &salt, &hidden).unwrap();
            assert_eq!(&read[..secret.len()], secret);
            let other: Vec<u8> = (2..).take(privacy.key_length()).collect();
            assert!(!privacy.decrypt(&other, (3, 4), &salt, &hidden).unwrap().starts_with(&secret));
            assert_eq!(privacy.decrypt(&key, (3, 4), &salt[1..], &hidden), None);
        }
        assert_eq!(Privacy::Des.decrypt(&[0; 16], (1, 1), &[0; 8], &[1, 2, 3]), None, "no whole blocks");
    }
}
