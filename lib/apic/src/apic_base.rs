//! The register that switches a local APIC on and says where it is.
//!
//! [APM 24593 §16.3.1], [SDM 3A §11.4.4 and §11.12.5]
//!
//! | bits | |
//! |---|---|
//! | 51:12 | address of the xAPIC's registers |
//! | 11, 10 | 00 disabled, 10 xAPIC, 11 x2APIC; 01 is invalid |
//! | 8 | this is the bootstrap processor; read-only |
//!
//! From memory: that a write to bit 8 has no effect.

use abi_x86::Msr;

use crate::general_protection::GeneralProtection;

/// Where the registers are after reset.
const RESET_ADDRESS: u64 = 0xfee0_0000;

const ADDRESS_MASK: u64 = 0x000f_ffff_ffff_f000;
const MODE_SHIFT: u32 = 10;
const MODE_MASK: u64 = 3 << MODE_SHIFT;
const BOOTSTRAP: u64 = 1 << 8;

/// How software reaches a local APIC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mode {
    /// Not at all: it takes part in nothing.
    Disabled = 0b00,
    /// By memory-mapped registers.
    Xapic = 0b10,
    /// By MSRs.
    X2apic = 0b11,
}

/// Which part a processor has when the machine starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessorRole {
    /// It starts first.
    Bootstrap,
    /// It waits to be started by another.
    Application,
}

/// IA32_APIC_BASE.
#[derive(Clone, Debug)]
pub(crate) struct ApicBase {
    role: ProcessorRole,
    mode: Mode,
    address: u64,
}

impl ApicBase {
    /// The register after reset: xAPIC mode.
    pub(crate) const fn new(role: ProcessorRole) -> Self {
        Self { role, mode: Mode::Xapic, address: RESET_ADDRESS }
    }

    pub(crate) const fn mode(&self) -> Mode {
        self.mode
    }

    pub(crate) const fn address(&self) -> u64 {
        self.address
    }

    /// The value that RDMSR returns.
    pub(crate) const fn bits(&self) -> u64 {
        let bootstrap = match self.role {
            ProcessorRole::Bootstrap => BOOTSTRAP,
            ProcessorRole::Application => 0,
        };
        self.address | (self.mode as u64) << MODE_SHIFT | bootstrap
    }

    /// WRMSR.
    ///
    /// # Errors
    ///
    /// Reserved bits are set, or the mode cannot change so: x2APIC is entered
    /// from xAPIC only, and left by disabling.
    pub(crate) fn write(&mut self, value: u64) -> Result<(), GeneralProtection> {
        let bits = value & !(ADDRESS_MASK | MODE_MASK | BOOTSTRAP);
        if bits != 0 {
            return Err(GeneralProtection::ReservedBits { msr: Msr::APIC_BASE, bits });
        }
        let to = (value >> MODE_SHIFT & 3) as u8;
        self.mode = match (self.mode, to) {
            (_, 0b00) => Mode::Disabled,
            (Mode::Disabled | Mode::Xapic, 0b10) => Mode::Xapic,
            (Mode::Xapic | Mode::X2apic, 0b11) => Mode::X2apic,
            (from, to) => return Err(GeneralProtection::ModeChange { from: from as u8, to }),
        };
        self.address = value & ADDRESS_MASK;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODES: [(u64, Option<Mode>); 4] = [
        (0x000, Some(Mode::Disabled)),
        (0x400, None),
        (0x800, Some(Mode::Xapic)),
        (0xc00, Some(Mode::X2apic)),
    ];

    /// A register in `mode`.
    fn in_mode(mode: Mode) -> ApicBase {
        ApicBase { mode, ..ApicBase::new(ProcessorRole::Application) }
    }

    #[test]
    fn after_reset() {
        assert_eq!(ApicBase::new(ProcessorRole::Bootstrap).bits(), 0xfee0_0900);
        assert_eq!(ApicBase::new(ProcessorRole::Application).bits(), 0xfee0_0800);
    }

    #[test]
    fn legal_changes_of_mode() {
        for (from, allowed) in [
            (Mode::Disabled, [true, false, true, false]),
            (Mode::Xapic, [true, false, true, true]),
            (Mode::X2apic, [true, false, false, true]),
        ] {
            for ((bits, mode), allowed) in MODES.into_iter().zip(allowed) {
                let mut base = in_mode(from);
                let result = base.write(0xfee0_0000 | bits);
                assert_eq!(result.is_ok(), allowed, "{from:?} to {mode:?}");
                assert_eq!(Some(base.mode()), if allowed { mode } else { Some(from) });
            }
        }
        let refused = GeneralProtection::ModeChange { from: 0b11, to: 0b10 };
        assert_eq!(in_mode(Mode::X2apic).write(0xfee0_0800), Err(refused));
    }

    #[test]
    fn reserved_bits_are_refused() {
        for bit in [0, 7, 9, 52, 63] {
            let mut base = in_mode(Mode::Xapic);
            let bits = 1 << bit;
            let refused = GeneralProtection::ReservedBits { msr: Msr::APIC_BASE, bits };
            assert_eq!(base.write(0xfee0_0c00 | bits), Err(refused));
            assert_eq!(base.bits(), 0xfee0_0800);
        }
    }

    #[test]
    fn address_moves_and_role_stays() {
        let mut base = in_mode(Mode::Xapic);
        base.write(0x000f_ffff_ffff_f900).unwrap();
        assert_eq!((base.address(), base.bits()), (ADDRESS_MASK, 0x000f_ffff_ffff_f800));
    }
}
