//! A virtual machine without isolation.
//!
//! The console is the first serial port. A stop is a processor reset, since
//! that is the one thing that every virtual machine monitor understands without
//! firmware tables: started with `-no-reboot`, QEMU then ends.

use core::arch::x86_64::{__cpuid_count, CpuidResult};
use core::fmt;

use abi_boot::BootBlock;
use cpuid_table::Answer;

use super::interface::Platform;
use super::triple_fault::triple_fault;
use crate::memory::{ConversionRefused, PageConversion, PageRun};
use crate::port::{COM1, Ports};
use crate::stop_reason::StopReason;
use serial::Console;
use serial::Uart;

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
        Ok(())
    }

    fn page_conversion(&self) -> &'static dyn PageConversion {
        &NoEncryption
    }

    fn cpuid(&self, leaf: u32, subleaf: u32) -> Answer {
        let CpuidResult { eax, ebx, ecx, edx } = __cpuid_count(leaf, subleaf);
        Answer { eax, ebx, ecx, edx }
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
