//! Who may read and write an NV index [Part 1 §37.4, Part 3 §31.1].

use crate::response_code::ResponseCode;
use crate::state::nv::NvIndex;
use crate::wire::bits::NvAttributes;
use crate::wire::handle::{OWNER, PLATFORM};

/// Checks that whoever authorized as `by` may read `index` now.
///
/// # Errors
///
/// [`ResponseCode::NV_LOCKED`], [`ResponseCode::NV_AUTHORIZATION`] or
/// [`ResponseCode::NV_UNINITIALIZED`].
pub(crate) fn check_read(index: &NvIndex, by: u32) -> Result<(), ResponseCode> {
    let attributes = index.public.attributes;
    if attributes.contains(NvAttributes::READLOCKED) {
        return Err(ResponseCode::NV_LOCKED);
    }
    check_authority(index, by, NvAttributes::OWNERREAD, NvAttributes::PPREAD)?;
    if attributes.contains(NvAttributes::WRITTEN) {
        Ok(())
    } else {
        Err(ResponseCode::NV_UNINITIALIZED)
    }
}

/// Checks that whoever authorized as `by` may write `index` now.
///
/// # Errors
///
/// [`ResponseCode::NV_LOCKED`] or [`ResponseCode::NV_AUTHORIZATION`].
pub(crate) fn check_write(index: &NvIndex, by: u32) -> Result<(), ResponseCode> {
    if index.public.attributes.contains(NvAttributes::WRITELOCKED) {
        return Err(ResponseCode::NV_LOCKED);
    }
    check_authority(index, by, NvAttributes::OWNERWRITE, NvAttributes::PPWRITE)
}

fn check_authority(
    index: &NvIndex,
    by: u32,
    owner: NvAttributes,
    platform: NvAttributes,
) -> Result<(), ResponseCode> {
    let attributes = index.public.attributes;
    let allowed = match by {
        OWNER => attributes.contains(owner),
        PLATFORM => attributes.contains(platform),
        other => other == index.public.index,
    };
    if allowed { Ok(()) } else { Err(ResponseCode::NV_AUTHORIZATION) }
}
