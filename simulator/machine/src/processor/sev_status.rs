//! What a guest reads about its own protection.

use abi_snp::SevFeatures;

/// `SEV_STATUS` of a guest that runs with `features`: SEV and SEV-ES, which
/// SEV-SNP includes, and the features two places higher
/// [APM 24593 §15.34.10].
#[must_use]
pub const fn sev_status(features: SevFeatures) -> u64 {
    const SEV_ENABLED: u64 = 1 << 0;
    const SEV_ES_ENABLED: u64 = 1 << 1;
    features.bits() << 2 | SEV_ES_ENABLED | SEV_ENABLED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_linux_reads_it() {
        assert_eq!(sev_status(SevFeatures::SNP_ACTIVE), 0b111);
        let debug = SevFeatures::SNP_ACTIVE | SevFeatures::DEBUG_SWAP;
        assert_eq!(sev_status(debug), 0b1000_0111);
        let secure_tsc = SevFeatures::SNP_ACTIVE | SevFeatures::SECURE_TSC;
        assert_eq!(sev_status(secure_tsc), 0x807);
    }
}
