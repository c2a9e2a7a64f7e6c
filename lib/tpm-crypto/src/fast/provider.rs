//! The fast provider's type, and what it leaves to the portable one.

use alloc::vec::Vec;

use crate::{
    portable::Portable,
    provider::{Provider, Rsa},
    random::RandomStream,
    rsa::{RsaError, RsaPrivateKey, RsaPublicKey},
    secret::Secret,
};

/// The fast provider. To have one is proof that the processor can run it.
#[derive(Clone, Copy, Debug)]
pub struct Fast(());

impl Fast {
    /// The provider, if this processor has the instructions that it needs: on
    /// x86-64 among others AES, SSSE3, AVX2, BMI2 and ADX.
    #[must_use]
    pub fn new() -> Option<Self> {
        graviola::util::is_cpu_supported().then_some(Self(()))
    }
}

impl Provider for Fast {
    fn name(&self) -> &'static str {
        "fast"
    }
}

impl Rsa for Fast {
    fn public_operation(&self, key: &RsaPublicKey, message: &[u8]) -> Result<Vec<u8>, RsaError> {
        Portable.public_operation(key, message)
    }

    fn private_operation(
        &self,
        key: &RsaPrivateKey,
        message: &[u8],
        blinding: &mut dyn RandomStream,
    ) -> Result<Secret, RsaError> {
        Portable.private_operation(key, message, blinding)
    }
}
