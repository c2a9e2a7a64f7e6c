//! The signing half of ECDAA [TPM 2.0 Part 1 Annex C].
//!
//! The committing half (TPM2_Commit) is three multiplications of points, which a
//! provider does; whoever verifies has more to compute than a TPM and is not
//! here. The signature is a nonce and `s = r + T · d`, where `T` is the hash of
//! nonce and digest modulo the order, and `r` the committed scalar.

use super::{
    error::EccError,
    group,
    nonce::until_signed,
    value::{EccSignature, Scalar},
};
use crate::{hash::HashAlgorithm, random::RandomStream};

/// Signs `digest` with `key` and the scalar `committed` that an earlier commit
/// used, which must not be used again. In the result, `r` is the nonce, which
/// has been hashed with its leading zeros.
///
/// # Errors
/// [`EccError::WrongCurve`] when the scalars belong to different curves;
/// [`EccError::Random`] or [`EccError::NotRandom`] when the stream fails.
pub fn sign(
    key: &Scalar,
    committed: &Scalar,
    hash: HashAlgorithm,
    digest: &[u8],
    stream: &mut dyn RandomStream,
) -> Result<EccSignature, EccError> {
    let curve = key.curve();
    if committed.curve() != curve {
        return Err(EccError::WrongCurve { expected: curve, found: committed.curve() });
    }
    until_signed(|| {
        let nonce = Scalar::draw(curve, stream)?;
        let hashed = hash.digest(&[nonce.as_bytes(), digest]);
        let factor = Scalar::new(curve, &group::number_modulo_order(curve, hashed.as_bytes()));
        let s = factor.ok().and_then(|factor| committed.plus_product(&factor, key));
        Ok(s.map(|s| EccSignature { r: nonce, s }))
    })
}
