//! How the machine is set up.

use abi_snp::SevFeatures;
use abi_snp::ghcb::HypervisorFeatures;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::launch::error::Problem;

/// Most virtual processors of a simulated machine.
pub const MAX_VCPUS: u32 = 16;

/// Where the C-bit of a page-table entry may lie: above the memory that any
/// machine here has, within the physical address.
const C_BIT_PLACES: core::ops::RangeInclusive<u32> = 36..=51;

/// How the machine is set up: 56 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Options {
    /// Virtual processors, 1 to [`MAX_VCPUS`]. Their x2APIC ids are 0 and up.
    pub vcpus: u32,
    /// Number of the page-table bit that makes a page private, 36 to 51.
    pub c_bit: u32,
    /// Which processor features guests are shown.
    pub cpuid_policy: CpuidPolicy,
    /// Features that guests are shown besides.
    pub cpuid_additions: CpuidAdditions,
    /// Lowest version of the GHCB protocol that the hypervisor offers.
    pub ghcb_minimum: u16,
    /// Highest version of the GHCB protocol that the hypervisor offers.
    pub ghcb_maximum: u16,
    /// The features that the platform lets a save area ask for; entering one
    /// that asks for others fails.
    pub sev_features: SevFeatures,
    /// The bits of [`Self::hypervisor_features`].
    pub hypervisor_feature_bits: u64,
    /// Start of the random numbers that decide which processor runs next and how
    /// long: the same number, the same schedule. With 0 they go round.
    pub schedule_seed: u64,
    /// How long a processor runs before another one's turn, in nanoseconds.
    pub time_slice_ns: u64,
    /// What is told about the run.
    pub trace: Trace,
}

const _: () = {
    use core::mem::offset_of;

    assert!(size_of::<Options>() == 56);
    assert!(offset_of!(Options, cpuid_additions) == 10);
    assert!(offset_of!(Options, ghcb_minimum) == 12);
    assert!(offset_of!(Options, sev_features) == 16);
    assert!(offset_of!(Options, trace) == 48);
};

impl Options {
    /// What the hypervisor says it offers to a guest beyond the protocol's
    /// basics.
    #[must_use]
    pub const fn hypervisor_features(&self) -> HypervisorFeatures {
        HypervisorFeatures::from_bits_retain(self.hypervisor_feature_bits)
    }

    /// Refuses values out of range.
    pub(super) fn check(&self) -> Result<(), Problem> {
        let vcpus = self.vcpus;
        Problem::unless(
            (1..=MAX_VCPUS).contains(&vcpus),
            "vcpus",
            vcpus.into(),
            "1 to 16 are possible",
        )?;
        let c_bit = self.c_bit;
        Problem::unless(
            C_BIT_PLACES.contains(&c_bit),
            "c_bit",
            c_bit.into(),
            "36 to 51 are possible",
        )?;
        let policy = self.cpuid_policy;
        let known = policy.name().is_some();
        Problem::unless(
            known,
            "cpuid_policy",
            policy.0.into(),
            "1 (reduced), 2 (full) and 3 (xsave) are possible",
        )?;
        let unknown = self.cpuid_additions.bits() & !CpuidAdditions::all().bits();
        Problem::unless(
            unknown == 0,
            "cpuid_additions",
            unknown.into(),
            "these bits have no meaning",
        )?;
        let (minimum, maximum) = (self.ghcb_minimum, self.ghcb_maximum);
        let rule = "at least 1 and at most ghcb_maximum";
        let ordered = (1..=maximum).contains(&minimum);
        Problem::unless(ordered, "ghcb_minimum", minimum.into(), rule)?;
        let slice = self.time_slice_ns;
        Problem::unless(slice != 0, "time_slice_ns", slice, "any number but 0 is possible")?;
        let unknown = self.trace.bits() & !Trace::all().bits();
        Problem::unless(unknown == 0, "trace", unknown, "these bits have no meaning")
    }
}

/// Open enumeration of which processor features guests are shown.
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct CpuidPolicy(pub u16);

impl CpuidPolicy {
    /// Without extended state (XSAVE, AVX) and protection keys: less to
    /// emulate and to switch.
    pub const REDUCED: Self = Self(1);
    /// All that the emulated processor has and an SNP guest can have.
    pub const FULL: Self = Self(2);
    /// With XSAVE and AVX, but without XSAVEC, which Linux insists on, and
    /// without protection keys.
    pub const XSAVE: Self = Self(3);

    /// The policy's name, if it is one that this version knows.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::REDUCED => "reduced",
            Self::FULL => "full",
            Self::XSAVE => "xsave",
            _ => return None,
        })
    }
}

abi_x86::show_by_name!(CpuidPolicy);

/// Features that the platform has of its own, whatever the emulated processor
/// has, and that guests are shown if the machine's owner wants it.
#[derive(Clone, Copy, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct CpuidAdditions(u16);

bitflags::bitflags! {
    impl CpuidAdditions: u16 {
        /// INVLPGB and TLBSYNC, which are invalid opcodes otherwise.
        const INVLPGB = 1 << 0;
    }
}

abi_x86::show_flag_names!(CpuidAdditions);

/// What the hypervisor tells about the run, as
/// [`Report::Trace`](crate::report::Report::Trace).
#[derive(Clone, Copy, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Trace(u64);

bitflags::bitflags! {
    impl Trace: u64 {
        /// Every exit from the guest to the hypervisor.
        const EXITS = 1 << 0;
        /// Requests by GHCB page and MSR, with their answers.
        const GHCB = 1 << 1;
        /// Changes of pages: shared, private, validated, permissions.
        const PAGES = 1 << 2;
        /// Processors: started, stopped, changing their privilege level.
        const PROCESSORS = 1 << 3;
        /// Interrupts: raised, injected, ended.
        const INTERRUPTS = 1 << 4;
        /// Accesses to devices.
        const DEVICES = 1 << 5;
        /// Messages between the guest and the security processor.
        const SECURITY_PROCESSOR = 1 << 6;
    }
}

abi_x86::show_flag_names!(Trace);
