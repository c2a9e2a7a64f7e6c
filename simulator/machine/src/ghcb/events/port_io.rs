//! Port input and output [GHCB 56421 2.04 §4.1, `IOIO_PROT`].

use abi_snp::ghcb::{PortIo, PortIoDirection, PortIoOperation, PortIoWidth, SaveArea};

use crate::ghcb::host::{PageStates, Ports};
use crate::ghcb::page_event::PageEvent;
use crate::ghcb::scratch::Scratch;
use crate::ghcb::served::{DONE, EventResult, Refusal};
use crate::guest_memory::GuestMemory;

/// One element through RAX, or any number of them through the buffer.
pub(in crate::ghcb) fn serve<H>(event: &PageEvent, host: &mut H) -> EventResult
where
    H: GuestMemory + PageStates + Ports,
{
    let io = PortIo::decode(event.request.exit_info_1).map_err(|_| Refusal::INVALID_INPUT)?;
    match (io.operation, io.direction) {
        (PortIoOperation::Single, PortIoDirection::Out) => {
            host.write_port(io.port, io.width, event.rax()? as u32 & mask(io.width));
            Ok(DONE)
        }
        (PortIoOperation::Single, PortIoDirection::In) => {
            let value = host.read_port(io.port, io.width) & mask(io.width);
            Ok(SaveArea { rax: Some(value.into()), ..DONE })
        }
        (PortIoOperation::String, _) => string(event, io, host),
    }
}

/// Moves a string. The number of elements is in `SW_EXITINFO2`; they lie side
/// by side in the buffer.
fn string<H>(event: &PageEvent, io: PortIo, host: &mut H) -> EventResult
where
    H: GuestMemory + PageStates + Ports,
{
    let width = usize::from(io.width as u8);
    let length = event.request.exit_info_2.saturating_mul(width as u64);
    let scratch = Scratch::locate(&event.registers, event.ghcb, length, host)?;
    let mut bytes = scratch.read(host)?;
    match io.direction {
        PortIoDirection::Out => {
            for element in bytes.chunks(width) {
                host.write_port(io.port, io.width, from_bytes(element));
            }
        }
        PortIoDirection::In => {
            for element in bytes.chunks_mut(width) {
                let value = host.read_port(io.port, io.width).to_le_bytes();
                element.iter_mut().zip(value).for_each(|(to, byte)| *to = byte);
            }
            scratch.write(&bytes, host)?;
        }
    }
    Ok(DONE)
}

/// A little-endian number of up to 4 bytes.
fn from_bytes(element: &[u8]) -> u32 {
    element.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte))
}

const fn mask(width: PortIoWidth) -> u32 {
    match width {
        PortIoWidth::One => 0xff,
        PortIoWidth::Two => 0xffff,
        PortIoWidth::Four => 0xffff_ffff,
    }
}
