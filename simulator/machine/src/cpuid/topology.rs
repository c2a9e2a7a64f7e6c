//! Who is where: one socket, as many cores as virtual processors, one thread
//! in each.
//!
//! Four leaves tell it, and software takes whichever it likes, so all say the
//! same: the identifier of a core is its x2APIC identifier [APM 24594 appendix
//! E, functions 1, Bh, 8000_0008h and 8000_001Eh].

use core::num::NonZero;

use crate::cpuid::physical::CpuidResult;

/// The topology of a machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Topology {
    pub(super) processors: NonZero<u8>,
}

/// Level types of leaf 0xb, ECX bits 15:8.
const LEVEL_THREADS: u32 = 1 << 8;
const LEVEL_CORES: u32 = 2 << 8;

impl Topology {
    /// How many bits of an x2APIC identifier number the cores.
    const fn core_bits(self) -> u32 {
        self.count().next_power_of_two().trailing_zeros()
    }

    const fn count(self) -> u32 {
        self.processors.get() as u32
    }

    /// Whether there is more than one core.
    pub(super) const fn has_many(self) -> bool {
        self.count() > 1
    }

    /// Leaf 1, EBX without the line size: the count in bits 23:16, the initial
    /// APIC identifier (its low 8 bits) in 31:24.
    pub(super) const fn leaf_1_ebx(self, apic_id: u32) -> u32 {
        self.count() << 16 | apic_id << 24
    }

    /// Leaf 0xb.
    pub(super) const fn leaf_b(self, level: u32, apic_id: u32) -> CpuidResult {
        let (eax, ebx, level_type) = match level {
            0 => (0, 1, LEVEL_THREADS),
            1 => (self.core_bits(), self.count(), LEVEL_CORES),
            _ => (0, 0, 0),
        };
        CpuidResult { eax, ebx, ecx: level & 0xff | level_type, edx: apic_id }
    }

    /// Leaf 0x8000_0008, ECX: how many cores besides the first, and in bits
    /// 15:12 the bits of an identifier.
    pub(super) const fn leaf_8000_0008_ecx(self) -> u32 {
        self.core_bits() << 12 | (self.count() - 1)
    }

    /// Leaf 0x8000_001e: extended APIC identifier, core, node 0 of 1.
    pub(super) const fn leaf_8000_001e(self, apic_id: u32) -> CpuidResult {
        CpuidResult { eax: apic_id, ebx: apic_id & 0xff, ecx: 0, edx: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topology(processors: u8) -> Topology {
        Topology { processors: NonZero::new(processors).unwrap() }
    }

    #[test]
    fn one_processor_needs_no_bits() {
        let one = topology(1);
        assert!(!one.has_many());
        assert_eq!(one.leaf_b(1, 0), CpuidResult { eax: 0, ebx: 1, ecx: 0x201, edx: 0 });
        assert_eq!(one.leaf_8000_0008_ecx(), 0);
    }

    #[test]
    fn all_leaves_agree() {
        for (count, bits) in [(2, 1), (3, 2), (4, 2), (5, 3), (8, 3), (255, 8)] {
            let topology = topology(count);
            let last = u32::from(count) - 1;
            assert_eq!(topology.leaf_1_ebx(last), u32::from(count) << 16 | last << 24);
            let threads = CpuidResult { eax: 0, ebx: 1, ecx: 0x100, edx: last };
            assert_eq!(topology.leaf_b(0, last), threads);
            let cores = CpuidResult { eax: bits, ebx: u32::from(count), ecx: 0x201, edx: last };
            assert_eq!(topology.leaf_b(1, last), cores);
            assert_eq!(topology.leaf_8000_0008_ecx(), last | bits << 12);
            assert_eq!(topology.leaf_8000_001e(last).eax, last);
            assert_eq!(topology.leaf_8000_001e(last).ebx, last);
            assert!(last >> bits == 0, "identifiers fit into the bits");
        }
    }

    #[test]
    fn levels_end() {
        let end = topology(4).leaf_b(0x1_0002, 3);
        assert_eq!(end, CpuidResult { eax: 0, ebx: 0, ecx: 2, edx: 3 });
    }
}
