//! #HV: events under restricted injection.
//!
//! The processor takes nothing from the host but #HV, at any time, whatever
//! RFLAGS.IF says [APM 24593 §15.36.16]; what has come stands in the doorbell
//! page, a word that both sides change. So the kernel uses the flag as its own:
//! where it is clear, events are left in the page. They are looked for when
//!
//! - #HV interrupts code with the flag set;
//! - the flag is set again (`sync/interrupt_flag.rs`);
//! - a handler is about to return to code with the flag set. Between that look
//!   and IRET the flag is clear, but another #HV is handled, not left, for nobody
//!   would look again: `Processor::is_leaving` says so;
//! - the processor waits: a #HV between the last look and HLT would be slept
//!   over, so its handler moves RIP behind HLT.
//!
//! Below the module, a guest has interrupts of its own, and the host may have one
//! local APIC for all levels of a processor. So with a guest in the image there
//! are no doorbell pages: the host cannot tell the module's level of anything,
//! the guest's interrupts wait until its level runs, and the kernel looks for
//! requests as it does without restricted injection.
//!
//! An event means what the host wants it to mean. There are three that the kernel
//! knows, all harmless when they come too often; any other ends the machine.

use core::arch::global_asm;
use core::ops::Range;
use core::sync::atomic::{AtomicBool, Ordering};

use abi_snp::ghcb::{
    DoorbellAction, DoorbellFlags, ExitCode, NoEoiRequired, PendingEvents, SaveArea, ValidFields,
};
use processor::TrapFrame;

use super::doorbell_controller::CONTROLLER;
use super::ghcb::Ghcb;
use super::timer::set_timer;
use crate::interrupt_handlers::{call_came, timer_came};
use crate::local_apic::{CALL_VECTOR, SPURIOUS_VECTOR, TIMER_VECTOR, call_command};
use crate::processor::{Processor, current};
use crate::stop_reason::StopReason;
use crate::sync::mask;

/// Whether the kernel takes events.
static ARE_USED: AtomicBool = AtomicBool::new(false);

/// Has all processors take events. To be called before any is prepared.
pub(super) fn use_events() {
    ARE_USED.store(true, Ordering::Relaxed);
}

/// Whether processors take events.
pub(super) fn are_used() -> bool {
    ARE_USED.load(Ordering::Relaxed)
}

/// Tells the host where the own page is.
pub(crate) fn register() -> Result<(), StopReason> {
    let Some((_, gpa)) = current().doorbell.get() else { return Ok(()) };
    let request =
        SaveArea::request(ExitCode::HV_DOORBELL_PAGE.0, DoorbellAction::Set.encode(), gpa);
    let masked = mask();
    let ghcb = Ghcb::of_this_processor(&masked).ok_or(StopReason::HostDoorbell)?;
    ghcb.ask(&request, ValidFields::empty()).map_err(|_| StopReason::HostDoorbell)?;
    Ok(())
}

/// Interrupts another processor.
pub(crate) fn call(other: &Processor) {
    let command = call_command(other.apic_id());
    let request = SaveArea::request(ExitCode::HV_IPI.0, command, 0);
    let masked = mask();
    if let Some(ghcb) = Ghcb::of_this_processor(&masked) {
        // A host that does not deliver it delays the other processor's answer
        // until that looks by itself.
        let _ = ghcb.ask(&request, ValidFields::empty());
    }
}

/// Deals with all events that are in the page. `frame` is what they interrupt.
///
/// # Errors
///
/// The host says what it must not, or there is no page.
pub(crate) fn serve(frame: &mut TrapFrame) -> Result<(), StopReason> {
    if waiting().contains(&frame.rip) {
        frame.rip = waiting().end;
    }
    loop {
        // A handler can go on with another task, and come back on another
        // processor: the page is looked up each time.
        let (page, _) = current().doorbell.get().ok_or(StopReason::HostInjection)?;
        // With the events goes the note that no further #HV is needed.
        let events = page.events.swap(0, Ordering::AcqRel);
        let events = PendingEvents::decode(events).map_err(|_| StopReason::HostDoorbell)?;
        if events.flags.intersects(DoorbellFlags::NMI | DoorbellFlags::MACHINE_CHECK) {
            return Err(StopReason::HostInjection);
        }
        let Some(vector) = events.interrupt else { return Ok(()) };
        if vector == SPURIOUS_VECTOR {
            continue;
        }
        let end = NoEoiRequired(page.no_eoi_required.swap(0, Ordering::AcqRel));
        if !end.is_set() {
            CONTROLLER.end_interrupt()?;
        }
        match vector {
            CALL_VECTOR => call_came(),
            TIMER_VECTOR => timer_came(|rest_ns| set_timer(Some(rest_ns))),
            _ => return Err(StopReason::HostInjection),
        }
    }
}

/// Waits for an event, with the flag clear before and after.
pub(crate) fn wait() {
    let Some((page, _)) = current().doorbell.get() else { return };
    // SAFETY: the function reads the word, and lets events be handled as after
    // STI; handlers change nothing that this code could notice (INV-TRAP-1).
    unsafe { svsm_wait_for_event(page.events.as_ptr()) };
}

/// Instructions between the last look for events and HLT.
fn waiting() -> Range<u64> {
    let address = |place: *const u8| place.addr() as u64;
    address(&raw const svsm_wait_look)..address(&raw const svsm_wait_end)
}

unsafe extern "C" {
    /// Sets the interrupt flag, halts unless the word is not zero, and clears the
    /// flag.
    fn svsm_wait_for_event(events: *const u16);
    static svsm_wait_look: u8;
    static svsm_wait_end: u8;
}

global_asm!(
    ".pushsection .text.svsm_wait, \"ax\", @progbits",
    ".global svsm_wait_for_event, svsm_wait_look, svsm_wait_end",
    "svsm_wait_for_event:",
    "sti",
    "svsm_wait_look:",
    "cmp word ptr [rdi], 0",
    "jne svsm_wait_end",
    "hlt",
    "svsm_wait_end:",
    "cli",
    "ret",
    ".popsection",
);
