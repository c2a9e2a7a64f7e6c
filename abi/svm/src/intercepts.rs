//! Intercepts: what makes a guest exit.
//!
//! Bits of the control area's intercept vectors [APM 24593 appendix B, table
//! B-1]; what each stands for: [APM 24593 §15.8 to §15.13].

use abi_x86::ExceptionVector;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Intercepted exceptions: bit `n` is vector `n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct ExceptionIntercepts(pub u32);

impl ExceptionIntercepts {
    /// No exception.
    pub const NONE: Self = Self(0);

    /// These exceptions; vectors above 31 are none and are left out.
    #[must_use]
    pub fn of(vectors: &[ExceptionVector]) -> Self {
        let bit = |vector: &ExceptionVector| 1_u32.checked_shl(vector.0.into()).unwrap_or(0);
        Self(vectors.iter().map(bit).fold(0, |all, bit| all | bit))
    }
}

/// Intercepted events and instructions, offset 0x00c of the control area.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct EventIntercepts(u32);

bitflags::bitflags! {
    impl EventIntercepts: u32 {
        /// A physical maskable interrupt.
        const INTR = 1 << 0;
        /// A physical non-maskable interrupt.
        const NMI = 1 << 1;
        /// A system management interrupt.
        const SMI = 1 << 2;
        /// INIT.
        const INIT = 1 << 3;
        /// The guest can take a virtual interrupt now.
        const VINTR = 1 << 4;
        /// Writes to CR0 that change more than TS and MP.
        const CR0_SELECTIVE_WRITE = 1 << 5;
        /// SIDT.
        const IDTR_READ = 1 << 6;
        /// SGDT.
        const GDTR_READ = 1 << 7;
        /// SLDT.
        const LDTR_READ = 1 << 8;
        /// STR.
        const TR_READ = 1 << 9;
        /// LIDT.
        const IDTR_WRITE = 1 << 10;
        /// LGDT.
        const GDTR_WRITE = 1 << 11;
        /// LLDT.
        const LDTR_WRITE = 1 << 12;
        /// LTR.
        const TR_WRITE = 1 << 13;
        /// RDTSC.
        const RDTSC = 1 << 14;
        /// RDPMC.
        const RDPMC = 1 << 15;
        /// PUSHF.
        const PUSHF = 1 << 16;
        /// POPF.
        const POPF = 1 << 17;
        /// CPUID.
        const CPUID = 1 << 18;
        /// RSM.
        const RSM = 1 << 19;
        /// IRET.
        const IRET = 1 << 20;
        /// INT n.
        const SOFTWARE_INTERRUPT = 1 << 21;
        /// INVD.
        const INVD = 1 << 22;
        /// PAUSE.
        const PAUSE = 1 << 23;
        /// HLT.
        const HLT = 1 << 24;
        /// INVLPG.
        const INVLPG = 1 << 25;
        /// INVLPGA.
        const INVLPGA = 1 << 26;
        /// Ports that the [map](crate::permission_map) names.
        const IO = 1 << 27;
        /// RDMSR and WRMSR of registers that the
        /// [map](crate::permission_map) names.
        const MSR = 1 << 28;
        /// A task switch.
        const TASK_SWITCH = 1 << 29;
        /// The processor freezes for a floating-point error.
        const FERR_FREEZE = 1 << 30;
        /// Shutdown, after a triple fault for instance.
        const SHUTDOWN = 1 << 31;
    }
}

/// Intercepted instructions, offset 0x010 of the control area.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct InstructionIntercepts(u32);

bitflags::bitflags! {
    impl InstructionIntercepts: u32 {
        /// VMRUN; VMRUN itself refuses a guest for which this is clear.
        const VMRUN = 1 << 0;
        /// VMMCALL.
        const VMMCALL = 1 << 1;
        /// VMLOAD.
        const VMLOAD = 1 << 2;
        /// VMSAVE.
        const VMSAVE = 1 << 3;
        /// STGI.
        const STGI = 1 << 4;
        /// CLGI.
        const CLGI = 1 << 5;
        /// SKINIT.
        const SKINIT = 1 << 6;
        /// RDTSCP.
        const RDTSCP = 1 << 7;
        /// ICEBP (opcode F1).
        const ICEBP = 1 << 8;
        /// WBINVD and WBNOINVD.
        const WBINVD = 1 << 9;
        /// MONITOR.
        const MONITOR = 1 << 10;
        /// MWAIT.
        const MWAIT = 1 << 11;
        /// MWAIT while the monitor is armed.
        const MWAIT_ARMED = 1 << 12;
        /// XSETBV.
        const XSETBV = 1 << 13;
        /// RDPRU.
        const RDPRU = 1 << 14;
        /// Writes to EFER, after they happened.
        const EFER_WRITE_TRAP = 1 << 15;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_by_vector() {
        let both = [ExceptionVector::INVALID_OPCODE, ExceptionVector::VMM_COMMUNICATION];
        assert_eq!(ExceptionIntercepts::of(&both).0, 0x2000_0040);
        assert_eq!(ExceptionIntercepts::of(&[ExceptionVector(32), ExceptionVector(255)]).0, 0);
        assert_eq!(ExceptionIntercepts::of(&[]), ExceptionIntercepts::NONE);
    }

    #[test]
    fn bits_the_manual_gives() {
        let used = EventIntercepts::CPUID | EventIntercepts::IO | EventIntercepts::MSR;
        assert_eq!(used.bits(), 0x1804_0000);
        assert_eq!((EventIntercepts::HLT | EventIntercepts::SHUTDOWN).bits(), 0x8100_0000);
        let svm = InstructionIntercepts::VMRUN | InstructionIntercepts::VMMCALL;
        assert_eq!((svm | InstructionIntercepts::WBINVD).bits(), 0x203);
    }
}
