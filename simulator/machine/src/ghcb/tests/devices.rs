//! Ports and device memory.

use abi_snp::ghcb::{
    ExitCode, MalformedInput, NaeError, PortIo, PortIoDirection, PortIoOperation, PortIoRepeat,
    PortIoWidth, SHARED_BUFFER_SIZE, SaveArea, ValidFields,
};

use crate::ghcb::fake_host::{Access, DEVICE, PAGES};
use crate::ghcb::scratch::SCRATCH_LIMIT;
use crate::ghcb::test_guest::TestGuest;

const NOTHING: ValidFields = ValidFields::empty();
const INVALID: NaeError = NaeError::Refused(MalformedInput::INVALID_INPUT);
const BAD_SCRATCH: NaeError = NaeError::Refused(MalformedInput::INVALID_SCRATCH_AREA);

fn single(direction: PortIoDirection, width: PortIoWidth) -> SaveArea {
    let io = PortIo::single(direction, 0x3f8, width);
    SaveArea::request(ExitCode::PORT_IO.0, io.encode(), 0)
}

fn string(direction: PortIoDirection, width: PortIoWidth, count: u64, scratch: u64) -> SaveArea {
    let io = PortIo {
        operation: PortIoOperation::String,
        repeat: PortIoRepeat::Repeated,
        ..PortIo::single(direction, 0x402, width)
    };
    SaveArea {
        scratch: Some(scratch),
        ..SaveArea::request(ExitCode::PORT_IO.0, io.encode(), count)
    }
}

fn mmio(code: ExitCode, gpa: u64, length: u64, scratch: u64) -> SaveArea {
    SaveArea { scratch: Some(scratch), ..SaveArea::request(code.0, gpa, length) }
}

#[test]
fn outputs_are_cut_to_their_width() {
    let mut guest = TestGuest::new();
    for (width, value) in
        [(PortIoWidth::One, 0x88), (PortIoWidth::Two, 0x7788), (PortIoWidth::Four, 0x5566_7788)]
    {
        let request =
            SaveArea { rax: Some(0x1122_3344_5566_7788), ..single(PortIoDirection::Out, width) };
        guest.outputs(request, NOTHING).unwrap();
        assert_eq!(guest.host.take_accesses(), [Access::WritePort(0x3f8, width, value)]);
    }
}

#[test]
fn inputs_come_back_in_rax() {
    for (width, value) in
        [(PortIoWidth::One, 0x01), (PortIoWidth::Two, 0x0201), (PortIoWidth::Four, 0x0403_0201)]
    {
        let mut guest = TestGuest::new();
        let request = single(PortIoDirection::In, width);
        assert_eq!(guest.outputs(request, ValidFields::RAX).unwrap().rax, value);
        assert_eq!(guest.host.take_accesses(), [Access::ReadPort(0x3f8, width)]);
    }
}

#[test]
fn strings_go_out_from_the_buffer() {
    let mut guest = TestGuest::new();
    let place = guest.buffer(0x10);
    guest.host.bytes_mut(place, 4).copy_from_slice(b"abcd");
    guest.outputs(string(PortIoDirection::Out, PortIoWidth::One, 3, place), NOTHING).unwrap();
    let bytes = b"abc".map(|byte| Access::WritePort(0x402, PortIoWidth::One, byte.into()));
    assert_eq!(guest.host.take_accesses(), bytes);
    guest.outputs(string(PortIoDirection::Out, PortIoWidth::Two, 2, place), NOTHING).unwrap();
    let words = [0x6261, 0x6463].map(|word| Access::WritePort(0x402, PortIoWidth::Two, word));
    assert_eq!(guest.host.take_accesses(), words);
}

#[test]
fn strings_come_in_to_memory_outside_the_page() {
    let mut guest = TestGuest::new();
    // Over the end of a page.
    let place = 0x8ffe;
    guest.outputs(string(PortIoDirection::In, PortIoWidth::Two, 2, place), NOTHING).unwrap();
    assert_eq!(guest.host.bytes(place, 5), [0x01, 0x02, 0x11, 0x12, 0]);
}

#[test]
fn a_string_of_nothing_does_nothing() {
    let mut guest = TestGuest::new();
    let place = guest.buffer(0);
    guest.outputs(string(PortIoDirection::In, PortIoWidth::Four, 0, place), NOTHING).unwrap();
    assert_eq!(guest.host.take_accesses(), []);
}

#[test]
fn impossible_ports_are_refused() {
    let mut guest = TestGuest::new();
    let request = SaveArea::request(ExitCode::PORT_IO.0, 0x70, 0);
    assert_eq!(guest.outputs(request, NOTHING), Err(INVALID));
    assert_eq!(guest.host.take_accesses(), []);
}

#[test]
fn buffers_lie_in_the_pages_own_or_in_shared_memory() {
    let mut guest = TestGuest::new();
    guest.host.shared.remove(&9);
    let page = guest.ghcb.address();
    let size = SHARED_BUFFER_SIZE as u64;
    let out = |count, place| string(PortIoDirection::Out, PortIoWidth::One, count, place);
    for (count, place) in [
        (size, guest.buffer(0)),
        (1, guest.buffer(size - 1)),
        (16, page - 16),
        (16, page + 0x1000),
        (0x1000, 0x8000),
        (SCRATCH_LIMIT, 0xa000),
    ] {
        assert!(guest.outputs(out(count, place), NOTHING).is_ok(), "{count} at {place:#x}");
    }
    for (count, place) in [
        (size + 1, guest.buffer(0)),
        (1, guest.buffer(size)),
        (2, guest.buffer(0) - 1),
        (8, page + 0x390),
        (17, page - 16),
        (0x1001, 0x8000),
        (1, 0x9000),
        (2, PAGES * 0x1000 - 1),
        (1, 1 << 51),
        (1, 1 << 52),
        (2, u64::MAX),
        (SCRATCH_LIMIT + 1, 0xa000),
        (u64::MAX, 0),
    ] {
        let result = guest.outputs(out(count, place), NOTHING);
        assert_eq!(result, Err(BAD_SCRATCH), "{count} at {place:#x}");
    }
}

#[test]
fn device_memory_is_read_and_written() {
    let mut guest = TestGuest::new();
    let place = guest.buffer(8);
    for length in 1..=8 {
        guest.outputs(mmio(ExitCode::MMIO_READ, DEVICE.0, length, place), NOTHING).unwrap();
        let access = Access::ReadDevice(0, DEVICE, length as usize);
        assert_eq!(guest.host.take_accesses(), [access]);
        let expected: [u8; 9] =
            core::array::from_fn(|i| if i < length as usize { 0xd5 } else { 0 });
        assert_eq!(guest.host.bytes(place, 9), expected);
    }
    guest.host.bytes_mut(place, 4).copy_from_slice(&[1, 2, 3, 4]);
    guest.outputs(mmio(ExitCode::MMIO_WRITE, DEVICE.0, 4, place), NOTHING).unwrap();
    let access = Access::WriteDevice(0, DEVICE, [1, 2, 3, 4].into());
    assert_eq!(guest.host.take_accesses(), [access]);
}

#[test]
fn device_memory_that_cannot_be_is_refused() {
    let mut guest = TestGuest::new();
    let place = guest.buffer(0);
    for code in [ExitCode::MMIO_READ, ExitCode::MMIO_WRITE] {
        for (gpa, length) in [(DEVICE.0, 0), (DEVICE.0, 9), (DEVICE.0, u64::MAX), (0x1000, 4)] {
            assert_eq!(guest.outputs(mmio(code, gpa, length, place), NOTHING), Err(INVALID));
        }
        let request = mmio(code, DEVICE.0, 8, guest.buffer(SHARED_BUFFER_SIZE as u64 - 7));
        assert_eq!(guest.outputs(request, NOTHING), Err(BAD_SCRATCH));
    }
    assert_eq!(guest.host.take_accesses(), []);
}
