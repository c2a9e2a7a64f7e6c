//! Interrupts that a local APIC raises for its own processor.
//!
//! [APM 24593 §16.4], [SDM 3A §11.5.1]
//!
//! | bits | |
//! |---|---|
//! | 18:17 | timer mode; timer only |
//! | 16 | masked |
//! | 15 | trigger; LINT0 and LINT1 only |
//! | 14 | remote IRR, read-only; LINT0 and LINT1 only |
//! | 13 | polarity; LINT0 and LINT1 only |
//! | 12 | delivery status, read-only |
//! | 10:8 | delivery mode; not timer and error |
//! | 7:0 | vector |

use crate::message::DeliveryMode;
use crate::timer::TimerMode;

const MASKED: u32 = 1 << 16;

/// A source of interrupts that the caller knows of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalSource {
    /// Pin LINT0: by custom, an 8259 interrupt controller.
    Lint0,
    /// Pin LINT1: by custom, NMI.
    Lint1,
    /// A performance counter overflowed.
    PerformanceCounter,
    /// A temperature threshold was crossed.
    Thermal,
}

impl LocalSource {
    pub(crate) const fn vector(self) -> LocalVector {
        match self {
            Self::Lint0 => LocalVector::Lint0,
            Self::Lint1 => LocalVector::Lint1,
            Self::PerformanceCounter => LocalVector::PerformanceCounter,
            Self::Thermal => LocalVector::Thermal,
        }
    }
}

/// The entries of the local vector table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum LocalVector {
    Timer,
    Thermal,
    PerformanceCounter,
    Lint0,
    Lint1,
    Error,
}

impl LocalVector {
    /// The number of entries.
    pub(crate) const COUNT: u8 = Self::Error as u8 + 1;

    pub(crate) const fn writable_bits(self) -> u32 {
        match self {
            Self::Timer => 0x7_00ff,
            Self::Thermal | Self::PerformanceCounter => 0x1_07ff,
            Self::Lint0 | Self::Lint1 => 0x1_a7ff,
            Self::Error => 0x1_00ff,
        }
    }

    pub(crate) const fn read_only_bits(self) -> u32 {
        match self {
            Self::Lint0 | Self::Lint1 => 1 << 14 | 1 << 12,
            _ => 1 << 12,
        }
    }
}

/// What an entry does when its source signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LocalInterrupt {
    pub(crate) delivery_mode: DeliveryMode,
    pub(crate) vector: u8,
}

/// The local vector table.
#[derive(Clone, Debug)]
pub(crate) struct LocalVectorTable {
    entries: [u32; LocalVector::COUNT as usize],
}

impl LocalVectorTable {
    /// The table after reset: all masked.
    pub(crate) const fn new() -> Self {
        Self { entries: [MASKED; LocalVector::COUNT as usize] }
    }

    pub(crate) const fn bits(&self, vector: LocalVector) -> u32 {
        self.entries[vector as usize]
    }

    /// Sets an entry's writable bits.
    pub(crate) fn write(&mut self, vector: LocalVector, value: u32) {
        self.entries[vector as usize] = value & vector.writable_bits();
    }

    /// Masks every entry.
    pub(crate) fn mask_all(&mut self) {
        for entry in &mut self.entries {
            *entry |= MASKED;
        }
    }

    pub(crate) const fn is_masked(&self, vector: LocalVector) -> bool {
        self.bits(vector) & MASKED != 0
    }

    /// What happens when the entry's source signals; `None` if it is masked or
    /// its delivery mode is none of those that an entry can have.
    pub(crate) const fn interrupt(&self, vector: LocalVector) -> Option<LocalInterrupt> {
        if self.is_masked(vector) {
            return None;
        }
        let bits = self.bits(vector);
        // Entries without a delivery mode have zero there: fixed.
        match DeliveryMode::from_bits_10_8(bits as u64) {
            None | Some(DeliveryMode::LowestPriority | DeliveryMode::Startup) => None,
            Some(delivery_mode) => Some(LocalInterrupt { delivery_mode, vector: bits as u8 }),
        }
    }

    /// What the timer does.
    pub(crate) const fn timer_mode(&self) -> TimerMode {
        TimerMode::from_bits(self.bits(LocalVector::Timer) >> 17)
    }
}
