//! Tests with tables written by hand.

extern crate std;

use std::vec::Vec;

use abi_x86::{Cr0, Cr4, Efer, PageFaultError, Rflags};
use nested_paging::{CBit, View};

use super::builder::{C_BIT, Encryption, Memory, NoMemory, legacy, long_mode, physical_addresses};
use crate::access::{Access, Privilege};
use crate::error::WalkError;
use crate::paging::Paging;
use crate::physical_addresses::PhysicalAddresses;
use crate::translation::{Permissions, Translation};

const NOT_PRESENT: WalkError<NoMemory> = WalkError::PageFault(PageFaultError::empty());
const RESERVED: WalkError<NoMemory> =
    WalkError::PageFault(PageFaultError::PRESENT.union(PageFaultError::RESERVED_BIT));

/// Present, writable, user.
const OPEN: u64 = 7;

/// Address 0x0000_7f12_3456_789a by four levels: 254, 72, 418, 359.
const LINEAR: u64 = 0x0000_7f12_3456_789a;

/// Tables at 0x1000, 0x2000, 0x3000, 0x4000 for [`LINEAR`], with these entries'
/// addresses: the entries are open and private.
fn four_levels() -> Memory {
    let mut memory = Memory::default();
    memory.write(0x1000 + 254 * 8, 0x2000 | C_BIT | OPEN);
    memory.write(0x2000 + 72 * 8, 0x3000 | C_BIT | OPEN);
    memory.write(0x3000 + 418 * 8, 0x4000 | C_BIT | OPEN);
    memory.write(0x4000 + 359 * 8, 0x5000 | C_BIT | OPEN);
    memory
}

#[test]
fn four_levels_lead_to_a_page() {
    let (result, reads) = four_levels().walk(
        &long_mode(0x1000 | C_BIT | 0x18),
        LINEAR,
        Access::Read,
        Privilege::User,
    );
    let expected = Translation {
        address: 0x589a,
        view: View::Private,
        page_size: 0x1000,
        permissions: Permissions::all(),
    };
    assert_eq!(result, Ok(expected));
    let addresses: Vec<u64> = reads.iter().map(|read| read.address).collect();
    assert_eq!(addresses, [0x17f0, 0x2240, 0x3d10, 0x4b38]);
    assert!(reads.iter().all(|read| read.view == View::Private));
}

#[test]
fn five_levels_lead_to_a_page() {
    let mut memory = four_levels();
    memory.write(0x9000 + 0x1fe * 8, 0x1000 | C_BIT | OPEN);
    let paging = Paging { cr4: Cr4::PAE | Cr4::LA57, ..long_mode(0x9000) };
    let linear = 0xfffe_7f12_3456_789a;
    assert_eq!(memory.read(&paging, linear).unwrap().address, 0x589a);
    assert_eq!(memory.read(&long_mode(0x1000), linear), Err(WalkError::NonCanonical(linear)));
}

#[test]
fn large_pages() {
    // Bit 12 of a large page's entry is a memory type, no address.
    let mut memory = four_levels();
    memory.write(0x3000 + 418 * 8, 0x0123_4560_1000 | OPEN | 0x80);
    let page = memory.read(&long_mode(0x1000), LINEAR).unwrap();
    assert_eq!((page.address, page.page_size), (0x0123_4576_789a, 1 << 21));
    assert_eq!(page.view, View::Shared);
    memory.write(0x2000 + 72 * 8, 0x0123_4000_1000 | C_BIT | OPEN | 0x80);
    let page = memory.read(&long_mode(0x1000), LINEAR).unwrap();
    assert_eq!((page.address, page.page_size), (0x0123_7456_789a, 1 << 30));
    assert_eq!(page.view, View::Private);
}

#[test]
fn bits_that_are_reserved_in_long_mode() {
    // Level from the top, the bit that makes it map a large page, bits that
    // must be zero besides the addresses' 50:46.
    let tables = [0x1000 + 254 * 8, 0x2000 + 72 * 8, 0x3000 + 418 * 8, 0x4000 + 359 * 8];
    let cases: [(usize, u64, u64); 6] = [
        (0, 0, 0x180),
        (1, 0, 0),
        (1, 0x80, 0x3fff_e000),
        (2, 0, 0),
        (2, 0x80, 0x001f_e000),
        (3, 0, 0),
    ];
    for (level, huge, reserved) in cases {
        let reserved = reserved | 0x0007_c000_0000_0000;
        let mut address = 0x2000 + 0x1000 * level as u64;
        if huge != 0 {
            address = 0x4000_0000;
        }
        // At these levels bit 7 makes another kind of entry.
        let has_large_pages = level == 1 || level == 2;
        for bit in (1..63).filter(|bit| *bit != 7 || !has_large_pages) {
            let mut memory = four_levels();
            memory.write(tables[level], (address | OPEN | huge) ^ 1 << bit | 1);
            let refused = memory.read(&long_mode(0x1000), LINEAR) == Err(RESERVED);
            let expected = reserved & 1 << bit != 0;
            assert_eq!(refused, expected, "level {level}, bit {bit}");
        }
    }
}

#[test]
fn no_execute_is_reserved_without_its_feature() {
    for table in [0x1000 + 254 * 8, 0x4000 + 359 * 8] {
        let mut memory = four_levels();
        let entry = if table < 0x2000 { 0x2000 } else { 0x5000 };
        memory.write(table, entry | OPEN | 1 << 63);
        let paging = long_mode(0x1000);
        assert!(memory.read(&paging, LINEAR).is_ok());
        let without = Paging { efer: Efer::LME | Efer::LMA, ..paging };
        assert_eq!(memory.read(&without, LINEAR), Err(RESERVED));
    }
}

#[test]
fn c_bit_is_no_address_bit_only_where_there_is_one() {
    let memory = four_levels();
    let plain =
        Paging { physical_addresses: physical_addresses(Encryption::Without), ..long_mode(0x1000) };
    assert_eq!(memory.read(&plain, LINEAR), Err(RESERVED));
    // A C-bit among the address bits.
    let low = PhysicalAddresses::new(48, CBit::new(47)).unwrap();
    let mut memory = four_levels();
    for (table, next) in
        [(0x1000 + 254 * 8, 0x2000), (0x2000 + 72 * 8, 0x3000), (0x3000 + 418 * 8, 0x4000)]
    {
        memory.write(table, next | OPEN);
    }
    memory.write(0x4000 + 359 * 8, 0x5000 | 1 << 47 | OPEN);
    let paging = Paging { physical_addresses: low, ..long_mode(0x1000) };
    let page = memory.read(&paging, LINEAR).unwrap();
    assert_eq!((page.address, page.view), (0x589a, View::Private));
}

#[test]
fn widths_of_addresses() {
    for width in [0, 31, 53, 255] {
        assert_eq!(PhysicalAddresses::new(width, None), None);
    }
    // At the greatest width no bit of an address is reserved.
    let widest = PhysicalAddresses::new(52, None).unwrap();
    let paging = Paging { physical_addresses: widest, ..long_mode(0x1000) };
    let mut memory = four_levels();
    for (table, next) in
        [(0x1000 + 254 * 8, 0x2000), (0x2000 + 72 * 8, 0x3000), (0x3000 + 418 * 8, 0x4000)]
    {
        memory.write(table, next | OPEN);
    }
    memory.write(0x4000 + 359 * 8, 0x000f_ffff_ffff_f000 | OPEN);
    assert_eq!(memory.read(&paging, LINEAR).unwrap().address, 0x000f_ffff_ffff_f89a);
}

#[test]
fn canonical_addresses() {
    let memory = Memory::default();
    let four = long_mode(0x1000);
    let five = Paging { cr4: Cr4::PAE | Cr4::LA57, ..four };
    for (paging, last) in [(four, 0x0000_7fff_ffff_ffff), (five, 0x00ff_ffff_ffff_ffff)] {
        for linear in [0, last, !last, u64::MAX] {
            let result = memory.read(&paging, linear);
            assert!(matches!(result, Err(WalkError::Unreadable { .. })), "{linear:#x}");
        }
        for linear in [last + 1, !last - 1, 1 << 63, u64::MAX >> 1] {
            assert_eq!(memory.read(&paging, linear), Err(WalkError::NonCanonical(linear)));
        }
    }
}

#[test]
fn tables_outside_memory_are_told() {
    let mut memory = four_levels();
    memory.write(0x2000 + 72 * 8, 0x7777_7000 | C_BIT | OPEN);
    let address = 0x7777_7000 + 418 * 8;
    let unreadable = WalkError::Unreadable { address, error: NoMemory };
    assert_eq!(memory.read(&long_mode(0x1000), LINEAR), Err(unreadable));
}

#[test]
fn without_paging_addresses_are_physical() {
    let paging = Paging { cr0: Cr0::PE, ..legacy(0x1000, Cr4::empty(), Efer::empty()) };
    let memory = Memory::default();
    let (result, reads) =
        memory.walk(&paging, 0xffff_ffff_1234_5678, Access::Write, Privilege::User);
    let expected = Translation {
        address: 0x1234_5678,
        view: View::Private,
        page_size: 1 << 32,
        permissions: Permissions::all(),
    };
    assert_eq!((result, reads.len()), (Ok(expected), 0));
    let plain = Paging { physical_addresses: physical_addresses(Encryption::Without), ..paging };
    assert_eq!(memory.read(&plain, 0).unwrap().view, View::Shared);
}

/// PAE tables for 0xc123_4567 at 0x1020: entries 3, 9, 0x34.
fn pae() -> Memory {
    let mut memory = Memory::default();
    memory.write(0x1020 + 3 * 8, 0x2001);
    memory.write(0x2000 + 9 * 8, 0x3000 | OPEN);
    memory.write(0x3000 + 0x34 * 8, 0x0012_3000_4000 | C_BIT | OPEN);
    memory
}

#[test]
fn pae_has_three_levels() {
    let paging = legacy(0xffff_ffff_0000_1020, Cr4::PAE, Efer::empty());
    let mut memory = pae();
    let page = memory.read(&paging, 0xffff_ffff_c123_4567).unwrap();
    assert_eq!((page.address, page.view), (0x0012_3000_4567, View::Private));
    // Large pages need no CR4.PSE.
    memory.write(0x2000 + 9 * 8, 0x0012_3020_0000 | OPEN | 0x80);
    let page = memory.read(&paging, 0xc123_4567).unwrap();
    assert_eq!((page.address, page.page_size), (0x0012_3023_4567, 1 << 21));
    memory.write(0x1020 + 3 * 8, 0);
    assert_eq!(memory.read(&paging, 0xc123_4567), Err(NOT_PRESENT));
}

#[test]
fn bits_that_are_reserved_in_pae() {
    let with_nx = legacy(0x1020, Cr4::PAE, Efer::NXE);
    let address_bits = 0x0007_c000_0000_0000;
    for (table, entry, reserved) in [
        (0x1020 + 3 * 8, 0x2001, 0xfff0_0000_0000_01e6 | address_bits),
        (0x2000 + 9 * 8, 0x3007, 0x7ff0_0000_0000_0000 | address_bits),
        (0x3000 + 0x34 * 8, 0x4007, 0x7ff0_0000_0000_0000 | address_bits),
    ] {
        // Bit 7 of the second entry would make it a large page.
        for bit in (3..64).filter(|bit| *bit != 7 || entry != 0x3007) {
            let mut memory = pae();
            memory.write(table, entry ^ 1 << bit);
            let refused = memory.read(&with_nx, 0xc123_4567) == Err(RESERVED);
            assert_eq!(refused, reserved & 1u64 << bit != 0, "{table:#x} bit {bit}");
        }
    }
    for bits in [2, 4] {
        let mut memory = pae();
        memory.write(0x1020 + 3 * 8, 0x2001 | bits);
        assert_eq!(memory.read(&with_nx, 0xc123_4567), Err(RESERVED));
    }
}

#[test]
fn pae_root_grants_and_denies_nothing() {
    let paging = legacy(0x1020, Cr4::PAE, Efer::NXE);
    let (result, _) = pae().walk(&paging, 0xc123_4567, Access::Write, Privilege::User);
    assert_eq!(result.unwrap().permissions, Permissions::all());
}

/// Two levels for 0xc123_4567 at 0x1000: entries 0x304, 0x234; and a large page
/// at 0x0080_0000.
fn two_levels() -> Memory {
    let mut memory = Memory::default();
    memory.write_half(0x1000 + 0x304 * 4, 0x2007);
    memory.write_half(0x2000 + 0x234 * 4, 0x8765_4007);
    memory.write_half(0x2000 + 0x235 * 4, 0x8765_5005);
    memory.write_half(0x1000 + 2 * 4, 0x1240_0000 | 0x2f << 13 | 0x87);
    memory
}

#[test]
fn two_levels_of_small_entries() {
    let paging = legacy(0x1fff, Paging::PSE, Efer::NXE);
    let memory = two_levels();
    let page = memory.read(&paging, 0xc123_4567).unwrap();
    let expected = Translation {
        address: 0x8765_4567,
        view: View::Private,
        page_size: 0x1000,
        permissions: Permissions::all(),
    };
    assert_eq!(page, expected);
    assert_eq!(memory.read(&paging, 0xc123_5567).unwrap().address, 0x8765_5567);
    let (result, _) = memory.walk(&paging, 0xc123_5567, Access::Write, Privilege::User);
    let fault = PageFaultError::PRESENT | PageFaultError::WRITE | PageFaultError::USER;
    assert_eq!(result, Err(WalkError::PageFault(fault)));
    // The other half of the directory's eight bytes was never written.
    assert_eq!(memory.read(&paging, 0xc160_0000), Err(NOT_PRESENT));
}

#[test]
fn large_pages_of_small_entries() {
    let paging = legacy(0x1000, Paging::PSE, Efer::empty());
    let mut memory = two_levels();
    let page = memory.read(&paging, 0x0092_3456).unwrap();
    assert_eq!((page.address, page.page_size), (0x2f_1252_3456, 1 << 22));
    // Without CR4.PSE the bit means nothing: the entry names a table.
    let without = legacy(0x1000, Cr4::empty(), Efer::empty());
    let table = 0x1240_0000 | 0x2f << 13;
    memory.write_half(table + 0x123 * 4, 0x0066_6001);
    assert_eq!(memory.read(&without, 0x0092_3456).unwrap().address, 0x0066_6456);
    // Bit 21 is reserved, and address bits beyond the width.
    memory.write_half(0x1000 + 2 * 4, 0x1260_0087);
    assert_eq!(memory.read(&paging, 0x0092_3456), Err(RESERVED));
    memory.write_half(0x1000 + 2 * 4, 0x1240_0000 | 0x80 << 13 | 0x87);
    assert_eq!(memory.read(&paging, 0x0092_3456).unwrap().address, 0x80_1252_3456);
    let narrow = PhysicalAddresses::new(36, None).unwrap();
    let paging = Paging { physical_addresses: narrow, ..paging };
    assert_eq!(memory.read(&paging, 0x0092_3456), Err(RESERVED));
}

#[test]
fn fetches_are_told_only_where_they_matter() {
    let mut memory = Memory::default();
    memory.write(0x1000, 0);
    memory.write(0x1020, 0);
    let code = |paging: &Paging| {
        let (result, _) = memory.walk(paging, 0, Access::Fetch, Privilege::Supervisor);
        result.unwrap_err()
    };
    let fetch = WalkError::PageFault(PageFaultError::INSTRUCTION);
    assert_eq!(code(&long_mode(0x1000)), fetch);
    assert_eq!(code(&legacy(0x1020, Cr4::PAE, Efer::NXE)), fetch);
    assert_eq!(code(&legacy(0x1000, Cr4::empty(), Efer::NXE)), NOT_PRESENT);
    assert_eq!(code(&legacy(0x1000, Cr4::SMEP, Efer::empty())), fetch);
    assert_eq!(code(&legacy(0x1020, Cr4::PAE, Efer::empty())), NOT_PRESENT);
}

#[test]
fn privilege_of_software() {
    for cpl in 0..3 {
        assert_eq!(Privilege::of_software(cpl, Rflags::FIXED), Privilege::Supervisor);
        assert_eq!(Privilege::of_software(cpl, Rflags::AC), Privilege::SupervisorReachingUser);
    }
    assert_eq!(Privilege::of_software(3, Rflags::AC), Privilege::User);
    assert_eq!(Privilege::of_software(3, Rflags::empty()), Privilege::User);
}
