//! Why a guest stopped.

use core::fmt;

use abi_x86::ExceptionVector;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Open enumeration of exit codes [APM 24593 appendix C]. SEV-ES and SEV-SNP
/// guests get the same numbers as error code of #VC and pass them on in the
/// GHCB.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(transparent)]
pub struct ExitCode(pub u64);

/// Defines the codes that have a name, and their names in words.
macro_rules! exit_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $words:literal;)*) => {
        impl ExitCode {
            $($(#[$doc])* pub const $name: Self = Self($code);)*

            /// The code's name in words, if it stands for one thing only.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some($words),)*
                    _ => None,
                }
            }
        }
    };
}

exit_codes! {
    /// A physical maskable interrupt.
    INTR = 0x60, "INTR";
    /// A physical non-maskable interrupt.
    NMI = 0x61, "NMI";
    /// A system management interrupt.
    SMI = 0x62, "SMI";
    /// INIT.
    INIT = 0x63, "INIT";
    /// The guest can take a virtual interrupt now.
    VINTR = 0x64, "VINTR";
    /// A write to CR0 that changes more than TS and MP.
    CR0_SELECTIVE_WRITE = 0x65, "selective CR0 write";
    /// SIDT.
    IDTR_READ = 0x66, "SIDT";
    /// SGDT.
    GDTR_READ = 0x67, "SGDT";
    /// SLDT.
    LDTR_READ = 0x68, "SLDT";
    /// STR.
    TR_READ = 0x69, "STR";
    /// LIDT.
    IDTR_WRITE = 0x6a, "LIDT";
    /// LGDT.
    GDTR_WRITE = 0x6b, "LGDT";
    /// LLDT.
    LDTR_WRITE = 0x6c, "LLDT";
    /// LTR.
    TR_WRITE = 0x6d, "LTR";
    /// RDTSC.
    RDTSC = 0x6e, "RDTSC";
    /// RDPMC.
    RDPMC = 0x6f, "RDPMC";
    /// PUSHF.
    PUSHF = 0x70, "PUSHF";
    /// POPF.
    POPF = 0x71, "POPF";
    /// CPUID.
    CPUID = 0x72, "CPUID";
    /// RSM.
    RSM = 0x73, "RSM";
    /// IRET.
    IRET = 0x74, "IRET";
    /// INT n.
    SOFTWARE_INTERRUPT = 0x75, "INT n";
    /// INVD.
    INVD = 0x76, "INVD";
    /// PAUSE.
    PAUSE = 0x77, "PAUSE";
    /// HLT.
    HLT = 0x78, "HLT";
    /// INVLPG.
    INVLPG = 0x79, "INVLPG";
    /// INVLPGA.
    INVLPGA = 0x7a, "INVLPGA";
    /// A port access: see [`IoExit`](crate::IoExit).
    IO = 0x7b, "port I/O";
    /// RDMSR (first word of details 0) or WRMSR (1).
    MSR = 0x7c, "RDMSR or WRMSR";
    /// A task switch.
    TASK_SWITCH = 0x7d, "task switch";
    /// The processor froze for a floating-point error.
    FERR_FREEZE = 0x7e, "FERR freeze";
    /// Shutdown, after a triple fault for instance.
    SHUTDOWN = 0x7f, "shutdown";
    /// VMRUN.
    VMRUN = 0x80, "VMRUN";
    /// VMMCALL.
    VMMCALL = 0x81, "VMMCALL";
    /// VMLOAD.
    VMLOAD = 0x82, "VMLOAD";
    /// VMSAVE.
    VMSAVE = 0x83, "VMSAVE";
    /// STGI.
    STGI = 0x84, "STGI";
    /// CLGI.
    CLGI = 0x85, "CLGI";
    /// SKINIT.
    SKINIT = 0x86, "SKINIT";
    /// RDTSCP.
    RDTSCP = 0x87, "RDTSCP";
    /// ICEBP.
    ICEBP = 0x88, "ICEBP";
    /// WBINVD or WBNOINVD.
    WBINVD = 0x89, "WBINVD";
    /// MONITOR.
    MONITOR = 0x8a, "MONITOR";
    /// MWAIT.
    MWAIT = 0x8b, "MWAIT";
    /// MWAIT while the monitor is armed.
    MWAIT_ARMED = 0x8c, "MWAIT, armed";
    /// XSETBV.
    XSETBV = 0x8d, "XSETBV";
    /// RDPRU.
    RDPRU = 0x8e, "RDPRU";
    /// EFER was written.
    EFER_WRITE_TRAP = 0x8f, "EFER written";
    /// INVLPGB.
    INVLPGB = 0xa0, "INVLPGB";
    /// INVPCID.
    INVPCID = 0xa2, "INVPCID";
    /// TLBSYNC.
    TLBSYNC = 0xa4, "TLBSYNC";
    /// Nested page fault: see [`NestedFault`](crate::NestedFault).
    NESTED_PAGE_FAULT = 0x400, "nested page fault";
    /// VMGEXIT of a guest whose registers are encrypted.
    VMGEXIT = 0x403, "VMGEXIT";
    /// VMRUN refused the guest's state.
    INVALID = 0xffff_ffff_ffff_ffff, "invalid state";
    /// [`Self::INVALID`] as an emulator reports it that keeps 32 bits of exit
    /// codes.
    INVALID_32 = 0xffff_ffff, "invalid state";
}

impl ExitCode {
    const EXCEPTIONS: u64 = 0x40;

    /// The code of an exit for an intercepted exception; `None` for vectors
    /// above 31.
    #[must_use]
    pub const fn of_exception(vector: ExceptionVector) -> Option<Self> {
        if vector.0 < 32 { Some(Self(Self::EXCEPTIONS + vector.0 as u64)) } else { None }
    }

    /// The exception whose intercept this code stands for, if it is one.
    #[must_use]
    pub fn exception(self) -> Option<ExceptionVector> {
        let vector = self.0.checked_sub(Self::EXCEPTIONS).filter(|vector| *vector < 32)?;
        u8::try_from(vector).ok().map(ExceptionVector)
    }

    /// The code of an exit for an intercepted read of CR`number`; `None` above
    /// 15.
    #[must_use]
    pub const fn of_cr_read(number: u8) -> Option<Self> {
        if number < 16 { Some(Self(number as u64)) } else { None }
    }

    /// The code of an exit for an intercepted write to CR`number`; `None` above
    /// 15.
    #[must_use]
    pub const fn of_cr_write(number: u8) -> Option<Self> {
        if number < 16 { Some(Self(0x10 + number as u64)) } else { None }
    }

    /// Whether VMRUN refused the guest's state. The VMCB's content is not to be
    /// relied on then.
    #[must_use]
    pub const fn is_invalid(self) -> bool {
        matches!(self, Self::INVALID | Self::INVALID_32)
    }
}

impl fmt::Display for ExitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = self.name() {
            return f.write_str(name);
        }
        if let Some(vector) = self.exception() {
            return write!(f, "{vector}");
        }
        let number = self.0 & 0xf;
        match self.0 {
            0x00..=0x0f => write!(f, "CR{number} read"),
            0x10..=0x1f => write!(f, "CR{number} write"),
            0x20..=0x2f => write!(f, "DR{number} read"),
            0x30..=0x3f => write!(f, "DR{number} write"),
            0x90..=0x9f => write!(f, "CR{number} written"),
            code => write!(f, "exit code {code:#x}"),
        }
    }
}

impl fmt::Debug for ExitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x} ({self})", self.0)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn codes_in_words() {
        for (code, words) in [
            (0x04, "CR4 read"),
            (0x13, "CR3 write"),
            (0x27, "DR7 read"),
            (0x37, "DR7 write"),
            (0x46, "#UD invalid opcode"),
            (0x5d, "#VC VMM communication"),
            (0x60, "INTR"),
            (0x72, "CPUID"),
            (0x94, "CR4 written"),
            (0x400, "nested page fault"),
            (0x401, "exit code 0x401"),
            (0xffff_ffff, "invalid state"),
            (u64::MAX, "invalid state"),
        ] {
            assert_eq!(ExitCode(code).to_string(), words, "{code:#x}");
        }
    }

    #[test]
    fn exceptions_there_and_back() {
        for vector in 0..=u8::MAX {
            let code = ExitCode::of_exception(ExceptionVector(vector));
            assert_eq!(code.is_some(), vector < 32);
            assert_eq!(code.and_then(ExitCode::exception).is_some(), vector < 32);
        }
        assert_eq!(ExitCode(0x3f).exception(), None);
        assert_eq!(ExitCode(0x60).exception(), None);
        assert_eq!(ExitCode::of_exception(ExceptionVector(6)), Some(ExitCode(0x46)));
    }

    #[test]
    fn control_registers() {
        assert_eq!(ExitCode::of_cr_read(8), Some(ExitCode(8)));
        assert_eq!(ExitCode::of_cr_write(3), Some(ExitCode(0x13)));
        assert_eq!((ExitCode::of_cr_read(16), ExitCode::of_cr_write(16)), (None, None));
    }
}
