//! What a host can do to shared memory: anything.

use alloc::vec;

use abi_snp::PageSize;
use abi_snp::ghcb::GuestFrame;

use crate::ghcb::PageStates;
use crate::gpa::Gpa;
use crate::guest_memory::GuestMemory;
use crate::reverse_map::Encryption;

/// Memory that is not shared is out of the host's reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the memory at {0} is not shared, the host cannot change it")]
pub struct NotShared(pub Gpa);

/// Writes to shared memory.
///
/// # Errors
///
/// The memory is not shared; nothing was written then.
pub fn write_shared<H>(host: &mut H, gpa: Gpa, bytes: &[u8]) -> Result<(), NotShared>
where
    H: GuestMemory + PageStates,
{
    check(host, gpa, bytes.len())?;
    host.write(gpa, Encryption::Shared, bytes).map_err(|error| NotShared(error.0))
}

/// Swaps the content of the shared pages that hold two addresses.
///
/// # Errors
///
/// One of them is not shared; both are as before then.
pub fn swap_shared<H>(host: &mut H, one: Gpa, other: Gpa) -> Result<(), NotShared>
where
    H: GuestMemory + PageStates,
{
    let mut content = [(); 2].map(|()| vec![0; PageSize::Size4K.bytes() as usize]);
    let pages = [one, other].map(|gpa| gpa.page(PageSize::Size4K));
    for (page, bytes) in pages.into_iter().zip(&mut content) {
        check(host, page, bytes.len())?;
        host.read(page, Encryption::Shared, bytes).map_err(|error| NotShared(error.0))?;
    }
    for (page, bytes) in pages.into_iter().zip(content.iter().rev()) {
        host.write(page, Encryption::Shared, bytes).map_err(|error| NotShared(error.0))?;
    }
    Ok(())
}

/// Whether `length` bytes from `gpa` on are shared. They are not many.
fn check(host: &impl PageStates, gpa: Gpa, length: usize) -> Result<(), NotShared> {
    let end = gpa.0.checked_add(length as u64).ok_or(NotShared(gpa))?;
    for number in gpa.page_number()..end.div_ceil(PageSize::Size4K.bytes()) {
        let is_shared = GuestFrame::new(number).is_some_and(|frame| host.is_shared(frame));
        if !is_shared {
            return Err(NotShared(Gpa(number * PageSize::Size4K.bytes())));
        }
    }
    Ok(())
}
