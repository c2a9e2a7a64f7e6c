//! Messages to the security processor [GHCB 56421 2.04 §4.1, "SNP Guest
//! Request" and "SNP Extended Guest Request"].

use abi_snp::ghcb::{ExitOutcome, GuestFrame, GuestRequestStatus, SaveArea};
use abi_snp::{GuestMessage, MessageHeader, MessageType, PageSize};

use crate::ghcb::host::{GuestRequests, PageStates};
use crate::ghcb::page_event::PageEvent;
use crate::ghcb::scratch::is_shared;
use crate::ghcb::served::{EventResult, Refusal};
use crate::gpa::Gpa;
use crate::guest_memory::GuestMemory;
use crate::reverse_map::Encryption;

/// Passes a message on.
pub(in crate::ghcb) fn plain<H>(event: &PageEvent, host: &mut H) -> EventResult
where
    H: PageStates + GuestRequests,
{
    let messages = Messages::of(event, host)?;
    Ok(answer(host.guest_request(messages.request, messages.response)))
}

/// Passes a message on. If it asks for an attestation report, the certificates
/// go to the guest too, before anything else: without enough pages for them,
/// the message is not passed on, and RBX says how many it takes. Other messages
/// are passed on as they would be otherwise [Linux/KVM].
pub(in crate::ghcb) fn extended<H>(event: &PageEvent, host: &mut H) -> EventResult
where
    H: GuestMemory + PageStates + GuestRequests,
{
    let messages = Messages::of(event, host)?;
    let place = GuestFrame::at(event.rax()?).ok_or(Refusal::INVALID_INPUT)?;
    if message_type(messages.request, host)? == MessageType::REPORT_REQUEST {
        let certificates = host.certificate_table();
        let length = certificates.len() as u64;
        let needed = length.div_ceil(PageSize::Size4K.bytes());
        if event.rbx()? < needed {
            let status = GuestRequestStatus {
                hypervisor_error: GuestRequestStatus::INVALID_LENGTH,
                ..GuestRequestStatus::SUCCESS
            };
            return Ok(SaveArea { rbx: Some(needed), ..answer(status) });
        }
        let start = Gpa(place.address());
        if !is_shared(start, length, host)
            || host.write(start, Encryption::Shared, &certificates).is_err()
        {
            return Err(Refusal::INVALID_INPUT);
        }
    }
    Ok(answer(host.guest_request(messages.request, messages.response)))
}

fn answer(status: GuestRequestStatus) -> SaveArea {
    ExitOutcome::Done(status.encode()).answer()
}

/// Where the messages are: in two pages that both are shared.
struct Messages {
    request: GuestFrame,
    response: GuestFrame,
}

impl Messages {
    fn of(event: &PageEvent, host: &impl PageStates) -> Result<Self, Refusal> {
        let page = |gpa| {
            GuestFrame::at(gpa).filter(|frame| host.is_shared(*frame)).ok_or(Refusal::INVALID_INPUT)
        };
        let request = page(event.request.exit_info_1)?;
        let response = page(event.request.exit_info_2)?;
        if request == response {
            Err(Refusal::INVALID_INPUT)
        } else {
            Ok(Self { request, response })
        }
    }
}

/// What kind of message it is, as its header says, which anyone can read.
fn message_type(request: GuestFrame, host: &impl GuestMemory) -> Result<MessageType, Refusal> {
    let place = Gpa(request.address() + MESSAGE_TYPE_OFFSET as u64);
    let mut byte = [0];
    host.read(place, Encryption::Shared, &mut byte).map_err(|_| Refusal::INVALID_INPUT)?;
    let [number] = byte;
    Ok(MessageType(number))
}

/// Where a message has its type.
const MESSAGE_TYPE_OFFSET: usize = core::mem::offset_of!(GuestMessage, header)
    + core::mem::offset_of!(MessageHeader, metadata)
    + core::mem::offset_of!(abi_snp::MessageMetadata, message_type);
