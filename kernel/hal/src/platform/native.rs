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
use processor::TrapFrame;

use super::interface::{Interrupts, Platform};
use super::native_apic::{ALL_MASKED, LOCAL_APIC, MASKS};
use super::triple_fault::triple_fault;
use crate::interrupt_handlers::{call_came, timer_came};
use crate::local_apic::{CALL_VECTOR, SPURIOUS_VECTOR, TIMER_VECTOR};
use crate::memory::{ConversionRefused, PageConversion, PageRun};
use crate::native;
use crate::port::{self, COM1, Ports};
use crate::processor::{Processor, current};
use crate::processor_start::ProcessorStart;
use crate::start_error::StartError;
use crate::stop_reason::StopReason;
use crate::sync::Once;
use crate::time::{
    self, MILLISECOND_NS, PortAccess, measure, of_core_crystal, of_hypervisor_leaf, plausible,
};
use crate::timer_ticks::TimerTicks;
use serial::Console;
use serial::Uart;

/// Extended topology [APM 24594 appendix E.3.8]: EDX is the identifier of the
/// own processor, 0 where there is no such leaf and only one processor.
const TOPOLOGY: u32 = 0xb;

/// Features [APM 24594 appendix E.3.2]: bit 21 of ECX is x2APIC mode.
const FEATURES: u32 = 1;
const X2APIC: u32 = 1 << 21;
/// Frequencies of core crystal and time stamp counter.
const CRYSTAL: u32 = 0x15;
/// The same, as hypervisors tell them.
const HYPERVISOR_FREQUENCIES: u32 = 0x4000_0010;

/// How fast the timer runs, where there is one.
static TIMER: Once<TimerTicks> = Once::new();

/// Ports of a PC's timer chip and old interrupt controllers.
struct PcPorts;

impl PortAccess for PcPorts {
    fn read(&self, port: u16) -> u8 {
        // SAFETY: INV-PORT-1: the devices at these ports change no memory.
        unsafe { port::read(port) }
    }

    fn write(&self, port: u16, value: u8) {
        // SAFETY: INV-PORT-1: as above.
        unsafe { port::write(port, value) }
    }
}

/// Silences the old interrupt controllers, switches the local APIC on and finds
/// out how fast its timer runs.
fn start_interrupts() {
    for mask in MASKS {
        PcPorts.write(mask, ALL_MASKED);
    }
    let Ok(own) = LOCAL_APIC.enable();
    current().set_apic_id(own);
    let Ok(ticks) = LOCAL_APIC.count_ticks(|| time::pass(MILLISECOND_NS));
    if let Some(ticks) = TimerTicks::in_a_millisecond(ticks) {
        // A second start would say the same.
        let _ = TIMER.set(ticks);
    }
}

/// The platform `native`.
pub(crate) struct Native;

// SAFETY: INV-PORT-1: ports 0x3f8 to 0x3ff of a PC are the first UART, or
// nothing. A UART does not access memory, and the driver leaves interrupts off.
static CONSOLE: Uart<Ports> = Uart::new(unsafe { Ports::new(COM1) });

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
        let leaf = |leaf| self.cpuid(leaf, 0);
        let frequency = of_core_crystal(leaf(CRYSTAL))
            .or_else(|| of_hypervisor_leaf(leaf(HYPERVISOR_FREQUENCIES)))
            .or_else(|| measure(&PcPorts, time::count).and_then(plausible));
        time::start(frequency.ok_or(StopReason::HostTime)?);
        if leaf(FEATURES).ecx & X2APIC != 0 {
            start_interrupts();
        }
        Ok(())
    }

    fn page_conversion(&self) -> &'static dyn PageConversion {
        &NoEncryption
    }

    fn cpuid(&self, leaf: u32, subleaf: u32) -> Answer {
        let CpuidResult { eax, ebx, ecx, edx } = __cpuid_count(leaf, subleaf);
        Answer { eax, ebx, ecx, edx }
    }

    fn processor_identifiers(&self) -> Result<Option<Vec<u32>>, StartError> {
        native::processor_list()
    }

    fn prepare_processor(&self, _processor: &Processor) -> Result<(), StartError> {
        Ok(())
    }

    fn start_processors(&self, starts: &[ProcessorStart]) -> Result<usize, StartError> {
        // Without a timer there is no interrupt controller that is known here.
        if !self.has_timer() {
            return Err(StartError::Unsupported);
        }
        native::start_processors(starts, &LOCAL_APIC)
    }

    fn enter_processor(&self) -> Result<(), StopReason> {
        // The first one's is on already if it can be.
        if self.has_timer() {
            let Ok(own) = LOCAL_APIC.enable();
            current().set_apic_id(own);
        }
        Ok(())
    }

    fn kick(&self, other: &Processor) {
        let Ok(()) = LOCAL_APIC.call(other.apic_id());
    }

    fn handle(&self, frame: &mut TrapFrame, _were: Interrupts) -> Result<(), StopReason> {
        match frame.vector().0 {
            SPURIOUS_VECTOR => {}
            CALL_VECTOR => {
                let Ok(()) = LOCAL_APIC.end_interrupt();
                call_came();
            }
            TIMER_VECTOR => {
                let Ok(()) = LOCAL_APIC.end_interrupt();
                timer_came(|rest_ns| self.set_timer(Some(rest_ns)));
            }
            _ => return Err(StopReason::Trap(frame.vector())),
        }
        Ok(())
    }

    fn set_timer(&self, after_ns: Option<u64>) {
        if let Some(ticks) = TIMER.get() {
            let Ok(()) = LOCAL_APIC.set_timer(after_ns.map_or(0, |after| ticks.of(after)));
        }
    }

    fn has_timer(&self) -> bool {
        TIMER.get().is_some()
    }

    fn has_interrupts(&self) -> bool {
        self.has_timer()
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
