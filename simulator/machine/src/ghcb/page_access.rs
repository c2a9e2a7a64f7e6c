//! Reading requests from the GHCB page, and writing answers to it.

use abi_snp::ghcb::{Ghcb, GuestFrame, SaveArea};

use crate::ghcb::answer::Stop;
use crate::ghcb::host::PageStates;
use crate::gpa::Gpa;
use crate::guest_memory::{GuestMemory, NoMemory};
use crate::reverse_map::Encryption;

/// What a page says. Each word was read once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageContent {
    pub(super) save_area: SaveArea,
    pub(super) usage: u32,
}

/// Reads a page.
pub(super) fn load<H>(frame: GuestFrame, host: &H) -> Result<PageContent, Stop>
where
    H: GuestMemory + PageStates,
{
    check_shared(frame, host)?;
    let mut failure = Ok(());
    let save_area = SaveArea::load(|offset| {
        read(frame, offset, host).map(u64::from_le_bytes).unwrap_or_else(|error| {
            failure = Err(error);
            0
        })
    });
    let usage = read(frame, Ghcb::USAGE_OFFSET, host).map(u32::from_le_bytes);
    match (failure, usage) {
        (Ok(()), Ok(usage)) => Ok(PageContent { save_area, usage }),
        _ => Err(Stop::InaccessibleGhcb(frame)),
    }
}

/// Writes an answer to a page, and marks it and nothing else as valid.
pub(super) fn store<H>(frame: GuestFrame, answer: &SaveArea, host: &mut H) -> Result<(), Stop>
where
    H: GuestMemory + PageStates,
{
    check_shared(frame, host)?;
    let mut result = Ok(());
    answer.store(|offset, value| {
        let place = address(frame, offset);
        let written = host.write(place, Encryption::Shared, &value.to_le_bytes());
        result = result.and(written);
    });
    result.map_err(|_| Stop::InaccessibleGhcb(frame))
}

fn check_shared(frame: GuestFrame, host: &impl PageStates) -> Result<(), Stop> {
    if host.is_shared(frame) { Ok(()) } else { Err(Stop::InaccessibleGhcb(frame)) }
}

fn read<const N: usize>(
    frame: GuestFrame,
    offset: usize,
    host: &impl GuestMemory,
) -> Result<[u8; N], NoMemory> {
    let mut bytes = [0; N];
    host.read(address(frame, offset), Encryption::Shared, &mut bytes)?;
    Ok(bytes)
}

/// The address of an offset within the page. Cannot overflow: frames end at
/// 2^52.
const fn address(frame: GuestFrame, offset: usize) -> Gpa {
    Gpa(frame.address() + offset as u64)
}
