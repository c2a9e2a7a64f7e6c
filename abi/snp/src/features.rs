//! SEV features: what protection a virtual processor runs with.
//!
//! The word stands in the VMSA; the guest sees the same bits, two places
//! higher, in the `SEV_STATUS` register [APM 24593 §15.34.10 and appendix B,
//! table B-4, `SEV_FEATURES`].

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use abi_x86::show_flag_names;

/// The `SEV_FEATURES` word of a VMSA.
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct SevFeatures(u64);

bitflags::bitflags! {
    impl SevFeatures: u64 {
        /// `SNPActive`: SEV-SNP; set in every VMSA of an SNP guest.
        const SNP_ACTIVE = 1 << 0;
        /// `vTOM`: addresses below the virtual top of memory are private, the
        /// C-bit does not count.
        const VIRTUAL_TOM = 1 << 1;
        /// `ReflectVC`: a #VC exits to the host instead of entering the guest.
        const REFLECT_VC = 1 << 2;
        /// `RestrictedInjection`: the host can inject nothing but #HV.
        const RESTRICTED_INJECTION = 1 << 3;
        /// `AlternateInjection`: events come from fields of the VMSA, so from
        /// a more privileged level of the guest.
        const ALTERNATE_INJECTION = 1 << 4;
        /// `DebugVirtualization` (also `DebugSwap`): debug registers are saved
        /// in the VMSA and loaded from it.
        const DEBUG_SWAP = 1 << 5;
        /// `PreventHostIBS`: no instruction-based sampling by the host.
        const PREVENT_HOST_IBS = 1 << 6;
        /// `BTBIsolation`: branch predictions do not cross into the guest.
        const BTB_ISOLATION = 1 << 7;
        /// `VmplSSS`: supervisor shadow stacks are a permission of their own.
        const VMPL_SUPERVISOR_SHADOW_STACK = 1 << 8;
        /// `SecureTSC`: the guest's time stamp counter is out of the host's
        /// reach.
        const SECURE_TSC = 1 << 9;
        /// `VmgexitParameter`: an exit tells the host the guest's RAX and CPL.
        const VMGEXIT_PARAMETER = 1 << 10;
        /// `PmcVirtualization`: performance counters are the guest's own.
        const PMC_VIRTUALIZATION = 1 << 11;
        /// `IbsVirtualization`: instruction-based sampling is the guest's own.
        const IBS_VIRTUALIZATION = 1 << 12;
        /// `GuestInterceptControl`: the guest decides about some intercepts.
        const GUEST_INTERCEPT_CONTROL = 1 << 13;
        /// `VmsaRegProt`: registers are stored masked with a nonce.
        const VMSA_REGISTER_PROTECTION = 1 << 14;
        /// `SmtProtection`: the sibling thread idles while the guest runs.
        const SMT_PROTECTION = 1 << 15;
        /// `SecureAVIC`: the interrupt controller's page is the guest's own.
        const SECURE_AVIC = 1 << 16;
        /// `IbpbOnEntry`: branch predictions are discarded on every entry.
        const IBPB_ON_ENTRY = 1 << 21;
    }
}

show_flag_names!(SevFeatures);

const _: () = assert!(size_of::<SevFeatures>() == 8);

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn bits_match_the_status_register() {
        // SEV_STATUS as Linux names its bits: SNP 2, alternate injection 6,
        // debug swap 7, secure TSC 11, secure AVIC 18, IBPB on entry 23.
        let expected = [
            (SevFeatures::SNP_ACTIVE, 2),
            (SevFeatures::ALTERNATE_INJECTION, 6),
            (SevFeatures::DEBUG_SWAP, 7),
            (SevFeatures::SECURE_TSC, 11),
            (SevFeatures::SMT_PROTECTION, 17),
            (SevFeatures::SECURE_AVIC, 18),
            (SevFeatures::IBPB_ON_ENTRY, 23),
        ];
        for (feature, bit) in expected {
            assert_eq!(feature.bits() << 2, 1 << bit, "{feature}");
        }
    }

    #[test]
    fn shown_by_name_with_unknown_bits() {
        let features = SevFeatures::from_bits_retain(1 << 63 | 0x21);
        assert_eq!(features.to_string(), "SNP_ACTIVE | DEBUG_SWAP | 0x8000000000000000");
    }
}
