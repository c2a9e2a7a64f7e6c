//! A virtual machine without isolation.
//!
//! The console is the first serial port. A stop is a processor reset, since
//! that is the one thing that every virtual machine monitor understands without
//! firmware tables: started with `-no-reboot`, QEMU then ends.

use core::arch::asm;
use core::arch::x86_64::{__cpuid_count, CpuidResult};
use core::fmt;

use abi_boot::BootBlock;
use alloc::vec::Vec;
use cpuid_table::Answer;

use super::interface::Platform;
use super::triple_fault::triple_fault;
use crate::heap::TryPush;
use crate::memory::{ConversionRefused, PageConversion, PageRun};
use crate::port::{COM1, Ports};
use crate::processor::{Processor, current};
use crate::processor_start::ProcessorStart;
use crate::start_error::StartError;
use crate::stop_reason::StopReason;
use serial::Console;
use serial::Uart;

/// Extended topology [APM 24594 appendix E.3.8]: EDX is the identifier of the
/// own processor, 0 where there is no such leaf and only one processor.
const TOPOLOGY: u32 = 0xb;

/// The platform `native`.
pub(crate) struct Native;

// SAFETY: INV-PORT-1: ports 0x3f8 to 0x3ff of a PC are the first UART, or
// nothing. A UART does not access memory, and the driver leaves interrupts off.
static CONSOLE: Uart<Ports> = Uart(unsafe { Ports::new(COM1) });

impl Platform for Native {
    fn prepare(&self) {
        CONSOLE.configure();
    }

    fn start(
        &self,
        _block: &BootBlock<'static>,
        _tell: fn(fmt::Arguments<'_>),
    ) -> Result<(), StopReason> {
        // All memory of a plain machine is usable from the beginning.
        current().set_apic_id(self.cpuid(TOPOLOGY, 0).edx);
        Ok(())
    }

    fn page_conversion(&self) -> &'static dyn PageConversion {
        &NoEncryption
    }

    fn cpuid(&self, leaf: u32, subleaf: u32) -> Answer {
        let CpuidResult { eax, ebx, ecx, edx } = __cpuid_count(leaf, subleaf);
        Answer { eax, ebx, ecx, edx }
    }

    fn processor_identifiers(&self) -> Result<Vec<u32>, StartError> {
        let mut own = Vec::new();
        own.try_push(current().apic_id())?;
        Ok(own)
    }

    fn prepare_processor(&self, _processor: &Processor) -> Result<(), StartError> {
        Err(StartError::Unsupported)
    }

    fn start_processor(&self, _start: &ProcessorStart) -> Result<(), StartError> {
        Err(StartError::Unsupported)
    }

    fn enter_processor(&self) -> Result<(), StopReason> {
        Ok(())
    }

    fn kick(&self, _other: &Processor) {
        // There is none.
    }

    fn wait(&self) {
        if !current().requests.are_pending() {
            // SAFETY: INV-TRAP-1: handlers change nothing that this code could
            // notice. The first instruction after STI is not interrupted, so
            // nothing comes between the look above and HLT.
            unsafe { asm!("sti", "hlt", "cli", options(nostack)) };
        }
    }

    fn console(&self) -> Option<&dyn Console> {
        Some(&CONSOLE)
    }

    fn stop(&self, _reason: StopReason) -> ! {
        triple_fault()
    }
}

/// All pages are both private and shared.
struct NoEncryption;

impl PageConversion for NoEncryption {
    fn rescind(&self, _pages: PageRun) -> Result<(), ConversionRefused> {
        Ok(())
    }

    fn make_shared(&self, _pages: PageRun) -> Result<(), ConversionRefused> {
        Ok(())
    }

    fn make_private(&self, _pages: PageRun) -> Result<(), ConversionRefused> {
        Ok(())
    }

    fn validate(&self, _pages: PageRun) -> Result<(), ConversionRefused> {
        Ok(())
    }
}
