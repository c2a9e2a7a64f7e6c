//! Page state changes: the host makes pages private or shared.
//!
//! What the host did shows only when the pages are validated or used. A host that
//! returns without having done anything is asked again a few times; it may have
//! been interrupted.

use abi_snp::PageSize;
use abi_snp::ghcb::{
    ExitCode, GuestFrame, PageOperation, PageStateRequest, Progress, SaveArea, ValidFields,
};

use super::ghcb::Ghcb;
use crate::stop_reason::StopReason;
use crate::sync::mask;

/// How often a host may return a list of pages without having done anything.
const MOST_IDLE_ROUNDS: u32 = 16;

/// Has the host change all of `pages`, given by guest physical address and size.
///
/// # Errors
///
/// The host does not do its part.
pub(super) fn change(
    pages: impl Iterator<Item = (u64, PageSize)>,
    operation: PageOperation,
) -> Result<(), StopReason> {
    let mut request = PageStateRequest::new();
    for (gpa, size) in pages {
        let Some(frame) = GuestFrame::at(gpa) else {
            panic!("{gpa:#x} is no address of a page of the module");
        };
        if request.is_full() {
            work_through(request)?;
            request = PageStateRequest::new();
        }
        let pushed = request.push(frame, operation, size);
        assert!(pushed.is_ok(), "pages are aligned, and the request has room");
    }
    work_through(request)
}

/// Has the host do the whole of `request`, which may be empty.
fn work_through(mut request: PageStateRequest) -> Result<(), StopReason> {
    let masked = mask();
    let ghcb = Ghcb::of_this_processor(&masked).ok_or(StopReason::HostPageState)?;
    let mut idle_rounds = 0;
    while let Some(image) = request.image() {
        ghcb.fill_buffer(image);
        let event = SaveArea {
            scratch: Some(ghcb.buffer_gpa()),
            ..SaveArea::request(ExitCode::SNP_PAGE_STATE_CHANGE.0, 0, 0)
        };
        let outputs =
            ghcb.ask(&event, ValidFields::EXIT_INFO_2).map_err(|_| StopReason::HostPageState)?;
        let progress = request
            .advance(outputs.exit_info_2, |offset| ghcb.buffer_word(offset))
            .map_err(|_| StopReason::HostPageState)?;
        match progress {
            Progress::Done => break,
            Progress::Advanced => idle_rounds = 0,
            Progress::Unchanged => idle_rounds += 1,
        }
        if idle_rounds == MOST_IDLE_ROUNDS {
            return Err(StopReason::HostPageState);
        }
    }
    Ok(())
}
