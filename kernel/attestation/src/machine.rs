//! Messages by way of `hal`.

use abi_snp::GuestMessage;
use hal::memory::ShareError;
use hal::security_processor::{CarryError, MessageCarrier};

use crate::carrier::Carrier;

impl Carrier for MessageCarrier {
    fn exchange(
        &mut self,
        message: &GuestMessage,
        reply: &mut GuestMessage,
    ) -> Result<(), CarryError> {
        self.exchange(message, reply)
    }

    fn exchange_for_certificates(
        &mut self,
        message: &GuestMessage,
        reply: &mut GuestMessage,
    ) -> Result<(), CarryError> {
        self.exchange_for_certificates(message, reply)
    }

    fn make_room(&mut self, pages: u32) -> Result<(), ShareError> {
        self.make_room(pages)
    }

    fn certificate_pages(&self) -> u32 {
        self.certificate_pages()
    }

    fn read_certificates(&self, to: &mut [u8]) {
        self.read_certificates(to);
    }

    fn pause(&self, duration_ns: u64) {
        let end = hal::time::now_ns().saturating_add(duration_ns);
        if tasks::current_name().is_some() {
            tasks::sleep_until(end);
        } else {
            // The start has nothing else to do.
            while hal::time::now_ns() < end {
                core::hint::spin_loop();
            }
        }
    }
}
