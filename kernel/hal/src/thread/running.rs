//! The contexts of the running processor: which one runs, which one it leaves.

use core::ptr;
use core::sync::atomic::Ordering;

use super::context::Context;
use super::this_processor::with_threads;

/// The context of the thread that runs.
pub(super) fn current() -> Option<&'static Context> {
    let current = with_threads(|threads| threads.current.load(Ordering::Relaxed));
    // SAFETY: INV-THREAD-4: null or a reference for ever.
    unsafe { current.cast::<Context>().as_ref() }
}

/// Notes that `next` runs from now on.
pub(super) fn set_current(next: &'static Context) {
    with_threads(|threads| threads.current.store(pointer(next), Ordering::Relaxed));
}

/// Notes that the processor is about to leave `context`, which is then to be in
/// `state`.
pub(super) fn leave(context: &'static Context, state: u8) {
    with_threads(|threads| {
        threads.left_state.store(state, Ordering::Relaxed);
        threads.left.store(pointer(context), Ordering::Relaxed);
    });
}

/// Whatever the processor was about to leave, it has left.
pub(super) fn arrive() {
    let (left, state) = with_threads(|threads| {
        let left = threads.left.swap(ptr::null_mut(), Ordering::Relaxed);
        (left, threads.left_state.load(Ordering::Relaxed))
    });
    // SAFETY: INV-THREAD-4: null or a reference for ever.
    if let Some(left) = unsafe { left.cast::<Context>().as_ref() } {
        // Release: all that was done on the stack is done.
        left.state.store(state, Ordering::Release);
    }
}

fn pointer(context: &'static Context) -> *mut () {
    ptr::from_ref(context).cast_mut().cast()
}
