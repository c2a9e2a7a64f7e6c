//! AMD SEV-SNP.
//!
//! The platform's face towards the rest of the kernel; how things are done is in
//! `snp/`.

use core::fmt;

use abi_boot::BootBlock;
use abi_x86::ExceptionVector;
use cpuid_table::Answer;
use processor::TrapFrame;
use serial::Console;

use super::interface::Platform;
use crate::memory::PageConversion;
use crate::processor::current;
use crate::snp;
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

    fn handle(&self, frame: &mut TrapFrame) -> Result<(), StopReason> {
        match frame.vector() {
            ExceptionVector::VMM_COMMUNICATION => snp::handle_communication(frame),
            // No device and no processor sends interrupts to this one, so it is
            // the host's own idea.
            ExceptionVector::HYPERVISOR_INJECTION
            | ExceptionVector::NON_MASKABLE_INTERRUPT
            | ExceptionVector(32..) => Err(StopReason::HostInjection),
            other => Err(StopReason::Trap(other)),
        }
    }

    fn console(&self) -> Option<&dyn Console> {
        current().ghcb.get().map(|_| &snp::CONSOLE as &dyn Console)
    }

    fn stop(&self, reason: StopReason) -> ! {
        snp::terminate(reason.code())
    }
}
