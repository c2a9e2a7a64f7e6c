//! Checking the signatures of an ID block.

use std::fmt;

use abi_snp::{
    Curve, Digest, EcdsaP384PublicKey, EcdsaSignature, IdAuthentication, IdBlock, KeyAlgorithm,
    P384Integer,
};
use igvm_defs::IgvmPlatformType;
use p384::ecdsa::signature::Verifier;
use p384::ecdsa::{Signature, VerifyingKey};
use p384::{FieldBytes, Sec1Point};
use serde::Serialize;
use zerocopy::IntoBytes;

use super::igvm_format;
use crate::file::Igvm;

/// What the ID block of a file says, and whether its signatures hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// The block, with the policy of the file.
    pub id_block: IdBlock,
    /// Its keys and signatures.
    pub authentication: IdAuthentication,
    /// What attestation reports name the ID key by.
    pub id_key_digest: Digest,
    /// Whether the ID key signed the block.
    pub id_block_signature: SignatureState,
    /// The same for the author key, if there is one, and whether it signed the
    /// ID key.
    pub author: Option<(Digest, SignatureState)>,
}

impl Verification {
    /// Whether every signature that there is holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        let author = self.author.is_none_or(|(_, state)| state == SignatureState::Valid);
        self.id_block_signature == SignatureState::Valid && author
    }
}

/// What a check of a signature gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureState {
    /// The key signed the data.
    Valid,
    /// It did not.
    Invalid,
    /// The algorithm or the curve is another one than ECDSA on P-384.
    UnknownAlgorithm,
    /// The key is not a point of the curve.
    MalformedKey,
}

impl fmt::Display for SignatureState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Valid => "valid",
            Self::Invalid => "INVALID",
            Self::UnknownAlgorithm => "not checked: unknown algorithm",
            Self::MalformedKey => "INVALID: the key is malformed",
        })
    }
}

/// Checks the ID block of a file; `None` if it has none for SEV-SNP.
///
/// The launch digest is not compared: [`crate::measure`] does that.
#[must_use]
pub fn verify(igvm: &Igvm) -> Option<Verification> {
    let mask = igvm.mask_of(IgvmPlatformType::SEV_SNP)?;
    let (id_block, authentication) = igvm_format::find_id_block(igvm, mask)?;
    let a = &authentication;
    let block = check(a.id_key_algorithm, &a.id_key, &a.id_block_signature, id_block.as_bytes());
    let has_author =
        a.author_key != EcdsaP384PublicKey::NONE || a.author_key_algorithm != KeyAlgorithm::NONE;
    let author = has_author.then(|| {
        let state =
            check(a.author_key_algorithm, &a.author_key, &a.id_key_signature, a.id_key.as_bytes());
        (snp_launch::key_digest(&a.author_key), state)
    });
    Some(Verification {
        id_block,
        authentication,
        id_key_digest: snp_launch::key_digest(&a.id_key),
        id_block_signature: block,
        author,
    })
}

fn check(
    algorithm: KeyAlgorithm,
    key: &EcdsaP384PublicKey,
    signature: &EcdsaSignature,
    message: &[u8],
) -> SignatureState {
    if algorithm != KeyAlgorithm::ECDSA_P384_SHA384 || key.curve != Curve::P384 {
        return SignatureState::UnknownAlgorithm;
    }
    let Some(key) = verifying_key(key) else { return SignatureState::MalformedKey };
    let signature = number(&signature.r)
        .zip(number(&signature.s))
        .and_then(|(r, s)| Signature::from_scalars(r, s).ok());
    match signature.map(|signature| key.verify(message, &signature)) {
        Some(Ok(())) => SignatureState::Valid,
        _ => SignatureState::Invalid,
    }
}

fn verifying_key(key: &EcdsaP384PublicKey) -> Option<VerifyingKey> {
    let point = Sec1Point::from_affine_coordinates(&number(&key.x)?, &number(&key.y)?, false);
    VerifyingKey::from_sec1_point(&point).ok()
}

fn number(number: &P384Integer) -> Option<FieldBytes> {
    number.to_big_endian().map(FieldBytes::from)
}
