//! Numbers of events.

use core::fmt;

/// Open enumeration of events: `SW_EXITCODE` of a request [GHCB 56421 2.04
/// §4.1, tables 6 and 7].
///
/// Codes below 0x8000_0000 are those of the processor's own exits
/// [APM 24593 appendix C]; the same number is the error code of the #VC
/// exception that makes the guest ask. In the lists of inputs and results,
/// *info 1* and *info 2* are `SW_EXITINFO1` and `SW_EXITINFO2`, and *buffer* is
/// the memory at `SW_SCRATCH`. What is read from Linux/KVM only says so.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExitCode(pub u64);

impl ExitCode {
    /// Read DR7. Result: RAX.
    pub const DR7_READ: Self = Self(0x27);
    /// Write DR7. Input: RAX.
    pub const DR7_WRITE: Self = Self(0x37);
    /// RDTSC. Result: RAX, RDX.
    pub const RDTSC: Self = Self(0x6e);
    /// RDPMC. Input: RCX. Result: RAX, RDX.
    pub const RDPMC: Self = Self(0x6f);
    /// CPUID. Input: RAX, RCX; for leaf 0xd also XCR0, and XSS for its
    /// subleaf 1. Result: RAX, RBX, RCX, RDX.
    pub const CPUID: Self = Self(0x72);
    /// INVD.
    pub const INVD: Self = Self(0x76);
    /// Port input or output. Input: info 1 is a
    /// [`PortIo`](crate::ghcb::PortIo); RAX for an output; for strings, the
    /// number of elements in info 2, and the buffer. Result: RAX for an input,
    /// the buffer for an input of strings.
    pub const PORT_IO: Self = Self(0x7b);
    /// RDMSR or WRMSR. Input: RCX; info 1 is 0 for reading, 1 for writing; RAX
    /// and RDX for writing. Result of reading: RAX, RDX.
    pub const MSR: Self = Self(0x7c);
    /// VMMCALL. Input: RAX, CPL and what the hypervisor defines. Result: RAX
    /// and what the hypervisor defines.
    pub const VMMCALL: Self = Self(0x81);
    /// RDTSCP. Result: RAX, RCX, RDX.
    pub const RDTSCP: Self = Self(0x87);
    /// WBINVD.
    pub const WBINVD: Self = Self(0x89);
    /// MONITOR. Input: RAX, RCX, RDX.
    pub const MONITOR: Self = Self(0x8a);
    /// MWAIT. Input: RAX, RCX.
    pub const MWAIT: Self = Self(0x8b);
    /// Access to a page that is not mapped: an error code of #VC only. The
    /// guest asks with [`Self::MMIO_READ`] or [`Self::MMIO_WRITE`].
    pub const NESTED_PAGE_FAULT: Self = Self(0x400);
    /// Access to a page that is not validated: an error code of #VC only.
    /// There is nothing to ask the hypervisor for [APM 24593 §15.36.10].
    pub const PAGE_NOT_VALIDATED: Self = Self(0x404);

    /// Read device memory. Input: guest physical address in info 1, bytes in
    /// info 2 (1, 2, 4 or 8 from Linux), the buffer. Result: the buffer.
    pub const MMIO_READ: Self = Self(0x8000_0001);
    /// Write device memory. Input: as for [`Self::MMIO_READ`].
    pub const MMIO_WRITE: Self = Self(0x8000_0002);
    /// An NMI has been handled, the next one may come.
    pub const NMI_COMPLETE: Self = Self(0x8000_0003);
    /// Wait for a start-up interrupt. Result: info 2 is not zero if one came.
    pub const AP_RESET_HOLD: Self = Self(0x8000_0004);
    /// Say or ask where the table of start addresses is. Input: info 1 is an
    /// [`ApJumpTableAction`](crate::ghcb::ApJumpTableAction), the address to
    /// set in info 2. Result of asking: info 2.
    pub const AP_JUMP_TABLE: Self = Self(0x8000_0005);
    /// Make pages private or shared. Input: the buffer is a
    /// [`PageStateBuffer`](crate::ghcb::PageStateBuffer), which should be
    /// inside the page. Result: the buffer, and a
    /// [`PageStateOutcome`](crate::ghcb::PageStateOutcome) in info 2.
    pub const SNP_PAGE_STATE_CHANGE: Self = Self(0x8000_0010);
    /// Pass a message to the security processor. Input: guest physical
    /// addresses of two shared pages, the request's in info 1, the response's
    /// in info 2. Result: the response, and a
    /// [`GuestRequestStatus`](crate::ghcb::GuestRequestStatus) in info 2.
    pub const SNP_GUEST_REQUEST: Self = Self(0x8000_0011);
    /// As [`Self::SNP_GUEST_REQUEST`], with certificates for an attestation
    /// report. Input also: guest physical address of shared pages for them in
    /// RAX, number of these pages in RBX. Result if they do not suffice: the
    /// number needed in RBX.
    pub const SNP_EXTENDED_GUEST_REQUEST: Self = Self(0x8000_0012);
    /// Start or stop a processor. Input: info 1 is an
    /// [`ApCreation`](crate::ghcb::ApCreation); the save area's guest physical
    /// address in info 2 and its SEV features in RAX, unless it is to stop.
    pub const SNP_AP_CREATION: Self = Self(0x8000_0013);
    /// Say or ask where the #HV doorbell page is. Input: info 1 is a
    /// [`DoorbellAction`](crate::ghcb::DoorbellAction), the address to set in
    /// info 2. Result: info 2.
    pub const HV_DOORBELL_PAGE: Self = Self(0x8000_0014);
    /// Send an interrupt to another processor under restricted injection.
    /// Input: what the interrupt command register would get, in info 1.
    pub const HV_IPI: Self = Self(0x8000_0015);
    /// Timer under restricted injection. How its inputs are encoded could not
    /// be established.
    pub const HV_TIMER: Self = Self(0x8000_0016);
    /// List the processors' APIC IDs. Input: guest physical address of shared
    /// pages in info 1, their number in RAX. Result: an
    /// [`ApicIdList`](crate::ghcb::ApicIdList) there; if the pages do not
    /// suffice, the number needed in RAX, as KVM has it.
    pub const GET_APIC_IDS: Self = Self(0x8000_0017);
    /// Run another privilege level on this processor. Input: the level in
    /// info 1.
    pub const SNP_RUN_VMPL: Self = Self(0x8000_0018);
    /// Register the page of a secure APIC, as Linux has it. Input: 0 to register
    /// or 1 to unregister in info 1, APIC ID in RAX (all ones for this
    /// processor's), the page's guest physical address in RBX to register.
    /// Result of unregistering: RBX. Whether revision 2.04 has this event could
    /// not be established.
    pub const SECURE_AVIC: Self = Self(0x8000_001a);
    /// Ask for the [`HypervisorFeatures`](crate::ghcb::HypervisorFeatures).
    /// Result: info 2.
    pub const HYPERVISOR_FEATURES: Self = Self(0x8000_fffd);
    /// End the guest. Input: info 1 is a
    /// [`TerminationReason`](crate::ghcb::TerminationReason).
    pub const TERMINATION_REQUEST: Self = Self(0x8000_fffe);
    /// An exit that the guest cannot handle. Input: the #VC error code in
    /// info 1, more about it in info 2.
    pub const UNSUPPORTED_EVENT: Self = Self(0x8000_ffff);

    /// The event's name in words, if it is one that this version knows.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::DR7_READ => "DR7 read",
            Self::DR7_WRITE => "DR7 write",
            Self::RDTSC => "RDTSC",
            Self::RDPMC => "RDPMC",
            Self::CPUID => "CPUID",
            Self::INVD => "INVD",
            Self::PORT_IO => "port I/O",
            Self::MSR => "MSR",
            Self::VMMCALL => "VMMCALL",
            Self::RDTSCP => "RDTSCP",
            Self::WBINVD => "WBINVD",
            Self::MONITOR => "MONITOR",
            Self::MWAIT => "MWAIT",
            Self::NESTED_PAGE_FAULT => "nested page fault",
            Self::PAGE_NOT_VALIDATED => "page not validated",
            Self::MMIO_READ => "MMIO read",
            Self::MMIO_WRITE => "MMIO write",
            Self::NMI_COMPLETE => "NMI complete",
            Self::AP_RESET_HOLD => "AP reset hold",
            Self::AP_JUMP_TABLE => "AP jump table",
            Self::SNP_PAGE_STATE_CHANGE => "SNP page state change",
            Self::SNP_GUEST_REQUEST => "SNP guest request",
            Self::SNP_EXTENDED_GUEST_REQUEST => "SNP extended guest request",
            Self::SNP_AP_CREATION => "SNP AP creation",
            Self::HV_DOORBELL_PAGE => "#HV doorbell page",
            Self::HV_IPI => "#HV IPI",
            Self::HV_TIMER => "#HV timer",
            Self::GET_APIC_IDS => "get APIC IDs",
            Self::SNP_RUN_VMPL => "SNP run VMPL",
            Self::SECURE_AVIC => "Secure AVIC",
            Self::HYPERVISOR_FEATURES => "hypervisor features",
            Self::TERMINATION_REQUEST => "termination request",
            Self::UNSUPPORTED_EVENT => "unsupported event",
            _ => return None,
        })
    }
}

impl fmt::Display for ExitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => write!(f, "unknown event ({:#x})", self.0),
        }
    }
}

impl fmt::Debug for ExitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;
    use std::vec::Vec;

    use super::*;

    /// What Linux calls `SVM_EXIT_*` and `SVM_VMGEXIT_*`, edk2 `SVM_EXIT_*`.
    const NUMBERS: [u64; 33] = [
        0x27,
        0x37,
        0x6e,
        0x6f,
        0x72,
        0x76,
        0x7b,
        0x7c,
        0x81,
        0x87,
        0x89,
        0x8a,
        0x8b,
        0x400,
        0x404,
        0x8000_0001,
        0x8000_0002,
        0x8000_0003,
        0x8000_0004,
        0x8000_0005,
        0x8000_0010,
        0x8000_0011,
        0x8000_0012,
        0x8000_0013,
        0x8000_0014,
        0x8000_0015,
        0x8000_0016,
        0x8000_0017,
        0x8000_0018,
        0x8000_001a,
        0x8000_fffd,
        0x8000_fffe,
        0x8000_ffff,
    ];

    #[test]
    fn these_numbers_have_names_and_no_others() {
        let candidates = (0..0x1000).chain(0x8000_0000..0x8001_0000).map(ExitCode);
        let named: Vec<u64> = candidates.filter(|c| c.name().is_some()).map(|c| c.0).collect();
        assert_eq!(named, NUMBERS);
    }

    #[test]
    fn no_two_events_share_a_name() {
        let mut names: Vec<_> = NUMBERS.iter().map(|n| ExitCode(*n).name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), NUMBERS.len());
    }

    #[test]
    fn shown_in_words() {
        assert_eq!(ExitCode::SNP_RUN_VMPL.to_string(), "SNP run VMPL");
        assert_eq!(ExitCode(0x8000_0019).to_string(), "unknown event (0x80000019)");
    }
}
