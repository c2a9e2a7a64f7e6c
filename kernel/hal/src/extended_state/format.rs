//! Which registers there are, and how they are saved.

use abi_x86::Cr4;
use cpuid_table::Answer;

/// CPUID leaf of the features that every processor tells of.
const FEATURES: u32 = 1;
/// In ECX of [`FEATURES`]: XSAVE and the extended control registers.
const XSAVE: u32 = 1 << 26;
/// CPUID leaf of what XSAVE saves: which features of XCR0 there are in EDX:EAX.
const EXTENDED_STATE: u32 = 0xd;

/// Bits of XCR0 [APM 24593 §11.5.2].
const X87: u64 = 1 << 0;
const SSE: u64 = 1 << 1;
const AVX: u64 = 1 << 2;
/// Masks, upper halves of the lower registers, upper registers.
const AVX_512: u64 = 0b111 << 5;
/// Rights of memory-protection keys.
const PROTECTION_KEYS: u64 = 1 << 9;

/// How the registers are saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// By FXSAVE: x87 and SSE.
    Fxsave,
    /// By XSAVE: what XCR0 has of these features.
    Xsave {
        /// As in XCR0.
        features: u64,
    },
}

impl Format {
    /// The format for a processor that answers to CPUID as `query` says.
    ///
    /// All features that it grants are used, of those whose place in the save
    /// area is known; a feature that needs another one which is missing is left
    /// out.
    pub(super) fn choose(query: impl Fn(u32, u32) -> Answer) -> Self {
        if query(FEATURES, 0).ecx & XSAVE == 0 {
            return Self::Fxsave;
        }
        let answer = query(EXTENDED_STATE, 0);
        let granted = u64::from(answer.edx) << 32 | u64::from(answer.eax);
        let mut features = X87 | SSE | granted & (AVX | PROTECTION_KEYS);
        let with_avx_512 = AVX | AVX_512;
        if granted & with_avx_512 == with_avx_512 {
            features |= AVX_512;
        }
        Self::Xsave { features }
    }

    /// The features that the area's header can name; none without a header.
    pub(super) const fn vector_features(self) -> Option<u64> {
        match self {
            Self::Fxsave => None,
            Self::Xsave { features } => Some(features & (SSE | AVX)),
        }
    }

    /// Whether the vector registers have 256 bits rather than 128.
    pub(super) const fn has_upper_halves(self) -> bool {
        matches!(self, Self::Xsave { features } if features & AVX != 0)
    }

    /// What CR4 needs for it.
    pub(super) fn cr4(self) -> Cr4 {
        let sse = Cr4::OSFXSR | Cr4::OSXMMEXCPT;
        match self {
            Self::Fxsave => sse,
            Self::Xsave { .. } => sse | Cr4::OSXSAVE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The format for a processor with these features.
    fn choose(leaf_1_ecx: u32, granted: u64) -> Format {
        Format::choose(|leaf, _| match leaf {
            FEATURES => Answer { eax: 0, ebx: 0, ecx: leaf_1_ecx, edx: 0 },
            EXTENDED_STATE => {
                Answer { eax: granted as u32, ebx: 0, ecx: 0, edx: (granted >> 32) as u32 }
            }
            _ => Answer { eax: 0, ebx: 0, ecx: 0, edx: 0 },
        })
    }

    #[test]
    fn no_xsave_no_features() {
        assert_eq!(choose(!XSAVE, u64::MAX), Format::Fxsave);
        assert!(!Format::Fxsave.cr4().contains(Cr4::OSXSAVE));
    }

    #[test]
    fn granted_features_are_used_if_they_fit_together() {
        let cases = [
            (0, 0b11),
            (0b111, 0b111),
            (0xe7, 0xe7),
            // AVX-512 without AVX, or not all of it.
            (0xe3, 0b11),
            (0x67, 0b111),
            (0x207, 0x207),
            // What has no known place: bound registers, tiles, the unknown.
            (u64::MAX, 0x2e7),
        ];
        for (granted, features) in cases {
            assert_eq!(choose(XSAVE, granted), Format::Xsave { features }, "{granted:#x}");
        }
    }
}
