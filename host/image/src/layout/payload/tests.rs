//! Payloads lie where their boot protocol wants them, and nowhere else.

use super::*;
use crate::bzimage::sample::bzimage;
use crate::page_tables::walk::translate;

const C_BIT: u64 = 1 << 51;
const ACPI: Acpi = Acpi::Image { processors: NonZeroU8::MIN };

fn payload<'a>(kernel: &'a BzImage<'a>) -> Payload<'a> {
    Payload { kernel, initrd: Some(vec![3; 5000].into()), command_line: "quiet" }
}

fn ground(taken: Range<u64>) -> Ground {
    Ground {
        memory_end: 2 << 30,
        taken,
        mapped: 64 << 20,
        c_bit_mask: C_BIT,
        access: Access::empty(),
    }
}

fn part_of(placed: &Placed, purpose: Purpose) -> &Part {
    placed.parts.iter().find(|part| part.purpose == purpose).unwrap()
}

fn u32_at(page: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(page[offset..offset + 4].try_into().unwrap())
}

#[test]
fn the_initial_ram_disk_lies_below_the_region_or_behind_it() {
    let file = bzimage(&[0xcc; 0x2010]);
    let kernel = BzImage::parse(&file).unwrap();
    // The kernel takes the memory from 16 to 20 MiB.
    for (taken, expected) in [
        (0..0, 0x140_0000),
        (0x160_0000..0x260_0000, 0x140_0000),
        (0x140_1000..0x240_0000, 0x240_0000),
        (0x140_0000..0x240_1000, 0x260_0000),
    ] {
        let placed = place(&payload(&kernel), ACPI, &ground(taken.clone())).unwrap();
        assert_eq!(part_of(&placed, Purpose::GuestInitrd).gpa, expected, "{taken:x?}");
        assert_eq!(u32_at(&placed.boot_parameters, 0x218), expected as u32);
        assert_eq!(u32_at(&placed.boot_parameters, 0x21c), 5000);
    }
}

#[test]
fn all_parts_are_mapped_one_to_one() {
    let file = bzimage(&[0xcc; 0x2010]);
    let kernel = BzImage::parse(&file).unwrap();
    for (taken, end) in [(0..0, 64 << 20), (0x140_0000..0x800_0000, 0x820_0000)] {
        let placed = place(&payload(&kernel), ACPI, &ground(taken)).unwrap();
        let tables = part_of(&placed, Purpose::GuestPageTables);
        assert_eq!(tables.gpa, PAGE_TABLES);
        let walk = |address| translate(&tables.content, tables.gpa, C_BIT, address);
        for part in &placed.parts {
            assert_eq!(walk(part.gpa).unwrap().gpa, part.gpa, "{part:?}");
        }
        assert!(walk(end - 1).is_some());
        assert_eq!(walk(end), None);
    }
}

#[test]
fn the_table_of_processors_is_found() {
    let file = bzimage(&[0xcc; 0x2010]);
    let kernel = BzImage::parse(&file).unwrap();
    let acpi = Acpi::Image { processors: NonZeroU8::MAX };
    let placed = place(&payload(&kernel), acpi, &ground(0..0)).unwrap();
    let tables = part_of(&placed, Purpose::AcpiTables);
    let AcpiTables { pages, madt } = placed.acpi_tables.clone().unwrap();
    assert_eq!(pages, tables.gpa..tables.end());
    let place = |address: u64| (address - tables.gpa) as usize;
    let madt = &tables.content[place(madt.start)..place(madt.end)];
    assert_eq!(madt, platform_tables::madt(NonZeroU8::MAX));
}

#[test]
fn what_lies_in_the_module_s_region_is_named() {
    let file = bzimage(&[0xcc; 0x2010]);
    let kernel = BzImage::parse(&file).unwrap();
    let refusal = |taken| place(&payload(&kernel), ACPI, &ground(taken)).unwrap_err();
    // The kernel's memory counts as a whole, not only what is loaded.
    for taken in [0xf0_0000..0x100_1000, 0x13f_f000..0x200_0000] {
        let error = Error::Taken { what: "kernel", start: 0x100_0000, end: 0x140_0000 };
        assert_eq!(refusal(taken), error);
        assert!(error.to_string().contains("region.base"));
    }
    for taken in [0..0x1_1000, 0x1_4000..0x1_5000, 0xe_0000..0x10_0000] {
        assert!(matches!(refusal(taken), Error::Taken { what: "kind", .. }));
    }
    assert!(matches!(refusal(0x2_0000..0x3_0000), Error::Taken { what: "command_line", .. }));
}

#[test]
fn what_is_out_of_reach_is_named() {
    let file = bzimage(&[0xcc; 0x2010]);
    let kernel = BzImage::parse(&file).unwrap();
    let refusal =
        |kernel: &BzImage<'_>, taken| place(&payload(kernel), ACPI, &ground(taken)).unwrap_err();
    let memory_end = 2 << 30;
    assert_eq!(
        refusal(&kernel, 0x140_0000..memory_end),
        Error::MemoryEnds { what: "initrd", end: memory_end + 0x2000, memory_end }
    );
    let high = BzImage { load_address: memory_end, ..kernel.clone() };
    assert_eq!(
        refusal(&high, 0..0),
        Error::MemoryEnds { what: "kernel", end: memory_end + 0x40_0000, memory_end }
    );
    let low = BzImage { max_initrd_address: 0x13f_ffff, ..kernel };
    let error = refusal(&low, 0..0);
    assert_eq!(error, Error::InitrdTooHigh { end: 0x140_1388, limit: 0x140_0000 });
}

#[test]
fn long_command_lines_are_refused_even_if_the_kernel_took_them() {
    let file = bzimage(&[0xcc; 0x2010]);
    let kernel = BzImage { max_command_line: u32::MAX, ..BzImage::parse(&file).unwrap() };
    let with_length = |length| {
        let command_line = "x".repeat(length);
        let payload = Payload { command_line: &command_line, ..payload(&kernel) };
        place(&payload, ACPI, &ground(0..0)).map(drop)
    };
    let limit = 0x7_ffff;
    assert_eq!(with_length(limit as usize), Ok(()));
    let length = limit as usize + 1;
    assert_eq!(with_length(length), Err(Error::CommandLineTooLong { length, limit }));
}
