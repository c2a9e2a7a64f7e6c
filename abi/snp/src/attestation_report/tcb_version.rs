//! The versions of everything that a guest has to trust.
//!
//! A TCB version is eight security version numbers, each of which only grows.
//! Signing keys are bound to one, so that firmware with a known hole cannot
//! sign as if it were newer. Which number stands where depends on the
//! processor [SNP ABI 56860, table "TCB_VERSION"].

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::attestation_report::processor::ProcessorModel;

/// Which component's number stands in which byte of a [`TcbVersion`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcbLayout {
    /// Milan and Genoa, with what was derived from them (family 19):
    /// boot loader 0, TEE 1, SNP 6, microcode 7.
    Milan,
    /// Turin and later (family 1A): FMC 0, boot loader 1, TEE 2, SNP 3,
    /// microcode 7.
    Turin,
}

impl TcbLayout {
    /// The layout that `processor` uses, `None` for families that this version
    /// does not know.
    #[must_use]
    pub const fn of(processor: ProcessorModel) -> Option<Self> {
        match processor.family {
            0x19 => Some(Self::Milan),
            0x1a => Some(Self::Turin),
            _ => None,
        }
    }
}

/// Security version numbers by component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TcbComponents {
    /// FMC, what runs first on the security processor. Only
    /// [`TcbLayout::Turin`] has it.
    pub fmc: Option<u8>,
    /// Boot loader of the security processor.
    pub boot_loader: u8,
    /// Operating system of the security processor.
    pub tee: u8,
    /// Firmware for SNP.
    pub snp: u8,
    /// Lowest microcode patch level of all cores.
    pub microcode: u8,
}

impl fmt::Display for TcbComponents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(fmc) = self.fmc {
            write!(f, "FMC {fmc}, ")?;
        }
        let Self { boot_loader, tee, snp, microcode, .. } = self;
        write!(f, "boot loader {boot_loader}, TEE {tee}, SNP {snp}, microcode {microcode}")
    }
}

/// A TCB version: eight bytes whose meaning [`TcbLayout`] tells.
#[derive(
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
    Unaligned,
)]
#[repr(transparent)]
pub struct TcbVersion(pub [u8; 8]);

const _: () = assert!(size_of::<TcbVersion>() == 8);

impl TcbVersion {
    /// The version with these numbers, as [`TcbLayout::Turin`] where there is
    /// one of the FMC, as [`TcbLayout::Milan`] otherwise.
    #[must_use]
    pub const fn new(components: TcbComponents) -> Self {
        let TcbComponents { fmc, boot_loader, tee, snp, microcode } = components;
        Self(match fmc {
            None => [boot_loader, tee, 0, 0, 0, 0, snp, microcode],
            Some(fmc) => [fmc, boot_loader, tee, snp, 0, 0, 0, microcode],
        })
    }

    /// The numbers by component; reserved bytes are left out.
    #[must_use]
    pub const fn components(self, layout: TcbLayout) -> TcbComponents {
        match layout {
            TcbLayout::Milan => {
                let [boot_loader, tee, _, _, _, _, snp, microcode] = self.0;
                TcbComponents { fmc: None, boot_loader, tee, snp, microcode }
            }
            TcbLayout::Turin => {
                let [fmc, boot_loader, tee, snp, _, _, _, microcode] = self.0;
                TcbComponents { fmc: Some(fmc), boot_loader, tee, snp, microcode }
            }
        }
    }
}

/// The eight bytes as one number in hexadecimal, the way they stand in a
/// register; what they mean takes a [`TcbLayout`].
impl fmt::Display for TcbVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#018x}", u64::from_le_bytes(self.0))
    }
}

impl fmt::Debug for TcbVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TcbVersion({self})")
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    const MILAN: TcbComponents =
        TcbComponents { fmc: None, boot_loader: 3, tee: 1, snp: 22, microcode: 213 };
    const TURIN: TcbComponents =
        TcbComponents { fmc: Some(1), boot_loader: 2, tee: 3, snp: 4, microcode: 80 };

    #[test]
    fn each_layout_has_its_places() {
        assert_eq!(TcbVersion::new(MILAN).0, [3, 1, 0, 0, 0, 0, 22, 213]);
        assert_eq!(TcbVersion::new(MILAN).components(TcbLayout::Milan), MILAN);
        assert_eq!(TcbVersion::new(TURIN).0, [1, 2, 3, 4, 0, 0, 0, 80]);
        assert_eq!(TcbVersion::new(TURIN).components(TcbLayout::Turin), TURIN);
    }

    #[test]
    fn family_tells_the_layout() {
        let layout = |family| TcbLayout::of(ProcessorModel { family, model: 1, stepping: 1 });
        assert_eq!(layout(0x19), Some(TcbLayout::Milan));
        assert_eq!(layout(0x1a), Some(TcbLayout::Turin));
        assert_eq!(layout(0x17), None);
        assert_eq!(layout(0x1b), None);
    }

    #[test]
    fn shown_as_number_and_in_words() {
        assert_eq!(TcbVersion::new(MILAN).to_string(), "0xd516000000000103");
        assert_eq!(MILAN.to_string(), "boot loader 3, TEE 1, SNP 22, microcode 213");
        assert_eq!(TURIN.to_string(), "FMC 1, boot loader 2, TEE 3, SNP 4, microcode 80");
    }
}
