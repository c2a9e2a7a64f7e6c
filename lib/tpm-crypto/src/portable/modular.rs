//! RSA's operations, in constant time.

use alloc::vec::Vec;

use crypto_bigint::{
    Odd, Uint,
    modular::{FixedMontyForm, FixedMontyParams},
};
use zeroize::Zeroizing;

use super::provider::Portable;
use crate::{
    provider::Rsa,
    random::RandomStream,
    rsa::{
        RsaError, RsaPrivateKey, RsaPublicKey,
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
            // For a modulus that everyone may know.
            let params = FixedMontyParams::new_vartime(modulus);
            let result = raise(&FixedMontyForm::new(&message, &params), key.exponent());
            Ok(bytes(&result.retrieve()).as_bytes().to_vec())
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
    let params = FixedMontyParams::new_vartime(modulus);
    let residue = |number: &Uint<N>| Zeroizing::new(FixedMontyForm::new(number, &params));
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
        let factor = raise(&residue(&factor), exponent);
        let blinded = Zeroizing::new(residue(&message).mul(&factor).retrieve());
        let of_p = Zeroizing::new(p.raised(&blinded).mul(&p_unblinding).retrieve());
        let of_q = Zeroizing::new(q.raised(&blinded).mul(&q_unblinding).retrieve());

        // Garner's formula: of_q + q * ((of_p - of_q) / q mod p).
        let q_inverse =
            Zeroizing::new(number::<H>(key.q_inverse.as_bytes()).ok_or(RsaError::Prime)?);
        let of_q_in_p = Zeroizing::new(of_q.rem(p.prime.as_nz_ref()));
        let difference = Zeroizing::new(of_p.sub_mod(&of_q_in_p, p.prime.as_nz_ref()));
        let steps = p.residue(&difference).mul(&p.residue(&q_inverse));
        let steps = Zeroizing::new(Zeroizing::new(steps).retrieve());
        let product = steps.widening_mul(Odd::as_ref(&q.prime));
        let result = Zeroizing::new(
            joined::<N, H>(&product.0, &product.1).wrapping_add(&of_q.resize::<N>()),
        );

        let check = raise(&residue(&result), exponent);
        return if check.retrieve() == *message {
            Ok(bytes(&*result))
        } else {
            Err(RsaError::Fault)
        };
    }
    Err(RsaError::NotRandom(TRIES))
}

/// Arithmetic modulo one of the primes.
struct Residues<const H: usize> {
    params: Zeroizing<FixedMontyParams<H>>,
    prime: Zeroizing<Odd<Uint<H>>>,
    exponent: Zeroizing<Uint<H>>,
}

impl<const H: usize> Residues<H> {
    fn new(prime: &Secret, exponent: &Secret) -> Result<Self, RsaError> {
        let prime = Zeroizing::new(odd::<H>(prime.as_bytes()).ok_or(RsaError::Prime)?);
        Ok(Self {
            params: Zeroizing::new(FixedMontyParams::new(*prime)),
            prime,
            exponent: Zeroizing::new(number(exponent.as_bytes()).ok_or(RsaError::Prime)?),
        })
    }

    fn residue(&self, number: &Uint<H>) -> Zeroizing<FixedMontyForm<H>> {
        Zeroizing::new(FixedMontyForm::new(number, &self.params))
    }

    fn remainder<const N: usize>(&self, number: &Uint<N>) -> Zeroizing<Uint<H>> {
        Zeroizing::new(number.rem(self.prime.as_nz_ref()))
    }

    fn inverse<const N: usize>(&self, number: &Uint<N>) -> Option<Zeroizing<FixedMontyForm<H>>> {
        let inverse = self.remainder(number).invert_odd_mod(&self.prime).into_option();
        Some(self.residue(&Zeroizing::new(inverse?)))
    }

    /// A number to the power of the private exponent.
    fn raised<const N: usize>(&self, number: &Uint<N>) -> Zeroizing<FixedMontyForm<H>> {
        Zeroizing::new(self.residue(&self.remainder(number)).pow(&*self.exponent))
    }
}

/// A message as a number below the modulus.
fn below<const N: usize>(message: &[u8], modulus: &Odd<Uint<N>>) -> Result<Uint<N>, RsaError> {
    number::<N>(message)
        .filter(|message| message < modulus.as_ref())
        .ok_or(RsaError::MessageTooLarge)
}

/// A residue to the power of a public exponent: in constant time for the residue.
fn raise<const N: usize>(base: &FixedMontyForm<N>, exponent: u32) -> Zeroizing<FixedMontyForm<N>> {
    let mut power = Zeroizing::new(*base);
    for bit in (0..exponent.ilog2()).rev() {
        *power = power.square();
        if exponent >> bit & 1 == 1 {
            *power = power.mul(base);
        }
    }
    power
}

/// Two halves as one number.
fn joined<const N: usize, const H: usize>(low: &Uint<H>, high: &Uint<H>) -> Uint<N> {
    let mut words = Zeroizing::new([0; N]);
    for (to, from) in words.iter_mut().zip(low.as_words().iter().chain(high.as_words())) {
        *to = *from;
    }
    Uint::from_words(*words)
}
