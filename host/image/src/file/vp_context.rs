//! VBS VP contexts: a list of registers in the data section.
//!
//! The other platforms' contexts are one page of data each and need no look
//! inside.

use igvm_defs::{VbsVpContextHeader, VbsVpContextRegister};
use zerocopy::FromBytes;

use super::error::Problem;

/// Checks the context that starts with `data` and returns its size in bytes.
///
/// A list that is empty, or that names registers unknown to the `igvm` crate,
/// is left for the crate to refuse.
pub(super) fn check_vbs(vp_index: u16, data: &[u8]) -> Result<u64, Problem> {
    if vp_index != 0 {
        return Err(Problem::VpIndex(vp_index));
    }
    let (header, mut rest) =
        VbsVpContextHeader::read_from_prefix(data).map_err(|_| Problem::Truncated)?;
    let mut first_vtl = None;
    for _ in 0..header.register_count {
        let (register, next) =
            VbsVpContextRegister::read_from_prefix(rest).map_err(|_| Problem::Truncated)?;
        rest = next;
        let first = *first_vtl.get_or_insert(register.vtl);
        if register.vtl != first {
            return Err(Problem::MixedVtl { first, other: register.vtl });
        }
    }
    Ok(data.len().saturating_sub(rest.len()) as u64)
}
