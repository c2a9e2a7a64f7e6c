//! Control registers: CR0, CR4, EFER and RFLAGS.
//!
//! Bits without a name here are kept when a value comes from a register or a
//! save area (`from_bits_retain`): these types describe, they do not check.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::flag_names::show_flag_names;

/// CR0: paging, protection and the floating-point unit [APM 24593 §3.1.1].
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Cr0(u64);

bitflags::bitflags! {
    impl Cr0: u64 {
        /// Protected mode.
        const PE = 1 << 0;
        /// WAIT and FWAIT heed [`Self::TS`].
        const MP = 1 << 1;
        /// No floating-point unit: x87 and SSE instructions fault.
        const EM = 1 << 2;
        /// Task switched: the next x87 or SSE instruction faults.
        const TS = 1 << 3;
        /// Reads as one.
        const ET = 1 << 4;
        /// x87 errors are exceptions, not interrupts.
        const NE = 1 << 5;
        /// Supervisor mode heeds read-only pages.
        const WP = 1 << 16;
        /// Alignment checks are possible.
        const AM = 1 << 18;
        /// Ignored.
        const NW = 1 << 29;
        /// Caches are bypassed.
        const CD = 1 << 30;
        /// Paging.
        const PG = 1 << 31;
    }
}

/// CR4: processor extensions [APM 24593 §3.1.3].
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Cr4(u64);

bitflags::bitflags! {
    impl Cr4: u64 {
        /// Virtual-8086 mode extensions.
        const VME = 1 << 0;
        /// Virtual interrupts in protected mode.
        const PVI = 1 << 1;
        /// RDTSC is for supervisor mode only.
        const TSD = 1 << 2;
        /// DR4 and DR5 are reserved, not DR6 and DR7.
        const DE = 1 << 3;
        /// Pages of 4 MiB in page tables of two levels.
        const PSE = 1 << 4;
        /// Page-table entries of 64 bits; long mode needs it.
        const PAE = 1 << 5;
        /// Machine checks.
        const MCE = 1 << 6;
        /// Global pages.
        const PGE = 1 << 7;
        /// User mode may execute RDPMC.
        const PCE = 1 << 8;
        /// FXSAVE and FXRSTOR save SSE state; SSE instructions are enabled.
        const OSFXSR = 1 << 9;
        /// SSE errors are exceptions of their own (#XF).
        const OSXMMEXCPT = 1 << 10;
        /// SGDT, SIDT, SLDT, SMSW and STR are for supervisor mode only.
        const UMIP = 1 << 11;
        /// Five page-table levels.
        const LA57 = 1 << 12;
        /// User mode may read and write the bases of FS and GS.
        const FSGSBASE = 1 << 16;
        /// Process-context identifiers.
        const PCIDE = 1 << 17;
        /// XSAVE and the extended control registers.
        const OSXSAVE = 1 << 18;
        /// Supervisor mode does not execute user pages.
        const SMEP = 1 << 20;
        /// Supervisor mode does not access user pages unless RFLAGS.AC is set.
        const SMAP = 1 << 21;
        /// Protection keys.
        const PKE = 1 << 22;
        /// Shadow stacks.
        const CET = 1 << 23;
    }
}

/// EFER: the extended feature enable register [APM 24593 §3.1.7].
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Efer(u64);

bitflags::bitflags! {
    impl Efer: u64 {
        /// SYSCALL and SYSRET.
        const SCE = 1 << 0;
        /// Long mode is enabled.
        const LME = 1 << 8;
        /// Long mode is active: enabled, with paging on.
        const LMA = 1 << 10;
        /// The no-execute bit of page-table entries counts.
        const NXE = 1 << 11;
        /// Secure virtual machine; set in the VMSA of every processor that may
        /// run [APM 24593 §15.36].
        const SVME = 1 << 12;
    }
}

/// RFLAGS: status and control flags [APM 24593 §3.1.6].
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Rflags(u64);

bitflags::bitflags! {
    impl Rflags: u64 {
        /// Carry.
        const CF = 1 << 0;
        /// Always one.
        const FIXED = 1 << 1;
        /// Parity.
        const PF = 1 << 2;
        /// Auxiliary carry.
        const AF = 1 << 4;
        /// Zero.
        const ZF = 1 << 6;
        /// Sign.
        const SF = 1 << 7;
        /// Trap after each instruction.
        const TF = 1 << 8;
        /// Maskable interrupts are taken.
        const IF = 1 << 9;
        /// String instructions go downwards.
        const DF = 1 << 10;
        /// Overflow.
        const OF = 1 << 11;
        /// Both bits of the privilege level that port instructions need.
        const IOPL = 3 << 12;
        /// Nested task.
        const NT = 1 << 14;
        /// Resume: no instruction breakpoint at the next instruction.
        const RF = 1 << 16;
        /// Virtual-8086 mode.
        const VM = 1 << 17;
        /// Alignment check, and access to user pages under SMAP.
        const AC = 1 << 18;
        /// Virtual interrupt flag.
        const VIF = 1 << 19;
        /// Virtual interrupt pending.
        const VIP = 1 << 20;
        /// CPUID is supported.
        const ID = 1 << 21;
    }
}

show_flag_names!(Cr0, Cr4, Efer, Rflags);

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn values_the_manuals_give() {
        // Reset values of a processor, and the long-mode state that the boot
        // contract asks for.
        assert_eq!((Cr0::CD | Cr0::NW | Cr0::ET).bits(), 0x6000_0010);
        assert_eq!((Cr0::PG | Cr0::WP | Cr0::NE | Cr0::ET | Cr0::PE).bits(), 0x8001_0031);
        assert_eq!((Cr4::PAE | Cr4::MCE | Cr4::PGE).bits(), 0xe0);
        assert_eq!((Efer::NXE | Efer::LMA | Efer::LME | Efer::SVME).bits(), 0x1d00);
        assert_eq!((Rflags::FIXED | Rflags::IF | Rflags::IOPL).bits(), 0x3202);
    }

    #[test]
    fn unknown_bits_are_kept() {
        assert_eq!(Cr4::read_from_bytes(&[0xff; 8]).map(|cr4| cr4.bits()), Ok(u64::MAX));
    }

    #[test]
    fn flags_are_shown_by_name() {
        let efer = Efer::from_bits_retain(0x8_0d01);
        assert_eq!(efer.to_string(), "SCE | LME | LMA | NXE | 0x80000");
        assert_eq!(Rflags::empty().to_string(), "");
        assert_eq!(std::format!("{:?}", Cr0::PE | Cr0::PG), "Cr0(PE | PG)");
    }
}
