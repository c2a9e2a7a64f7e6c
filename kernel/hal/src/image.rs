//! What the image builder placed: the boot block and the content of parts.

use core::sync::atomic::{AtomicPtr, Ordering};

use abi_boot::{Access, BootBlock, PAGE_SIZE, Part, PartKind};

type Page = [u8; PAGE_SIZE as usize];

/// The boot block; null until [`keep`] is called.
static BLOCK: AtomicPtr<Page> = AtomicPtr::new(core::ptr::null_mut());

/// Keeps the boot block for [`boot_block`].
///
/// # Safety
///
/// It is the boot block that INV-BOOT-1 speaks of.
pub(crate) unsafe fn keep(block: &'static Page) {
    BLOCK.store(core::ptr::from_ref(block).cast_mut(), Ordering::Release);
}

/// The boot block that this kernel was started with.
///
/// # Panics
///
/// Before the start has checked it.
#[must_use]
pub fn boot_block() -> BootBlock<'static> {
    let page = BLOCK.load(Ordering::Acquire);
    assert!(!page.is_null(), "the start keeps the boot block before anything asks for it");
    // SAFETY: INV-BOOT-1: `keep` was given the boot block, which nobody writes.
    let page: &'static Page = unsafe { &*page };
    match BootBlock::parse(page) {
        Ok(block) => block,
        Err(error) => unreachable!("the start has checked it: {error}"),
    }
}

/// The content of the first part of a kind, as [`content`] gives it. `None` also
/// before the start has checked the boot block.
pub(crate) fn part_of(kind: PartKind) -> Option<&'static [u8]> {
    if BLOCK.load(Ordering::Acquire).is_null() {
        return None;
    }
    boot_block().parts_of(kind).next().and_then(content)
}

/// The content of a part that is mapped for reading alone. `None` for others
/// and for what is no part of the boot block.
#[must_use]
pub fn content(part: &Part) -> Option<&'static [u8]> {
    let block = boot_block();
    let is_placed = block.parts().contains(part);
    if !is_placed || part.access != Access::READ {
        return None;
    }
    let address = usize::try_from(block.virtual_address(part.gpa)?).ok()?;
    let size = usize::try_from(part.content_size).ok()?;
    let pointer = core::ptr::with_exposed_provenance(address);
    // SAFETY: INV-BOOT-1: the part is one that the builder placed in the region
    // and mapped, and `content_size` is not above its size; nobody writes what
    // is mapped for reading alone.
    Some(unsafe { core::slice::from_raw_parts(pointer, size) })
}
