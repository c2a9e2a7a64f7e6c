//! The portable provider's type.

use crate::provider::Provider;

/// The portable provider. It has no state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Portable;

impl Provider for Portable {
    fn name(&self) -> &'static str {
        "portable"
    }
}
