//! What CPUID leaves in the registers.

use core::fmt;

use abi_snp::CpuidEntry;

/// The four registers after CPUID.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// EAX.
    pub eax: u32,
    /// EBX.
    pub ebx: u32,
    /// ECX.
    pub ecx: u32,
    /// EDX.
    pub edx: u32,
}

/// One of the registers of an [`Answer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerRegister {
    /// EAX.
    Eax,
    /// EBX.
    Ebx,
    /// ECX.
    Ecx,
    /// EDX.
    Edx,
}

impl Answer {
    /// What AMD processors say about leaves that they do not have.
    pub const ZERO: Self = Self { eax: 0, ebx: 0, ecx: 0, edx: 0 };

    pub(crate) const fn of_entry(entry: &CpuidEntry) -> Self {
        Self { eax: entry.eax, ebx: entry.ebx, ecx: entry.ecx, edx: entry.edx }
    }

    /// The value of `register`.
    #[must_use]
    pub const fn register(&self, register: AnswerRegister) -> u32 {
        match register {
            AnswerRegister::Eax => self.eax,
            AnswerRegister::Ebx => self.ebx,
            AnswerRegister::Ecx => self.ecx,
            AnswerRegister::Edx => self.edx,
        }
    }

    pub(crate) const fn clear(&mut self, register: AnswerRegister, bits: u32) {
        match register {
            AnswerRegister::Eax => self.eax &= !bits,
            AnswerRegister::Ebx => self.ebx &= !bits,
            AnswerRegister::Ecx => self.ecx &= !bits,
            AnswerRegister::Edx => self.edx &= !bits,
        }
    }
}

impl fmt::Display for AnswerRegister {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Eax => "EAX",
            Self::Ebx => "EBX",
            Self::Ecx => "ECX",
            Self::Edx => "EDX",
        })
    }
}
