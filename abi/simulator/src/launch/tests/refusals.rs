//! Every rule has a file that breaks it.

use alloc::string::ToString;
use alloc::vec::Vec;

use abi_snp::{PageSize, PageType};
use zerocopy::IntoBytes;

use super::samples;
use crate::MemoryRange;
use crate::launch::{
    CpuidAdditions, CpuidPolicy, Error, GivenPages, LaunchFile, LaunchFileWriter, Options, Page,
    PageRun, Problem, RecordKind, SecurityProcessor, Trace,
};

/// Adds a record.
type Write = fn(&mut LaunchFileWriter);

/// Offset of the first record's head.
const FIRST: usize = 24;

fn parse(bytes: &[u8]) -> Error {
    LaunchFile::parse(bytes).unwrap_err()
}

/// The full sample with `value` at `offset`.
fn changed(offset: usize, value: &[u8]) -> Error {
    let mut bytes = samples::full();
    bytes[offset..offset + value.len()].copy_from_slice(value);
    parse(&bytes)
}

/// What is wrong with the last record that `write` adds to a good start.
fn problem(kind: RecordKind, write: impl FnOnce(&mut LaunchFileWriter)) -> Problem {
    problem_of(kind, samples::least(), write)
}

fn problem_of(
    expected: RecordKind,
    mut writer: LaunchFileWriter,
    write: impl FnOnce(&mut LaunchFileWriter),
) -> Problem {
    write(&mut writer);
    match writer.finish().unwrap_err() {
        Error::Record { kind, problem, .. } if kind == expected => problem,
        other => panic!("{other}"),
    }
}

/// The field that the problem is about, and its value.
fn field(problem: Problem) -> (&'static str, u64) {
    match problem {
        Problem::Field { field, value, .. } => (field, value),
        other => panic!("{other}"),
    }
}

fn pages(run: PageRun, content: &[Page]) -> Problem {
    problem(RecordKind::PAGES, |writer| writer.pages(&run, content))
}

#[test]
fn header() {
    assert_eq!(parse(&[]), Error::NoHeader(0));
    assert_eq!(parse(b"SVSM-SIM"), Error::NoHeader(8));
    assert_eq!(changed(0, b"X"), Error::Magic);
    assert_eq!(changed(8, &[9]), Error::Version(9));
    assert_eq!(changed(12, &[32]), Error::HeaderSize(32));
    let actual = samples::full().len() as u64;
    assert_eq!(changed(16, &[0; 8]), Error::TotalSize { stated: 0, actual });
    assert!(Error::Version(9).to_string().contains("same commit"));
}

#[test]
fn records_that_run_over_the_end() {
    let truncated = |offset, kind| Error::Record { offset, kind, problem: Problem::Truncated };
    for size in [57_u64, 1 << 40, u64::MAX - 7, u64::MAX] {
        let bytes: Vec<u8> = {
            let mut bytes = samples::full();
            bytes.truncate(FIRST + 16 + 56);
            bytes[16..24].copy_from_slice(&96_u64.to_le_bytes());
            bytes[FIRST + 8..FIRST + 16].copy_from_slice(&size.to_le_bytes());
            bytes
        };
        assert_eq!(parse(&bytes), truncated(FIRST, RecordKind::OPTIONS));
    }
    // A head that is cut off, and padding that is missing.
    let mut bytes = samples::full();
    let end = bytes.len();
    bytes.extend_from_slice(&[7; 9]);
    bytes[16..24].copy_from_slice(&(end as u64 + 9).to_le_bytes());
    assert_eq!(parse(&bytes), truncated(end, RecordKind(0)));
    let mut writer = samples::least();
    writer.scenario("12345");
    let mut bytes = writer.finish().unwrap();
    bytes.pop();
    let size = bytes.len() as u64;
    bytes[16..24].copy_from_slice(&size.to_le_bytes());
    assert_eq!(parse(&bytes), truncated(size as usize - 23, RecordKind::SCENARIO));
}

#[test]
fn number_and_order_of_records() {
    let of = |kind, problem| Error::Record { offset: FIRST, kind, problem };
    assert_eq!(changed(FIRST, &[2]), of(RecordKind::MEMORY, Problem::NotFirst));
    let memory = FIRST + 16 + 56;
    let expected =
        Error::Record { offset: memory, kind: RecordKind(77), problem: Problem::Unknown };
    assert_eq!(changed(memory, &[77]), expected);
    assert!(expected.to_string().contains("`unknown (0x4d)`"), "{expected}");
    let expected =
        Error::Record { offset: memory, kind: RecordKind::OPTIONS, problem: Problem::Repeated };
    assert_eq!(changed(memory, &[1]), expected);

    let repeated: [(RecordKind, Write); 6] = [
        (RecordKind::MEMORY, |writer| writer.memory(&samples::memory())),
        (RecordKind::SECURITY_PROCESSOR, |writer| {
            writer.security_processor(&samples::security_processor());
        }),
        (RecordKind::CERTIFICATES, |writer| writer.certificates(&[])),
        (RecordKind::SCENARIO, |writer| writer.scenario("")),
        (RecordKind::LAUNCH_START, |writer| writer.launch_start(&samples::start())),
        (RecordKind::ID_BLOCK, |writer| writer.identity(&samples::identity())),
    ];
    for (kind, write) in repeated {
        let twice = |writer: &mut LaunchFileWriter| {
            write(writer);
            write(writer);
        };
        assert_eq!(problem(kind, twice), Problem::Repeated, "{kind}");
    }
}

#[test]
fn missing_records() {
    let mut writer = LaunchFileWriter::new(&samples::options());
    let mut missing = |kind, add: Write| {
        assert_eq!(writer.clone().finish(), Err(Error::Missing(kind)));
        add(&mut writer);
    };
    missing(RecordKind::MEMORY, |writer| writer.memory(&samples::memory()));
    missing(RecordKind::SECURITY_PROCESSOR, |writer| {
        writer.security_processor(&samples::security_processor());
    });
    missing(RecordKind::LAUNCH_START, |writer| writer.launch_start(&samples::start()));
    assert!(writer.finish().is_ok());

    let header_only = [&b"SVSM-SIM"[..], &[1, 0, 0, 0, 24, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0]];
    assert_eq!(parse(&header_only.concat()), Error::Missing(RecordKind::OPTIONS));
}

#[test]
fn pages_need_memory_and_a_start() {
    let page = |writer: &mut LaunchFileWriter| {
        writer.pages(&PageRun::new(0, 1, PageType::NORMAL), []);
    };
    let shared = |writer: &mut LaunchFileWriter| writer.shared_pages(0, &[[0; 4096]]);
    let mut writer = LaunchFileWriter::new(&samples::options());
    let early = Problem::Early(RecordKind::LAUNCH_START);
    assert_eq!(problem_of(RecordKind::PAGES, writer.clone(), page), early);
    assert_eq!(problem_of(RecordKind::SHARED_PAGES, writer.clone(), shared), early);
    writer.launch_start(&samples::start());
    let early = Problem::Early(RecordKind::MEMORY);
    assert_eq!(problem_of(RecordKind::PAGES, writer.clone(), page), early);
    assert_eq!(problem_of(RecordKind::SHARED_PAGES, writer.clone(), shared), early);
    let given = |writer: &mut LaunchFileWriter| {
        writer.given_pages(&GivenPages { gpa: 0, count: 1 });
    };
    assert_eq!(problem_of(RecordKind::GIVEN_PAGES, writer, given), early);
}

#[test]
fn options() {
    let good = samples::options();
    let unknown = Trace::from_bits_retain(1 << 40);
    let addition = CpuidAdditions::INVLPGB | CpuidAdditions::from_bits_retain(1 << 15);
    for (options, expected) in [
        (Options { vcpus: 0, ..good }, ("vcpus", 0)),
        (Options { vcpus: 17, ..good }, ("vcpus", 17)),
        (Options { c_bit: 35, ..good }, ("c_bit", 35)),
        (Options { c_bit: 52, ..good }, ("c_bit", 52)),
        (Options { cpuid_policy: CpuidPolicy(0), ..good }, ("cpuid_policy", 0)),
        (Options { cpuid_additions: addition, ..good }, ("cpuid_additions", 1 << 15)),
        (Options { ghcb_minimum: 0, ..good }, ("ghcb_minimum", 0)),
        (Options { ghcb_minimum: 3, ..good }, ("ghcb_minimum", 3)),
        (Options { time_slice_ns: 0, ..good }, ("time_slice_ns", 0)),
        (Options { trace: unknown, ..good }, ("trace", 1 << 40)),
    ] {
        let writer = LaunchFileWriter::new(&options);
        assert_eq!(field(problem_of(RecordKind::OPTIONS, writer, |_| ())), expected);
    }
}

#[test]
fn memory() {
    let refused = |ranges: &[MemoryRange]| {
        let writer = LaunchFileWriter::new(&samples::options());
        problem_of(RecordKind::MEMORY, writer, |writer| writer.memory(ranges))
    };
    let range = samples::range;
    assert_eq!(refused(&[]), Problem::Size { expected: 16, found: 0 });
    for (ranges, expected) in [
        (&[range(1, 0x1000)][..], ("address", 1)),
        (&[range(0, 0)], ("size", 0)),
        (&[range(0, 0x1001)], ("size", 0x1001)),
        (&[range(0x2000, u64::MAX - 0xfff)], ("size", u64::MAX - 0xfff)),
        (&[range(0x1000, 0x2000), range(0x2000, 0x1000)], ("address", 0x2000)),
        (&[range(0x2000, 0x1000), range(0, 0x1000)], ("address", 0)),
    ] {
        assert_eq!(field(refused(ranges)), expected);
    }
}

#[test]
fn security_processor() {
    for report_version in [0, 1, 4, 6] {
        let processor = SecurityProcessor { report_version, ..samples::security_processor() };
        let writer = LaunchFileWriter::new(&samples::options());
        let problem = problem_of(RecordKind::SECURITY_PROCESSOR, writer, |writer| {
            writer.security_processor(&processor);
        });
        assert_eq!(field(problem), ("report_version", report_version.into()));
    }
    let without = samples::security_processor();
    assert_eq!(without.vlek(), None);
    let with = SecurityProcessor { vlek_or_zero: [1; 48], ..without };
    assert_eq!(with.vlek(), Some(&[1; 48]));
}

#[test]
fn structures_of_another_size() {
    // The options record, with 8 bytes less.
    let mut bytes = samples::full();
    bytes.truncate(FIRST + 16 + 48);
    bytes[16..24].copy_from_slice(&88_u64.to_le_bytes());
    bytes[FIRST + 8] = 48;
    let problem = Problem::Size { expected: 56, found: 48 };
    assert_eq!(parse(&bytes), Error::Record { offset: FIRST, kind: RecordKind::OPTIONS, problem });
}

#[test]
fn runs_of_pages() {
    let run = PageRun::new(0x1000, 1, PageType::NORMAL);
    let large = PageRun { size: PageSize::Size2M, ..PageRun::new(0, 512, PageType::NORMAL) };
    let end = u64::MAX - 0xfff;
    for (run, expected) in [
        (PageRun { page_type: PageType(0), ..run }, ("page type", 0)),
        (PageRun { page_type: PageType(7), ..run }, ("page type", 7)),
        (PageRun { count: 0, ..run }, ("page count", 0)),
        (PageRun { gpa: 1, ..run }, ("address", 1)),
        (PageRun { gpa: end, ..run }, ("page count", 1)),
        (PageRun { count: 1 << 52, ..run }, ("page count", 1 << 52)),
        (PageRun { vcpu: 1, ..run }, ("vcpu", 1)),
        (PageRun { gpa: 0x1000, ..large }, ("address", 0x1000)),
        (PageRun { count: 511, ..large }, ("page count", 511)),
        (PageRun { count: 0, ..large }, ("page count", 0)),
    ] {
        assert_eq!(field(pages(run, &[])), expected);
    }
    for (gpa, count) in [(0xff_f000, 2), (0x100_0000, 1), (0x1_0000_1000, 1), (end - 0x1000, 1)] {
        let outside = Problem::OutsideMemory { gpa, end: gpa + count * 0x1000 };
        assert_eq!(pages(PageRun::new(gpa, count, PageType::NORMAL), &[]), outside);
        let content = [[1; 4096]; 2];
        let shared = problem(RecordKind::SHARED_PAGES, |writer| {
            writer.shared_pages(gpa, &content[..count as usize]);
        });
        assert_eq!(shared, outside);
        let given = problem(RecordKind::GIVEN_PAGES, |writer| {
            writer.given_pages(&GivenPages { gpa, count });
        });
        assert_eq!(given, outside);
    }
}

#[test]
fn a_page_size_that_nobody_defined() {
    let mut writer = samples::least();
    let start = writer.clone().finish().unwrap().len();
    writer.pages(&PageRun::new(0x1000, 1, PageType::NORMAL), []);
    let mut bytes = writer.finish().unwrap();
    bytes[start + 16 + 17] = 2;
    let Error::Record { problem, .. } = parse(&bytes) else { panic!("{:?}", parse(&bytes)) };
    assert_eq!(field(problem), ("page size", 2));
}

#[test]
fn content_of_pages() {
    let page = [3; 4096];
    let of = |page_type| PageRun::new(0x1000, 1, page_type);
    let content = |expected, found| Problem::Content { expected, found };
    assert_eq!(pages(of(PageType::NORMAL), &[page, page]), content(1, 2));
    assert_eq!(pages(PageRun { count: 2, ..of(PageType::CPUID) }, &[page]), content(2, 1));
    assert_eq!(pages(of(PageType::ZERO), &[page]), content(0, 1));
    assert_eq!(pages(of(PageType::SECRETS), &[page]), content(0, 1));
    assert_eq!(pages(of(PageType::VMSA), &[]), content(1, 0));

    let mut writer = samples::least();
    writer.pages(&of(PageType::NORMAL), [&page]);
    let mut bytes = writer.finish().unwrap();
    bytes.truncate(bytes.len() - 8);
    let size = bytes.len() as u64;
    bytes[16..24].copy_from_slice(&size.to_le_bytes());
    let head = bytes.len() - (16 + 32 + 4088);
    bytes[head + 8..head + 16].copy_from_slice(&(32_u64 + 4088).to_le_bytes());
    let Error::Record { problem, .. } = parse(&bytes) else { panic!("{:?}", parse(&bytes)) };
    assert_eq!(field(problem), ("size", 4088));
}

#[test]
fn save_areas() {
    let run = PageRun::new(0x1000, 1, PageType::VMSA);
    assert_eq!(field(pages(PageRun { count: 2, ..run }, &[])), ("page count", 2));
    assert_eq!(field(pages(PageRun { vcpu: 2, ..run }, &[[0; 4096]])), ("vcpu", 2));
}

#[test]
fn author_keys_and_texts() {
    let mut bytes = samples::full();
    let start = bytes.len() - samples::identity().as_bytes().len();
    bytes[start] = 2;
    let Error::Record { problem, .. } = parse(&bytes) else { panic!("{:?}", parse(&bytes)) };
    assert_eq!(field(problem), ("author_key_enabled", 2));

    let mut writer = samples::least();
    writer.scenario("abcdefgh");
    let mut bytes = writer.finish().unwrap();
    let last = bytes.len() - 1;
    bytes[last] = 0xff;
    let Error::Record { problem, .. } = parse(&bytes) else { panic!("{:?}", parse(&bytes)) };
    assert_eq!(problem, Problem::NotText);
}
