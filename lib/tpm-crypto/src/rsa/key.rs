//! Public and private keys.

use alloc::vec::Vec;
use core::fmt;

use crypto_bigint::{NonZero, Odd, Uint};
use zeroize::Zeroizing;

use super::{
    error::RsaError,
    number::{bytes, number, odd, with_size},
    size::RsaSize,
};
use crate::secret::Secret;

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RsaPublicKey {
    size: RsaSize,
    modulus: Vec<u8>,
    exponent: u32,
}

impl RsaPublicKey {
    /// The key with this big-endian modulus and this exponent.
    ///
    /// # Errors
    /// [`RsaError::Modulus`] unless the modulus is odd and has a supported size,
    /// with its highest bit set; [`RsaError::Exponent`] unless the exponent is
    /// odd and at least 3.
    pub fn new(modulus: &[u8], exponent: u32) -> Result<Self, RsaError> {
        let size = u32::try_from(modulus.len())
            .ok()
            .and_then(|bytes| RsaSize::from_bits(bytes.checked_mul(8)?))
            .ok_or(RsaError::Modulus)?;
        let (Some(first), Some(last)) = (modulus.first(), modulus.last()) else {
            return Err(RsaError::Modulus);
        };
        if first & 0x80 == 0 || last & 1 == 0 {
            return Err(RsaError::Modulus);
        }
        if exponent < 3 || exponent.is_multiple_of(2) {
            return Err(RsaError::Exponent(exponent));
        }
        Ok(Self { size, modulus: modulus.to_vec(), exponent })
    }

    /// The key's size.
    #[must_use]
    pub const fn size(&self) -> RsaSize {
        self.size
    }

    /// The modulus, big-endian.
    #[must_use]
    pub fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// The public exponent.
    #[must_use]
    pub const fn exponent(&self) -> u32 {
        self.exponent
    }
}

/// A private key: the primes, and what the Chinese remainder theorem needs.
///
/// The parts are numbers of half the modulus' size, big-endian [RFC 8017 §3.2].
#[derive(Clone)]
pub struct RsaPrivateKey {
    public: RsaPublicKey,
    pub(crate) p: Secret,
    pub(crate) q: Secret,
    /// The private exponent modulo p - 1.
    pub(crate) d_p: Secret,
    /// The private exponent modulo q - 1.
    pub(crate) d_q: Secret,
    /// The inverse of q modulo p.
    pub(crate) q_inverse: Secret,
}

impl RsaPrivateKey {
    /// The private key of `public` whose first prime is `prime`, from which the
    /// other one follows. This is how TPMs keep private keys.
    ///
    /// That the factors are prime is not tested, as TPMs do not: with others, the
    /// check of a private operation fails, and nothing is released.
    ///
    /// # Errors
    /// [`RsaError::Prime`] when `prime` is not half as long as the modulus, does
    /// not divide it, or does not go with the exponent.
    pub fn from_prime(public: RsaPublicKey, prime: &[u8]) -> Result<Self, RsaError> {
        with_size!(public.size, N, H => {
            let modulus = number::<N>(&public.modulus).ok_or(RsaError::Modulus)?;
            let p = Zeroizing::new(half_sized::<H>(prime)?);
            let (quotient, rest) = modulus.div_rem(p.as_nz_ref());
            let quotient = Zeroizing::new(quotient);
            let divides: bool = rest.is_zero().into();
            if !divides {
                return Err(RsaError::Prime);
            }
            let q = Zeroizing::new(half_sized::<H>(bytes(&*quotient).as_bytes())?);
            Self::from_factors(public, &p, &q)
        })
    }

    /// The key with these two factors of the modulus.
    fn from_factors<const H: usize>(
        public: RsaPublicKey,
        p: &Odd<Uint<H>>,
        q: &Odd<Uint<H>>,
    ) -> Result<Self, RsaError> {
        let exponent = public.exponent;
        let q_inverse = q.as_ref().rem(p.as_nz_ref()).invert_odd_mod(p);
        let q_inverse = Zeroizing::new(q_inverse.into_option().ok_or(RsaError::Prime)?);
        Ok(Self {
            public,
            p: bytes(p.as_ref()),
            q: bytes(q.as_ref()),
            d_p: bytes(&*private_exponent(exponent, p)?),
            d_q: bytes(&*private_exponent(exponent, q)?),
            q_inverse: bytes(&*q_inverse),
        })
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> &RsaPublicKey {
        &self.public
    }

    /// The first prime, from which [`from_prime`](Self::from_prime) makes the
    /// key again.
    #[must_use]
    pub const fn prime(&self) -> &Secret {
        &self.p
    }
}

impl fmt::Debug for RsaPrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RsaPrivateKey({:?})", self.public.size)
    }
}

/// An odd number of exactly `H` limbs.
fn half_sized<const H: usize>(bytes: &[u8]) -> Result<Odd<Uint<H>>, RsaError> {
    let factor = odd::<H>(bytes).ok_or(RsaError::Prime)?;
    if factor.as_ref().bits() == Uint::<H>::BITS { Ok(factor) } else { Err(RsaError::Prime) }
}

/// The inverse of the public exponent e modulo `prime - 1`, in constant time.
///
/// With k, the negative inverse of `prime - 1` modulo e, e divides
/// k · (prime - 1) + 1, and what results is the inverse that is looked for. So
/// only a number as small as e has to be inverted.
fn private_exponent<const H: usize>(
    exponent: u32,
    prime: &Odd<Uint<H>>,
) -> Result<Zeroizing<Uint<H>>, RsaError> {
    let exponent = Odd::new(Uint::<1>::from_u32(exponent)).into_option().ok_or(RsaError::Prime)?;
    let [divisor] = exponent.as_ref().to_limbs();
    let divisor = NonZero::new(divisor).into_option().ok_or(RsaError::Prime)?;
    let group = Zeroizing::new(prime.as_ref().wrapping_sub(&Uint::ONE));
    let (quotient, rest) = group.div_rem_limb(divisor);
    let (quotient, rest) = (Zeroizing::new(quotient), Zeroizing::new(Uint::<1>::new([rest])));
    let inverse = rest.invert_odd_mod(&exponent).into_option().ok_or(RsaError::Prime)?;
    let factor = Zeroizing::new(exponent.as_ref().wrapping_sub(&inverse));
    // (k · (quotient · e + rest) + 1) / e; factor and rest have 32 bits each.
    let (small, _) = factor.wrapping_mul(&*rest).wrapping_add(&Uint::ONE).div_rem_limb(divisor);
    let product = Zeroizing::new(quotient.wrapping_mul(&*factor));
    Ok(Zeroizing::new(product.wrapping_add(&small.resize())))
}
