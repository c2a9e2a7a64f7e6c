//! Commands of the vendor's own [Part 3 §34]: code bit 29 is theirs.

use alloc::vec::Vec;

use crate::response_code::ResponseCode;
use crate::wire::codec::{Reader, Wire};

/// What bit 29 of a command code says (TPMA_CC V) [Part 2 §8.9].
const VENDOR: u32 = 1 << 29;

/// Whoever answers commands that the specification leaves to vendors. They have
/// no handles and no sessions here.
pub trait VendorCommands {
    /// Answers the command `code`, whose bit 29 is set, with its parameters: gives
    /// the parameters of the response.
    ///
    /// # Errors
    ///
    /// The code to answer with: [`ResponseCode::COMMAND_CODE`] for a command that
    /// is not known.
    fn execute(&mut self, code: u32, parameters: &[u8]) -> Result<Vec<u8>, ResponseCode>;
}

/// Code and parameters of a command that is the vendor's; none of any other.
pub(crate) fn vendor_command(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut reader = Reader::new(bytes);
    let tag = u16::read(&mut reader).ok()?;
    let size = u32::read(&mut reader).ok()?;
    let code = u32::read(&mut reader).ok()?;
    let sound = tag == 0x8001 && usize::try_from(size) == Ok(bytes.len());
    (sound && code & VENDOR != 0).then(|| (code, reader.rest()))
}
