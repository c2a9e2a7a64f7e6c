//! Sensitive areas outside the device, under their parents [Part 1 §22–23].

use tpm_crypto::cipher::BLOCK_SIZE;

use crate::outer_wrap::OuterWrap;
use crate::response_code::ResponseCode;
use crate::state::object::Object;
use crate::wire::codec::Wire;
use crate::wire::containers::Sized16;
use crate::wire::sensitive::{Private, Sensitive};
use crate::wire::structure::Name;

/// Encrypts and authenticates `sensitive` for the parent.
///
/// # Errors
///
/// [`ResponseCode::TYPE`] if `parent` is none.
pub(crate) fn wrap(
    parent: &Object,
    name: &Name,
    sensitive: &Sensitive,
    vector: [u8; BLOCK_SIZE],
) -> Result<Private, ResponseCode> {
    let outer = OuterWrap::of_parent(parent, name)?;
    outer.seal(vector, sensitive.padded(name).to_bytes()).map(Private::new)
}

/// Checks and decrypts what [`wrap`] gave.
///
/// # Errors
///
/// [`ResponseCode::INTEGRITY`] for what this parent did not make for this name.
pub(crate) fn unwrap(
    parent: &Object,
    name: &Name,
    private: &Private,
) -> Result<Sensitive, ResponseCode> {
    let data = OuterWrap::of_parent(parent, name)?.open(private)?;
    let Sized16(sensitive): Sized16<Sensitive> =
        Sized16::from_bytes(data.as_bytes()).map_err(|_| ResponseCode::SENSITIVE)?;
    Ok(sensitive.trimmed())
}
