//! The one that answers: what it stands on.

use abi_snp::SevFeatures;
use page_state::{DetailBlocks, PageStates};

use crate::machine::Machine;
use crate::registry::Registry;

/// Answers the calls of one guest. All processors share it.
#[derive(Debug)]
pub struct GuestCalls<'a, M, B> {
    pub(crate) machine: M,
    pub(crate) pages: &'a PageStates<'a, B>,
    pub(crate) registry: Registry,
    pub(crate) features: SevFeatures,
}

impl<'a, M: Machine, B: DetailBlocks> GuestCalls<'a, M, B> {
    /// For the guest whose virtual processors are in `registry` and run with
    /// `features`.
    #[must_use]
    pub const fn new(
        machine: M,
        pages: &'a PageStates<'a, B>,
        registry: Registry,
        features: SevFeatures,
    ) -> Self {
        Self { machine, pages, registry, features }
    }

    /// The guest's virtual processors.
    #[must_use]
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// What the kernel brings.
    #[must_use]
    pub const fn machine(&self) -> &M {
        &self.machine
    }
}
