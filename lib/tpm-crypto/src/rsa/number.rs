//! Large numbers of fixed size, from bytes and back.
//!
//! A key's size becomes a pair of type parameters: `N` limbs of 64 bits for the
//! modulus and `H`, half of them, for a prime. Nothing is allocated, and the
//! compiler knows every loop's length.

use crypto_bigint::{Odd, Uint};

use crate::secret::Secret;

/// Evaluates an expression with the limbs of modulus and prime as constants.
macro_rules! with_size {
    ($size:expr, $n:ident, $h:ident => $action:expr) => {
        match $size {
            $crate::rsa::RsaSize::Rsa1024 => {
                const $n: usize = 16;
                const $h: usize = 8;
                $action
            }
            $crate::rsa::RsaSize::Rsa2048 => {
                const $n: usize = 32;
                const $h: usize = 16;
                $action
            }
            $crate::rsa::RsaSize::Rsa3072 => {
                const $n: usize = 48;
                const $h: usize = 24;
                $action
            }
            $crate::rsa::RsaSize::Rsa4096 => {
                const $n: usize = 64;
                const $h: usize = 32;
                $action
            }
        }
    };
}
pub(crate) use with_size;

/// The number with these big-endian bytes; `None` when it has more than `L`
/// limbs.
pub(crate) fn number<const L: usize>(bytes: &[u8]) -> Option<Uint<L>> {
    let (excess, bytes) = bytes.split_at(bytes.len().saturating_sub(L * 8));
    if excess.iter().any(|byte| *byte != 0) {
        return None;
    }
    let mut limbs = [0_u64; L];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.rchunks(8)) {
        for byte in chunk {
            *limb = *limb << 8 | u64::from(*byte);
        }
    }
    let number = Uint::from_words(limbs);
    zeroize::Zeroize::zeroize(&mut limbs);
    Some(number)
}

/// The odd number with these bytes.
pub(crate) fn odd<const L: usize>(bytes: &[u8]) -> Option<Odd<Uint<L>>> {
    Odd::new(number(bytes)?).into_option()
}

/// A number's bytes, big-endian, with leading zeros.
pub(crate) fn bytes<const L: usize>(number: &Uint<L>) -> Secret {
    let mut secret = Secret::zeroed(L * 8);
    for (chunk, word) in secret.as_mut_bytes().rchunks_mut(8).zip(number.as_words()) {
        chunk.copy_from_slice(&word.to_be_bytes());
    }
    secret
}
