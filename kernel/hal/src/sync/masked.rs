//! Interrupts stay away while a guard lives.

use core::marker::PhantomData;

use super::interrupt_flag;
use super::interrupt_state::AfterGuard;
use super::this_processor::{self, with_state};

/// No interrupt is handled on this processor while this value lives, and the
/// running task stays on it.
///
/// Exceptions and non-maskable interrupts still come. Guards nest, and may end
/// in any order; with the last one holds again what held before the first.
#[derive(Debug)]
#[must_use = "interrupts are unmasked when it is dropped"]
pub struct Masked {
    /// It belongs to the processor on which it was made.
    not_send: PhantomData<*const ()>,
}

impl Masked {
    /// Whether no other guard lives on this processor: no lock is held, and
    /// nobody else minds if it goes on with another thread.
    #[must_use]
    pub fn is_the_only_one(&self) -> bool {
        depth(self) == 1
    }
}

/// Masks interrupts on the running processor until the guard is dropped.
#[inline(always)]
pub fn mask() -> Masked {
    let were_unmasked = interrupt_flag::clear();
    this_processor::enter(were_unmasked);
    Masked { not_send: PhantomData }
}

/// Number of guards that live on this processor, `_masked` among them.
fn depth(_masked: &Masked) -> u32 {
    with_state(|state| state.interrupts().depth())
}

/// Whether interrupts are unmasked when the last guard ends.
pub(crate) fn unmask_at_end(_masked: &Masked) -> bool {
    with_state(|state| state.interrupts().unmask_at_end())
}

/// Changes whether interrupts are unmasked when the last guard ends. For
/// switches between threads, to whom that belongs.
pub(crate) fn set_unmask_at_end(_masked: &Masked, unmask: bool) {
    with_state(|state| state.interrupts().set_unmask_at_end(unmask));
}

/// The guard of the thread that the processor has just left, for the one that
/// begins.
pub(crate) fn take_over() -> Masked {
    with_state(|state| assert!(state.interrupts().masked(), "a switch hands a guard over"));
    Masked { not_send: PhantomData }
}

/// Sets the processor's flag, which is clear when a processor starts.
///
/// # Panics
///
/// A [`Masked`] exists: its end would not know.
#[cfg(target_os = "none")]
pub(crate) fn unmask_for_the_first_time() {
    assert!(!with_state(|state| state.interrupts().masked()), "nobody masks interrupts yet");
    interrupt_flag::set();
}

impl Drop for Masked {
    #[inline(always)]
    fn drop(&mut self) {
        if this_processor::leave() == AfterGuard::Unmask {
            interrupt_flag::set();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::interrupt_flag::is_set;

    #[test]
    fn guards_nest_in_any_order() {
        let outer = mask();
        let inner = mask();
        assert!(!is_set());
        drop(outer);
        assert!(!is_set());
        drop(inner);
        assert!(is_set());
    }
}
