//! What the processor says of itself.
//!
//! On SEV-SNP from the CPUID page, as far as it adds up; elsewhere by the
//! instruction.

pub use cpuid_table::Answer;

use crate::platform::current;

/// What CPUID says to this processor for `leaf` in EAX and `subleaf` in ECX.
#[must_use]
pub fn query(leaf: u32, subleaf: u32) -> Answer {
    current().cpuid(leaf, subleaf)
}
