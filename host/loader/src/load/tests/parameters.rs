//! What the host tells the guest.

use abi_simulator::launch::{LaunchFile, LaunchStep};
use abi_snp::PageType;
use igvm::IgvmDirectiveHeader as Directive;
use igvm_defs::{IGVM_VHS_MEMORY_MAP_ENTRY, MemoryMapEntryType};
use zerocopy::FromBytes;

use super::samples::{self, SNP, area, insert, place};
use crate::load::load;
use crate::{Error, MachineOptions};

/// The parameter area that is inserted at 0x1000.
fn loaded(directives: Vec<Directive>, machine: &MachineOptions<'_>) -> Result<Vec<u8>, Error> {
    let directives = [directives, vec![samples::context(0)]].concat();
    let bytes = load(&samples::igvm(directives), machine)?;
    let file = LaunchFile::parse(&bytes).unwrap();
    let LaunchStep::Private(pages) = file.steps[0] else { panic!("{:?}", file.steps[0]) };
    assert_eq!((pages.run.gpa, pages.run.page_type), (0x1000, PageType::UNMEASURED));
    Ok(pages.content.concat())
}

/// An area of one page with one parameter at `offset`.
fn with(
    parameter: impl Fn(igvm_defs::IGVM_VHS_PARAMETER) -> Directive,
    offset: u32,
) -> Vec<Directive> {
    vec![area(0, 1, &[]), parameter(place(0, offset)), insert(0x1000, SNP, 0)]
}

#[test]
fn numbers_go_where_the_file_says() {
    let directives = vec![
        area(3, 1, &[0x55; 4096]),
        Directive::VpCount(place(3, 8)),
        Directive::EnvironmentInfo(place(3, 4092)),
        insert(0x1000, SNP, 3),
    ];
    let area = loaded(directives, &samples::machine()).unwrap();
    assert_eq!(area[..8], [0x55; 8]);
    assert_eq!(area[8..16], [2, 0, 0, 0, 0x55, 0x55, 0x55, 0x55]);
    assert_eq!(area[4088..], [0x55, 0x55, 0x55, 0x55, 1, 0, 0, 0]);
}

#[test]
fn memory_map_is_sorted_and_ends() {
    let mut machine = samples::machine();
    machine.memory_size = 0x8000_0000;
    let mut directives = with(Directive::MemoryMap, 24);
    directives.push(samples::required_memory(0x8000_0000, 0x3000, SNP));
    let area = loaded(directives, &machine).unwrap();
    assert_eq!(area[..24], [0; 24]);
    let entries: Vec<_> = area[24..]
        .chunks_exact(24)
        .map(|entry| IGVM_VHS_MEMORY_MAP_ENTRY::read_from_bytes(entry).unwrap())
        .map(|entry| (entry.starting_gpa_page_number, entry.number_of_pages, entry.entry_type))
        .collect();
    let expected = [
        (0, 0x7_0000, MemoryMapEntryType::MEMORY),
        (0x8_0000, 3, MemoryMapEntryType::PLATFORM_RESERVED),
        (0x10_0000, 0x1_0000, MemoryMapEntryType::MEMORY),
        (0, 0, MemoryMapEntryType::MEMORY),
    ];
    assert_eq!(entries[..4], expected);
}

#[test]
fn tables_and_texts() {
    let madt = loaded(with(Directive::Madt, 16), &samples::machine()).unwrap();
    let expected = platform_tables::madt(2.try_into().unwrap());
    assert_eq!(madt[16..16 + expected.len()], expected);
    assert!(expected.starts_with(b"APIC"));

    let mut machine = samples::machine();
    machine.command_line = "console=ttyS0";
    let text = loaded(with(Directive::CommandLine, 0), &machine).unwrap();
    assert!(text.starts_with(b"console=ttyS0\0"));
    // It does not matter whether there is something to say.
    assert_eq!(loaded(with(Directive::CommandLine, 0), &samples::machine()).unwrap(), [0; 4096]);
    assert_eq!(loaded(with(Directive::DeviceTree, 0), &samples::machine()).unwrap(), [0; 4096]);
}

#[test]
fn parameters_must_fit() {
    let machine = samples::machine();
    let refusal = |directives| loaded(directives, &machine).unwrap_err();
    let space = |parameter, size, space| Error::ParameterSpace { parameter, size, space };
    assert_eq!(refusal(with(Directive::VpCount, 4093)), space("VP count", 4, 3));
    assert_eq!(refusal(with(Directive::VpCount, u32::MAX)), space("VP count", 4, 0));
    assert_eq!(refusal(with(Directive::MemoryMap, 4096 - 47)), space("memory map", 48, 47));
    assert!(loaded(with(Directive::MemoryMap, 4096 - 48), &machine).is_ok());
}

#[test]
fn unsupported_parameters_are_named() {
    let machine = samples::machine();
    for (directives, name) in [
        (with(Directive::Srat, 0), "SRAT"),
        (with(Directive::Slit, 0), "SLIT"),
        (with(Directive::Pptt, 0), "PPTT"),
        (with(Directive::MmioRanges, 0), "list of MMIO ranges"),
    ] {
        let error = loaded(directives, &machine).unwrap_err();
        assert_eq!(error, Error::UnsupportedParameter { parameter: name });
    }
}

/// An area for another platform may ask for anything.
#[test]
fn areas_of_other_platforms_do_not_count() {
    let directives = vec![
        area(0, 1, &[]),
        insert(0x1000, SNP, 0),
        area(1, 1, &[]),
        Directive::Srat(place(1, 0)),
        Directive::VpCount(place(1, 9999)),
        Directive::CommandLine(place(1, 0)),
        insert(0x2000, samples::NATIVE, 1),
    ];
    assert!(loaded(directives.clone(), &samples::machine()).is_ok());
    let mut machine = samples::machine();
    machine.command_line = "quiet";
    assert_eq!(loaded(directives, &machine), Err(Error::NoCommandLinePlace));
}

#[test]
fn command_lines_arrive_as_they_are_or_not_at_all() {
    let mut machine = samples::machine();
    for text in ["a\0b", "grün"] {
        machine.command_line = text;
        let error = loaded(with(Directive::CommandLine, 0), &machine).unwrap_err();
        assert_eq!(error, Error::CommandLine);
    }
    machine.command_line = "quiet";
    assert_eq!(loaded(with(Directive::VpCount, 0), &machine), Err(Error::NoCommandLinePlace));
}

#[test]
fn areas_are_bounded() {
    // Areas of 16 MiB.
    let directives = |count: u32| {
        let places = (0..count).map(|index| (index, 0x1000 + u64::from(index) * 0x100_0000));
        let mut directives = Vec::new();
        for (index, gpa) in places {
            directives.extend([area(index, 4096, &[]), insert(gpa, SNP, index)]);
        }
        directives.push(samples::context(0));
        directives
    };
    let load = |count| load(&samples::igvm(directives(count)), &samples::machine());
    assert!(load(4).is_ok());
    assert_eq!(load(5), Err(Error::ParameterAreas { size: 5 << 24, max: 4 << 24 }));
}
