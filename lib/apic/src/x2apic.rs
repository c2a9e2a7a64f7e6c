//! The local APIC's registers as MSRs.
//!
//! The base register and the timer's deadline are MSRs in every mode; the
//! others, from 0x800 to 0x8ff, in x2APIC mode only [SDM 3A §11.12.1].

use abi_x86::Msr;

use crate::apic_base::Mode;
use crate::general_protection::GeneralProtection;
use crate::interrupt_command::Command;
use crate::local_apic::{LocalApic, Outgoing};
use crate::moment::Moment;
use crate::register::{Access, Register};

/// The timer's deadline, as a time stamp [SDM 3A §11.5.4.1].
pub const TSC_DEADLINE: Msr = Msr(0x6e0);

/// The interrupt command's delivery status, which software cannot set.
const DELIVERY_STATUS: u64 = 1 << 12;

impl LocalApic {
    /// Whether the MSR is one of a local APIC, in whatever mode.
    #[must_use]
    pub const fn has_msr(msr: Msr) -> bool {
        matches!(msr.0, 0x1b | 0x6e0 | 0x800..=0x8ff)
    }

    /// RDMSR.
    ///
    /// # Errors
    ///
    /// #GP: see [`GeneralProtection`].
    pub fn read_msr(&mut self, msr: Msr, now: Moment) -> Result<u64, GeneralProtection> {
        match msr {
            Msr::APIC_BASE => return Ok(self.base.bits()),
            TSC_DEADLINE => {
                self.advance(now);
                return Ok(self.registers.timer.deadline());
            }
            _ => {}
        }
        match self.register_of(msr)? {
            (_, Access::WriteOnly) => Err(GeneralProtection::WriteOnly(msr)),
            (Register::InterruptCommand, _) => Ok(self.registers.command),
            (register, _) => Ok(self.read(register, now).into()),
        }
    }

    /// WRMSR. What the write does elsewhere, if anything.
    ///
    /// # Errors
    ///
    /// #GP: see [`GeneralProtection`]. Nothing has changed then.
    pub fn write_msr(
        &mut self,
        msr: Msr,
        value: u64,
        now: Moment,
    ) -> Result<Option<Outgoing>, GeneralProtection> {
        match msr {
            Msr::APIC_BASE => return self.write_base(value).map(|()| None),
            TSC_DEADLINE => {
                self.advance(now);
                self.registers.timer.set_deadline(value);
                // It may have passed already.
                self.advance(now);
                return Ok(None);
            }
            _ => {}
        }
        let (register, access) = self.register_of(msr)?;
        if access == Access::ReadOnly {
            return Err(GeneralProtection::ReadOnly(msr));
        }
        let bits = value & !register.x2apic_bits();
        if bits != 0 {
            return Err(GeneralProtection::ReservedBits { msr, bits });
        }
        Ok(match register {
            Register::InterruptCommand => {
                let command = value & !DELIVERY_STATUS;
                self.registers.command = command;
                self.execute(Command::decode(command, Mode::X2apic, self.id()))
            }
            Register::SelfInterrupt => self.execute(Command::own(value as u8)),
            register => self.write(register, value as u32, now),
        })
    }

    fn register_of(&self, msr: Msr) -> Result<(Register, Access), GeneralProtection> {
        let no_such_register = GeneralProtection::NoSuchRegister(msr);
        let number = match msr.0 {
            0x800..=0x8ff => msr.0 as u8,
            _ => return Err(no_such_register),
        };
        if self.mode() != Mode::X2apic {
            return Err(GeneralProtection::NotInX2apicMode(msr));
        }
        let register = Register::from_number(number).ok_or(no_such_register)?;
        let access = register.x2apic_access().ok_or(no_such_register)?;
        Ok((register, access))
    }
}

#[cfg(test)]
mod tests;
