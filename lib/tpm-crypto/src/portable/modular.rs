//! RSA's arithmetic by the crate `crypto-bigint`, in constant time.

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
    let p = Residues::<H>::new(&key.p, &key.d_p)?;
    let q = Residues::<H>::new(&key.q, &key.d_q)?;

    let message = FixedMontyForm::new(&message, &params);
    for _ in 0..TRIES {
        let mut drawn = Secret::zeroed(N * 8);
        blinding.fill(drawn.as_mut_bytes())?;
        let factor = Zeroizing::new(number::<N>(drawn.as_bytes()).ok_or(RsaError::Modulus)?);
        let (Some(p_unblinding), Some(q_unblinding)) = (p.inverse(&factor), q.inverse(&factor))
        else {
            continue;
        };
        let factor = Zeroizing::new(FixedMontyForm::new(&factor, &params));
        let blinded = Zeroizing::new(message.mul(&raise(&factor, exponent)).retrieve());
        let of_p = p.raised(&blinded).mul(&p_unblinding);
        let of_q = Zeroizing::new(q.raised(&blinded).mul(&q_unblinding).retrieve());

        // Garner's formula: of_q + q * ((of_p - of_q) / q mod p).
        let q_inverse = number::<H>(key.q_inverse.as_bytes()).ok_or(RsaError::Prime)?;
        let q_inverse = Zeroizing::new(FixedMontyForm::new(&q_inverse, &p.params));
        let of_q_in_p = FixedMontyForm::new(&of_q.rem(p.params.modulus().as_nz_ref()), &p.params);
        let steps = Zeroizing::new(of_p.sub(&of_q_in_p).mul(&q_inverse).retrieve());
        let product = steps.widening_mul(q.params.modulus().as_ref());
        let result = Zeroizing::new(
            joined::<N, H>(&product.0, &product.1).wrapping_add(&of_q.resize::<N>()),
        );

        let check = raise(&FixedMontyForm::new(&result, &params), exponent);
        return if check == message { Ok(bytes(&*result)) } else { Err(RsaError::Fault) };
    }
    Err(RsaError::NotRandom(TRIES))
}

/// Arithmetic modulo one of the primes.
struct Residues<const H: usize> {
    params: Zeroizing<FixedMontyParams<H>>,
    exponent: Zeroizing<Uint<H>>,
}

impl<const H: usize> Residues<H> {
    fn new(prime: &Secret, exponent: &Secret) -> Result<Self, RsaError> {
        let prime = odd::<H>(prime.as_bytes()).ok_or(RsaError::Prime)?;
        Ok(Self {
            params: Zeroizing::new(FixedMontyParams::new(prime)),
            exponent: Zeroizing::new(number(exponent.as_bytes()).ok_or(RsaError::Prime)?),
        })
    }

    fn residue<const N: usize>(&self, number: &Uint<N>) -> FixedMontyForm<H> {
        FixedMontyForm::new(&number.rem(self.params.modulus().as_nz_ref()), &self.params)
    }

    fn inverse<const N: usize>(&self, number: &Uint<N>) -> Option<FixedMontyForm<H>> {
        self.residue(number).invert().into_option()
    }

    fn raised<const N: usize>(&self, number: &Uint<N>) -> FixedMontyForm<H> {
        self.residue(number).pow(&self.exponent)
    }
}

/// A message as a number below the modulus.
fn below<const N: usize>(message: &[u8], modulus: &Odd<Uint<N>>) -> Result<Uint<N>, RsaError> {
    number::<N>(message)
        .filter(|message| message < modulus.as_ref())
        .ok_or(RsaError::MessageTooLarge)
}

/// A number to the power of a public exponent: in constant time for the number.
fn raise<const N: usize>(base: &FixedMontyForm<N>, exponent: u32) -> FixedMontyForm<N> {
    base.pow_vartime(&Uint::<1>::from_u32(exponent))
}

/// Two halves as one number.
fn joined<const N: usize, const H: usize>(low: &Uint<H>, high: &Uint<H>) -> Uint<N> {
    let mut words = Zeroizing::new([0; N]);
    for (to, from) in words.iter_mut().zip(low.as_words().iter().chain(high.as_words())) {
        *to = *from;
    }
    Uint::from_words(*words)
}
