//! The providers that every test of public-key cryptography runs with.

use alloc::{boxed::Box, vec, vec::Vec};

use crate::{portable::Portable, provider::Provider};

/// The portable provider alone.
#[cfg(not(feature = "fast"))]
pub(crate) fn providers() -> Vec<Box<dyn Provider>> {
    vec![Box::new(Portable)]
}

/// Both providers; the processor has to be able to run the fast one.
#[cfg(feature = "fast")]
pub(crate) fn providers() -> Vec<Box<dyn Provider>> {
    let fast = crate::fast::Fast::new().expect("the processor can run the fast provider");
    vec![Box::new(Portable), Box::new(fast)]
}
