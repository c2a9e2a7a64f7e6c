//! Reading and writing device memory (MMIO).

use crate::ghcb::host::{DeviceMemory, PageStates};
use crate::ghcb::page_event::PageEvent;
use crate::ghcb::scratch::Scratch;
use crate::ghcb::served::{DONE, EventResult, Refusal};
use crate::gpa::Gpa;
use crate::guest_memory::GuestMemory;

/// Bytes that one access has at most. The specification allows more; guests
/// split longer accesses, as Linux does.
const LONGEST: u64 = 8;

/// Reads from a device to the buffer.
pub(in crate::ghcb) fn read<H>(event: &PageEvent, host: &mut H) -> EventResult
where
    H: GuestMemory + PageStates + DeviceMemory,
{
    let scratch = buffer(event, host)?;
    let mut bytes = scratch.read(host)?;
    host.read_device(event.processor, Gpa(event.request.exit_info_1), &mut bytes)
        .map_err(|_| Refusal::INVALID_INPUT)?;
    scratch.write(&bytes, host)?;
    Ok(DONE)
}

/// Writes from the buffer to a device.
pub(in crate::ghcb) fn write<H>(event: &PageEvent, host: &mut H) -> EventResult
where
    H: GuestMemory + PageStates + DeviceMemory,
{
    let bytes = buffer(event, host)?.read(host)?;
    host.write_device(event.processor, Gpa(event.request.exit_info_1), &bytes)
        .map_err(|_| Refusal::INVALID_INPUT)?;
    Ok(DONE)
}

fn buffer(event: &PageEvent, host: &impl PageStates) -> Result<Scratch, Refusal> {
    let length = event.request.exit_info_2;
    if length == 0 || length > LONGEST {
        return Err(Refusal::INVALID_INPUT);
    }
    Ok(Scratch::locate(&event.registers, event.ghcb, length, host)?)
}
