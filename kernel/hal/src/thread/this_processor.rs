//! The running processor's threads.

use super::processor_threads::ProcessorThreads;

/// Calls `use_it` with the running processor's threads.
#[cfg(target_os = "none")]
pub(super) fn with_threads<R>(use_it: impl FnOnce(&ProcessorThreads) -> R) -> R {
    use_it(&crate::processor::current().threads)
}

/// Calls `use_it` with the threads of the operating system's thread, which
/// stands for a processor where there is one.
#[cfg(not(target_os = "none"))]
pub(super) fn with_threads<R>(use_it: impl FnOnce(&ProcessorThreads) -> R) -> R {
    extern crate std;

    std::thread_local! {
        static THREADS: ProcessorThreads = const { ProcessorThreads::none() };
    }
    THREADS.with(use_it)
}
