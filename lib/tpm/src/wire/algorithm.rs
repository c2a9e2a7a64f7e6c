//! Algorithm identifiers and the sets allowed in each place.

use tpm_crypto::ecc::Curve;
use tpm_crypto::hash::HashAlgorithm;

use crate::wire::macros::enumerations;

/// TPM_ALG_NULL: nothing chosen [Part 2 §6.3].
pub(crate) const NULL: u16 = 0x0010;

enumerations! {
    /// TPMI_ALG_HASH [Part 2 §9.27].
    Hash(u16) else HASH, none 0x0010 {
        Sha1 = 0x0004,
        Sha256 = 0x000B,
        Sha384 = 0x000C,
        Sha512 = 0x000D,
        Sm3 = 0x0012,
        Sha3_256 = 0x0027,
        Sha3_384 = 0x0028,
        Sha3_512 = 0x0029,
    }

    /// TPMI_ALG_SYM_MODE [Part 2 §9.31].
    SymmetricMode(u16) else MODE, none 0x0010 {
        /// No encryption: keys with it make MACs.
        CipherMac = 0x003F,
        Counter = 0x0040,
        OutputFeedback = 0x0041,
        CipherBlockChaining = 0x0042,
        CipherFeedback = 0x0043,
        ElectronicCodebook = 0x0044,
    }

    /// TPMI_ECC_CURVE [Part 2 §11.2.5.5].
    CurveId(u16) else CURVE, none 0x0000 {
        P256 = 0x0003,
        P384 = 0x0004,
        P521 = 0x0005,
        Sm2 = 0x0020,
    }

    /// TPMI_RH_HIERARCHY+ [Part 2 §9.13].
    Hierarchy(u32) else VALUE, none 0x0000_0000 {
        Owner = 0x4000_0001,
        Null = 0x4000_0007,
        Endorsement = 0x4000_000B,
        Platform = 0x4000_000C,
    }

    /// TPMI_RH_ENABLES [Part 2 §9.14].
    Enable(u32) else VALUE, none 0x4000_0007 {
        Owner = 0x4000_0001,
        Endorsement = 0x4000_000B,
        Platform = 0x4000_000C,
        PlatformNv = 0x4000_000D,
    }

    /// TPM_CLOCK_ADJUST [Part 2 §6.7].
    ClockAdjustment(u8) else VALUE, none 0x7F {
        CoarseSlower = 0xFD,
        MediumSlower = 0xFE,
        FineSlower = 0xFF,
        NoChange = 0x00,
        FineFaster = 0x01,
        MediumFaster = 0x02,
        CoarseFaster = 0x03,
    }

    /// TPM_SU [Part 2 §6.10]: how to start and what to save.
    StartupType(u16) else VALUE, none 0xFFFF {
        Clear = 0x0000,
        State = 0x0001,
    }

    /// TPM_SE [Part 2 §6.11]: kinds of sessions.
    SessionType(u8) else VALUE, none 0xFF {
        Hmac = 0x00,
        Policy = 0x01,
        Trial = 0x03,
    }

    /// TPM_EO [Part 2 §6.8]: comparisons in policies.
    Comparison(u16) else VALUE, none 0xFFFF {
        Equal = 0x0000,
        NotEqual = 0x0001,
        SignedGreater = 0x0002,
        UnsignedGreater = 0x0003,
        SignedLess = 0x0004,
        UnsignedLess = 0x0005,
        SignedGreaterOrEqual = 0x0006,
        UnsignedGreaterOrEqual = 0x0007,
        SignedLessOrEqual = 0x0008,
        UnsignedLessOrEqual = 0x0009,
        BitsSet = 0x000A,
        BitsClear = 0x000B,
    }
}

impl Hash {
    /// The algorithm behind the identifier.
    pub(crate) const fn algorithm(self) -> HashAlgorithm {
        match self {
            Self::Sha1 => HashAlgorithm::Sha1,
            Self::Sha256 => HashAlgorithm::Sha256,
            Self::Sha384 => HashAlgorithm::Sha384,
            Self::Sha512 => HashAlgorithm::Sha512,
            Self::Sm3 => HashAlgorithm::Sm3,
            Self::Sha3_256 => HashAlgorithm::Sha3_256,
            Self::Sha3_384 => HashAlgorithm::Sha3_384,
            Self::Sha3_512 => HashAlgorithm::Sha3_512,
        }
    }

    /// The size of its digests, in bytes.
    pub(crate) const fn size(self) -> usize {
        self.algorithm().digest_size()
    }
}

impl CurveId {
    /// The curve behind the identifier.
    pub(crate) const fn curve(self) -> Curve {
        match self {
            Self::P256 => Curve::P256,
            Self::P384 => Curve::P384,
            Self::P521 => Curve::P521,
            Self::Sm2 => Curve::Sm2,
        }
    }
}
