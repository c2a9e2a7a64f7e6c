//! The local APIC's registers and who may touch them.
//!
//! A register has the same number in both modes: its offset in memory is 16
//! times the number, its MSR 0x800 plus the number [SDM 3A §11.4.1, table
//! 11-1, and §11.12.1.2, table 11-6].

use crate::local_vector::LocalVector;

/// What software may do with a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    ReadOnly,
    WriteOnly,
    ReadWrite,
}

/// Registers; those of 256 bits have eight numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Register {
    Id,
    Version,
    TaskPriority,
    ProcessorPriority,
    EndOfInterrupt,
    LogicalDestination,
    /// In memory only.
    DestinationFormat,
    SpuriousVector,
    /// One of eight words.
    InService(u8),
    /// One of eight words.
    TriggerMode(u8),
    /// One of eight words.
    InterruptRequest(u8),
    ErrorStatus,
    /// All of it as an MSR, its low half in memory.
    InterruptCommand,
    /// In memory only.
    InterruptCommandHigh,
    Local(LocalVector),
    InitialCount,
    CurrentCount,
    DivideConfiguration,
    /// As an MSR only.
    SelfInterrupt,
}

impl Register {
    /// The register with this number; `None` if there is none in either mode.
    pub(crate) const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0x02 => Self::Id,
            0x03 => Self::Version,
            0x08 => Self::TaskPriority,
            0x0a => Self::ProcessorPriority,
            0x0b => Self::EndOfInterrupt,
            0x0d => Self::LogicalDestination,
            0x0e => Self::DestinationFormat,
            0x0f => Self::SpuriousVector,
            0x10..=0x17 => Self::InService(number - 0x10),
            0x18..=0x1f => Self::TriggerMode(number - 0x18),
            0x20..=0x27 => Self::InterruptRequest(number - 0x20),
            0x28 => Self::ErrorStatus,
            0x30 => Self::InterruptCommand,
            0x31 => Self::InterruptCommandHigh,
            0x32 => Self::Local(LocalVector::Timer),
            0x33 => Self::Local(LocalVector::Thermal),
            0x34 => Self::Local(LocalVector::PerformanceCounter),
            0x35 => Self::Local(LocalVector::Lint0),
            0x36 => Self::Local(LocalVector::Lint1),
            0x37 => Self::Local(LocalVector::Error),
            0x38 => Self::InitialCount,
            0x39 => Self::CurrentCount,
            0x3e => Self::DivideConfiguration,
            0x3f => Self::SelfInterrupt,
            _ => return None,
        })
    }

    /// What software may do with the register as an MSR; `None` if it is none.
    pub(crate) const fn x2apic_access(self) -> Option<Access> {
        Some(match self {
            Self::Id
            | Self::Version
            | Self::ProcessorPriority
            | Self::LogicalDestination
            | Self::InService(_)
            | Self::TriggerMode(_)
            | Self::InterruptRequest(_)
            | Self::CurrentCount => Access::ReadOnly,
            Self::EndOfInterrupt | Self::SelfInterrupt => Access::WriteOnly,
            Self::TaskPriority
            | Self::SpuriousVector
            | Self::ErrorStatus
            | Self::InterruptCommand
            | Self::Local(_)
            | Self::InitialCount
            | Self::DivideConfiguration => Access::ReadWrite,
            Self::DestinationFormat | Self::InterruptCommandHigh => return None,
        })
    }

    /// The bits that WRMSR may set without #GP.
    ///
    /// From memory: that the read-only bits of the interrupt command and the
    /// local vectors (delivery status, remote IRR) are among them, and ignored.
    pub(crate) const fn x2apic_bits(self) -> u64 {
        match self {
            Self::TaskPriority | Self::SelfInterrupt => 0xff,
            Self::SpuriousVector => 0x3ff,
            // Destination; shorthand; trigger, level; status, modes, vector.
            Self::InterruptCommand => 0xffff_ffff_000c_dfff,
            Self::Local(vector) => (vector.writable_bits() | vector.read_only_bits()) as u64,
            Self::InitialCount => 0xffff_ffff,
            Self::DivideConfiguration => 0b1011,
            // Only zero may be written.
            Self::EndOfInterrupt | Self::ErrorStatus => 0,
            Self::Id
            | Self::Version
            | Self::ProcessorPriority
            | Self::LogicalDestination
            | Self::DestinationFormat
            | Self::InService(_)
            | Self::TriggerMode(_)
            | Self::InterruptRequest(_)
            | Self::InterruptCommandHigh
            | Self::CurrentCount => 0,
        }
    }
}
