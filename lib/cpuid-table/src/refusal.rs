//! Why a CPUID page cannot be used at all.

use abi_snp::CpuidPage;

/// What is wrong with the page. The host filled it in, so the host is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The page claims more entries than it can hold.
    #[error("the host's CPUID page claims more than {} entries", CpuidPage::CAPACITY)]
    TooManyEntries,
    /// Reserved bytes before or in the entries in use are not zero.
    #[error("reserved bytes of the host's CPUID page are not zero")]
    Reserved,
    /// There is no entry for a leaf that the module cannot do without, or it
    /// lies beyond the greatest leaf that the page states.
    #[error("the host's CPUID page has no leaf {0:#x}")]
    MissingLeaf(u32),
    /// Two entries answer the same question differently.
    #[error("the host's CPUID page contradicts itself in leaf {leaf:#x}, subleaf {subleaf:#x}")]
    Contradiction {
        /// The leaf.
        leaf: u32,
        /// The subleaf; 0 for leaves without one.
        subleaf: u32,
    },
    /// Leaf 0x8000_001f, EAX, lacks SEV, SEV-ES or SEV-SNP (value given).
    #[error("the host's CPUID page denies SEV-SNP: leaf 0x8000001f has EAX {0:#x}")]
    NoSnp(u32),
    /// Leaf 0x8000_001f, EBX, puts the C-bit where no page-table entry can
    /// have it (position given).
    #[error("the host's CPUID page puts the C-bit at bit {0} of page-table entries")]
    CBitPosition(u32),
    /// Leaf 0x8000_0008, EAX, states a number of physical address bits
    /// (given) that no 64-bit processor has.
    #[error("the host's CPUID page claims {0} bits of physical address")]
    PhysicalAddressBits(u32),
}
