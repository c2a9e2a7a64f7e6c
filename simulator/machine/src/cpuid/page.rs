//! The host's part of the CPUID page: writing the values.
//!
//! A loader finds in the image a page that may hold a list of leaves. Some
//! hosts answer exactly those, others (QEMU) ignore the list and write every
//! leaf that they know. This one does both: first what the image asks for, in
//! its order, then what it left out, as far as there is room. So an image
//! without a list gets everything, and one with a short list what Linux needs
//! besides.

use abi_snp::{CpuidEntry, CpuidPage};
use alloc::vec::Vec;

use crate::cpuid::answers::{Cpuid, CpuidQuery};
use crate::cpuid::refusal::CpuidRefusal;

/// Leaves and subleaves that guests look for, those of the hypervisor too:
/// Linux takes a leaf that is missing in the page for one of zeros, without
/// asking.
const LEAVES: [(u32, u32); 26] = [
    (0, 0),
    (1, 0),
    (6, 0),
    (7, 0),
    (7, 1),
    (0xb, 0),
    (0xb, 1),
    (0xd, 0),
    (0xd, 1),
    (0xd, 2),
    (0xd, 9),
    (0x4000_0000, 0),
    (0x4000_0001, 0),
    (0x8000_0000, 0),
    (0x8000_0001, 0),
    (0x8000_0002, 0),
    (0x8000_0003, 0),
    (0x8000_0004, 0),
    (0x8000_0005, 0),
    (0x8000_0006, 0),
    (0x8000_0007, 0),
    (0x8000_0008, 0),
    (0x8000_001d, 0),
    (0x8000_001e, 0),
    (0x8000_001f, 0),
    (0x8000_0021, 0),
];

/// The leaf whose answer depends on XCR0 and XSS.
const EXTENDED_STATE: u32 = 0xd;

impl Cpuid {
    /// The page that answers `request`, the page of the image, for the first
    /// virtual processor. Values that the image has there are overwritten.
    ///
    /// An entry for leaf 0xd that names no XCR0 gets the one that processors
    /// start with: guests look for it.
    ///
    /// # Errors
    ///
    /// [`CpuidRefusal::TooMany`]: the request claims more entries than fit.
    pub fn fill(&self, request: &CpuidPage) -> Result<CpuidPage, CpuidRefusal> {
        let asked = request.entries().ok_or(CpuidRefusal::TooMany)?;
        let missing = LEAVES
            .iter()
            .filter(|(leaf, _)| *leaf != EXTENDED_STATE || self.has_extended_state())
            .filter(|(leaf, subleaf)| {
                !asked.iter().any(|entry| (entry.eax_in, entry.ecx_in) == (*leaf, *subleaf))
            })
            .map(|(leaf, subleaf)| CpuidQuery::new(*leaf, *subleaf));
        let entries: Vec<_> = asked
            .iter()
            .map(query)
            .chain(missing)
            .take(CpuidPage::CAPACITY)
            .map(|query| self.entry(query))
            .collect();
        CpuidPage::new(&entries).ok_or(CpuidRefusal::TooMany)
    }

    fn has_extended_state(&self) -> bool {
        self.answer(CpuidQuery::new(0, 0), 0).eax >= EXTENDED_STATE
    }

    fn entry(&self, query: CpuidQuery) -> CpuidEntry {
        let mut entry = CpuidEntry::request(query.leaf, query.subleaf);
        if query.leaf == EXTENDED_STATE {
            (entry.xcr0_in, entry.xss_in) = (query.xcr0, query.xss);
        }
        let answer = self.answer(query, 0);
        (entry.eax, entry.ebx) = (answer.eax, answer.ebx);
        (entry.ecx, entry.edx) = (answer.ecx, answer.edx);
        entry
    }
}

/// What an entry of an image asks.
fn query(entry: &CpuidEntry) -> CpuidQuery {
    let started = CpuidQuery::new(entry.eax_in, entry.ecx_in);
    match entry.xcr0_in {
        0 => CpuidQuery { xss: entry.xss_in, ..started },
        xcr0 => CpuidQuery { xcr0, xss: entry.xss_in, ..started },
    }
}

#[cfg(test)]
mod tests;
