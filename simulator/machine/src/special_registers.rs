//! Model-specific registers that the hypervisor answers for.
//!
//! What a guest reads and writes by asking (event `MSR` of the GHCB protocol),
//! apart from the interrupt controllers' registers: those of memory types,
//! machine checks, and of the processor model, which a guest's kernel looks at
//! because CPUID calls this an AMD processor. Registers that the processor
//! itself switches with the save area never get here.

use alloc::collections::BTreeMap;

use abi_x86::Msr;

use crate::ghcb::GeneralProtection;

/// What a register is to a guest.
enum Register {
    /// It always has this value, and writing it is #GP.
    Constant(u64),
    /// It always has this value, and what is written is lost.
    Unchangeable(u64),
    /// It keeps what is written, within these bits, and starts with 0.
    Kept(u64),
    /// It keeps what is written, within these bits, and starts with this.
    Starts(u64, u64),
}

/// The registers of one processor.
#[derive(Clone, Debug, Default)]
pub struct SpecialRegisters {
    /// What was written to those that keep it.
    kept: BTreeMap<u32, u64>,
}

/// Bits that memory type registers may have: 52 address bits, type, valid.
const MEMORY_RANGE: u64 = 0x000f_ffff_ffff_ffff;
/// A value of fixed-range memory type registers: eight types, all bits used.
const ALL: u64 = u64::MAX;

/// What there is [APM 24593 appendix A], with the values that KVM gives its
/// guests where the manual leaves them to the processor.
fn register(number: u32) -> Option<Register> {
    Some(match number {
        // Microcode patch level.
        0x8b => Register::Unchangeable(0x0a00_11d1),
        // MTRRCap: eight ranges, fixed ranges, write-combining.
        0xfe => Register::Constant(0x508),
        // Memory types: variable ranges, fixed ranges, default.
        0x200..=0x20f => Register::Kept(MEMORY_RANGE),
        0x250 | 0x258 | 0x259 | 0x268..=0x26f => Register::Kept(ALL),
        // Enabled, write-back.
        0x2ff => Register::Starts(0xc06, 0xcff),
        // Machine checks: no banks.
        0x179 => Register::Constant(0),
        0x17a => Register::Kept(0b111),
        // DebugCtl without virtualised branch records.
        0x1d9 => Register::Unchangeable(0),
        // Performance counters: not offered, but kernels probe them.
        0xc001_0000..=0xc001_0007 => Register::Unchangeable(0),
        // SYSCFG: encryption is not the guest's to switch.
        0xc001_0010 => Register::Unchangeable(0),
        // HWCR: the time stamp counter runs at the frequency of P0.
        0xc001_0015 => Register::Unchangeable(1 << 24),
        // NB_CFG, interrupt pending, MMIO configuration base.
        0xc001_001f | 0xc001_0055 | 0xc001_0058 => Register::Unchangeable(0),
        // P-states: none.
        0xc001_0061..=0xc001_006b => Register::Unchangeable(0),
        // OS-visible workarounds: none.
        0xc001_0140 | 0xc001_0141 => Register::Constant(0),
        // Power units.
        0xc001_0299..=0xc001_029b => Register::Constant(0),
        // LS_CFG, IC_CFG, DC_CFG, BU_CFG2.
        0xc001_1020 | 0xc001_1021 | 0xc001_1022 | 0xc001_102a => Register::Unchangeable(0),
        // DE_CFG: LFENCE serialises.
        0xc001_1029 => Register::Unchangeable(0b10),
        _ => return None,
    })
}

impl SpecialRegisters {
    /// Reads a register.
    ///
    /// # Errors
    ///
    /// There is none of this number.
    pub fn read(&self, msr: Msr) -> Result<u64, GeneralProtection> {
        match register(msr.0).ok_or(GeneralProtection)? {
            Register::Constant(value) | Register::Unchangeable(value) => Ok(value),
            Register::Kept(_) => Ok(self.kept.get(&msr.0).copied().unwrap_or(0)),
            Register::Starts(value, _) => Ok(self.kept.get(&msr.0).copied().unwrap_or(value)),
        }
    }

    /// Writes a register.
    ///
    /// # Errors
    ///
    /// There is none of this number, or the value has bits that it lacks.
    pub fn write(&mut self, msr: Msr, value: u64) -> Result<(), GeneralProtection> {
        match register(msr.0).ok_or(GeneralProtection)? {
            Register::Constant(_) => Err(GeneralProtection),
            Register::Unchangeable(_) => Ok(()),
            Register::Kept(bits) | Register::Starts(_, bits) if value & !bits == 0 => {
                self.kept.insert(msr.0, value);
                Ok(())
            }
            Register::Kept(_) | Register::Starts(..) => Err(GeneralProtection),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT_TYPE: Msr = Msr(0x2ff);
    const CAPABILITIES: Msr = Msr(0xfe);
    const SYSTEM: Msr = Msr(0xc001_0010);

    #[test]
    fn registers_keep_what_fits() {
        let mut registers = SpecialRegisters::default();
        assert_eq!(registers.read(DEFAULT_TYPE), Ok(0xc06));
        assert_eq!(registers.write(DEFAULT_TYPE, 0x800), Ok(()));
        assert_eq!(registers.read(DEFAULT_TYPE), Ok(0x800));
        assert_eq!(registers.write(DEFAULT_TYPE, 0x1000), Err(GeneralProtection));
        assert_eq!(registers.read(DEFAULT_TYPE), Ok(0x800));
        assert_eq!(registers.read(Msr(0x200)), Ok(0));
        assert_eq!(registers.write(Msr(0x200), 1 << 60), Err(GeneralProtection));
    }

    #[test]
    fn constants_stay() {
        let mut registers = SpecialRegisters::default();
        assert_eq!(registers.write(CAPABILITIES, 0), Err(GeneralProtection));
        assert_eq!(registers.read(CAPABILITIES), Ok(0x508));
        assert_eq!(registers.write(SYSTEM, u64::MAX), Ok(()));
        assert_eq!(registers.read(SYSTEM), Ok(0));
    }

    #[test]
    fn there_is_nothing_else() {
        let mut registers = SpecialRegisters::default();
        for number in [0, 0x10, 0x4b56_4d00, 0xc000_0080, 0xc001_0130, u32::MAX] {
            assert_eq!(registers.read(Msr(number)), Err(GeneralProtection), "{number:#x}");
            assert_eq!(registers.write(Msr(number), 0), Err(GeneralProtection), "{number:#x}");
        }
    }
}
