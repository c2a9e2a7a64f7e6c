//! What carries messages.

use abi_snp::GuestMessage;
use hal::memory::ShareError;
use hal::security_processor::CarryError;

/// Something that carries messages to the security processor and back. It is the
/// host in the end: nothing that it says or gives is to be trusted.
pub(crate) trait Carrier {
    /// Passes `message` on and puts what comes back into `reply`.
    ///
    /// # Errors
    ///
    /// What the host says.
    fn exchange(
        &mut self,
        message: &GuestMessage,
        reply: &mut GuestMessage,
    ) -> Result<(), CarryError>;

    /// As [`exchange`](Self::exchange), and gets certificates.
    ///
    /// # Errors
    ///
    /// What the host says.
    fn exchange_for_certificates(
        &mut self,
        message: &GuestMessage,
        reply: &mut GuestMessage,
    ) -> Result<(), CarryError>;

    /// Makes room for so many pages of certificates.
    ///
    /// # Errors
    ///
    /// There is none.
    fn make_room(&mut self, pages: u32) -> Result<(), ShareError>;

    /// For how many pages of certificates there is room.
    fn certificate_pages(&self) -> u32;

    /// Copies the certificates to `to`, which is not larger than these pages.
    fn read_certificates(&self, to: &mut [u8]);

    /// Lets so many nanoseconds pass.
    fn pause(&self, duration_ns: u64);
}
