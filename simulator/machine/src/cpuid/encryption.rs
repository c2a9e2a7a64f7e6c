//! Leaf 0x8000_001f: memory encryption.
//!
//! [APM 24594 appendix E, function 8000_001Fh].

use abi_snp::{SevFeatures, Vmpl};
use bitflags::bitflags;

use crate::cpuid::facts::CpuidFacts;
use crate::cpuid::physical::CpuidResult;

bitflags! {
    /// EAX.
    struct Eax: u32 {
        const SEV = 1 << 1;
        const SEV_ES = 1 << 3;
        const SEV_SNP = 1 << 4;
        const VMPL = 1 << 5;
        const RMPQUERY = 1 << 6;
        const VMPL_SUPERVISOR_SHADOW_STACK = 1 << 7;
        const SECURE_TSC = 1 << 8;
        const COHERENT = 1 << 10;
        const HOST_64_BIT = 1 << 11;
        const RESTRICTED_INJECTION = 1 << 12;
        const ALTERNATE_INJECTION = 1 << 13;
        const DEBUG_SWAP = 1 << 14;
        const PREVENT_HOST_IBS = 1 << 15;
        const VIRTUAL_TOM = 1 << 16;
        const VMGEXIT_PARAMETER = 1 << 17;
        const IBS_VIRTUALIZATION = 1 << 19;
        const PMC_VIRTUALIZATION = 1 << 20;
        const VMSA_REGISTER_PROTECTION = 1 << 24;
        const SMT_PROTECTION = 1 << 25;
        const SECURE_AVIC = 1 << 26;
        const IBPB_ON_ENTRY = 1 << 31;
    }
}

/// What every SNP guest of this platform has.
const ALWAYS: Eax = Eax::SEV
    .union(Eax::SEV_ES)
    .union(Eax::SEV_SNP)
    .union(Eax::VMPL)
    .union(Eax::RMPQUERY)
    .union(Eax::COHERENT)
    .union(Eax::HOST_64_BIT);

/// Bits that say whether a VMSA may ask for a feature. Bits 16 (`VTE`), 20 and
/// 31 are from memory.
const OFFERS: [(SevFeatures, Eax); 13] = [
    (SevFeatures::VMPL_SUPERVISOR_SHADOW_STACK, Eax::VMPL_SUPERVISOR_SHADOW_STACK),
    (SevFeatures::SECURE_TSC, Eax::SECURE_TSC),
    (SevFeatures::RESTRICTED_INJECTION, Eax::RESTRICTED_INJECTION),
    (SevFeatures::ALTERNATE_INJECTION, Eax::ALTERNATE_INJECTION),
    (SevFeatures::DEBUG_SWAP, Eax::DEBUG_SWAP),
    (SevFeatures::PREVENT_HOST_IBS, Eax::PREVENT_HOST_IBS),
    (SevFeatures::VIRTUAL_TOM, Eax::VIRTUAL_TOM),
    (SevFeatures::VMGEXIT_PARAMETER, Eax::VMGEXIT_PARAMETER),
    (SevFeatures::IBS_VIRTUALIZATION, Eax::IBS_VIRTUALIZATION),
    (SevFeatures::PMC_VIRTUALIZATION, Eax::PMC_VIRTUALIZATION),
    (SevFeatures::VMSA_REGISTER_PROTECTION, Eax::VMSA_REGISTER_PROTECTION),
    (SevFeatures::SMT_PROTECTION, Eax::SMT_PROTECTION),
    (SevFeatures::SECURE_AVIC, Eax::SECURE_AVIC),
];

/// EBX bit 31, `COHERENCY_SFW_NO`: pages need not be flushed from the caches
/// when they change state. Set, since a model has no stale caches; Linux flushes
/// every page that it validates otherwise (bit as in Linux' `sev_evict_cache`).
const NO_SOFTWARE_COHERENCY: u32 = 1 << 31;

/// EBX bits 11:6, which the check leaves to the host.
pub(super) const REDUCTION_MASK: u32 = 0x3f << 6;

/// The leaf: C-bit in EBX bits 5:0, reduction of the address size in 11:6,
/// number of privilege levels in 15:12. ECX and EDX, which tell a host how many
/// guests it can have, are zero.
pub(super) fn leaf_8000_001f(facts: &CpuidFacts) -> CpuidResult {
    let mut eax = OFFERS
        .into_iter()
        .filter(|(feature, _)| facts.features.contains(*feature))
        .fold(ALWAYS, |all, (_, bit)| all.union(bit));
    eax.set(Eax::IBPB_ON_ENTRY, facts.features.contains(SevFeatures::IBPB_ON_ENTRY));
    let ebx = u32::from(facts.c_bit & 0x3f)
        | u32::from(facts.physical_address_reduction & 0x3f) << 6
        | (Vmpl::ALL.len() as u32) << 12
        | NO_SOFTWARE_COHERENCY;
    CpuidResult { eax: eax.bits(), ebx, ecx: 0, edx: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpuid::samples::facts;

    #[test]
    fn fields_are_where_the_manual_puts_them() {
        let facts = CpuidFacts { c_bit: 51, physical_address_reduction: 1, ..facts() };
        let leaf = leaf_8000_001f(&facts);
        assert_eq!(leaf.ebx, 0x8000_4073);
        // SEV, SEV-ES, SEV-SNP: what Linux looks for.
        assert_eq!(leaf.eax & 0x1a, 0x1a);
        assert_eq!((leaf.ecx, leaf.edx), (0, 0));
    }

    #[test]
    fn only_offered_features_are_announced() {
        let plain = leaf_8000_001f(&facts()).eax;
        let offers = OFFERS.into_iter().chain([(SevFeatures::IBPB_ON_ENTRY, Eax::IBPB_ON_ENTRY)]);
        for (feature, bit) in offers {
            let with = leaf_8000_001f(&CpuidFacts { features: feature, ..facts() }).eax;
            assert_eq!(with, plain | bit.bits(), "{feature}");
            assert_eq!(plain & bit.bits(), 0, "{feature}");
        }
    }
}
