//! A thread that does not run, and the states of all.

use alloc::boxed::Box;
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use crate::sync::{Masked, Rank, SpinLock};

use super::stack::Stack;
use crate::extended_state::ExtendedState;

/// What a thread does; in the end it says where its processor goes on.
pub type Entry = Box<dyn FnOnce() -> Departure + Send>;

/// Where a processor goes on when a thread ends.
#[derive(Debug)]
pub struct Departure {
    /// The context to enter.
    pub next: &'static Context,
    /// Masks interrupts since `next` was chosen, so that the choice holds.
    pub masked: Masked,
}

/// The states of a context; see the module's documentation.
pub(super) mod state {
    /// Nothing is in it.
    pub(in crate::thread) const EMPTY: u8 = 0;
    /// It is being filled.
    pub(in crate::thread) const ARMING: u8 = 1;
    /// It can be entered.
    pub(in crate::thread) const READY: u8 = 2;
    /// A processor runs on its stack.
    pub(in crate::thread) const RUNNING: u8 = 3;
    /// It has ended, and nobody runs on its stack any more.
    pub(in crate::thread) const FINISHED: u8 = 4;
}

/// One thread. For statics and memory that lives for ever; used for one thread
/// after the other.
pub struct Context {
    pub(super) state: AtomicU8,
    /// Where the thread goes on; meaningful while it is READY.
    pub(super) stack_pointer: AtomicU64,
    /// What CR3 held when it was left.
    pub(super) page_tables: AtomicU64,
    /// Whether the guard that it was left with unmasks interrupts at its end.
    pub(super) unmask_at_end: AtomicBool,
    pub(super) parts: SpinLock<Parts>,
    /// Whether there is something in `extended`: seen by a processor that has
    /// taken the context from READY.
    pub(super) has_extended: AtomicBool,
    /// Registers that the kernel does not use, of a thread that does.
    pub(super) extended: SpinLock<Option<ExtendedState>>,
}

/// What a thread is made of.
pub(super) struct Parts {
    /// `None` if it runs on a stack that it was not given: see
    /// [`adopt`](super::adopt).
    pub(super) stack: Option<Stack>,
    /// What it does, until it begins.
    pub(super) entry: Option<Entry>,
}

/// The context is used by another thread; nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the context has a thread; take another one, or reclaim this one when it has ended")]
pub struct NotEmpty;

impl Context {
    /// A context without a thread.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            state: AtomicU8::new(state::EMPTY),
            stack_pointer: AtomicU64::new(0),
            page_tables: AtomicU64::new(0),
            unmask_at_end: AtomicBool::new(false),
            parts: SpinLock::new(Rank::Task, Parts { stack: None, entry: None }),
            has_extended: AtomicBool::new(false),
            extended: SpinLock::new(Rank::Task, None),
        }
    }

    /// Gives the stack of a thread that has ended back, and makes the context
    /// empty; `None` if there is no such thread, or a processor has not left the
    /// stack yet.
    pub fn reclaim(&self) -> Option<Stack> {
        // Acquire: whatever the thread did to its stack is done.
        if self.state.load(Ordering::Acquire) != state::FINISHED {
            return None;
        }
        let stack = self.parts.lock().stack.take()?;
        self.has_extended.store(false, Ordering::Relaxed);
        let extended = self.extended.lock().take();
        if let Some(extended) = extended {
            // Whoever gets the memory is not to see what this one left.
            extended.reset();
        }
        self.advance(state::FINISHED, state::EMPTY).then_some(stack)
    }

    /// Does something with the extended registers that the thread has, if it has.
    pub(super) fn with_extended(&self, act: impl FnOnce(&ExtendedState)) {
        if self.has_extended.load(Ordering::Relaxed)
            && let Some(extended) = &*self.extended.lock()
        {
            act(extended);
        }
    }

    /// Goes from state `from` to `to`; whether it was in `from`.
    pub(super) fn advance(&self, from: u8, to: u8) -> bool {
        self.state.compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }
}

impl Default for Context {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Context {
    /// A stack that holds a thread's values is never freed.
    fn drop(&mut self) {
        let state = *self.state.get_mut();
        let harmless =
            matches!(state, state::EMPTY | state::FINISHED) || self.parts.get_mut().entry.is_some();
        assert!(harmless, "a context is dropped whose thread has not ended");
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.load(Ordering::Relaxed);
        f.debug_struct("Context").field("state", &state).finish_non_exhaustive()
    }
}
