//! RSA's operations, in constant time.

use alloc::vec::Vec;

use crypto_bigint::{Odd, Uint};
use zeroize::Zeroizing;

use super::provider::Portable;
use crate::{
    provider::Rsa,
    random::RandomStream,
    rsa::{
        RsaError, RsaPrivateKey, RsaPublicKey,
        montgomery::Montgomery,
        number::{bytes, number, odd, with_size},
    },
    secret::Secret,
};

/// Blinding factors drawn before the stream is called broken. One without an
/// inverse would give away a prime; nobody has met one by chance.
const TRIES: u32 = 4;

impl Rsa for Portable {
    fn public_operation(&self, key: &RsaPublicKey, message: &[u8]) -> Result<Vec<u8>, RsaError> {
        with_size!(key.size(), N, H => {
            // Only the modulus counts here, not the size of the primes.
            const { assert!(H * 2 == N) };
            let modulus = odd::<N>(key.modulus()).ok_or(RsaError::Modulus)?;
            let message = below(message, &modulus)?;
            let result = raise(&Montgomery::new_public(&modulus), &message, key.exponent());
            Ok(bytes(&result).as_bytes().to_vec())
        })
    }

    fn private_operation(
        &self,
        key: &RsaPrivateKey,
        message: &[u8],
        blinding: &mut dyn RandomStream,
    ) -> Result<Secret, RsaError> {
        with_size!(key.public().size(), N, H => {
            private_operation::<N, H>(key, message, blinding)
        })
    }
}

/// The private operation by the Chinese remainder theorem [RFC 8017 §5.1.2],
/// on the message times a random factor to the power of e. Modulo each prime, the
/// factor's inverse takes that away again.
fn private_operation<const N: usize, const H: usize>(
    key: &RsaPrivateKey,
    message: &[u8],
    blinding: &mut dyn RandomStream,
) -> Result<Secret, RsaError> {
    let exponent = key.public().exponent();
    let modulus = odd::<N>(key.public().modulus()).ok_or(RsaError::Modulus)?;
    let message = Zeroizing::new(below(message, &modulus)?);
    let whole = Montgomery::new_public(&modulus);
    let p = Residues::<H>::new(&key.p, &key.d_p)?;
    let q = Residues::<H>::new(&key.q, &key.d_q)?;

    for _ in 0..TRIES {
        let mut drawn = Secret::zeroed(N * 8);
        blinding.fill(drawn.as_mut_bytes())?;
        let factor = Zeroizing::new(number::<N>(drawn.as_bytes()).ok_or(RsaError::Modulus)?);
        let (Some(p_unblinding), Some(q_unblinding)) = (p.inverse(&factor), q.inverse(&factor))
        else {
            continue;
        };
        let factor = Zeroizing::new(raise(&whole, &factor, exponent));
        let blinded = Zeroizing::new(whole.multiply(&whole.residue(&message), &factor));
        let of_p = Zeroizing::new(p.arithmetic.multiply(&p.raised(&blinded), &p_unblinding));
        let of_q = Zeroizing::new(q.arithmetic.multiply(&q.raised(&blinded), &q_unblinding));

        // Garner's formula: of_q + q * ((of_p - of_q) / q mod p).
        let q_inverse =
            Zeroizing::new(number::<H>(key.q_inverse.as_bytes()).ok_or(RsaError::Prime)?);
        let of_q_in_p = Zeroizing::new(of_q.rem(p.prime.as_nz_ref()));
        let difference = Zeroizing::new(of_p.sub_mod(&of_q_in_p, p.prime.as_nz_ref()));
        let residue = Zeroizing::new(p.arithmetic.residue(&difference));
        let steps = Zeroizing::new(p.arithmetic.multiply(&residue, &q_inverse));
        let product = steps.widening_mul(Odd::as_ref(&q.prime));
        let result = Zeroizing::new(
            joined::<N, H>(&product.0, &product.1).wrapping_add(&of_q.resize::<N>()),
        );

        let check = raise(&whole, &result, exponent);
        return if check == *message { Ok(bytes(&*result)) } else { Err(RsaError::Fault) };
    }
    Err(RsaError::NotRandom(TRIES))
}

/// Arithmetic modulo one of the primes.
struct Residues<const H: usize> {
    arithmetic: Montgomery<H>,
    prime: Zeroizing<Odd<Uint<H>>>,
    exponent: Zeroizing<Uint<H>>,
}

impl<const H: usize> Residues<H> {
    fn new(prime: &Secret, exponent: &Secret) -> Result<Self, RsaError> {
        let prime = Zeroizing::new(odd::<H>(prime.as_bytes()).ok_or(RsaError::Prime)?);
        Ok(Self {
            arithmetic: Montgomery::new(&prime),
            prime,
            exponent: Zeroizing::new(number(exponent.as_bytes()).ok_or(RsaError::Prime)?),
        })
    }

    fn remainder<const N: usize>(&self, number: &Uint<N>) -> Zeroizing<Uint<H>> {
        Zeroizing::new(number.rem(self.prime.as_nz_ref()))
    }

    fn inverse<const N: usize>(&self, number: &Uint<N>) -> Option<Zeroizing<Uint<H>>> {
        let inverse = self.remainder(number).invert_odd_mod(&self.prime);
        inverse.into_option().map(Zeroizing::new)
    }

    /// The residue of a number to the power of the private exponent.
    fn raised<const N: usize>(&self, number: &Uint<N>) -> Zeroizing<Uint<H>> {
        let residue = Zeroizing::new(self.arithmetic.residue(&self.remainder(number)));
        Zeroizing::new(self.arithmetic.power(&residue, &self.exponent))
    }
}

/// A message as a number below the modulus.
fn below<const N: usize>(message: &[u8], modulus: &Odd<Uint<N>>) -> Result<Uint<N>, RsaError> {
    number::<N>(message)
        .filter(|message| message < modulus.as_ref())
        .ok_or(RsaError::MessageTooLarge)
}

/// A number to the power of a public exponent, which is odd and at least 3: in
/// constant time for the number.
fn raise<const N: usize>(arithmetic: &Montgomery<N>, number: &Uint<N>, exponent: u32) -> Uint<N> {
    let residue = Zeroizing::new(arithmetic.residue(number));
    let mut power = Zeroizing::new(*residue);
    for bit in (1..exponent.ilog2()).rev() {
        *power = arithmetic.square(&power);
        if exponent >> bit & 1 == 1 {
            *power = arithmetic.multiply(&power, &residue);
        }
    }
    *power = arithmetic.square(&power);
    // The lowest bit is set, and with the number itself a number results.
    arithmetic.multiply(&power, number)
}

/// Two halves as one number.
fn joined<const N: usize, const H: usize>(low: &Uint<H>, high: &Uint<H>) -> Uint<N> {
    let mut words = Zeroizing::new([0; N]);
    for (to, from) in words.iter_mut().zip(low.as_words().iter().chain(high.as_words())) {
        *to = *from;
    }
    Uint::from_words(*words)
}
