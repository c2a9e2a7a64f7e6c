//! One secret out of another.
//!
//! The firmware's own way to derive keys mixes in secrets of the chip and is
//! not repeated here: this is the one block of [NIST SP 800-108r1 §4.1], KDF in
//! counter mode with HMAC-SHA-384. The same inputs give the same key; keys of
//! simulated and of real processors have nothing to do with each other.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha384;
use zeroize::Zeroizing;

/// A key or a number of 32 bytes that nobody else shall know.
pub(crate) type Secret = Zeroizing<[u8; 32]>;

/// Derives the secret for `purpose` and `context` from `key`.
///
/// `purpose` is text, without zero bytes: the zero behind it separates it from
/// `context`.
pub(crate) fn derive(key: &[u8], purpose: &str, context: &[u8]) -> Secret {
    let Ok(mut hmac) = Hmac::<Sha384>::new_from_slice(key) else {
        unreachable!("HMAC takes keys of any size")
    };
    const FIRST_BLOCK: u32 = 1;
    const BITS: u32 = 256;
    hmac.update(&FIRST_BLOCK.to_be_bytes());
    hmac.update(purpose.as_bytes());
    hmac.update(&[0]);
    hmac.update(context);
    hmac.update(&BITS.to_be_bytes());
    let block = Zeroizing::new(<[u8; 48]>::from(hmac.finalize().into_bytes()));
    let mut secret = Secret::default();
    for (to, from) in secret.iter_mut().zip(block.iter()) {
        *to = *from;
    }
    secret
}

#[cfg(test)]
mod tests {
    use super::*;

    // The expected key comes from cryptography 48.0.0 (PyPI):
    //
    //     from cryptography.hazmat.primitives.kdf.kbkdf import *
    //     from cryptography.hazmat.primitives import hashes
    //     KBKDFHMAC(hashes.SHA384(), Mode.CounterMode, 32, 4, 4,
    //         CounterLocation.BeforeFixed, b"purpose", b"context", None,
    //     ).derive(bytes(range(32))).hex()
    #[test]
    fn agrees_with_another_implementation() {
        let key: [u8; 32] = core::array::from_fn(|i| i as u8);
        let expected = [
            0x2b, 0xda, 0xe4, 0x5a, 0xc4, 0xf6, 0xe7, 0x10, 0x3b, 0xb1, 0x51, 0xe7, 0xe2, 0x95,
            0x18, 0x5e, 0xaa, 0x05, 0xf6, 0xbf, 0xfc, 0x51, 0x3d, 0xd7, 0xea, 0x01, 0x40, 0xc4,
            0x1f, 0x0a, 0xfd, 0x3c,
        ];
        assert_eq!(*derive(&key, "purpose", b"context"), expected);
    }

    #[test]
    fn each_input_counts() {
        let secret = derive(b"key", "purpose", b"context");
        assert_ne!(secret, derive(b"kez", "purpose", b"context"));
        assert_ne!(secret, derive(b"key", "purposf", b"context"));
        assert_ne!(secret, derive(b"key", "purpose", b"contexu"));
        assert_ne!(secret, derive(b"key", "purposec", b"ontext"));
        assert_eq!(secret, derive(b"key", "purpose", b"context"));
    }
}
