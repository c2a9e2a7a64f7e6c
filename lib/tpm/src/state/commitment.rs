//! Scalars that `TPM2_Commit` and `TPM2_EC_Ephemeral` promise, and a later
//! command uses once [Part 1 §C.3].
//!
//! Nothing is kept for a promise but its number: the scalar is derived from a
//! secret of this reset and the number.

use tpm_crypto::derivation::kdfa;
use tpm_crypto::drbg::HmacDrbg;
use tpm_crypto::ecc::{Curve, Scalar};
use tpm_crypto::hash::HashAlgorithm;

use crate::response_code::ResponseCode;
use crate::state::hierarchy::Seed;
use crate::wire::macros::structures;

/// Promises that can be open at a time.
pub(crate) const OPEN_COMMITMENTS: u32 = u64::BITS;

const WINDOW: u64 = OPEN_COMMITMENTS as u64;

structures! {
    /// The promises.
    Commitments {
        secret: Seed,
        /// The number of the next promise.
        next: u64,
        /// The last 64 promises: bit n is set while that with a number of n
        /// modulo 64 is open.
        open: u64,
    }
}

impl Commitments {
    /// None, with a new secret.
    pub(crate) const fn new(secret: Seed) -> Self {
        Self { secret, next: 0, open: 0 }
    }

    /// The scalar of the next promise, and its number. It is not open until
    /// [`promise`](Self::promise) is called.
    ///
    /// # Errors
    ///
    /// [`ResponseCode::NO_RESULT`] never in practice.
    pub(crate) fn next(&self, curve: Curve, name: &[u8]) -> Result<Scalar, ResponseCode> {
        self.scalar(self.next, curve, name)
    }

    /// Opens the promise whose scalar [`next`](Self::next) gave, and says the
    /// lower bits of its number. The one 64 before it is closed.
    pub(crate) const fn promise(&mut self) -> u16 {
        let number = self.next;
        self.open |= 1 << (number % WINDOW);
        self.next += 1;
        (number & 0xFFFF) as u16
    }

    /// The scalar of the open promise with this number.
    ///
    /// # Errors
    ///
    /// [`ResponseCode::VALUE`] if there is none.
    pub(crate) fn open(
        &self,
        count: u16,
        curve: Curve,
        name: &[u8],
    ) -> Result<Scalar, ResponseCode> {
        self.scalar(self.number(count)?, curve, name)
    }

    /// Closes a promise: its scalar was used.
    pub(crate) fn close(&mut self, count: u16) {
        if let Ok(number) = self.number(count) {
            self.open &= !(1 << (number % WINDOW));
        }
    }

    /// The whole number of an open promise.
    fn number(&self, count: u16) -> Result<u64, ResponseCode> {
        let oldest = self.next.saturating_sub(WINDOW);
        (oldest..self.next)
            .find(|number| {
                number & 0xFFFF == u64::from(count) && self.open & (1 << (number % WINDOW)) != 0
            })
            .ok_or(ResponseCode::VALUE)
    }

    fn scalar(&self, number: u64, curve: Curve, name: &[u8]) -> Result<Scalar, ResponseCode> {
        let seed =
            kdfa(HashAlgorithm::Sha512, &self.secret, b"COMMIT", name, &number.to_be_bytes(), 512);
        let mut stream = HmacDrbg::new(HashAlgorithm::Sha512, &[seed.as_bytes()]);
        Scalar::draw(curve, &mut stream).map_err(|_| ResponseCode::NO_RESULT)
    }
}
