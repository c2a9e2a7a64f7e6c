//! Why the module stops.

use core::fmt;

use abi_x86::ExceptionVector;

/// Why the module stops. The text goes to the console, the code to a
/// hypervisor that takes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The image contains no service.
    NoServices,
    /// The image contains services, and this kernel cannot start any yet.
    ServiceStart,
    /// The boot block is malformed.
    BootBlock,
    /// The boot block names no platform that this kernel knows.
    UnknownPlatform,
    /// SEV-SNP is not active, or with features that this kernel does not handle.
    SevFeatures,
    /// The kernel does not run at VMPL0.
    PrivilegeLevel,
    /// The image was built for another C-bit than the machine has.
    CBit,
    /// The host gives no proper answer by the GHCB MSR.
    HostMsrAnswer,
    /// The host does not speak version 2 of the GHCB protocol.
    HostProtocolVersion,
    /// The host lacks features that the kernel needs.
    HostFeatures,
    /// The host did not change the state of pages as asked.
    HostPageState,
    /// The host did not register the GHCB page.
    HostGhcbRegistration,
    /// A page could not be validated, or given up.
    HostValidation,
    /// A page that nobody used was validated already.
    HostValidatedPage,
    /// The CPUID page is malformed, or lacks what the kernel needs.
    HostCpuidPage,
    /// The host injects an exception or interrupt that nobody waits for.
    HostInjection,
    /// A private page is not there any more: #VC with error code 0x404.
    HostTookPage,
    /// There is no memory where shared memory should be: #VC with error code 0x400.
    HostNestedPageFault,
    /// The host intercepts an instruction that the kernel does not expect to be intercepted.
    HostIntercept,
    /// The host gives no proper answer by the GHCB page.
    HostGhcbAnswer,
    /// The host gives no usable list of processors.
    HostProcessorList,
    /// A page of the kernel could not become a save area.
    HostSaveArea,
    /// The host did not start a processor.
    HostProcessorStart,
    /// The host does not use the #HV doorbell page as it has to.
    HostDoorbell,
    /// The host gives no means to tell how fast time goes.
    HostTime,
    /// A parameter area that the loader fills in cannot be used.
    HostParameters,
    /// The host does not offer, or does not run, the guest's privilege level.
    HostGuestStart,
    /// The image's guest cannot be started.
    GuestStart,
    /// A double fault that the kernel has not caused: the host injected it, or
    /// took away a page of the stack.
    HostDoubleFault,
    /// A Rust panic: an invariant of our own does not hold.
    Panic,
    /// An exception or interrupt that nothing handles.
    Trap(ExceptionVector),
}

impl StopReason {
    /// The reason as a number for the hypervisor. The codes are part of the
    /// documented interface: do not reuse one. From 0x20 to 0x3f stands what is
    /// the host's fault.
    ///
    /// | code | reason |
    /// |---|---|
    /// | 0x00 | [`NoServices`](Self::NoServices) |
    /// | 0x02 | [`BootBlock`](Self::BootBlock) |
    /// | 0x03 | [`Panic`](Self::Panic) |
    /// | 0x04 | [`ServiceStart`](Self::ServiceStart) |
    /// | 0x05 | [`UnknownPlatform`](Self::UnknownPlatform) |
    /// | 0x06 | [`SevFeatures`](Self::SevFeatures) |
    /// | 0x07 | [`PrivilegeLevel`](Self::PrivilegeLevel) |
    /// | 0x08 | [`CBit`](Self::CBit) |
    /// | 0x09 | [`GuestStart`](Self::GuestStart) |
    /// | 0x20 | [`HostMsrAnswer`](Self::HostMsrAnswer) |
    /// | 0x21 | [`HostProtocolVersion`](Self::HostProtocolVersion) |
    /// | 0x22 | [`HostFeatures`](Self::HostFeatures) |
    /// | 0x23 | [`HostPageState`](Self::HostPageState) |
    /// | 0x24 | [`HostGhcbRegistration`](Self::HostGhcbRegistration) |
    /// | 0x25 | [`HostValidation`](Self::HostValidation) |
    /// | 0x26 | [`HostValidatedPage`](Self::HostValidatedPage) |
    /// | 0x27 | [`HostCpuidPage`](Self::HostCpuidPage) |
    /// | 0x28 | [`HostInjection`](Self::HostInjection) |
    /// | 0x29 | [`HostTookPage`](Self::HostTookPage) |
    /// | 0x2a | [`HostNestedPageFault`](Self::HostNestedPageFault) |
    /// | 0x2b | [`HostIntercept`](Self::HostIntercept) |
    /// | 0x2c | [`HostGhcbAnswer`](Self::HostGhcbAnswer) |
    /// | 0x2d | [`HostProcessorList`](Self::HostProcessorList) |
    /// | 0x2e | [`HostSaveArea`](Self::HostSaveArea) |
    /// | 0x2f | [`HostProcessorStart`](Self::HostProcessorStart) |
    /// | 0x30 | [`HostDoorbell`](Self::HostDoorbell) |
    /// | 0x31 | [`HostTime`](Self::HostTime) |
    /// | 0x32 | [`HostParameters`](Self::HostParameters) |
    /// | 0x33 | [`HostDoubleFault`](Self::HostDoubleFault) |
    /// | 0x34 | [`HostGuestStart`](Self::HostGuestStart) |
    /// | 0x7f | [`Trap`](Self::Trap) by an interrupt, vector 32 and above |
    /// | 0x80 + vector | [`Trap`](Self::Trap) by an exception, vector 0 to 31 |
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::NoServices => 0x00,
            Self::BootBlock => 0x02,
            Self::Panic => 0x03,
            Self::ServiceStart => 0x04,
            Self::UnknownPlatform => 0x05,
            Self::SevFeatures => 0x06,
            Self::PrivilegeLevel => 0x07,
            Self::CBit => 0x08,
            Self::HostMsrAnswer => 0x20,
            Self::HostProtocolVersion => 0x21,
            Self::HostFeatures => 0x22,
            Self::HostPageState => 0x23,
            Self::HostGhcbRegistration => 0x24,
            Self::HostValidation => 0x25,
            Self::HostValidatedPage => 0x26,
            Self::HostCpuidPage => 0x27,
            Self::HostInjection => 0x28,
            Self::HostTookPage => 0x29,
            Self::HostNestedPageFault => 0x2a,
            Self::HostIntercept => 0x2b,
            Self::HostGhcbAnswer => 0x2c,
            Self::HostProcessorList => 0x2d,
            Self::HostSaveArea => 0x2e,
            Self::HostProcessorStart => 0x2f,
            Self::HostDoorbell => 0x30,
            Self::HostTime => 0x31,
            Self::HostParameters => 0x32,
            Self::HostGuestStart => 0x34,
            Self::GuestStart => 0x09,
            Self::HostDoubleFault => 0x33,
            Self::Trap(ExceptionVector(vector @ 0..32)) => 0x80 | vector,
            Self::Trap(_) => 0x7f,
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoServices => f.write_str("no services to start"),
            Self::ServiceStart => f.write_str("this kernel cannot start services yet"),
            Self::BootBlock => f.write_str("malformed boot block"),
            Self::Panic => f.write_str("panic"),
            Self::HostDoorbell => {
                f.write_str("the host does not use the #HV doorbell page properly")
            }
            Self::HostTime => f.write_str("the host provides no usable source of time"),
            Self::HostParameters => f.write_str("the host's parameters cannot be used"),
            Self::HostGuestStart => f.write_str("the host does not run the guest's level"),
            Self::GuestStart => f.write_str("the image's guest cannot be started"),
            Self::HostDoubleFault => {
                f.write_str("the host injected a double fault, or took the stack away")
            }
            Self::HostProcessorList => {
                f.write_str("the host did not provide a usable list of processors")
            }
            Self::HostSaveArea => {
                f.write_str("the host did not provide a page that can be a save area")
            }
            Self::HostProcessorStart => f.write_str("the host did not start a processor"),
            Self::HostGhcbAnswer => {
                f.write_str("the host did not answer properly by the GHCB page")
            }
            Self::HostInjection => f.write_str("the host injected an event that nobody waits for"),
            Self::HostTookPage => f.write_str("the host took a private page away"),
            Self::HostNestedPageFault => f.write_str("the host took shared memory away"),
            Self::HostIntercept => {
                f.write_str("the host intercepts an instruction that it should not")
            }
            Self::UnknownPlatform => f.write_str("unknown platform"),
            Self::SevFeatures => f.write_str("unsuitable SEV features"),
            Self::PrivilegeLevel => f.write_str("not at VMPL0"),
            Self::CBit => {
                f.write_str("the image was built for another C-bit than this machine has")
            }
            Self::HostMsrAnswer => f.write_str("the host did not answer properly by the GHCB MSR"),
            Self::HostProtocolVersion => {
                f.write_str("the host does not speak version 2 of the GHCB protocol")
            }
            Self::HostFeatures => f.write_str("the host lacks features that this kernel needs"),
            Self::HostPageState => f.write_str("the host did not change the state of a page"),
            Self::HostGhcbRegistration => f.write_str("the host did not register the GHCB page"),
            Self::HostValidation => {
                f.write_str("the host did not provide a page that can be validated")
            }
            Self::HostValidatedPage => {
                f.write_str("the host provided a page that was validated before")
            }
            Self::HostCpuidPage => f.write_str("the host provided an unusable CPUID page"),
            Self::Trap(vector) => write!(f, "unhandled {vector}"),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::collections::BTreeSet;
    use std::string::ToString;

    use super::*;

    #[test]
    fn codes_differ() {
        let mut codes = BTreeSet::new();
        for reason in [
            StopReason::NoServices,
            StopReason::ServiceStart,
            StopReason::BootBlock,
            StopReason::Panic,
            StopReason::HostDoorbell,
            StopReason::HostTime,
            StopReason::HostParameters,
            StopReason::HostGuestStart,
            StopReason::GuestStart,
            StopReason::HostDoubleFault,
            StopReason::HostProcessorList,
            StopReason::HostSaveArea,
            StopReason::HostProcessorStart,
            StopReason::HostGhcbAnswer,
            StopReason::HostInjection,
            StopReason::HostTookPage,
            StopReason::HostNestedPageFault,
            StopReason::HostIntercept,
            StopReason::UnknownPlatform,
            StopReason::SevFeatures,
            StopReason::PrivilegeLevel,
            StopReason::CBit,
            StopReason::HostMsrAnswer,
            StopReason::HostProtocolVersion,
            StopReason::HostFeatures,
            StopReason::HostPageState,
            StopReason::HostGhcbRegistration,
            StopReason::HostValidation,
            StopReason::HostValidatedPage,
            StopReason::HostCpuidPage,
            StopReason::Trap(ExceptionVector(32)),
        ] {
            assert!(codes.insert(reason.code()), "{reason:?}");
        }
        for vector in 0..32 {
            assert!(
                codes.insert(StopReason::Trap(ExceptionVector(vector)).code()),
                "vector {vector}"
            );
        }
        assert_eq!(
            StopReason::Trap(ExceptionVector(255)).code(),
            StopReason::Trap(ExceptionVector(32)).code()
        );
    }

    #[test]
    fn text_names_the_exception() {
        assert_eq!(
            StopReason::Trap(ExceptionVector::PAGE_FAULT).to_string(),
            "unhandled #PF page fault"
        );
    }
}
