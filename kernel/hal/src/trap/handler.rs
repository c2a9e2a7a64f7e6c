//! What happens on a trap.

use core::sync::atomic::Ordering;

use abi_x86::{ExceptionVector, Rflags};
use exception_cause::Code;
use intercepted_instruction::MAX_LENGTH;
use processor::{Report, TrapFrame};

use crate::control_registers::{cr3, take_fault_address};
use crate::injection::{Raised, by_host};
use crate::memory::{StackPlace, stack_at};
use crate::platform::{Interrupts, current as platform};
use crate::processor::current as own;
use crate::raise_events::raise_events;
use crate::recoverable::find_fixup;
use crate::stop::stop_with_report;
use crate::stop_reason::StopReason;
use crate::{backtrace, kernel_text, println};

/// Handles a trap; if that is not possible, reports it and stops the machine.
///
/// # Safety
///
/// `frame` points to the registers that a stub saved, which nobody else uses
/// while this runs (INV-TRAP-1).
pub(super) unsafe extern "C" fn handle(frame: *mut TrapFrame) {
    // The processor aligns the stack before it pushes, and frames are a multiple
    // of that alignment. One that is out of place was pushed with an error code
    // where the exception has none, or without one where it has: no processor
    // does that on its own, but one whose host injects the event.
    let is_in_place = frame.addr().is_multiple_of(16);
    // SAFETY: INV-TRAP-1: the stub passes a complete frame on the stack, which
    // nothing refers to until this returns.
    let frame = unsafe { &mut *frame };
    // Handlers use what was mapped anew while the processor was away.
    let was_away = own().requests.is_away();
    if was_away {
        own().requests.come_back();
    }
    let may_leave_address =
        [ExceptionVector::PAGE_FAULT, ExceptionVector::DOUBLE_FAULT].contains(&frame.vector());
    let fault_address = if may_leave_address { take_fault_address() } else { None };
    let was_leaving = own().is_leaving.swap(false, Ordering::Relaxed);
    let result = if is_in_place {
        let were = if was_leaving { Interrupts::Unmasked } else { interrupts_of(frame) };
        platform().handle(frame, were).map_err(|reason| blame(frame, reason, fault_address))
    } else {
        Err(StopReason::HostInjection)
    };
    if let Err(reason) = result
        && (reason == StopReason::HostInjection || !recover(frame))
    {
        report(frame, reason, fault_address);
    }
    // The handler may have gone on with another task meanwhile, so this can be
    // another processor.
    let goes_on_unmasked = was_leaving || interrupts_of(frame) == Interrupts::Unmasked;
    if was_away {
        // No other task came in between: interrupts are masked by whoever left.
        own().requests.leave();
    }
    own().is_leaving.store(goes_on_unmasked, Ordering::Relaxed);
    if goes_on_unmasked && own().has_events() {
        raise_events();
    }
}

/// What the code that a trap interrupted had done about interrupts.
fn interrupts_of(frame: &TrapFrame) -> Interrupts {
    if frame.rflags & Rflags::IF.bits() == 0 { Interrupts::Masked } else { Interrupts::Unmasked }
}

/// The reason to stop for an exception that nothing handles: the host's doing
/// rather than the kernel's, where that can be told.
fn blame(frame: &TrapFrame, reason: StopReason, fault_address: Option<u64>) -> StopReason {
    let is_of_kernel = frame.cs & 3 == 0;
    match reason {
        StopReason::Trap(vector) if is_of_kernel && platform().may_inject_exceptions() => {
            let code = Code {
                before: kernel_text::at(frame.rip.wrapping_sub(1), 1).first().copied(),
                at: kernel_text::at(frame.rip, MAX_LENGTH),
            };
            by_host(Raised { vector, registers: frame, code, fault_address }).unwrap_or(reason)
        }
        other => other,
    }
}

/// Goes on behind an access that was expected to fail at times: of memory that
/// is not mapped, or that is not the module's to access on SEV-SNP.
fn recover(frame: &mut TrapFrame) -> bool {
    let may_be_access =
        [ExceptionVector::PAGE_FAULT, ExceptionVector::VMM_COMMUNICATION].contains(&frame.vector());
    let fixup = find_fixup(frame.rip).filter(|_| may_be_access);
    if let Some(fixup) = fixup {
        frame.rip = fixup;
    }
    fixup.is_some()
}

/// Shows the registers and stops the machine.
fn report(frame: &TrapFrame, reason: StopReason, fault_address: Option<u64>) -> ! {
    let cr2 = fault_address.unwrap_or_default();
    stop_with_report(reason, || {
        println!("{}", Report { frame, cr2, cr3: cr3() });
        backtrace::print_interrupted(frame.rip, frame.rbp);
        if let Some(StackPlace::Guard(owner)) = stack_at(cr2) {
            println!("the stack of {owner} has overflowed");
        }
    })
}
