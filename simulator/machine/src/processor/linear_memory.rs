//! How the processor reaches tables and stacks of the guest.

/// The memory cannot be reached at once: it is not mapped, not allowed, not
/// validated, or whatever else takes more than reading or writing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the memory at a linear address cannot be reached at once")]
pub struct NotReached;

/// Memory of a guest by linear address, as the processor itself accesses it:
/// with supervisor rights, whatever the current privilege level is, and as data
/// that is no user's page.
///
/// Every access is checked like the guest's own: page tables, reverse map. One
/// that would change more than the bytes, an accessed or dirty bit for instance,
/// either changes that too or is not done.
pub trait LinearMemory {
    /// Reads from `address` on; the bytes may lie on two pages.
    ///
    /// # Errors
    ///
    /// Some of the bytes cannot be reached; `bytes` are undefined then.
    fn read(&mut self, address: u64, bytes: &mut [u8]) -> Result<(), NotReached>;

    /// Writes from `address` on; the bytes may lie on two pages.
    ///
    /// # Errors
    ///
    /// Some of the bytes cannot be reached; nothing has been written then, of
    /// the others neither.
    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), NotReached>;
}
