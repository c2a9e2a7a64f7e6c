//! Layouts agree with the boot block, the page tables and the contract.

use abi_boot::{BootBlock, ConsoleAudience, GuestStart, PartKind};
use abi_x86::SIZE_2M;
use direct_boot::{
    MadtError, MemoryKind, MemoryMap, MemoryRange, enable_processors, write_memory_map,
};
use proptest::prelude::*;

use super::*;
use crate::bzimage::BzImage;
use crate::bzimage::sample::bzimage;
use crate::elf::sample::{DATA, SampleElf, TEXT};
use crate::elf::{Segment, parse_kernel};
use crate::page_tables::walk::translate;

const BASE: u64 = 0x800_0000;
const SIZE: u64 = 0x100_0000;
const C_BIT: u64 = 1 << 51;

fn sample_kernel() -> KernelElf {
    parse_kernel(&SampleElf::kernel().to_bytes()).unwrap()
}

fn inputs(kernel: &KernelElf, platform: Platform) -> Inputs<'_> {
    let page = |purpose, access| Filled { purpose, pages: 1, access, content: Arc::default() };
    let snp = [page(Purpose::Cpuid, Access::READ), page(Purpose::Secrets, READ_WRITE)];
    let mut filled: Vec<_> = snp.into_iter().filter(|_| platform == Platform::SNP).collect();
    filled.push(page(Purpose::MemoryMap, Access::READ));
    filled.push(Filled { pages: 2, ..page(Purpose::Madt, Access::READ) });
    filled.push(Filled { pages: 0, ..page(Purpose::DeviceTree, Access::READ) });
    Inputs {
        platform,
        region_base: BASE,
        region_size: SIZE,
        max_vcpus: 16,
        console: ConsoleAudience::HOST,
        stack_pages: 4,
        c_bit_mask: if platform == Platform::SNP { C_BIT } else { 0 },
        kernel,
        filled,
        services: vec![("init".to_owned(), vec![1; 5000].into())],
        guest: None,
    }
}

/// A guest whose kernel takes the memory from 16 to 20 MiB.
fn with_guest<'a>(inputs: Inputs<'a>, guest: &'a BzImage<'a>) -> Inputs<'a> {
    let initrd = Some(vec![2; 5000].into());
    let guest = Some(Payload { kernel: guest, initrd, command_line: "quiet" });
    Inputs { guest, ..inputs }
}

/// The content of a part, padded to its size and aligned as the kernel has it.
fn boot_block_page(layout: &Layout) -> Vec<u64> {
    let content = &part(layout, Purpose::BootBlock).content;
    let mut page = vec![0_u64; 512];
    page.as_mut_bytes()[..content.len()].copy_from_slice(content);
    page
}

fn part(layout: &Layout, purpose: Purpose) -> &Part {
    layout.parts.iter().find(|part| part.purpose == purpose).unwrap()
}

/// Checks everything that has to hold for any layout.
fn check(layout: &Layout, inputs: &Inputs<'_>) {
    let (base, end) = (inputs.region_base, inputs.region_base + inputs.region_size);

    // Sorted, aligned, apart, and where they belong.
    let mut free_from = 0;
    for part in &layout.parts {
        assert!(part.gpa >= free_from, "{part:?}");
        assert!(part.gpa.is_multiple_of(4096) && part.size.is_multiple_of(4096) && part.size > 0);
        assert!(part.content.len() as u64 <= part.size);
        let inside = part.gpa >= base && part.end() <= end;
        assert_eq!(inside, !part.access.is_empty(), "{part:?}");
        assert!(inside || part.gpa >= end || part.end() <= base, "{part:?}");
        free_from = part.end();
    }

    // The boot block says the same.
    let page = boot_block_page(layout);
    let block = BootBlock::parse(page.as_bytes()).unwrap();
    assert_eq!((block.platform, block.region_base), (inputs.platform, base));
    assert_eq!((block.region_size, block.max_vcpus), (inputs.region_size, inputs.max_vcpus));
    assert_eq!(block.console, inputs.console);
    assert_eq!(block.page_table_root, part(layout, Purpose::PageTables).gpa);
    assert_eq!(block.c_bit_mask, inputs.c_bit_mask);
    assert_eq!(block.parts().len(), layout.parts.len());
    for (told, placed) in block.parts().iter().zip(&layout.parts) {
        assert_eq!(Some(told.kind), placed.purpose.boot_block_kind());
        assert_eq!((told.gpa, told.size), (placed.gpa, placed.size));
        assert_eq!((told.access, told.name()), (placed.access, placed.name.as_str()));
    }

    // The page tables map what the parts say, guard pages not at all, and the
    // rest of the region for reading and writing.
    let stack = part(layout, Purpose::BootStack);
    let guards = [stack.gpa - 4096, stack.end()];
    let tables = part(layout, Purpose::PageTables);
    let walk = |address| translate(&tables.content, tables.gpa, inputs.c_bit_mask, address);
    for gpa in (base..end).step_by(4096) {
        let address = VIRTUAL_BASE + (gpa - base);
        let holder = layout.parts.iter().find(|part| (part.gpa..part.end()).contains(&gpa));
        let access = match holder {
            Some(part) => part.access,
            None if guards.contains(&gpa) => {
                assert_eq!(walk(address), None);
                continue;
            }
            None => READ_WRITE,
        };
        let found = walk(address).unwrap();
        assert_eq!(found.gpa, gpa);
        assert_eq!(found.writable, access.contains(Access::WRITE), "{gpa:#x}");
        assert_eq!(found.executable, access.contains(Access::EXECUTE), "{gpa:#x}");
        assert!(holder.is_none() || found.leaf_size == 4096);
    }
    assert_eq!(walk(VIRTUAL_BASE - 1), None);
    if inputs.region_size < abi_boot::MAX_REGION_SIZE {
        assert_eq!(walk(VIRTUAL_BASE + inputs.region_size), None);
    }

    // The start state.
    let start = layout.start;
    assert_eq!((start.instruction, start.rdi, start.rsi), (inputs.kernel.entry, VIRTUAL_BASE, 0));
    assert_eq!(start.stack, VIRTUAL_BASE + (stack.end() - base));
    assert_eq!(block.stack_top, start.stack);
    assert_eq!(start.page_table_root, tables.gpa);
}

#[test]
fn parts_lie_in_the_contracts_order() {
    let kernel = sample_kernel();
    let layout = lay_out(&inputs(&kernel, Platform::SNP)).unwrap();
    let placed: Vec<_> =
        layout.parts.iter().map(|part| (part.purpose, part.gpa, part.size)).collect();
    let data = BASE + (DATA - VIRTUAL_BASE);
    assert_eq!(
        placed,
        [
            (Purpose::BootBlock, BASE, 0x1000),
            (Purpose::Kernel, BASE + 0x1000, 0x3000),
            (Purpose::Kernel, BASE + 0x4000, 0x1000),
            (Purpose::Kernel, data, 0x5000),
            (Purpose::BootStack, data + 0x6000, 0x4000),
            (Purpose::Cpuid, data + 0xb000, 0x1000),
            (Purpose::Secrets, data + 0xc000, 0x1000),
            (Purpose::MemoryMap, data + 0xd000, 0x1000),
            (Purpose::Madt, data + 0xe000, 0x2000),
            (Purpose::Service, data + 0x1_0000, 0x2000),
            (Purpose::PageTables, data + 0x1_2000, 0x4000),
        ]
    );
    assert_eq!(layout.required_memory, [(BASE, SIZE)]);
    assert_eq!(layout.pvh_entry, None);
}

#[test]
fn layouts_are_consistent_on_every_platform() {
    let kernel = sample_kernel();
    let file = bzimage(&[0xcc; 0x2010]);
    let guest = BzImage::parse(&file).unwrap();
    for platform in [Platform::SNP, Platform::NATIVE] {
        let inputs = inputs(&kernel, platform);
        check(&lay_out(&inputs).unwrap(), &inputs);
        let inputs = with_guest(inputs, &guest);
        check(&lay_out(&inputs).unwrap(), &inputs);
    }
}

#[test]
fn a_guest_lies_where_it_is_to_run() {
    let kernel = sample_kernel();
    let file = bzimage(&[0xcc; 0x2010]);
    let guest = BzImage::parse(&file).unwrap();
    let layout = lay_out(&with_guest(inputs(&kernel, Platform::SNP), &guest)).unwrap();
    let placed: Vec<_> = layout
        .parts
        .iter()
        .filter(|part| part.gpa < BASE)
        .map(|part| (part.purpose, part.name.as_str(), part.gpa, part.size))
        .collect();
    assert_eq!(
        placed,
        [
            (Purpose::GuestReserved, "save area", 0xe000, 0x1000),
            (Purpose::GuestReserved, "calling area", 0xf000, 0x1000),
            (Purpose::PlatformData, "", 0x1_0000, 0x1000),
            (Purpose::GuestReserved, "cpuid", 0x1_1000, 0x1000),
            (Purpose::GuestReserved, "secrets", 0x1_2000, 0x1000),
            (Purpose::BootParameters, "", 0x1_3000, 0x1000),
            (Purpose::GuestPageTables, "", 0x1_4000, 0x3000),
            (Purpose::GuestCommandLine, "", 0x2_0000, 0x1000),
            (Purpose::AcpiTables, "", 0xe_0000, part(&layout, Purpose::AcpiTables).size),
            (Purpose::GuestKernel, "", 0x100_0000, 0x3000),
            (Purpose::GuestInitrd, "", 0x140_0000, 0x2000),
        ]
    );
    assert!(layout.parts.iter().all(|part| part.end() <= BASE + SIZE));
    // What the kernel's decompressor writes to must be there, too.
    assert_eq!(layout.required_memory, [(BASE, SIZE), (0x100_0000, 0x40_0000)]);
    // The module starts first, whatever the guest is.
    assert_eq!(layout.start.instruction, kernel.entry);
}

#[test]
fn the_module_learns_how_to_enter_the_guest() {
    let kernel = sample_kernel();
    let file = bzimage(&[0xcc; 0x2010]);
    let guest = BzImage::parse(&file).unwrap();
    for (max_vcpus, processors) in [(16, 16), (4096, 255)] {
        let inputs = Inputs { max_vcpus, ..with_guest(inputs(&kernel, Platform::SNP), &guest) };
        let layout = lay_out(&inputs).unwrap();
        let record = part(&layout, Purpose::GuestStart);
        assert_eq!((record.size, record.access), (0x1000, Access::READ));
        let start = GuestStart::parse(&record.content).unwrap();
        assert_eq!(start.instruction, 0x100_0200);
        assert_eq!(start.boot_parameters, part(&layout, Purpose::BootParameters).gpa);
        assert_eq!(start.page_table_root, part(&layout, Purpose::GuestPageTables).gpa);
        assert_eq!((start.kernel_memory, start.kernel_memory_size), (0x100_0000, 0x40_0000));
        let data = part(&layout, Purpose::PlatformData);
        assert_eq!((start.descriptor_table, start.descriptor_table_limit), (data.gpa + 0x80, 31));
        let reserved = |name| layout.parts.iter().find(|part| part.name == name).unwrap();
        for (page, name) in [
            (start.cpuid, "cpuid"),
            (start.secrets, "secrets"),
            (start.calling_area, "calling area"),
            (start.save_area, "save area"),
        ] {
            assert_eq!((page, reserved(name).content.len()), (reserved(name).gpa, 0));
        }
        let tables = part(&layout, Purpose::AcpiTables);
        let madt = (start.madt - tables.gpa) as usize;
        let madt = &tables.content[madt..madt + start.madt_size as usize];
        assert_eq!(madt, platform_tables::madt(processors.try_into().unwrap()));
    }
}

#[test]
fn what_is_left_to_the_module_can_be_filled_in() {
    let kernel = sample_kernel();
    let file = bzimage(&[0xcc; 0x2010]);
    let guest = BzImage::parse(&file).unwrap();
    let layout = lay_out(&with_guest(inputs(&kernel, Platform::SNP), &guest)).unwrap();
    let page = boot_block_page(&layout);
    let block = BootBlock::parse(page.as_bytes()).unwrap();
    let start = GuestStart::parse(&part(&layout, Purpose::GuestStart).content).unwrap();

    // The memory map, from nothing but the boot block and what memory there is.
    let range = |base, size, kind| MemoryRange { base, size, kind };
    let mut taken = vec![range(block.region_base, block.region_size, MemoryKind::Reserved)];
    taken.extend(block.guest_parts().filter_map(|part| match part.kind {
        PartKind::GUEST_ACPI_TABLES => Some(range(part.gpa, part.size, MemoryKind::AcpiTables)),
        PartKind::GUEST_PLATFORM_DATA | PartKind::GUEST_RESERVED => {
            Some(range(part.gpa, part.size, MemoryKind::Reserved))
        }
        _ => None,
    }));
    let map = MemoryMap::new(std::iter::once(0..0x1000_0000), &taken).unwrap();
    let mut params: [u8; 4096] =
        part(&layout, Purpose::BootParameters).content[..].try_into().unwrap();
    assert_eq!(params[0x1e8], 0);
    write_memory_map(&mut params, map.ranges()).unwrap();
    // The guest finds its kernel, its RAM disk and its command line in memory
    // that it may use, and so does its allocator leave the rest alone.
    for placed in block.guest_parts() {
        let told = map
            .ranges()
            .iter()
            .find(|range| (range.base..range.end().unwrap()).contains(&placed.gpa));
        let expected = taken.iter().find(|range| range.base == placed.gpa);
        let expected = expected.map_or(MemoryKind::Usable, |range| range.kind);
        assert_eq!(told.unwrap().kind, expected, "{placed:?}");
    }

    let tables = part(&layout, Purpose::AcpiTables);
    let madt = (start.madt - tables.gpa) as usize..;
    let mut madt = tables.content[madt][..start.madt_size as usize].to_vec();
    assert_eq!(enable_processors(&mut madt, &[0, 15]), Ok(()));
    assert_eq!(enable_processors(&mut madt, &[16]), Err(MadtError::UnknownProcessor(16)));
}

#[test]
fn a_region_where_the_guest_must_lie_is_refused() {
    let kernel = sample_kernel();
    let file = bzimage(&[0xcc; 0x2010]);
    let guest = BzImage::parse(&file).unwrap();
    let refusal = |region_base| {
        let inputs = Inputs { region_base, ..inputs(&kernel, Platform::SNP) };
        lay_out(&with_guest(inputs, &guest)).map(drop).unwrap_err().to_string()
    };
    assert!(refusal(0xf0_0000).starts_with("guest.kernel needs the memory from 0x1000000"));
    assert!(refusal(0xf000).contains("where the module's region lies: move region.base"));
    let message = refusal(0x13f_f000);
    assert!(message.starts_with("guest.kernel"), "{message}");
}

#[test]
fn free_memory_is_mapped_with_large_pages() {
    let kernel = sample_kernel();
    let layout = lay_out(&inputs(&kernel, Platform::SNP)).unwrap();
    let tables = part(&layout, Purpose::PageTables);
    let leaf_size = |offset| {
        translate(&tables.content, tables.gpa, C_BIT, VIRTUAL_BASE + offset).unwrap().leaf_size
    };
    assert_eq!(leaf_size(SIZE_2M - 4096), 4096);
    assert_eq!(leaf_size(SIZE_2M), SIZE_2M);
    assert_eq!(leaf_size(SIZE - 1), SIZE_2M);
}

#[test]
fn filled_pages_have_content_all_over() {
    let kernel = sample_kernel();
    let layout = lay_out(&inputs(&kernel, Platform::SNP)).unwrap();
    let page = boot_block_page(&layout);
    let block = BootBlock::parse(page.as_bytes()).unwrap();
    let content_size = |kind| block.parts_of(kind).next().unwrap().content_size;
    assert_eq!(content_size(PartKind::SECRETS), 0x1000);
    assert_eq!(content_size(PartKind::MADT), 0x2000);
    assert_eq!(content_size(PartKind::BOOT_STACK), 0);
    assert_eq!(content_size(PartKind::SERVICE), 5000);
    let data = block.parts_of(PartKind::KERNEL).find(|part| part.name() == "data").unwrap();
    assert_eq!((data.size, data.content_size), (0x5000, 0x1234));
}

#[test]
fn pvh_entry_page_is_mapped_at_its_physical_address() {
    let kernel = sample_kernel();
    let layout = lay_out(&inputs(&kernel, Platform::NATIVE)).unwrap();
    let tables = part(&layout, Purpose::PageTables);
    let entry = BASE + (TEXT - VIRTUAL_BASE) + 1;
    assert_eq!(layout.pvh_entry, Some(entry));
    let found = translate(&tables.content, tables.gpa, 0, entry).unwrap();
    assert_eq!((found.gpa, found.writable, found.executable), (entry, false, true));
    assert_eq!(found.leaf_size, 4096);
    let next_page = (entry & !4095) + 4096;
    assert_eq!(translate(&tables.content, tables.gpa, 0, next_page), None);
    let snp = lay_out(&inputs(&kernel, Platform::SNP)).unwrap();
    let tables = part(&snp, Purpose::PageTables);
    assert_eq!(translate(&tables.content, tables.gpa, C_BIT, entry), None);
}

#[test]
fn native_needs_a_reachable_pvh_entry() {
    let kernel = KernelElf { pvh_entry: None, ..sample_kernel() };
    assert_eq!(lay_out(&inputs(&kernel, Platform::NATIVE)), Err(Error::NoPvhEntry));
    assert!(lay_out(&inputs(&kernel, Platform::SNP)).is_ok());
    let kernel = sample_kernel();
    let with_base = |region_base| {
        let inputs = inputs(&kernel, Platform::NATIVE);
        lay_out(&Inputs { region_base, ..inputs }).map(drop)
    };
    assert_eq!(with_base((1 << 32) - SIZE), Ok(()));
    assert_eq!(with_base((1 << 32) - SIZE + 4096), Err(Error::RegionTooHigh((1 << 32) + 4096)));
}

#[test]
fn regions_that_cannot_be_are_refused() {
    let kernel = sample_kernel();
    let refusal = |region_base, region_size, c_bit_mask| {
        let inputs = inputs(&kernel, Platform::SNP);
        lay_out(&Inputs { region_base, region_size, c_bit_mask, ..inputs }).unwrap_err()
    };
    let last = u64::MAX - 4095;
    assert_eq!(refusal(last, 0x2000, 0), Error::RegionWraps(last, 0x2000));
    assert_eq!(refusal(C_BIT, SIZE, C_BIT), Error::RegionReachesCBit(C_BIT + SIZE, C_BIT));
    let below = C_BIT - SIZE + 4096;
    assert_eq!(refusal(below, SIZE, C_BIT), Error::RegionReachesCBit(C_BIT + 4096, C_BIT));
}

#[test]
fn what_does_not_fit_is_named() {
    let kernel = sample_kernel();
    let with_size = |region_size| {
        lay_out(&Inputs { region_size, ..inputs(&kernel, Platform::SNP) })
            .err()
            .map(|error| error.to_string())
    };
    for (size, words) in [
        (0xa000, "kernel segment data"),
        (0xb000, "guard page"),
        (0xe000, "boot stack"),
        (0x1_1000, "cpuid"),
        (0x1_5000, "madt"),
        (0x1_6000, "service init"),
        (0x1_8000, "page tables"),
        (0x1_b000, "page tables"),
    ] {
        let message = with_size(size).unwrap();
        assert!(message.contains(words) && message.contains("region"), "{size:#x}: {message}");
    }
    assert_eq!(with_size(0x1_c000), None);
}

#[test]
fn number_of_parts_is_bounded() {
    let kernel = sample_kernel();
    let with_services = |count: usize| {
        let service = |index| (format!("s{index}"), Arc::from([1_u8]));
        let services = (0..count).map(service).collect();
        lay_out(&Inputs { services, ..inputs(&kernel, Platform::SNP) }).map(drop)
    };
    // Ten parts of the sample are not services.
    assert_eq!(with_services(MAX_PARTS - 10), Ok(()));
    assert_eq!(with_services(MAX_PARTS - 9), Err(Error::TooManyParts(MAX_PARTS + 1)));
}

/// Kernels with up to five segments, apart or back to back.
fn kernels() -> impl Strategy<Value = KernelElf> {
    let segment = (0_u64..6, 1_u64..40, 0_usize..5000, 1_usize..3);
    proptest::collection::vec(segment, 0..5).prop_map(|segments| {
        let mut address = VIRTUAL_BASE + 4096;
        let mut push = |gap: u64, pages: u64, content: usize, access| {
            address += gap * 4096;
            let memory_size = pages * 4096;
            let content = vec![0x5a; content.min(memory_size as usize)];
            let segment = Segment { address, memory_size, access, content };
            address += memory_size;
            segment
        };
        let mut all = vec![push(0, 1, 100, READ_EXECUTE)];
        for (gap, pages, content, access) in segments {
            let access = [Access::READ, READ_WRITE, READ_EXECUTE][access];
            all.push(push(gap, pages, content, access));
        }
        let entry = VIRTUAL_BASE + 4096 + 8;
        KernelElf { entry, pvh_entry: Some(entry + 8), segments: all, symbols: Vec::new() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn random_layouts_are_consistent(
        kernel in kernels(),
        base in 0_u64..0x2_0000,
        pages in 0_u64..0x1000,
        stack_pages in 1_u32..20,
        native in any::<bool>(),
        services in proptest::collection::vec(1_usize..20_000, 0..4),
        guest in any::<bool>(),
    ) {
        let platform = if native { Platform::NATIVE } else { Platform::SNP };
        let file = bzimage(&[0xcc; 0x2010]);
        let guest_kernel = BzImage::parse(&file).unwrap();
        let bytes = |size: usize| Arc::from(vec![3_u8; size]);
        let inputs = Inputs {
            region_base: base * 4096,
            region_size: (pages + 1) * 4096,
            stack_pages,
            services: services.iter().map(|size| ("s".to_owned(), bytes(*size))).collect(),
            guest: guest.then(|| Payload {
                kernel: &guest_kernel,
                initrd: Some(bytes(5000)),
                command_line: "",
            }),
            ..inputs(&kernel, platform)
        };
        match lay_out(&inputs) {
            Ok(layout) => check(&layout, &inputs),
            // Random regions may be too small or where a guest has to lie, and
            // for nothing else refused.
            Err(Error::Guest(payload::Error::Taken { .. })) => prop_assert!(guest),
            Err(error) => prop_assert!(
                matches!(error, Error::RegionFull { .. } | Error::SegmentOutsideRegion { .. }),
                "{}", error
            ),
        }
    }
}

#[test]
fn names_of_functions_are_a_read_only_part_behind_the_stack() {
    let without = sample_kernel();
    let placed = |kernel: &KernelElf| {
        let layout = lay_out(&inputs(kernel, Platform::SNP)).unwrap();
        let find = |purpose| layout.parts.iter().find(|part| part.purpose == purpose).cloned();
        (find(Purpose::BootStack).unwrap(), find(Purpose::Symbols))
    };
    assert_eq!(placed(&without).1, None);
    let kernel = KernelElf { symbols: vec![7; 5000], ..without };
    let (stack, symbols) = placed(&kernel);
    let symbols = symbols.unwrap();
    assert_eq!((symbols.gpa, symbols.size), (stack.end() + 0x1000, 0x2000));
    assert_eq!((symbols.access, &*symbols.content), (Access::READ, &[7; 5000][..]));
}
