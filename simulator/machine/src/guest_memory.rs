//! How the model reaches the content of the guest's pages.

use crate::gpa::Gpa;
use crate::reverse_map::Encryption;

/// There is no memory at this address, in this view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("there is no memory of the guest at {0}")]
pub struct NoMemory(pub Gpa);

/// The content of a guest's memory, as whoever holds the key sees it.
///
/// A page has two contents: what the guest keeps there with `C = 1`, and what
/// guest and host see with `C = 0`. Nothing is checked here: whether an access
/// is allowed is for the reverse map to say.
pub trait GuestMemory {
    /// Reads from `gpa` on; the bytes may lie on several pages.
    ///
    /// # Errors
    ///
    /// A page that is not memory; `bytes` are undefined then.
    fn read(&self, gpa: Gpa, encryption: Encryption, bytes: &mut [u8]) -> Result<(), NoMemory>;

    /// Writes from `gpa` on; the bytes may lie on several pages.
    ///
    /// # Errors
    ///
    /// A page that is not memory; nothing or a part has been written then.
    fn write(&mut self, gpa: Gpa, encryption: Encryption, bytes: &[u8]) -> Result<(), NoMemory>;

    /// Writes zeros into the 4 KiB page at `gpa`.
    ///
    /// # Errors
    ///
    /// The page is not memory.
    fn clear_page(&mut self, gpa: Gpa, encryption: Encryption) -> Result<(), NoMemory> {
        self.write(gpa, encryption, &[0; 4096])
    }
}
