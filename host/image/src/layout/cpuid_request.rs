//! The CPUID leaves that an image asks for.
//!
//! The image's CPUID page is a list of questions. Loaders treat it differently:
//! some answer exactly these (Cloud Hypervisor), some replace the page by a list
//! of their own (QEMU). Either way the page's content is not measured; the
//! platform's firmware checks the answers instead [SNP ABI 56860 §8.17,
//! `PAGE_TYPE_CPUID`]. So the list names what an operating system kernel looks
//! at, and nothing relies on getting all of it.
//!
//! Hypervisor leaves (`0x4000_0000` and up) are not in the list: firmware does
//! not vouch for them.

use abi_snp::{CpuidEntry, CpuidPage};
use zerocopy::IntoBytes;

/// Leaves and subleaves: basic identification and features first.
const LEAVES: [(u32, u32); 36] = [
    (0x0, 0),
    (0x1, 0),
    (0x2, 0),
    // Caches, as Intel tells them.
    (0x4, 0),
    (0x4, 1),
    (0x4, 2),
    (0x4, 3),
    (0x5, 0),
    (0x6, 0),
    (0x7, 0),
    (0x7, 1),
    // Topology.
    (0xb, 0),
    (0xb, 1),
    // State components; the answer depends on XCR0.
    (0xd, 0),
    (0xd, 1),
    (0xd, 2),
    (0x8000_0000, 0),
    (0x8000_0001, 0),
    (0x8000_0002, 0),
    (0x8000_0003, 0),
    (0x8000_0004, 0),
    (0x8000_0005, 0),
    (0x8000_0006, 0),
    (0x8000_0007, 0),
    (0x8000_0008, 0),
    (0x8000_000a, 0),
    (0x8000_0019, 0),
    (0x8000_001a, 0),
    // Caches, as AMD tells them.
    (0x8000_001d, 0),
    (0x8000_001d, 1),
    (0x8000_001d, 2),
    (0x8000_001d, 3),
    (0x8000_001e, 0),
    // Memory encryption: the C-bit.
    (0x8000_001f, 0),
    (0x8000_0021, 0),
    (0x8000_0022, 0),
];

/// The CPUID page of an image: 4096 bytes.
#[must_use]
pub fn page() -> Vec<u8> {
    let entries = LEAVES.map(|(leaf, subleaf)| {
        let mut entry = CpuidEntry::request(leaf, subleaf);
        if leaf == 0xd {
            // What XCR0 is at the first instruction: guests match on it.
            entry.xcr0_in = abi_x86::reset::XCR0;
        }
        entry
    });
    const { assert!(LEAVES.len() <= CpuidPage::CAPACITY) };
    let Some(page) = CpuidPage::new(&entries) else { unreachable!("checked above") };
    page.as_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use zerocopy::FromBytes;

    use super::*;

    #[test]
    fn what_linux_cannot_do_without_is_asked_for_once() {
        let page = CpuidPage::read_from_bytes(&page()).unwrap();
        let asked: Vec<_> =
            page.entries().unwrap().iter().map(|entry| (entry.eax_in, entry.ecx_in)).collect();
        let unique: BTreeSet<_> = asked.iter().collect();
        assert_eq!(unique.len(), asked.len());
        for leaf in [0, 1, 7, 0xb, 0x8000_0000, 0x8000_0001, 0x8000_0008, 0x8000_001f] {
            assert!(asked.contains(&(leaf, 0)), "{leaf:#x}");
        }
    }
}
