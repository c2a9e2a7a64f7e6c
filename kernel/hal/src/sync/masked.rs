//! Interrupts stay away while a guard lives.

use core::marker::PhantomData;

use super::interrupt_flag;
use super::this_processor::{serve_requests, with_state};

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

/// Masks interrupts on the running processor until the guard is dropped.
pub fn mask() -> Masked {
    let were_unmasked = interrupt_flag::clear();
    with_state(|state| state.interrupts().enter(were_unmasked));
    Masked { not_send: PhantomData }
}

impl Drop for Masked {
    fn drop(&mut self) {
        let unmask = with_state(|state| state.interrupts().leave());
        if !with_state(|state| state.interrupts().masked()) {
            serve_requests();
        }
        if unmask {
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
