//! A bare Linux image holds what Linux needs, and all of its memory.

use std::num::NonZeroU8;

use proptest::prelude::*;

use super::*;
use crate::bzimage::BzImage;
use crate::bzimage::sample::bzimage;
use crate::page_tables::walk::translate;

const MEMORY: u64 = 0x400_0000;
const C_BIT: u64 = 1 << 51;

fn inputs<'a>(kernel: &'a BzImage<'a>) -> Inputs<'a> {
    Inputs {
        payload: Payload {
            kernel,
            initrd: Some(vec![3; 5000].into()),
            command_line: "console=ttyS0",
        },
        memory_size: MEMORY,
        acpi: Acpi::Image { processors: NonZeroU8::MIN },
        c_bit_mask: C_BIT,
        cpuid: vec![9; 4096].into(),
    }
}

fn part_of(layout: &Layout, purpose: Purpose) -> &Part {
    layout.parts.iter().find(|part| part.purpose == purpose).unwrap()
}

fn u64_at(page: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(page[offset..offset + 8].try_into().unwrap())
}

/// Base, size and kind of every entry of the memory map in `boot_params`.
fn e820(params: &[u8]) -> Vec<(u64, u64, u8)> {
    (0..usize::from(params[0x1e8]))
        .map(|index| 0x2d0 + index * 20)
        .map(|entry| (u64_at(params, entry), u64_at(params, entry + 8), params[entry + 16]))
        .collect()
}

fn covered(parts: &[Part], gpa: u64) -> Option<&Part> {
    parts.iter().find(|part| (part.gpa..part.end()).contains(&gpa))
}

#[test]
fn everything_is_placed() {
    let file = bzimage(&[0xcc; 0x2010]);
    let kernel = BzImage::parse(&file).unwrap();
    let layout = lay_out(&inputs(&kernel)).unwrap();

    assert_eq!(layout.start.instruction, 0x100_0200);
    assert_eq!(layout.start.rsi, part_of(&layout, Purpose::BootParameters).gpa);
    assert_eq!(layout.start.c_bit_mask, C_BIT);
    assert_eq!(layout.pvh_entry, None);

    let kernel = part_of(&layout, Purpose::GuestKernel);
    assert_eq!((kernel.gpa, kernel.size), (0x100_0000, 0x3000));
    assert_eq!(kernel.content[..], [0xcc; 0x2010]);
    let initrd = part_of(&layout, Purpose::GuestInitrd);
    assert_eq!(initrd.gpa, 0x140_0000);
    let params = &part_of(&layout, Purpose::BootParameters).content;
    assert_eq!(u64_at(params, 0x218), 0x1388_0140_0000);
    let command_line = part_of(&layout, Purpose::GuestCommandLine);
    assert_eq!(command_line.content[..], *b"console=ttyS0\0");
    assert_eq!(u64_at(params, 0x228) & 0xffff_ffff, command_line.gpa);
    assert_eq!(part_of(&layout, Purpose::Cpuid).content[..], [9; 4096]);
    let data = part_of(&layout, Purpose::PlatformData);
    assert_eq!(u64_at(&data.content, 0x08), part_of(&layout, Purpose::Secrets).gpa);
    assert_eq!(u64_at(&data.content, 0x18), part_of(&layout, Purpose::Cpuid).gpa);
}

#[test]
fn all_usable_memory_is_in_the_image() {
    let file = bzimage(&[0xcc; 0x2010]);
    let kernel = BzImage::parse(&file).unwrap();
    let layout = lay_out(&inputs(&kernel)).unwrap();
    let map = e820(&part_of(&layout, Purpose::BootParameters).content);
    assert_eq!(
        map,
        [
            (0, 0x1_0000, 1),
            (0x1_0000, 0x3000, 2),
            (0x1_3000, 0x8_d000, 1),
            (0xe_0000, 0x1000, 3),
            (0x10_0000, MEMORY - 0x10_0000, 1),
        ]
    );
    let told = |gpa| map.iter().any(|(base, size, _)| (*base..base + size).contains(&gpa));
    for gpa in (0..MEMORY + 0x1000).step_by(4096) {
        let rom_area = (0xc_0000..0x10_0000).contains(&gpa);
        assert_eq!(covered(&layout.parts, gpa).is_some(), told(gpa) || rom_area, "{gpa:#x}");
    }
    // What the platform fills must not be used by the allocator.
    for purpose in [Purpose::PlatformData, Purpose::Secrets, Purpose::Cpuid] {
        let gpa = part_of(&layout, purpose).gpa;
        let entry = map.iter().find(|(base, size, _)| (*base..base + size).contains(&gpa));
        assert_eq!(entry.unwrap().2, 2, "{purpose}");
    }
}

#[test]
fn memory_is_mapped_one_to_one() {
    let file = bzimage(&[0xcc; 0x2010]);
    let kernel = BzImage::parse(&file).unwrap();
    let layout = lay_out(&inputs(&kernel)).unwrap();
    let tables = part_of(&layout, Purpose::GuestPageTables);
    assert_eq!(layout.start.page_table_root, tables.gpa);
    let walk = |address| translate(&tables.content, tables.gpa, C_BIT, address);
    for address in (0..MEMORY).step_by(SIZE_2M as usize) {
        let found = walk(address + 0x1234).unwrap();
        assert_eq!(found.gpa, address + 0x1234);
        assert!(found.writable && found.executable);
    }
    assert_eq!(walk(MEMORY), None);
}

#[test]
fn own_acpi_tables_are_content() {
    let file = bzimage(&[0xcc; 0x2010]);
    let kernel = BzImage::parse(&file).unwrap();
    for count in [1, 8] {
        let processors = NonZeroU8::new(count).unwrap();
        let acpi = Acpi::Image { processors };
        let layout = lay_out(&Inputs { acpi, ..inputs(&kernel) }).unwrap();
        let tables = part_of(&layout, Purpose::AcpiTables);
        assert_eq!(
            tables.content[..],
            platform_tables::build(tables.gpa, processors).unwrap().bytes
        );
        assert!(tables.content.starts_with(b"RSD PTR "));
        let params = &part_of(&layout, Purpose::BootParameters).content;
        assert_eq!(u64_at(params, 0x70), tables.gpa);
        assert!(e820(params).contains(&(tables.gpa, tables.size, 3)));
    }
}

#[test]
fn the_platform_s_root_pointer_is_passed_on() {
    let file = bzimage(&[0xcc; 0x2010]);
    let kernel = BzImage::parse(&file).unwrap();
    let layout =
        lay_out(&Inputs { acpi: Acpi::Platform { rsdp: 0xf_1234 }, ..inputs(&kernel) }).unwrap();
    let params = &part_of(&layout, Purpose::BootParameters).content;
    assert_eq!(u64_at(params, 0x70), 0xf_1234);
    // Whatever lies there is the platform's.
    assert!(layout.parts.iter().all(|part| part.purpose != Purpose::AcpiTables));
    assert!(e820(params).iter().all(|(_, _, kind)| *kind != 3));
    assert!(covered(&layout.parts, 0xf_0000).is_none());
}

#[test]
fn what_does_not_fit_is_named() {
    let file = bzimage(&[0xcc; 0x2010]);
    let kernel = BzImage::parse(&file).unwrap();
    let refusal = |change: &dyn Fn(&mut Inputs<'_>)| {
        let mut inputs = inputs(&kernel);
        change(&mut inputs);
        lay_out(&inputs).unwrap_err()
    };
    let small = |what, end, memory_size| Error::MemoryTooSmall { what, end, memory_size };
    assert_eq!(
        refusal(&|inputs| inputs.memory_size = 0x120_0000),
        small("kernel", 0x140_0000, 0x120_0000)
    );
    assert_eq!(
        refusal(&|inputs| inputs.memory_size = 0x140_0000),
        small("initrd", 0x140_2000, 0x140_0000)
    );
    for size in [0x20_1000, LOW_MEMORY_END + SIZE_2M] {
        assert_eq!(refusal(&|inputs| inputs.memory_size = size), Error::MemorySize(size));
    }
    let mut long = inputs(&kernel);
    let command_line = "x".repeat(2048);
    long.payload.command_line = &command_line;
    let error = lay_out(&long).unwrap_err();
    assert_eq!(
        error.to_string(),
        "linux.command_line has 2048 bytes, but at most 2047 are possible"
    );
    let high = BzImage { load_address: u64::MAX - 4095, ..kernel };
    let error = lay_out(&inputs(&high)).unwrap_err();
    assert!(error.to_string().contains("linux.kernel needs memory up to"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn random_layouts_cover_memory_once(
        load in 0x100_u64..0x4000,
        kernel_pages in 1_u64..0x800,
        initrd in 0_usize..50_000,
        memory in 1_u64..40,
    ) {
        let file = bzimage(&[0xcc; 0x2010]);
        let kernel = BzImage {
            load_address: load * 4096,
            memory_size: kernel_pages.max(3) * 4096,
            ..BzImage::parse(&file).unwrap()
        };
        let mut inputs = inputs(&kernel);
        inputs.payload.initrd = (initrd > 0).then(|| vec![3; initrd].into());
        inputs.memory_size = memory * SIZE_2M;
        match lay_out(&inputs) {
            Ok(layout) => {
                let mut free_from = 0;
                for part in &layout.parts {
                    prop_assert!(part.gpa >= free_from && part.size > 0);
                    prop_assert!(part.gpa.is_multiple_of(4096) && part.size.is_multiple_of(4096));
                    free_from = part.end();
                }
                let total: u64 = layout.parts.iter().map(|part| part.size).sum();
                // All but the video memory.
                prop_assert_eq!(total, inputs.memory_size - 0x2_0000);
            }
            Err(error) => prop_assert!(matches!(error, Error::MemoryTooSmall { .. }), "{}", error),
        }
    }
}
