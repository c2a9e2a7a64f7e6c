//! Checks, counted and printed.

use core::fmt::{Debug, Display};

use crate::console::println;

/// How many checks passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Checks that passed.
    pub(crate) passed: u32,
    /// Checks that failed.
    pub(crate) failed: u32,
}

impl Tally {
    /// Compares, counts and prints one check.
    pub(super) fn check<T: PartialEq + Debug>(&mut self, name: impl Display, expected: T, got: T) {
        if expected == got {
            self.passed += 1;
            println!("ok {name}");
        } else {
            self.failed += 1;
            println!("FAIL {name}: expected {expected:x?}, got {got:x?}");
        }
    }
}
