//! AMD SEV-SNP.
//!
//! The platform's face towards the rest of the kernel; how things are done is in
//! `snp/`.

use core::fmt;

use abi_boot::BootBlock;
use abi_snp::SevFeatures;
use abi_x86::ExceptionVector;
use alloc::vec::Vec;
use cpuid_table::Answer;
use processor::TrapFrame;
use serial::Console;

use super::interface::{Interrupts, Platform};
use super::triple_fault::triple_fault;
use crate::memory::PageConversion;
use crate::processor::{Processor, current};
use crate::processor_start::ProcessorStart;
use crate::snp;
use crate::start_error::StartError;
use crate::stop_reason::StopReason;

/// The platform `snp`.
pub(crate) struct Snp;

impl Platform for Snp {
    fn prepare(&self) {}

    fn start(
        &self,
        block: &BootBlock<'static>,
        tell: fn(fmt::Arguments<'_>),
    ) -> Result<(), StopReason> {
        snp::start(block, tell)
    }

    fn page_conversion(&self) -> &'static dyn PageConversion {
        &snp::SnpPages
    }

    fn cpuid(&self, leaf: u32, subleaf: u32) -> Answer {
        snp::cpuid(leaf, subleaf)
    }

    fn handle(&self, frame: &mut TrapFrame, were: Interrupts) -> Result<(), StopReason> {
        match frame.vector() {
            // Without a page there is nothing that the host could tell.
            ExceptionVector::HYPERVISOR_INJECTION if current().doorbell.get().is_none() => {
                Err(StopReason::HostInjection)
            }
            ExceptionVector::HYPERVISOR_INJECTION => match were {
                Interrupts::Unmasked => snp::serve_events(frame),
                // Whoever unmasks them looks for events.
                Interrupts::Masked => Ok(()),
            },
            ExceptionVector::VMM_COMMUNICATION => snp::handle_communication(frame),
            // No device and no processor sends interrupts to this one, so it is
            // the host's own idea.
            ExceptionVector::NON_MASKABLE_INTERRUPT | ExceptionVector(32..) => {
                Err(StopReason::HostInjection)
            }
            other => Err(StopReason::Trap(other)),
        }
    }

    fn may_inject_exceptions(&self) -> bool {
        // Restricted injection leaves #HV alone.
        !snp::features().contains(SevFeatures::RESTRICTED_INJECTION)
    }

    fn processor_identifiers(&self) -> Result<Option<Vec<u32>>, StartError> {
        snp::processor_identifiers()
    }

    fn prepare_processor(&self, processor: &Processor) -> Result<(), StartError> {
        snp::prepare_processor(processor)
    }

    fn start_processors(&self, starts: &[ProcessorStart]) -> Result<usize, StartError> {
        starts.iter().try_for_each(snp::start_processor)?;
        Ok(starts.len())
    }

    fn enter_processor(&self) -> Result<(), StopReason> {
        snp::enter_processor()
    }

    fn kick(&self, other: &Processor) {
        // Without a doorbell nothing interrupts it: it looks by itself.
        if other.doorbell.get().is_some() {
            snp::call(other);
        }
    }

    fn wait(&self) {
        if current().doorbell.get().is_none() {
            // Nothing would end a HLT.
            while !current().requests.are_pending() {
                core::hint::spin_loop();
            }
        } else if !current().requests.are_pending() {
            snp::wait();
        }
    }

    fn set_timer(&self, after_ns: Option<u64>) {
        snp::set_timer(after_ns);
    }

    fn has_timer(&self) -> bool {
        snp::has_timer()
    }

    fn has_interrupts(&self) -> bool {
        current().doorbell.get().is_some()
    }

    fn console(&self) -> Option<&dyn Console> {
        current().ghcb.get().map(|_| &snp::CONSOLE as &dyn Console)
    }

    fn mark(&self, number: u8) {
        snp::mark(number);
    }

    fn stop(&self, reason: StopReason) -> ! {
        snp::terminate(reason.code());
        // The host lets the processor go on; a shutdown it cannot ignore.
        triple_fault()
    }
}
