//! What the server offers.

use abi_snp::ghcb::{HypervisorFeatures, SevInformation};

/// What the server says about itself, and what it serves accordingly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Configuration {
    features: HypervisorFeatures,
    information: SevInformation,
}

/// Features that the server does not serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the GHCB server does not serve {0}; leave it out of the offered features")]
pub struct NotServed(pub HypervisorFeatures);

impl Configuration {
    /// Features that the server can offer.
    pub const SERVED: HypervisorFeatures = HypervisorFeatures::SNP
        .union(HypervisorFeatures::AP_CREATION)
        .union(HypervisorFeatures::RESTRICTED_INJECTION)
        .union(HypervisorFeatures::APIC_ID_LIST)
        .union(HypervisorFeatures::MULTI_VMPL);

    /// A server that offers `features` and tells `information`. Events that
    /// belong to other features do not exist for the guest.
    ///
    /// # Errors
    ///
    /// Features beyond [`Self::SERVED`].
    pub fn new(
        features: HypervisorFeatures,
        information: SevInformation,
    ) -> Result<Self, NotServed> {
        let more = features.difference(Self::SERVED);
        if more.is_empty() { Ok(Self { features, information }) } else { Err(NotServed(more)) }
    }

    /// The features.
    #[must_use]
    pub const fn features(&self) -> HypervisorFeatures {
        self.features
    }

    /// Versions of the protocol and position of the C-bit.
    #[must_use]
    pub const fn information(&self) -> SevInformation {
        self.information
    }
}
