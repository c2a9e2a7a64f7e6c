//! What the other contexts do: they run the trials that the first one orders.

use core::arch::naked_asm;
use core::hint::spin_loop;
use core::sync::atomic::Ordering;

use abi_snp::Vmpl;
use abi_snp::ghcb::MsrRequest;

use super::context::Context;
use super::exit::exit;
use super::registers::Trial;
use super::trial;

/// There is nothing to do; `ordered` belongs to the first context.
pub(super) const IDLE: u32 = 0;
/// `ordered` belongs to the worker.
pub(super) const ORDERED: u32 = 1;
/// The trial has ended; `ordered` belongs to the first context.
pub(super) const DONE: u32 = 2;

/// What a worker does when it has nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Pastime {
    /// It has a processor of its own, and looks again.
    LookAgain = 0,
    /// It has borrowed the processor from VMPL0, and gives it back.
    GiveBack = 1,
}

/// Where a worker starts, on an empty stack.
///
/// # Safety
///
/// RDI is the context, RSI the [`Pastime`]; segments, interrupt table and GS are
/// the context's (INV-CF-CONTEXT-2). Only a save area made for it comes here.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn start() -> ! {
    naked_asm!("call {work}", "ud2", work = sym work)
}

/// # Safety
///
/// As [`start`].
unsafe extern "C" fn work(context: &'static Context, pastime: Pastime) -> ! {
    loop {
        if context.command.load(Ordering::Acquire) == ORDERED {
            // SAFETY: INV-CF-CONTEXT-1: it is this worker's now; GS points at this
            // context; the trial keeps its promise (INV-CF-TRIAL-1).
            unsafe { trial::run(context.ordered.get()) };
            context.command.store(DONE, Ordering::Release);
        }
        match pastime {
            Pastime::LookAgain => spin_loop(),
            Pastime::GiveBack => {
                exit(MsrRequest::RunVmpl(Vmpl::Vmpl0).encode());
            }
        }
    }
}

impl Context {
    /// Orders a trial.
    ///
    /// # Panics
    ///
    /// If one is under way.
    pub(super) fn order(&self, trial: Trial) {
        let command = self.command.load(Ordering::Acquire);
        assert!(command != ORDERED, "the trial before has not ended");
        // SAFETY: INV-CF-CONTEXT-1: it is the first context's, which runs this.
        unsafe { *self.ordered.get() = trial };
        self.command.store(ORDERED, Ordering::Release);
    }

    /// The trial that has ended, if it has.
    pub(super) fn ended(&self) -> Option<Trial> {
        if self.command.load(Ordering::Acquire) != DONE {
            return None;
        }
        self.command.store(IDLE, Ordering::Relaxed);
        // SAFETY: INV-CF-CONTEXT-1: it is the first context's again.
        Some(unsafe { *self.ordered.get() })
    }

    /// Takes back what was ordered from a worker that will never run again.
    pub(super) fn forget(&self) {
        self.command.store(IDLE, Ordering::Release);
    }
}
