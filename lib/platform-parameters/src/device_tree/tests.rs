//! Trees made by hand, whole and broken.

extern crate std;

use std::vec::Vec;

use proptest::prelude::*;

use super::*;

const LIMIT: u64 = 1 << 40;

/// Writes trees: nodes and properties in their order, then the blocks.
#[derive(Default)]
struct Writer {
    structure: Vec<u8>,
    strings: Vec<u8>,
}

impl Writer {
    fn word(&mut self, word: u32) {
        self.structure.extend_from_slice(&word.to_be_bytes());
    }

    fn padded(&mut self, bytes: &[u8]) {
        self.structure.extend_from_slice(bytes);
        self.structure.resize(self.structure.len().next_multiple_of(4), 0);
    }

    fn begin(mut self, name: &str) -> Self {
        self.word(1);
        self.padded(&[name.as_bytes(), &[0]].concat());
        self
    }

    fn property(mut self, name: &str, value: &[u8]) -> Self {
        let offset = self.strings.len() as u32;
        self.strings.extend_from_slice(name.as_bytes());
        self.strings.push(0);
        self.word(3);
        self.word(value.len() as u32);
        self.word(offset);
        self.padded(value);
        self
    }

    fn cells(self, name: &str, cells: &[u32]) -> Self {
        let bytes: Vec<u8> = cells.iter().flat_map(|cell| cell.to_be_bytes()).collect();
        self.property(name, &bytes)
    }

    fn end(mut self) -> Self {
        self.word(2);
        self
    }

    /// The tree: header, empty reservations, structure, strings.
    fn finish(mut self) -> Vec<u8> {
        self.word(9);
        let (structure, strings) = (self.structure.len() as u32, self.strings.len() as u32);
        let header = [
            0xd00d_feed,
            56 + structure + strings,
            56,
            56 + structure,
            40,
            17,
            16,
            0,
            strings,
            structure,
        ];
        let mut tree: Vec<u8> = header.iter().flat_map(|word| word.to_be_bytes()).collect();
        tree.extend_from_slice(&[0; 16]);
        tree.extend_from_slice(&self.structure);
        tree.extend_from_slice(&self.strings);
        tree
    }
}

/// A tree with two ranges of memory, one of them hidden, four processors and a
/// command line.
pub(crate) fn sample() -> Vec<u8> {
    let cpu = |writer: Writer, id: u32, status: &str| {
        let writer = writer.begin(&std::format!("cpu@{id:x}")).property("device_type", b"cpu\0");
        writer.cells("reg", &[id]).property("status", status.as_bytes()).end()
    };
    let mut writer = Writer::default()
        .begin("")
        .cells("#address-cells", &[2])
        .cells("#size-cells", &[2])
        .begin("cpus")
        .cells("#address-cells", &[1])
        .cells("#size-cells", &[0]);
    for (id, status) in [(5, "okay\0"), (0, "okay\0"), (0x100, "disabled\0"), (7, "fail\0")] {
        writer = cpu(writer, id, status);
    }
    writer
        .end()
        .begin("memory@100000000")
        .property("device_type", b"memory\0")
        .cells("reg", &[1, 0, 0, 0x1000_0000])
        .cells("microsoft,igvm-type", &[5])
        .end()
        .begin("memory@0")
        .property("device_type", b"memory\0")
        .cells("reg", &[0, 0, 0, 0x8_0000, 0, 0x10_0000, 0, 0x1000])
        .end()
        .begin("chosen")
        .property("bootargs", b"quiet\0")
        .end()
        .end()
        .finish()
}

fn refusal<T: core::fmt::Debug>(result: Result<T, Refusal>) -> Rule {
    let refusal = result.unwrap_err();
    assert_eq!(refusal.area, Area::DeviceTree);
    refusal.rule
}

#[test]
fn everything_is_found() {
    let mut area = sample();
    area.resize(3 * 4096, 0xff);
    let tree = DeviceTree::check(&area).unwrap();
    let mut storage = [MemoryRange::EMPTY; 3];
    let map = tree.memory(&mut storage, LIMIT).unwrap();
    let expected = [
        MemoryRange { start: 0, size: 0x8_0000, kind: MemoryKind::Memory },
        MemoryRange { start: 0x10_0000, size: 0x1000, kind: MemoryKind::Memory },
        MemoryRange { start: 1 << 32, size: 0x1000_0000, kind: MemoryKind::Hidden },
    ];
    assert_eq!(map.ranges(), expected);
    let mut storage = [Processor::NONE; 3];
    let processors = tree.processors(&mut storage).unwrap();
    assert!(processors.enabled().eq([0, 5]));
    assert_eq!(processors.all().len(), 3);
    assert_eq!(tree.command_line(), Ok(Some("quiet")));
    assert_eq!(refusal(tree.memory(&mut [], LIMIT)), Rule::TooManyEntries(0));
    assert_eq!(refusal(tree.processors(&mut [])), Rule::TooManyEntries(0));
}

#[test]
fn an_empty_tree_has_nothing() {
    let area = Writer::default().begin("").end().finish();
    let tree = DeviceTree::check(&area).unwrap();
    assert_eq!(refusal(tree.memory(&mut [], LIMIT)), Rule::NoMemory);
    assert_eq!(refusal(tree.processors(&mut [])), Rule::ProcessorCount { count: 0, most: 0 });
    assert_eq!(tree.command_line(), Ok(None));
}

#[test]
fn what_is_no_tree_is_refused() {
    let check = |area: &[u8]| refusal(DeviceTree::check(area));
    assert_eq!(check(&[]), Rule::Truncated(0));
    assert_eq!(check(&[0; 4096]), Rule::Empty);
    assert_eq!(check(b"APIC1234"), Rule::Signature(*b"APIC"));
    let good = sample();
    for length in 4..good.len() {
        assert_eq!(check(&good[..length]), Rule::Truncated(length));
    }
    // Sizes and offsets beyond the end.
    for place in (8..40).step_by(4) {
        let mut bad = good.clone();
        bad[place..place + 4].fill(0xff);
        let result = DeviceTree::check(&bad);
        // The versions and the boot processor may be anything that includes 17.
        let harmless = matches!(place, 20 | 28);
        assert_eq!(result.is_ok(), harmless, "{place}");
    }
}

/// A tree whose root has these cells and one memory node.
fn memory(cells: [&[u32]; 2], reg: &[u8], kind: Option<&[u8]>) -> Rule {
    let mut writer = Writer::default()
        .begin("")
        .cells("#address-cells", cells[0])
        .cells("#size-cells", cells[1])
        .begin("memory@0")
        .property("device_type", b"memory\0")
        .property("reg", reg);
    if let Some(kind) = kind {
        writer = writer.property(IGVM_DT_IGVM_TYPE_PROPERTY, kind);
    }
    let area = writer.end().end().finish();
    let tree = DeviceTree::check(&area).unwrap();
    refusal(tree.memory(&mut [MemoryRange::EMPTY; 2], LIMIT))
}

#[test]
fn properties_without_sense_are_refused() {
    let property = |node, property| Rule::Property { node, property };
    for cells in [&[3][..], &[u32::MAX], &[], &[1, 1]] {
        assert_eq!(memory([cells, &[1]], &[0; 8], None), property("parent", "#address-cells"));
        assert_eq!(memory([&[1], cells], &[0; 8], None), property("parent", "#size-cells"));
    }
    assert_eq!(memory([&[0], &[2]], &[0; 8], None), property(MEMORY, "reg"));
    assert_eq!(memory([&[1], &[1]], &[0; 7], None), property(MEMORY, "reg"));
    for kind in [&[0, 0, 0][..], &[0, 1, 0, 0]] {
        let rule = memory([&[1], &[1]], &[0; 8], Some(kind));
        assert_eq!(rule, property(MEMORY, IGVM_DT_IGVM_TYPE_PROPERTY));
    }
    let odd = Rule::NotWholePages { start: 0, size: 1 };
    assert_eq!(memory([&[1], &[1]], &[0, 0, 0, 0, 0, 0, 0, 1], None), odd);
    let far = Rule::AddressRange { first_page: (1 << 52) - 1, pages: 1, limit: LIMIT };
    let reg = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xf0, 0, 0, 0, 0x10, 0];
    assert_eq!(memory([&[2], &[1]], &reg, None), far);
}

#[test]
fn processors_need_an_identifier_of_32_bits() {
    let processors = |reg: &[u32]| {
        let area = Writer::default()
            .begin("")
            .begin("cpus")
            .cells("#address-cells", &[2])
            .cells("#size-cells", &[0])
            .begin("cpu@0")
            .property("device_type", b"cpu\0")
            .cells("reg", reg)
            .end()
            .end()
            .end()
            .finish();
        let mut storage = [Processor::NONE; 2];
        DeviceTree::check(&area).unwrap().processors(&mut storage).map(|found| found.all().len())
    };
    assert_eq!(processors(&[0, 1, 0, 2]), Ok(2));
    assert_eq!(refusal(processors(&[0, 1, 0, 1])), Rule::SameProcessor(1));
    assert_eq!(refusal(processors(&[1, 0])), Rule::ProcessorIdentifier(1 << 32));
    let broadcast = Rule::ProcessorIdentifier(u32::MAX.into());
    assert_eq!(refusal(processors(&[0, u32::MAX])), broadcast);
}

#[test]
fn command_lines_are_text() {
    for value in [&b"abc"[..], b"", b"\xff\0"] {
        let area = Writer::default().begin("").begin("chosen").property("bootargs", value);
        let area = area.end().end().finish();
        let tree = DeviceTree::check(&area).unwrap();
        let rule = Rule::Property { node: "chosen", property: "bootargs" };
        assert_eq!(refusal(tree.command_line()), rule);
    }
}

fn read_all(area: &[u8]) {
    if let Ok(tree) = DeviceTree::check(area) {
        let _ = tree.memory(&mut [MemoryRange::EMPTY; 8], LIMIT);
        let _ = tree.processors(&mut [Processor::NONE; 8]);
        let _ = tree.command_line();
    }
}

#[test]
fn no_single_byte_makes_it_panic() {
    let good = sample();
    for place in 0..good.len() {
        for value in [0, 1, 2, 3, 4, 9, 0x7f, 0x80, 0xff] {
            let mut bad = good.clone();
            bad[place] = value;
            read_all(&bad);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn no_words_make_it_panic(
        words in prop::collection::vec((any::<prop::sample::Index>(), prop_oneof![0..10_u32, any::<u32>()]), 1..8),
    ) {
        let mut area = sample();
        for (index, word) in words {
            let place = index.index(area.len() / 4) * 4;
            area[place..place + 4].copy_from_slice(&word.to_be_bytes());
        }
        read_all(&area);
    }
}
