//! Which processor a report comes from.

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Family, model and stepping as CPUID leaf 1 gives them, the extended parts
/// added [SNP ABI 56860 §7.3, `CPUID_FAM_ID`, `CPUID_MOD_ID`, `CPUID_STEP`].
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct ProcessorModel {
    /// The family: 0x19 for Milan and Genoa, 0x1a for Turin.
    pub family: u8,
    /// The model within the family.
    pub model: u8,
    /// The stepping within the model.
    pub stepping: u8,
}

impl fmt::Display for ProcessorModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { family, model, stepping } = self;
        write!(f, "family {family:#x}, model {model:#x}, stepping {stepping:#x}")
    }
}
