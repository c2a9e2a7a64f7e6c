//! What a hypervisor offers to a guest beyond the protocol's basics.

use abi_x86::show_flag_names;

/// The hypervisor feature bitmap [GHCB 56421 2.04 §2.3.1, "Hypervisor Feature
/// Support"; §4.1, the event `ExitCode::HYPERVISOR_FEATURES`].
///
/// Bits 0 to 3 are read from edk2, bit 4 from a KVM patch by AMD, bit 5 from
/// Linux. Higher ones exist (6 for page state changes of guests without SNP,
/// others for device assignment and interrupt delivery), but which of them
/// revision 2.04 defines could not be established, so they have no names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HypervisorFeatures(u64);

bitflags::bitflags! {
    impl HypervisorFeatures: u64 {
        /// SEV-SNP guests are supported.
        const SNP = 1 << 0;
        /// A guest can start its own processors, `ExitCode::SNP_AP_CREATION`.
        const AP_CREATION = 1 << 1;
        /// A guest can demand that nothing but #HV is injected.
        const RESTRICTED_INJECTION = 1 << 2;
        /// A guest with restricted injection has a timer,
        /// `ExitCode::HV_TIMER`.
        const RESTRICTED_INJECTION_TIMER = 1 << 3;
        /// A guest can ask which processors there are,
        /// `ExitCode::GET_APIC_IDS`.
        const APIC_ID_LIST = 1 << 4;
        /// A guest can use several privilege levels,
        /// `ExitCode::SNP_RUN_VMPL`.
        const MULTI_VMPL = 1 << 5;
    }
}

show_flag_names!(HypervisorFeatures);

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn shown_by_name_with_unknown_bits() {
        let features = HypervisorFeatures::from_bits_retain(1 << 51 | 0x23);
        assert_eq!(features.to_string(), "SNP | AP_CREATION | MULTI_VMPL | 0x8000000000000");
    }
}
