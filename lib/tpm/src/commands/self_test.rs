//! Self-tests, and questions about algorithms [Part 3 §10, §26.3, §30.3].
//!
//! The algorithms' known answers are tested by `SelfTest`; nothing waits for it,
//! because the code that computes them is the same for every key.

use alloc::vec::Vec;

use tpm_crypto::hash::HashAlgorithm;

use crate::algorithm_list::algorithms;
use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::response_code::ResponseCode;
use crate::wire::containers::{Buffer, List};
use crate::wire::public::PublicParameters;

/// The digest of "abc" with SHA-256 [FIPS 180-4, example values].
const ABC: [u8; 32] = [
    0xBA, 0x78, 0x16, 0xBF, 0x8F, 0x01, 0xCF, 0xEA, 0x41, 0x41, 0x40, 0xDE, 0x5D, 0xAE, 0x22, 0x23,
    0xB0, 0x03, 0x61, 0xA3, 0x96, 0x17, 0x7A, 0x9C, 0xB4, 0x10, 0xFF, 0x61, 0xF2, 0x00, 0x15, 0xAD,
];

/// TPM2_SelfTest [Part 3 §10.2].
pub(crate) fn full(_: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let (_full_test,): (bool,) = call.parameters()?;
    if HashAlgorithm::Sha256.digest(&[b"abc"]).as_bytes() != ABC {
        return Err(ResponseCode::FAILURE);
    }
    Ok(Reply::EMPTY)
}

/// TPM2_IncrementalSelfTest [Part 3 §10.3]: nothing is left to be tested.
pub(crate) fn incremental(_: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let (wanted,): (List<u16, 64>,) = call.parameters()?;
    let known = algorithms();
    if wanted.0.iter().any(|wanted| !known.iter().any(|(known, _)| known == wanted)) {
        return Err(ResponseCode::VALUE.parameter(1));
    }
    Ok(Reply::EMPTY.with(&List::<u16, 64>(Vec::new())))
}

/// TPM2_GetTestResult [Part 3 §10.4].
pub(crate) fn result(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let () = call.parameters()?;
    let result = if machine.state.failed { ResponseCode::FAILURE } else { ResponseCode::SUCCESS };
    Ok(Reply::EMPTY.with(&Buffer::<64>::EMPTY).with(&result.0))
}

/// TPM2_TestParms [Part 3 §30.3].
pub(crate) fn test_parameters(
    _: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (PublicParameters(_),): (PublicParameters,) = call.parameters()?;
    Ok(Reply::EMPTY)
}

/// TPM2_SetAlgorithmSet [Part 3 §26.3]: the number is kept and told, and chooses
/// which algorithms are told of.
pub(crate) fn set_algorithm_set(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (set,): (u32,) = call.parameters()?;
    machine.state.algorithm_set = set;
    Ok(Reply::EMPTY)
}
