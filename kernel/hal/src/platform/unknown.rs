//! A boot block that names no platform this kernel knows.
//!
//! Nothing may be assumed: there is no console, and the end is a triple fault,
//! which takes no cooperation from anybody.

use core::fmt;

use abi_boot::BootBlock;
use alloc::vec::Vec;
use cpuid_table::Answer;

use super::interface::Platform;
use super::triple_fault::triple_fault;
use crate::memory::{ConversionRefused, PageConversion, PageRun};
use crate::processor::Processor;
use crate::processor_start::ProcessorStart;
use crate::start_error::StartError;
use crate::stop_reason::StopReason;
use serial::Console;

/// No known platform.
pub(crate) struct Unknown;

/// No page can be shared with a host that is not known.
struct NoPages;

impl PageConversion for NoPages {
    fn rescind(&self, pages: PageRun) -> Result<(), ConversionRefused> {
        Err(ConversionRefused(pages.address))
    }

    fn make_shared(&self, pages: PageRun) -> Result<(), ConversionRefused> {
        Err(ConversionRefused(pages.address))
    }

    fn make_private(&self, pages: PageRun) -> Result<(), ConversionRefused> {
        Err(ConversionRefused(pages.address))
    }

    fn validate(&self, pages: PageRun) -> Result<(), ConversionRefused> {
        Err(ConversionRefused(pages.address))
    }
}

impl Platform for Unknown {
    fn prepare(&self) {}

    fn start(
        &self,
        _block: &BootBlock<'static>,
        _tell: fn(fmt::Arguments<'_>),
    ) -> Result<(), StopReason> {
        Err(StopReason::UnknownPlatform)
    }

    fn page_conversion(&self) -> &'static dyn PageConversion {
        &NoPages
    }

    fn cpuid(&self, _leaf: u32, _subleaf: u32) -> Answer {
        Answer::ZERO
    }

    fn processor_identifiers(&self) -> Result<Option<Vec<u32>>, StartError> {
        Err(StartError::Unsupported)
    }

    fn prepare_processor(&self, _processor: &Processor) -> Result<(), StartError> {
        Err(StartError::Unsupported)
    }

    fn start_processors(&self, _starts: &[ProcessorStart]) -> Result<usize, StartError> {
        Err(StartError::Unsupported)
    }

    fn enter_processor(&self) -> Result<(), StopReason> {
        Err(StopReason::UnknownPlatform)
    }

    fn kick(&self, _other: &Processor) {}

    fn wait(&self) {}

    fn set_timer(&self, _after_ns: Option<u64>) {}

    fn has_timer(&self) -> bool {
        false
    }

    fn has_interrupts(&self) -> bool {
        false
    }

    fn console(&self) -> Option<&dyn Console> {
        None
    }

    fn stop(&self, _reason: StopReason) -> ! {
        triple_fault()
    }
}
