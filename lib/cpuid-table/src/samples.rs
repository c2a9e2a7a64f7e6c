//! A page as a processor with AVX-512, protection keys and shadow stacks has
//! it, for tests.

extern crate std;

use std::vec::Vec;

use abi_snp::CpuidEntry;
use abi_x86::Cr4;

use crate::asker::Asker;

/// An entry with these values of EAX, EBX, ECX and EDX.
pub(crate) fn entry(leaf: u32, subleaf: u32, registers: [u32; 4]) -> CpuidEntry {
    let mut entry = CpuidEntry::request(leaf, subleaf);
    [entry.eax, entry.ebx, entry.ecx, entry.edx] = registers;
    entry
}

/// The entries; nothing is wrong with them.
pub(crate) fn entries() -> Vec<CpuidEntry> {
    let mut entries = std::vec![
        entry(0, 0, [0x10, 0x6874_7541, 0x444d_4163, 0x6974_6e65]),
        entry(1, 0, [0x00a1_0f11, 0x0508_0800, 0x7ef8_320b, 0x178b_fbff]),
        entry(7, 0, [1, 0xf1bf_07a9, 0x0040_5fce, 0x10]),
        entry(7, 1, [0x20, 0, 0, 0]),
        entry(0xb, 0, [1, 2, 0x100, 5]),
        entry(0xb, 1, [3, 8, 0x201, 5]),
        entry(0xd, 0, [0x2e7, 0x240, 0x988, 0]),
        entry(0xd, 1, [0xf, 0x240, 0x1800, 0]),
        entry(0xd, 2, [0x100, 0x240, 0, 0]),
        entry(0xd, 5, [0x40, 0x340, 0, 0]),
        entry(0xd, 6, [0x200, 0x380, 0, 0]),
        entry(0xd, 7, [0x400, 0x580, 0, 0]),
        entry(0xd, 9, [8, 0x980, 0, 0]),
        entry(0xd, 11, [16, 0, 1, 0]),
        entry(0xd, 12, [24, 0, 1, 0]),
        entry(0x8000_0000, 0, [0x8000_0021, 0x6874_7541, 0x444d_4163, 0x6974_6e65]),
        entry(0x8000_0001, 0, [0x00a1_0f11, 0, 0x0040_01f3, 0x2fd3_fbff]),
        entry(0x8000_0008, 0, [0x3034, 0x0100_0200, 7, 0]),
        entry(0x8000_001e, 0, [5, 0x102, 0, 0]),
        entry(0x8000_001f, 0, [0x0100_00fa, 51, 0, 0]),
    ];
    for entry in entries.iter_mut().filter(|entry| entry.eax_in == 0xd) {
        entry.xcr0_in = 1;
    }
    entries
}

/// The entry for a leaf and subleaf.
pub(crate) fn of(entries: &mut [CpuidEntry], leaf: u32, subleaf: u32) -> &mut CpuidEntry {
    entries.iter_mut().find(|entry| (entry.eax_in, entry.ecx_in) == (leaf, subleaf)).unwrap()
}

/// A processor just after its start.
pub(crate) const ASKER: Asker = Asker { xcr0: 1, xss: 0, cr4: Cr4::PAE, apic_id: 0 };
