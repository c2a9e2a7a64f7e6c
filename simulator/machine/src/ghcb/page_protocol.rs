//! Requests by the page: from the checks that all have in common to the one
//! who serves the event.

use abi_snp::Vmpl;
use abi_snp::ghcb::{
    ExitCode, ExitOutcome, GuestFrame, HypervisorFeatures, MalformedInput, NaeRequest,
};

use crate::ghcb::completion;
use crate::ghcb::configuration::Configuration;
use crate::ghcb::events::{
    ap_creation, apic_ids, cpuid, debug_registers, device_memory, doorbell, guest_request,
    hypercall, interrupts, jump_table, page_state, port_io, special_registers, termination, time,
};
use crate::ghcb::host::Host;
use crate::ghcb::page_access::PageContent;
use crate::ghcb::page_event::PageEvent;
use crate::ghcb::served::{DONE, Refusal, Served};
use crate::processors::{Channel, ProcessorIndex, Processors};

/// The parts of a server that events read and change.
pub(super) struct PageProtocol<'a> {
    pub(super) configuration: Configuration,
    pub(super) processors: &'a mut Processors,
    pub(super) jump_table: &'a mut u64,
}

impl PageProtocol<'_> {
    /// Serves the request in `content`, which `processor` has put into the page
    /// `ghcb`.
    pub(super) fn serve<H: Host>(
        &mut self,
        processor: ProcessorIndex,
        ghcb: GuestFrame,
        content: &PageContent,
        host: &mut H,
    ) -> Result<Served, Refusal> {
        let event = self.check(processor, ghcb, content)?;
        self.dispatch(&event, host)
    }

    /// In the order of the reasons' numbers, except that an event that is not
    /// offered is none, whatever it needs.
    fn check(
        &mut self,
        processor: ProcessorIndex,
        ghcb: GuestFrame,
        content: &PageContent,
    ) -> Result<PageEvent, MalformedInput> {
        if self.processors.exiting(processor).registered_ghcb != Some(ghcb) {
            return Err(MalformedInput::NOT_REGISTERED);
        }
        if content.usage != 0 {
            return Err(MalformedInput::INVALID_USAGE);
        }
        let registers = content.save_area;
        if registers.exit_code.is_some_and(|code| !self.is_offered(ExitCode(code))) {
            return Err(MalformedInput::INVALID_EVENT);
        }
        let request = NaeRequest::check(&registers)?;
        Ok(PageEvent { processor, ghcb, request, registers })
    }

    /// Whether the guest was told of the event, as far as that depends on
    /// features.
    fn is_offered(&self, code: ExitCode) -> bool {
        let needed = match code {
            ExitCode::SNP_PAGE_STATE_CHANGE
            | ExitCode::SNP_GUEST_REQUEST
            | ExitCode::SNP_EXTENDED_GUEST_REQUEST => HypervisorFeatures::SNP,
            ExitCode::SNP_AP_CREATION => HypervisorFeatures::AP_CREATION,
            ExitCode::HV_DOORBELL_PAGE | ExitCode::HV_IPI => {
                HypervisorFeatures::RESTRICTED_INJECTION
            }
            ExitCode::GET_APIC_IDS => HypervisorFeatures::APIC_ID_LIST,
            ExitCode::SNP_RUN_VMPL => HypervisorFeatures::MULTI_VMPL,
            ExitCode::HV_TIMER | ExitCode::SECURE_AVIC => return false,
            _ => HypervisorFeatures::empty(),
        };
        self.configuration.features().contains(needed)
    }

    fn dispatch<H: Host>(&mut self, event: &PageEvent, host: &mut H) -> Result<Served, Refusal> {
        let processor = event.processor;
        let answer = match event.request.code {
            ExitCode::AP_RESET_HOLD => {
                self.processors.hold(processor, Channel::Page(event.ghcb));
                return Ok(Served::Later);
            }
            ExitCode::SNP_RUN_VMPL => return self.run_level(event, host),
            ExitCode::SNP_AP_CREATION => {
                return ap_creation::serve(event, self.configuration.features(), self.processors);
            }
            ExitCode::TERMINATION_REQUEST => return termination::requested(event),
            ExitCode::UNSUPPORTED_EVENT => return Ok(termination::unsupported(event)),

            ExitCode::DR7_READ => debug_registers::read(self.processors.exiting(processor)),
            ExitCode::DR7_WRITE => {
                debug_registers::write(event, self.processors.exiting(processor))
            }
            ExitCode::RDTSC => time::time_stamp(event, host),
            ExitCode::RDTSCP => time::time_stamp_and_processor(event, host),
            ExitCode::RDPMC => time::performance_counter(event, host),
            ExitCode::CPUID => cpuid::serve(event, host),
            ExitCode::PORT_IO => port_io::serve(event, host),
            ExitCode::MSR => special_registers::serve(event, host),
            ExitCode::VMMCALL => hypercall::serve(event, host),
            // Caches are coherent, and waiting may end at any time: nothing
            // has to be done for these.
            ExitCode::INVD | ExitCode::WBINVD | ExitCode::MONITOR | ExitCode::MWAIT => Ok(DONE),
            ExitCode::MMIO_READ => device_memory::read(event, host),
            ExitCode::MMIO_WRITE => device_memory::write(event, host),
            ExitCode::NMI_COMPLETE => interrupts::nmi_completed(event, host),
            ExitCode::AP_JUMP_TABLE => jump_table::serve(event, self.jump_table),
            ExitCode::SNP_PAGE_STATE_CHANGE => page_state::list(event, host),
            ExitCode::SNP_GUEST_REQUEST => guest_request::plain(event, host),
            ExitCode::SNP_EXTENDED_GUEST_REQUEST => guest_request::extended(event, host),
            ExitCode::HV_DOORBELL_PAGE => {
                doorbell::serve(event, self.processors.exiting(processor), host)
            }
            ExitCode::HV_IPI => interrupts::send(event, host),
            ExitCode::GET_APIC_IDS => apic_ids::serve(event, self.processors, host),
            ExitCode::HYPERVISOR_FEATURES => {
                Ok(ExitOutcome::Done(self.configuration.features().bits()).answer())
            }
            _ => Err(MalformedInput::INVALID_EVENT.into()),
        };
        answer.map(Served::Answer)
    }

    /// *Run VMPL*: the answer to who asked comes when that level runs again,
    /// the one to who runs now, if it waits for one, at once.
    fn run_level<H: Host>(&mut self, event: &PageEvent, host: &mut H) -> Result<Served, Refusal> {
        let number = u8::try_from(event.request.exit_info_1).ok();
        let vmpl = number.and_then(Vmpl::from_number).ok_or(Refusal::INVALID_INPUT)?;
        let channel = Channel::Page(event.ghcb);
        let completion = self
            .processors
            .run_level(event.processor, vmpl, channel)
            .map_err(|_| Refusal::INVALID_INPUT)?;
        let context = self.processors.exiting(event.processor);
        Ok(completion::deliver(completion, context, host)
            .map_or_else(Served::Stop, |()| Served::Later))
    }
}
