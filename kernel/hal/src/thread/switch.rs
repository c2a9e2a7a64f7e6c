//! Going from one thread to another.

use core::mem;
use core::sync::atomic::Ordering;

use crate::extended_state::ExtendedState;
use crate::sync::{self, Masked};

use super::context::{Context, Departure, Entry, NotEmpty, Parts, state};
use super::page_tables;
use super::running::{arrive, current, leave, set_current};
use super::stack::Stack;
use super::stack_switch::{first_frame, switch_stacks};

impl Context {
    /// Makes a thread of it, which begins with `entry` on `stack` as soon as a
    /// processor switches to it, under the kernel's own page tables. Interrupts
    /// are unmasked for it as they are for the caller. A thread that runs what
    /// uses the extended registers is given some.
    ///
    /// # Errors
    ///
    /// [`NotEmpty`], if it has a thread already; what was given is dropped.
    pub fn arm(
        &self,
        mut stack: Stack,
        extended: Option<ExtendedState>,
        entry: Entry,
    ) -> Result<(), NotEmpty> {
        if !self.advance(state::EMPTY, state::ARMING) {
            return Err(NotEmpty);
        }
        self.stack_pointer.store(stack.fill_top(&first_frame(begin)), Ordering::Relaxed);
        self.page_tables.store(page_tables::of_kernel(), Ordering::Relaxed);
        self.has_extended.store(extended.is_some(), Ordering::Relaxed);
        *self.extended.lock() = extended;
        let masked = sync::mask();
        self.unmask_at_end.store(sync::unmask_at_end(&masked), Ordering::Relaxed);
        *self.parts.lock() = Parts { stack: Some(stack), entry: Some(entry) };
        // Release: whoever enters it sees all of this.
        self.state.store(state::READY, Ordering::Release);
        Ok(())
    }
}

/// Makes `context` the one of the code that calls this, on the stack that it
/// runs on: a processor's first thread.
///
/// # Errors
///
/// [`NotEmpty`], if `context` has a thread.
///
/// # Panics
///
/// If the caller has a context already.
pub fn adopt(context: &'static Context) -> Result<(), NotEmpty> {
    let _masked = sync::mask();
    assert!(current().is_none(), "the running code has a context");
    if !context.advance(state::EMPTY, state::RUNNING) {
        return Err(NotEmpty);
    }
    set_current(context);
    Ok(())
}

/// Leaves the running thread and goes on with `next`. Returns when somebody
/// switches back.
///
/// `masked` is the only guard of its kind that lives: it goes with the
/// processor, and stands for the returning thread's afterwards.
///
/// # Panics
///
/// If `next` is not ready to run, or is run by another processor; if another
/// guard masks interrupts (a lock is held); if the caller has no context.
pub fn switch_to(next: &'static Context, masked: &Masked) {
    depart(next, masked, state::READY);
}

/// Leaves the running thread for `next`; its context is in state `after` then.
fn depart(next: &'static Context, masked: &Masked, after: u8) {
    assert!(masked.is_the_only_one(), "no lock is held across a switch of threads");
    let Some(current) = current() else {
        panic!("a processor adopts its first thread before it switches");
    };
    // Acquire: what was saved when it was left is visible.
    assert!(next.advance(state::READY, state::RUNNING), "{next:?} is entered");

    let page_tables = page_tables::current();
    current.page_tables.store(page_tables, Ordering::Relaxed);
    current.unmask_at_end.store(sync::unmask_at_end(masked), Ordering::Relaxed);
    current.with_extended(ExtendedState::save);
    leave(current, after);
    set_current(next);
    next.with_extended(ExtendedState::load);
    let next_tables = next.page_tables.load(Ordering::Relaxed);
    if next_tables != page_tables {
        // SAFETY: INV-THREAD-3: the kernel's, or read from CR3 by this function.
        unsafe { page_tables::load(next_tables) };
    }
    sync::set_unmask_at_end(masked, next.unmask_at_end.load(Ordering::Relaxed));
    let (save, stack_pointer) =
        (current.stack_pointer.as_ptr(), next.stack_pointer.load(Ordering::Relaxed));
    // SAFETY: INV-THREAD-1: this processor alone took `next` from READY to
    // RUNNING, and its stack pointer was saved before it became READY. INV-THREAD-2:
    // the stack lives. `current` is READY again only after `arrive`, which runs
    // on the other stack, so nobody reads what is saved here before it is.
    unsafe { switch_stacks(save, stack_pointer) };
    arrive();
}

/// Where a thread begins: on its own stack, with the guard of the thread that
/// its processor has left.
extern "C" fn begin() -> ! {
    arrive();
    let masked = sync::take_over();
    let entry = current().and_then(|context| context.parts.lock().entry.take());
    let Some(entry) = entry else { unreachable!("a context is armed with an entry") };
    drop(masked);
    let Departure { next, masked } = entry();
    depart(next, &masked, state::FINISHED);
    mem::forget(masked);
    unreachable!("a thread that has ended is not entered")
}
