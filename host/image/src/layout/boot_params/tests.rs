//! Fields stand where Linux looks for them.

use super::*;

fn u32_at(page: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(page[offset..offset + 4].try_into().unwrap())
}

fn u64_at(page: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(page[offset..offset + 8].try_into().unwrap())
}

fn params() -> BootParams<'static> {
    BootParams {
        setup_header: &[0x5a; 0x7b],
        kernel: 0x100_0000,
        initrd: (0x200_0000, 0x1234),
        command_line: 0x2_0000,
        platform_data: 0x1_0000,
        rsdp: 0xe_0000,
    }
}

#[test]
fn boot_params_has_the_documented_layout() {
    let page = boot_params(&params());
    // acpi_rsdp_addr, and the sentinel that must stay zero.
    assert_eq!((u64_at(&page, 0x70), page[0x1ef]), (0xe_0000, 0));
    // The header is copied, and nothing behind it.
    assert_eq!((page[0x1f1], page[0x26b], page[0x26c]), (0x5a, 0x5a, 0));
    assert_eq!((page[0x210], page[0x211]), (0xff, 1));
    assert_eq!(u32_at(&page, 0x214), 0x100_0000);
    assert_eq!((u32_at(&page, 0x218), u32_at(&page, 0x21c)), (0x200_0000, 0x1234));
    assert_eq!(u32_at(&page, 0x228), 0x2_0000);
    assert_eq!(u64_at(&page, 0x250), 0x1_0040);
    // The memory map is empty.
    assert_eq!((page[0x1e8], &page[0x2d0..0xcd0]), (0, &[0; 0xa00][..]));
}

#[test]
fn long_headers_stay_in_their_place() {
    let page = boot_params(&BootParams { setup_header: &[0x5a; 600], ..params() });
    assert_eq!((page[0x28f], page[0x290]), (0x5a, 0));
}

#[test]
fn platform_data_leads_to_the_pages() {
    let page = platform_data(0x1_0000, 0x1_2000, 0x1_1000);
    let setup_data = (u64_at(&boot_params(&params()), 0x250) - 0x1_0000) as usize;
    // Next node, type, length, content.
    assert_eq!((u64_at(&page, setup_data), u32_at(&page, setup_data + 8)), (0, 7));
    assert_eq!(u32_at(&page, setup_data + 12), 4);
    let blob = (u32_at(&page, setup_data + 16) - 0x1_0000) as usize;
    assert_eq!(page[blob..blob + 4], *b"AMDE");
    assert_eq!((u64_at(&page, blob + 8), u32_at(&page, blob + 16)), (0x1_2000, 4096));
    assert_eq!((u64_at(&page, blob + 24), u32_at(&page, blob + 32)), (0x1_1000, 4096));
    let (table, limit) = descriptor_table(0x1_0000);
    let table = (table - 0x1_0000) as usize;
    assert_eq!(limit, 31);
    assert_eq!(u64_at(&page, table + 0x10), 0x00af_9b00_0000_ffff);
    assert_eq!(u64_at(&page, table + 0x18), 0x00cf_9300_0000_ffff);
}
