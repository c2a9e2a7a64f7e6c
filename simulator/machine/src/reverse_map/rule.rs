//! The rules of the reverse map, by what breaking them leads to.
//!
//! A rule is one check that the processor makes. [`FaultRule`] names those that
//! end in an exception or an exit, [`RefusalRule`] those of the instructions
//! that end in a return code. The pages of the manual set the order in which
//! they are checked; so does the order of the variants here, where one applies.

use abi_snp::ReturnCode;

/// A rule whose breach is an exception in the guest or an exit to the
/// hypervisor: see [`Fault`](crate::reverse_map::Fault).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum FaultRule {
    /// PVALIDATE, RMPADJUST and RMPQUERY exist in an SNP-active guest only:
    /// `#UD`. From memory.
    #[error("the instruction exists in SNP-active guests only")]
    SnpActive,
    /// They are for CPL 0: `#GP(0)`. From memory.
    #[error("the instruction is for CPL 0 only")]
    Cpl0,
    /// PVALIDATE is for VMPL0: `#GP(0)`. That the exception is this one is
    /// from memory; a formal model of the processor by others (VeriSMo) says
    /// the same.
    #[error("PVALIDATE is for VMPL0 only")]
    Vmpl0,
    /// With the feature `VmplSSS`, a shadow stack has to be private: `#PF`
    /// with the reserved bit [APM 24593 §15.36.7].
    #[error("a shadow stack has to lie in private memory")]
    ShadowStackPrivate,
    /// `RMP-Covered`: a private access needs a page that the reverse map
    /// covers: nested page fault [APM 24593 §15.36.10, table 15-39].
    #[error("the reverse map does not cover the page")]
    RmpCovered,
    /// `Guest-Owned`: a private access needs a page of the guest: nested page
    /// fault [APM 24593 §15.36.10, table 15-39].
    #[error("the page is not the guest's")]
    GuestOwned,
    /// `Reverse-Map`: the page must be assigned at the guest physical address
    /// where it is mapped: nested page fault [APM 24593 §15.36.10,
    /// table 15-39].
    #[error("the page is assigned at another guest physical address")]
    ReverseMap,
    /// `Mutable`: the page must not be with the security processor: nested
    /// page fault [APM 24593 §15.36.10, table 15-39].
    #[error("the page is immutable: the security processor holds it")]
    Mutable,
    /// `Page-Size`: the nested page table and the reverse map must agree about
    /// the size: nested page fault [APM 24593 §15.36.10, table 15-39].
    #[error("the nested page table and the reverse map give the page different sizes")]
    PageSize,
    /// The entry of a save area that runs does not change: nested page fault,
    /// after which the instruction may be tried again. The manual says that
    /// about entries another processor is using [APM 24593 §15.36.10]; that a
    /// running save area counts as such is from memory. When asked about
    /// RMPADJUST of one, an author of Linux's SNP support at AMD has answered that
    /// attempts to modify the entry result in `FAIL_INUSE` (linux-kernel mailing
    /// list, 5 April 2022, version 12 of "x86/sev: Use SEV-SNP AP creation to start
    /// secondary CPUs"): whether by guests, too, or by the hypervisor's instructions
    /// only, is not clear.
    #[error("the entry is in use: the page is a save area that is running")]
    EntryFree,
    /// PVALIDATE and RMPADJUST of 4 KiB in a page of 2 MiB: nested page fault
    /// with `SIZEM`, so that the hypervisor can split the page
    /// [APM 24593 §15.36.11, table 15-40].
    #[error("the instruction asks for 4 KiB of a page of 2 MiB")]
    SmallInLarge,
    /// `Validated`: the guest must have accepted the page: #VC with code
    /// 0x404, `PAGE_NOT_VALIDATED` [APM 24593 §15.36.10, table 15-39]. For
    /// RMPADJUST and RMPQUERY from memory (and VeriSMo's model, for RMPADJUST).
    #[error("the guest has not validated the page")]
    Validated,
    /// `VMPL`: the level needs the permission: nested page fault with `VMPL`
    /// [APM 24593 §15.36.10, table 15-39].
    #[error("the privilege level lacks the permission")]
    Vmpl,
    /// A level that may write a page has to be able to read it, otherwise its
    /// data accesses fail: nested page fault with `VMPL` [APM 24593 §15.36.7].
    #[error("the privilege level may write the page, but not read it")]
    WriteNeedsRead,
    /// `Hypervisor-Owned`: a shared write needs a page of the hypervisor, all
    /// 2 MiB of it where the nested page table maps 2 MiB: nested page fault
    /// [APM 24593 §15.36.10, table 15-39].
    #[error("a shared write to a page that is not the hypervisor's")]
    HypervisorOwned,
}

/// A rule whose breach the instruction reports in EAX.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum RefusalRule {
    /// Bits of RMPADJUST's RDX without a meaning are 0: `FAIL_INPUT`. From
    /// memory, that it is refused: the manual calls them reserved.
    #[error("a reserved bit of RDX is set")]
    ReservedBits,
    /// A linear address for 2 MiB is a multiple of 2 MiB: `FAIL_INPUT`
    /// [APM 24594, PVALIDATE, RMPADJUST].
    #[error("the address for a page of 2 MiB is not a multiple of 2 MiB")]
    LargeAligned,
    /// The target is one of the four levels: `FAIL_INPUT`. From memory.
    #[error("there is no such privilege level")]
    TargetExists,
    /// RMPADJUST is for levels with a higher number than that which runs:
    /// `FAIL_PERMISSION` [APM 24593 §15.36.7]. For RMPQUERY from memory.
    #[error("the target is not below the privilege level that asks")]
    TargetBelow,
    /// Nobody grants what he has not: `FAIL_PERMISSION` [APM 24593 §15.36.7].
    #[error("the permissions exceed those of the privilege level that grants them")]
    WithinOwn,
    /// PVALIDATE and RMPADJUST of 2 MiB where the pages are of 4 KiB:
    /// `FAIL_SIZEMISMATCH`, so that the guest can go through them one by one
    /// [APM 24593 §15.36.11, table 15-40].
    #[error("the instruction asks for 2 MiB where pages are of 4 KiB")]
    LargeInSmall,
    /// RMPUPDATE and PSMASH name a page that is aligned and covered:
    /// `FAIL_INPUT`.
    #[error("the page is not aligned to its size, or the reverse map does not cover all of it")]
    HostTarget,
    /// RMPUPDATE does not change an immutable page: `FAIL_PERMISSION`
    /// [APM 24593 §15.36.5].
    #[error("the page is immutable: the security processor holds it")]
    HostMutable,
    /// RMPUPDATE and PSMASH do not change a save area that runs: `FAIL_INUSE`
    /// [APM 24593 §15.36.12].
    #[error("the page is a save area that is running")]
    HostNotInUse,
    /// RMPUPDATE does not mix sizes within 2 MiB: `FAIL_OVERLAP`.
    #[error("pages of 4 KiB and of 2 MiB would overlap")]
    HostOverlap,
    /// PSMASH splits pages of 2 MiB that are assigned and mutable:
    /// `FAIL_BADADDR`.
    #[error("there is no page of 2 MiB to split")]
    Smashable,
}

impl RefusalRule {
    /// The return code in EAX.
    #[must_use]
    pub const fn return_code(self) -> ReturnCode {
        match self {
            Self::ReservedBits | Self::LargeAligned | Self::TargetExists | Self::HostTarget => {
                ReturnCode::FailInput
            }
            Self::TargetBelow | Self::WithinOwn | Self::HostMutable => ReturnCode::FailPermission,
            Self::HostNotInUse => ReturnCode::FailInUse,
            Self::HostOverlap => ReturnCode::FailOverlap,
            Self::LargeInSmall => ReturnCode::FailSizeMismatch,
            Self::Smashable => ReturnCode::FailBadAddress,
        }
    }
}
