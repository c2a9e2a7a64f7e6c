//! #VC with an error code, delivered by the processor itself.
//!
//! QEMU pushes no error code when vector 29 is injected. But it does for #AC,
//! vector 17, and where a gate is depends on the base of the interrupt table:
//! with the base moved up by 12 gates, #AC enters through the gate of #VC, and
//! the processor does stack switches and checks itself. The base must be put
//! back before the handler's first instruction, so a physical interrupt is made
//! pending that ends the run right there.
//!
//! In real mode exceptions have no error code, and vector 29 is injected as it
//! is.

use abi_svm::{Event, ExceptionIntercepts, ExitCode};
use abi_x86::{Cr0, Efer, ExceptionVector, GateDescriptor};

use crate::instruction::take_interrupts;
use crate::local_apic::interrupt_self;
use crate::vcpu::{Exit, ExtraIntercepts, Vcpu};

const VC: ExceptionVector = ExceptionVector::VMM_COMMUNICATION;
const AC: ExceptionVector = ExceptionVector::ALIGNMENT_CHECK;

/// Bytes of a gate outside long mode [APM 24593 §4.7.4].
const LEGACY_GATE: u32 = 8;

/// What came of an attempt to deliver #VC.
pub(crate) enum Delivery {
    /// The guest is at its handler's first instruction, or will be when it
    /// runs.
    Done,
    /// Something came in between, which is to be handled first; #VC is still to
    /// be delivered.
    Interrupted(Exit),
    /// Delivery led to this exception, which takes the place of #VC.
    Replaced(Event, Exit),
}

/// Delivers #VC with this error code. `intercepts` are those of the guest.
pub(crate) fn deliver(vcpu: &mut Vcpu, code: u32, intercepts: ExtraIntercepts) -> Delivery {
    let save = vcpu.save();
    if !save.cr0.contains(Cr0::PE) {
        vcpu.inject(Event::exception(VC));
        return Delivery::Done;
    }
    let gate = if save.efer.contains(Efer::LMA) {
        size_of::<GateDescriptor>() as u32
    } else {
        LEGACY_GATE
    };
    let shift = u32::from(VC.0 - AC.0) * gate;
    let table = save.idtr;
    save.idtr.base = table.base.wrapping_add(shift.into());
    save.idtr.limit = table.limit.saturating_sub(shift);
    vcpu.inject(Event::exception_with_code(AC, code));
    // What goes wrong meanwhile would look for its gate at the wrong place.
    vcpu.intercept(ExtraIntercepts { exceptions: ExceptionIntercepts(u32::MAX), ..intercepts });
    interrupt_self();
    let exit = vcpu.run();
    take_interrupts();
    vcpu.intercept(intercepts);
    vcpu.save().idtr = table;
    match exit.code.exception() {
        _ if exit.code == ExitCode::INTR && exit.interrupted.is_none() => Delivery::Done,
        None => Delivery::Interrupted(exit),
        Some(vector) => Delivery::Replaced(exception(vector, exit.info_1), exit),
    }
}

/// An exception as an exit describes it.
fn exception(vector: ExceptionVector, code: u64) -> Event {
    if vector.pushes_error_code() {
        Event::exception_with_code(vector, code as u32)
    } else {
        Event::exception(vector)
    }
}
