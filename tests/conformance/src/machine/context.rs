//! Contexts: what runs on a processor at a privilege level of the machine.
//!
//! Each has its own segments, stacks and at most one instruction under test.
//! The first is where the checks themselves run; the others wait for
//! instructions (`worker.rs`).

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use super::registers::Trial;
use super::segments::{Segments, Stacks};

/// Vectors that the interrupt table has.
pub(super) const VECTORS: usize = 64;

/// Contexts that there are.
pub(super) const COUNT: usize = 7;

/// A context. GS points at it while it runs.
#[repr(C)]
pub(super) struct Context {
    /// The trial that is under way; null if there is none.
    pub(super) trial: AtomicPtr<Trial>,
    /// Where its code is, for `trial.rs` alone.
    code: UnsafeCell<u64>,
    /// Its own address, for code that only knows GS.
    pub(super) this: AtomicPtr<Context>,
    /// See `worker.rs`.
    pub(super) command: AtomicU32,
    /// How often each interrupt came.
    pub(super) interrupts: [AtomicU32; VECTORS],
    /// The trial that a worker shall run. INV-CF-CONTEXT-1: belongs to the worker
    /// while `command` says so, to the first context otherwise.
    pub(super) ordered: UnsafeCell<Trial>,
    /// INV-CF-CONTEXT-2: filled in by the first context before this one starts,
    /// and the processor's from then on.
    pub(super) segments: UnsafeCell<Segments>,
}

// SAFETY: `ordered` and `segments` have one owner at a time, by INV-CF-CONTEXT-1
// and INV-CF-CONTEXT-2; `code` is used by the context itself alone.
unsafe impl Sync for Context {}

/// All contexts.
pub(super) static CONTEXTS: [Context; COUNT] = [const { Context::new() }; COUNT];

impl Context {
    const fn new() -> Self {
        Self {
            trial: AtomicPtr::new(core::ptr::null_mut()),
            code: UnsafeCell::new(0),
            this: AtomicPtr::new(core::ptr::null_mut()),
            command: AtomicU32::new(0),
            interrupts: [const { AtomicU32::new(0) }; VECTORS],
            ordered: UnsafeCell::new(Trial::EMPTY),
            segments: UnsafeCell::new(Segments::empty()),
        }
    }

    /// Prepares it to be run, and gives its address, for GS.
    pub(super) fn prepare(&'static self) -> u64 {
        let this = (&raw const *self).cast_mut();
        self.this.store(this, Ordering::SeqCst);
        this.expose_provenance() as u64
    }

    /// Where its stacks are.
    pub(super) fn stacks(&self) -> Stacks {
        // SAFETY: INV-CF-CONTEXT-2: addresses only, no content is read.
        unsafe { (*self.segments.get()).stacks() }
    }
}

const _: () = {
    use core::mem::offset_of;
    // `trial.rs` and `trap.rs` go by these.
    assert!(offset_of!(Context, trial) == 0);
    assert!(offset_of!(Context, code) == 8);
};
