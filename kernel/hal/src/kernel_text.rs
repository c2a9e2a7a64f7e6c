//! The kernel's own instructions, as bytes.

use abi_boot::{Access, BootBlock, PartKind};

use crate::sync::Once;

static TEXT: Once<&'static [u8]> = Once::new();

/// Notes where the kernel's code is. For the start.
pub(crate) fn note(block: &BootBlock<'static>) {
    let code = block
        .parts_of(PartKind::KERNEL)
        .find(|part| part.access.contains(Access::READ | Access::EXECUTE));
    let Some(part) = code else { return };
    let Some(address) = block.virtual_address(part.gpa) else { return };
    let start = core::ptr::with_exposed_provenance(address as usize);
    // SAFETY: INV-BOOT-1: parts are mapped as the boot block says, and nobody
    // can write to code.
    let bytes = unsafe { core::slice::from_raw_parts(start, part.size as usize) };
    // A second note would say the same.
    let _ = TEXT.set(bytes);
}

/// Up to `most` bytes of code from `address` on: fewer where the code ends, none
/// where there is no code.
pub(crate) fn at(address: u64, most: usize) -> &'static [u8] {
    let Some(text) = TEXT.get() else { return &[] };
    let offset = address.wrapping_sub(text.as_ptr().addr() as u64);
    let rest = usize::try_from(offset).ok().and_then(|offset| text.get(offset..));
    let rest = rest.unwrap_or_default();
    rest.get(..most).unwrap_or(rest)
}
