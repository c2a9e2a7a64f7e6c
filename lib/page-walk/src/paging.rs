//! The registers that say how addresses are translated.

use abi_x86::{Cr0, Cr4, Efer, Level};

use crate::physical_addresses::PhysicalAddresses;

/// A processor's state as far as paging depends on it. All values are as the
/// registers hold them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging {
    /// CR0: paging at all, write protection.
    pub cr0: Cr0,
    /// CR3: the root, with the C-bit in long mode.
    pub cr3: u64,
    /// CR4: the kind of paging, SMEP and SMAP.
    pub cr4: Cr4,
    /// EFER: long mode, no-execute.
    pub efer: Efer,
    /// The format of physical addresses.
    pub physical_addresses: PhysicalAddresses,
}

/// The kinds of paging [APM 24593 §5.2, figure 5-1].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Linear addresses are physical.
    Off,
    /// Two levels with entries of 32 bits.
    TwoLevels,
    /// Three levels with entries of 64 bits, the top one with four entries.
    Pae,
    /// Long mode, from this level down.
    Long(Level),
}

impl Paging {
    /// CR4.PSE: pages of 4 MiB with entries of 32 bits.
    pub(crate) const PSE: Cr4 = Cr4::from_bits_retain(1 << 4);

    pub(crate) const fn kind(&self) -> Kind {
        if !self.cr0.contains(Cr0::PG) {
            Kind::Off
        } else if self.efer.contains(Efer::LMA) {
            let has_five = self.cr4.contains(Cr4::LA57);
            Kind::Long(if has_five { Level::Pml5 } else { Level::Pml4 })
        } else if self.cr4.contains(Cr4::PAE) {
            Kind::Pae
        } else {
            Kind::TwoLevels
        }
    }

    /// Whether the no-execute bit of entries counts.
    pub(crate) const fn has_no_execute(&self) -> bool {
        self.efer.contains(Efer::NXE) && !matches!(self.kind(), Kind::Off | Kind::TwoLevels)
    }
}
