//! From the first Rust code to the guest or the self-test.

use abi_simulator::report::Report;
use processor::{ExceptionStack, InterruptTable, Segments};

use crate::console::println;
use crate::exit::{Status, exit};
use crate::memory::Memory;
use crate::svm::Svm;
use crate::{console, heap, interrupts, local_apic, reporter, run, segments, self_test, trap};

/// Tables of the processor that the machine starts on. The entry code gives
/// them out, once, and nothing else names them.
pub(crate) static mut BOOT_PROCESSOR: BootProcessor = BootProcessor {
    segments: Segments::zero(),
    exception_stack: ExceptionStack::zero(),
    interrupts: InterruptTable::empty(),
};

/// What a processor needs before it can report a fault.
pub(crate) struct BootProcessor {
    segments: Segments,
    exception_stack: ExceptionStack,
    interrupts: InterruptTable,
}

/// Sets everything up, runs the guest of the launch file or tests what this
/// machine's SVM delivers, and ends.
///
/// INV-HV-ENTRY-1: called once, with the only reference to the boot processor's
/// tables and the physical address of the loader's start information.
pub(crate) extern "C" fn start(boot: &'static mut BootProcessor, start_info: u64) -> ! {
    console::prepare();
    segments::load(&mut boot.segments, boot.exception_stack.top());
    trap::load(&mut boot.interrupts);
    interrupts::mask_legacy_controllers();
    local_apic::enable();

    let mut memory = match Memory::of_machine(start_info) {
        Ok(memory) => memory,
        Err(error) => refuse(&error),
    };
    if memory.module().is_some() {
        console::leave_to_guest();
    }
    let svm = match Svm::enable(&mut memory) {
        Ok(svm) => svm,
        Err(error) => refuse(&error),
    };
    if let Some(launch_file) = memory.module() {
        if let Err(error) = heap::prepare(&mut memory) {
            refuse(&error);
        }
        let end = run::run(&svm, memory, launch_file);
        reporter::send(&Report::Ended { end });
        exit(Status::Passed);
    }
    println!("SVSM platform simulator {}", env!("CARGO_PKG_VERSION"));
    println!("SVM: {}", svm.features());
    match self_test::run(&svm, &mut memory) {
        Ok(tally) if tally.failed == 0 => exit(Status::Passed),
        Ok(_) => exit(Status::Failed),
        Err(error) => refuse(&error),
    }
}

/// Says why this machine will not do, and ends.
fn refuse(error: &dyn core::error::Error) -> ! {
    console::print_fault(format_args!("error: {error}"));
    exit(Status::Refused)
}
