//! The local APIC's registers in memory.
//!
//! [APM 24593 §16.3.2], [SDM 3A §11.4.1]. Each register is 32 bits at a multiple
//! of 16 bytes; what software does elsewhere is an error in the error status
//! register. Accesses have 32 bits; others are the caller's to split or refuse.

use crate::apic_base::Mode;
use crate::error_status::ApicError;
use crate::interrupt_command::Command;
use crate::local_apic::{LocalApic, Outgoing};
use crate::moment::Moment;
use crate::register::Register;

/// Bytes of memory that the registers take.
const SIZE: u64 = 0x1000;

/// The bits of the interrupt command that software can set: all but the
/// reserved ones and the delivery status.
const COMMAND_LOW: u64 = 0x000c_cfff;
const COMMAND_HIGH: u64 = 0xff00_0000 << 32;

impl LocalApic {
    /// Where in the registers `address` is; `None` if it is elsewhere or the
    /// mode is not xAPIC, so that the registers are nowhere.
    #[must_use]
    pub fn register_offset(&self, address: u64) -> Option<u16> {
        if self.mode() != Mode::Xapic {
            return None;
        }
        let offset = address.checked_sub(self.base.address())?;
        if offset < SIZE { Some(offset as u16) } else { None }
    }

    /// Reads the register at `offset`. Outside xAPIC mode nothing is there,
    /// which reads as all ones; a place without a register reads as zero.
    pub fn read_register(&mut self, offset: u16, now: Moment) -> u32 {
        if self.mode() != Mode::Xapic {
            return u32::MAX;
        }
        match self.register_at(offset) {
            Some(register) => self.read(register, now),
            None => 0,
        }
    }

    /// Writes the register at `offset`. Outside xAPIC mode nothing happens.
    /// What the write does elsewhere, if anything.
    pub fn write_register(&mut self, offset: u16, value: u32, now: Moment) -> Option<Outgoing> {
        if self.mode() != Mode::Xapic {
            return None;
        }
        let command = self.registers.command;
        match self.register_at(offset)? {
            Register::InterruptCommand => {
                let command = command & COMMAND_HIGH | u64::from(value) & COMMAND_LOW;
                self.registers.command = command;
                self.execute(Command::decode(command, Mode::Xapic, self.id()))
            }
            Register::InterruptCommandHigh => {
                let high = u64::from(value) << 32 & COMMAND_HIGH;
                self.registers.command = high | command & COMMAND_LOW;
                None
            }
            register => self.write(register, value, now),
        }
    }

    /// The register at `offset`; notes an error if there is none.
    fn register_at(&mut self, offset: u16) -> Option<Register> {
        let register = match u8::try_from(offset / 16) {
            Ok(number) if offset.is_multiple_of(16) => Register::from_number(number),
            _ => None,
        };
        match register {
            Some(register) if register != Register::SelfInterrupt => Some(register),
            _ => {
                self.record_error(ApicError::IllegalRegister);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
