//! Contexts outside the device [Part 1 §30.3].
//!
//! Encrypted and authenticated with keys from the proof of the context's
//! hierarchy, so that clearing the hierarchy ends its contexts. The MAC covers
//! the count of resets, after which no context is taken back, and for objects
//! with `stClear` the count of restarts too.

use tpm_crypto::cipher::{BLOCK_SIZE, Cipher, CipherAlgorithm, CipherMode};
use tpm_crypto::derivation::kdfa;
use tpm_crypto::hmac::Hmac;
use tpm_crypto::secret::{Secret, equal};

use crate::machine::{CONTEXT_HASH, Machine};
use crate::response_code::ResponseCode;
use crate::wire::algorithm::Hierarchy;
use crate::wire::codec::{Reader, Wire};
use crate::wire::structure::{Context, ContextBlob, Digest};

/// The saved handle of an object [Part 2 §14.4].
pub(crate) const OBJECT: u32 = 0x8000_0000;
/// That of a sequence.
pub(crate) const SEQUENCE: u32 = 0x8000_0001;
/// That of an object with `stClear`.
pub(crate) const CLEARED_OBJECT: u32 = 0x8000_0002;

/// The bits of the cipher's key.
const KEY_BITS: u32 = 256;

/// The context with this content.
///
/// # Errors
///
/// [`ResponseCode::FAILURE`] never in practice.
pub(crate) fn seal(
    machine: &Machine<'_, '_>,
    sequence: u64,
    saved_handle: u32,
    hierarchy: Hierarchy,
    content: Secret,
) -> Result<Context, ResponseCode> {
    let mut context = Context { sequence, saved_handle, hierarchy, blob: ContextBlob::EMPTY };
    let mut content = content;
    let (cipher, mut chain) = cipher(machine, &context)?;
    cipher
        .encrypt(CipherMode::Cfb, &mut chain, content.as_mut_bytes())
        .map_err(|_| ResponseCode::FAILURE)?;
    let mut blob = integrity(machine, &context, content.as_bytes()).to_bytes();
    blob.extend_from_slice(content.as_bytes());
    context.blob = ContextBlob::new(blob);
    Ok(context)
}

/// The content of a context.
///
/// # Errors
///
/// [`ResponseCode::INTEGRITY`] if this device did not make it, or it is no longer
/// valid; [`ResponseCode::SIZE`] or [`ResponseCode::INSUFFICIENT`] if it cannot
/// be one.
pub(crate) fn open(machine: &Machine<'_, '_>, context: &Context) -> Result<Secret, ResponseCode> {
    let mut reader = Reader::new(&context.blob);
    let found = Digest::read(&mut reader)?;
    if !equal(&found, &integrity(machine, context, reader.rest())) {
        return Err(ResponseCode::INTEGRITY);
    }
    let mut content = Secret::from(reader.rest());
    let (cipher, mut chain) = cipher(machine, context)?;
    cipher
        .decrypt(CipherMode::Cfb, &mut chain, content.as_mut_bytes())
        .map_err(|_| ResponseCode::FAILURE)?;
    Ok(content)
}

/// Cipher and initialisation vector. Between two resets a sequence number is used
/// once, and with it the key.
fn cipher(
    machine: &Machine<'_, '_>,
    context: &Context,
) -> Result<(Cipher, [u8; BLOCK_SIZE]), ResponseCode> {
    let mut place = context.saved_handle.to_bytes();
    machine.state.time.total_resets.write(&mut place);
    let material = kdfa(
        CONTEXT_HASH.algorithm(),
        machine.state.hierarchies.proof(context.hierarchy.number()),
        b"CONTEXT",
        &context.sequence.to_be_bytes(),
        &place,
        KEY_BITS + 128,
    );
    let (key, vector) =
        material.as_bytes().split_last_chunk::<BLOCK_SIZE>().ok_or(ResponseCode::FAILURE)?;
    let cipher = Cipher::new(CipherAlgorithm::Aes, key).map_err(|_| ResponseCode::FAILURE)?;
    Ok((cipher, *vector))
}

fn integrity(machine: &Machine<'_, '_>, context: &Context, encrypted: &[u8]) -> Digest {
    let proof = machine.state.hierarchies.proof(context.hierarchy.number());
    let mut hmac = Hmac::new(CONTEXT_HASH.algorithm(), proof);
    hmac.update(b"CONTEXT INTEGRITY");
    hmac.update(&machine.state.time.total_resets.to_be_bytes());
    if context.saved_handle == CLEARED_OBJECT {
        hmac.update(&machine.state.time.clear_count.to_be_bytes());
    }
    hmac.update(&context.sequence.to_be_bytes());
    hmac.update(&context.saved_handle.to_be_bytes());
    hmac.update(encrypted);
    Digest::new(hmac.finish().as_bytes())
}
