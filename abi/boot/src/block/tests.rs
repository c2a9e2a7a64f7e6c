//! Round trip and refusals of the boot block.

extern crate std;

use std::vec::Vec;

use super::*;

const RX: Access = Access::READ.union(Access::EXECUTE);
const RW: Access = Access::READ.union(Access::WRITE);

fn header(part_count: u32) -> Header {
    Header {
        region_base: 0x800_0000,
        region_size: 0x100_0000,
        page_table_root: 0x80a_0000,
        stack_top: VIRTUAL_BASE + 0x9_0000,
        max_vcpus: 4,
        ..Header::new(Platform::NATIVE, part_count)
    }
}

fn parts() -> [Part; 2] {
    [
        Part::new(PartKind::BOOT_BLOCK, 0x800_0000, 0x1000, Access::READ, "boot"),
        Part::new(PartKind::KERNEL, 0x800_1000, 0x3000, RX, ".text"),
    ]
}

/// A page-aligned buffer, as the kernel has it: a `Vec<u8>` need not suit the
/// header's alignment.
#[repr(align(4096))]
struct Page([u8; 4096]);

fn page(header: &Header, parts: &[Part]) -> Page {
    let mut bytes: Vec<u8> = header.as_bytes().to_vec();
    bytes.extend_from_slice(parts.as_bytes());
    let mut page = Page([0; 4096]);
    page.0[..bytes.len()].copy_from_slice(&bytes);
    page
}

fn refusal(header: &Header, parts: &[Part]) -> Option<Error> {
    BootBlock::parse(&page(header, parts).0).err()
}

#[test]
fn what_is_written_is_read() {
    let page = page(&header(2), &parts());
    let block = BootBlock::parse(&page.0).unwrap();
    assert_eq!(block.parts(), parts());
    assert_eq!(block.parts_of(PartKind::KERNEL).map(Part::name).collect::<Vec<_>>(), [".text"]);
    assert_eq!(block.virtual_address(0x800_1234), Some(VIRTUAL_BASE + 0x1234));
    assert_eq!(block.virtual_address(0x7ff_ffff), None);
    assert_eq!(block.virtual_address(0x900_0000), None);
}

#[test]
fn the_guest_s_parts_lie_outside_the_region() {
    let guest = |gpa| Part::new(PartKind::GUEST_RESERVED, gpa, 0x1000, Access::empty(), "");
    let parts = [guest(0x7ff_f000), parts()[0], parts()[1], guest(0x900_0000)];
    let page = page(&header(4), &parts);
    let block = BootBlock::parse(&page.0).unwrap();
    assert_eq!(block.guest_parts().collect::<Vec<_>>(), [&parts[0], &parts[3]]);
}

#[test]
fn header_is_checked() {
    assert_eq!(refusal(&Header { magic: *b"SVSMBOOX", ..header(0) }, &[]), Some(Error::Magic));
    assert_eq!(refusal(&Header { version: 9, ..header(0) }, &[]), Some(Error::Version(9)));
    assert_eq!(refusal(&header(63), &[]), Some(Error::PartCount(63)));
    let console = ConsoleAudience(3);
    assert_eq!(refusal(&Header { console, ..header(0) }, &[]), Some(Error::Console(console)));
    for (region_base, region_size) in
        [(1, 0x1000), (0, 0), (0, 0x1001), (0, MAX_REGION_SIZE + 0x1000), (u64::MAX - 4095, 0x2000)]
    {
        let header = Header { region_base, region_size, ..header(0) };
        assert_eq!(refusal(&header, &[]), Some(Error::Region), "{region_base:#x} {region_size:#x}");
    }
    assert_eq!(BootBlock::parse(&page(&header(0), &[]).0[..71]), Err(Error::Truncated));
    assert_eq!(BootBlock::parse(&page(&header(2), &parts()).0[..199]), Err(Error::Truncated));
}

#[test]
fn parts_are_checked() {
    let good = parts();
    let bad = [
        Part { gpa: good[1].gpa + 1, ..good[1] },
        Part { size: 0, ..good[1] },
        Part { size: 0x1001, ..good[1] },
        Part { content_size: 0x3001, ..good[1] },
        Part { access: RX | RW, ..good[1] },
        Part { gpa: u64::MAX - 4095, size: 0x2000, ..good[1] },
        Part { gpa: 0x8ff_f000, ..good[1] },
    ];
    for part in bad {
        assert_eq!(refusal(&header(2), &[good[0], part]), Some(Error::Part(1)), "{part:?}");
    }
    let overlapping = Part { gpa: good[0].gpa, ..good[1] };
    assert_eq!(refusal(&header(2), &[good[0], overlapping]), Some(Error::Order(1)));
    assert_eq!(refusal(&header(2), &[good[1], good[0]]), Some(Error::Order(1)));
}

#[test]
fn long_names_are_cut_at_a_character() {
    let name = "abcdefghijklmnopqrstuvwxyz01234é";
    let part = Part::new(PartKind::SERVICE, 0, 4096, Access::READ, name);
    assert_eq!(part.name(), "abcdefghijklmnopqrstuvwxyz01234");
}

#[test]
fn unknown_numbers_are_shown_as_such() {
    assert_eq!(std::format!("{} {}", Platform(77), PartKind::MADT), "unknown (0x4d) madt");
    assert_eq!(std::format!("{RX} {RW} {}", Access::empty()), "r-x rw- ---");
}
