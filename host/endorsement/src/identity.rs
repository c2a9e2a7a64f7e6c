//! What a VCEK certificate says about the processor that it is for.

use std::fmt;

use abi_snp::{TcbComponents, TcbLayout, TcbVersion};

/// Lines of processors with SEV-SNP. Certificates of each line have a root of
/// their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Third generation of EPYC.
    Milan,
    /// Fourth generation of EPYC.
    Genoa,
    /// Fifth generation of EPYC.
    Turin,
}

impl Product {
    /// All of them.
    const ALL: [Self; 3] = [Self::Milan, Self::Genoa, Self::Turin];

    /// AMD's name for it, which common names of certificates end with.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Milan => "Milan",
            Self::Genoa => "Genoa",
            Self::Turin => "Turin",
        }
    }

    /// How TCB versions of such processors are laid out.
    #[must_use]
    pub const fn tcb_layout(self) -> TcbLayout {
        match self {
            Self::Milan | Self::Genoa => TcbLayout::Milan,
            Self::Turin => TcbLayout::Turin,
        }
    }

    /// The product name in a VCEK certificate: with a stepping, except for
    /// Turin. Genoa's is *from memory*.
    pub(crate) const fn name_in_vcek(self) -> &'static str {
        match self {
            Self::Milan => "Milan-B0",
            Self::Genoa => "Genoa-B1",
            Self::Turin => "Turin",
        }
    }

    /// The product that a VCEK certificate names, whatever its stepping.
    pub(crate) fn from_name_in_vcek(name: &str) -> Option<Self> {
        let line = name.split_once('-').map_or(name, |(line, _stepping)| line);
        Self::ALL.into_iter().find(|product| product.name() == line)
    }

    /// How many bytes of a chip identifier count; the rest is zero.
    pub(crate) const fn chip_id_size(self) -> usize {
        match self {
            Self::Milan | Self::Genoa => 64,
            Self::Turin => 8,
        }
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Why values do not describe a processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// There is a version of a part that the processor has not got, or none of
    /// one that it has.
    #[error(
        "a TCB version of {product} has {} version of the FMC",
        if product.tcb_layout() == TcbLayout::Turin { "a" } else { "no" }
    )]
    Fmc {
        /// The line of processors.
        product: Product,
    },
    /// The identifier is longer than those of such processors.
    #[error(
        "a chip identifier of {product} has {} bytes, and zeros behind them",
        product.chip_id_size()
    )]
    ChipId {
        /// The line of processors.
        product: Product,
    },
}

/// One processor with one set of firmware: a VCEK is bound to both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChipIdentity {
    product: Product,
    chip_id: [u8; 64],
    tcb: TcbComponents,
}

impl ChipIdentity {
    /// The processor of this line with this identifier, running firmware of
    /// these versions.
    ///
    /// # Errors
    ///
    /// `chip_id` or `tcb` are not as such processors have them.
    pub fn new(
        product: Product,
        chip_id: [u8; 64],
        tcb: TcbComponents,
    ) -> Result<Self, IdentityError> {
        if tcb.fmc.is_some() != (product.tcb_layout() == TcbLayout::Turin) {
            return Err(IdentityError::Fmc { product });
        }
        if chip_id.iter().skip(product.chip_id_size()).any(|byte| *byte != 0) {
            return Err(IdentityError::ChipId { product });
        }
        Ok(Self { product, chip_id, tcb })
    }

    /// The line of processors.
    #[must_use]
    pub const fn product(&self) -> Product {
        self.product
    }

    /// What reports of the processor hold as `CHIP_ID`.
    #[must_use]
    pub const fn chip_id(&self) -> &[u8; 64] {
        &self.chip_id
    }

    /// The versions of its firmware.
    #[must_use]
    pub const fn tcb(&self) -> TcbComponents {
        self.tcb
    }

    /// What reports of the processor must hold as `REPORTED_TCB`.
    #[must_use]
    pub const fn reported_tcb(&self) -> TcbVersion {
        TcbVersion::new(self.tcb)
    }

    /// The part of the identifier that counts.
    pub(crate) fn hardware_id(&self) -> &[u8] {
        // At most all 64 bytes.
        &self.chip_id[..self.product.chip_id_size()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILAN: TcbComponents =
        TcbComponents { fmc: None, boot_loader: 3, tee: 1, snp: 22, microcode: 213 };
    const TURIN: TcbComponents = TcbComponents { fmc: Some(1), ..MILAN };

    #[test]
    fn only_turin_has_an_fmc() {
        let identity = |product, tcb| ChipIdentity::new(product, [0; 64], tcb);
        assert!(identity(Product::Genoa, MILAN).is_ok());
        assert!(identity(Product::Turin, TURIN).is_ok());
        let error = identity(Product::Milan, TURIN).unwrap_err();
        assert_eq!(error.to_string(), "a TCB version of Milan has no version of the FMC");
        let error = identity(Product::Turin, MILAN).unwrap_err();
        assert_eq!(error.to_string(), "a TCB version of Turin has a version of the FMC");
    }

    #[test]
    fn turin_s_identifiers_are_short() {
        let mut chip_id = [0; 64];
        chip_id[7] = 1;
        let chip = ChipIdentity::new(Product::Turin, chip_id, TURIN).unwrap();
        assert_eq!(chip.hardware_id(), [0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(chip.reported_tcb().0, [1, 3, 1, 22, 0, 0, 0, 213]);
        chip_id[8] = 1;
        let error = ChipIdentity::new(Product::Turin, chip_id, TURIN).unwrap_err();
        assert_eq!(error, IdentityError::ChipId { product: Product::Turin });
        assert!(ChipIdentity::new(Product::Milan, chip_id, MILAN).is_ok());
    }

    #[test]
    fn product_names_have_steppings() {
        for product in Product::ALL {
            assert_eq!(Product::from_name_in_vcek(product.name_in_vcek()), Some(product));
        }
        assert_eq!(Product::from_name_in_vcek("Milan-B1"), Some(Product::Milan));
        for name in ["", "-", "milan", "Milan2", "Rome-B0"] {
            assert_eq!(Product::from_name_in_vcek(name), None, "{name}");
        }
    }
}
