//! What the processor checks before it runs a VMSA.
//!
//! VMRUN refuses a state that cannot be [APM 24593 §15.5.1], and for an SNP
//! guest protection that the platform does not have [APM 24593 §15.36.12]. What
//! could make QEMU's processors refuse or lose the state is checked here too:
//! they only stop then, and the VMCB's content is gone.

use abi_snp::{SevFeatures, Vmpl, Vmsa};
use abi_x86::{Cr0, Cr4, Efer, SegmentAttributes};

use crate::processor::saved_events::{self, EventRefusal};
use crate::processor::xsave_image::{MXCSR_MASK, StateComponents};

/// Features that a platform may offer: those that this model acts on, those
/// whose effect no guest can see, and restricted injection, which is for the
/// hypervisor to heed when it injects. The others change what a VMSA or an
/// address means, and nothing acts on them.
pub const MODELLED_FEATURES: SevFeatures = SevFeatures::SNP_ACTIVE
    .union(SevFeatures::REFLECT_VC)
    .union(SevFeatures::RESTRICTED_INJECTION)
    .union(SevFeatures::ALTERNATE_INJECTION)
    .union(SevFeatures::DEBUG_SWAP)
    .union(SevFeatures::PREVENT_HOST_IBS)
    .union(SevFeatures::SECURE_TSC)
    .union(SevFeatures::BTB_ISOLATION)
    .union(SevFeatures::SMT_PROTECTION)
    .union(SevFeatures::IBPB_ON_ENTRY);

/// What the platform can do. A bit that is not here is reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// SEV features, of [`MODELLED_FEATURES`].
    pub features: SevFeatures,
    /// Bits of CR4.
    pub cr4: Cr4,
    /// Bits of EFER.
    pub efer: Efer,
    /// Bits of XCR0.
    pub xcr0: StateComponents,
}

/// Why VMRUN does not run a VMSA: it ends with `VMEXIT_INVALID`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateRefusal {
    /// The VMSA is for another level than the hypervisor runs it at.
    #[error("the save area is for VMPL {found}, it was to run at {asked}")]
    Vmpl {
        /// The level in the VMSA.
        found: u8,
        /// The level that was asked for.
        asked: Vmpl,
    },
    /// `SEV_FEATURES` lacks `SNPActive`.
    #[error("SEV_FEATURES of the save area lack SNP_ACTIVE")]
    SnpInactive,
    /// `SEV_FEATURES` asks for what the platform does not have.
    #[error("SEV_FEATURES ask for {0}, which the platform does not offer")]
    Features(SevFeatures),
    /// An event of the save area is not possible.
    #[error(transparent)]
    Events(#[from] EventRefusal),
    /// EFER lacks SVME.
    #[error("EFER lacks SVME")]
    NotSvm,
    /// Reserved bits of EFER are set.
    #[error("EFER has reserved bits set: {0}")]
    Efer(Efer),
    /// Bits 63:32 of CR0 are set.
    #[error("CR0 has reserved bits set: {0:#x}")]
    Cr0(u64),
    /// CR0.NW is set, CR0.CD is clear.
    #[error("CR0 has NW set without CD")]
    CacheControl,
    /// Reserved bits of CR3 are set.
    #[error("CR3 has reserved bits set: {0:#x}")]
    Cr3(u64),
    /// Reserved bits of CR4 are set.
    #[error("CR4 has reserved bits set: {0}")]
    Cr4(Cr4),
    /// Bits 63:32 of DR6 are set.
    #[error("DR6 has reserved bits set: {0:#x}")]
    Dr6(u64),
    /// Bits 63:32 of DR7 are set.
    #[error("DR7 has reserved bits set: {0:#x}")]
    Dr7(u64),
    /// Long mode with paging, but without CR4.PAE.
    #[error("long mode with paging needs CR4.PAE")]
    PaeMissing,
    /// Long mode with paging, but without CR0.PE.
    #[error("long mode with paging needs CR0.PE")]
    ProtectionMissing,
    /// The code segment is of 64 and of 32 bits.
    #[error("the code segment has L and D set in long mode")]
    CodeSize,
    /// CR4.CET without CR0.WP.
    #[error("CR4.CET needs CR0.WP")]
    WriteProtectMissing,
    /// XCR0 lacks x87, has AVX without SSE, or what the platform does not have.
    /// That VMRUN minds is from memory.
    #[error("XCR0 cannot be {0:#x}")]
    Xcr0(u64),
    /// Reserved bits of MXCSR are set. That VMRUN minds is from memory.
    #[error("MXCSR has reserved bits set: {0:#x}")]
    Mxcsr(u32),
}

/// Checks whether a processor that can do what `offer` says runs `vmsa` at
/// `vmpl`.
///
/// # Errors
///
/// The first check that fails.
///
/// # Panics
///
/// If the platform offers features beyond [`MODELLED_FEATURES`].
pub fn check_vmsa(vmsa: &Vmsa, vmpl: Vmpl, offer: &Offer) -> Result<(), StateRefusal> {
    assert!(
        MODELLED_FEATURES.contains(offer.features),
        "a platform must not offer features that the model ignores"
    );
    let broken = protection(vmsa, vmpl, offer)
        .into_iter()
        .chain(reserved_bits(vmsa, offer))
        .chain(modes(vmsa))
        .chain(extended_state(vmsa, offer))
        .find(|(broken, _)| *broken);
    broken.map_or(Ok(()), |(_, refusal)| Err(refusal))?;
    Ok(saved_events::check(vmsa)?)
}

/// Whether a check fails, and what it means if it does.
type Check = (bool, StateRefusal);

fn protection(vmsa: &Vmsa, vmpl: Vmpl, offer: &Offer) -> [Check; 3] {
    let excess = vmsa.sev_features.difference(offer.features);
    [
        (vmsa.vmpl != vmpl.number(), StateRefusal::Vmpl { found: vmsa.vmpl, asked: vmpl }),
        (!vmsa.sev_features.contains(SevFeatures::SNP_ACTIVE), StateRefusal::SnpInactive),
        (!excess.is_empty(), StateRefusal::Features(excess)),
    ]
}

fn reserved_bits(vmsa: &Vmsa, offer: &Offer) -> [Check; 7] {
    const HIGH_HALF: u64 = 0xffff_ffff << 32;
    const CR3_RESERVED: u64 = 0xfff << 52;
    let efer = vmsa.efer.difference(offer.efer.union(Efer::SVME));
    let cr0 = vmsa.cr0.bits() & HIGH_HALF;
    let cr3 = vmsa.cr3 & CR3_RESERVED;
    let cr4 = vmsa.cr4.difference(offer.cr4);
    let (dr6, dr7) = (vmsa.dr6 & HIGH_HALF, vmsa.dr7 & HIGH_HALF);
    [
        (!vmsa.efer.contains(Efer::SVME), StateRefusal::NotSvm),
        (!efer.is_empty(), StateRefusal::Efer(efer)),
        (cr0 != 0, StateRefusal::Cr0(cr0)),
        (cr3 != 0, StateRefusal::Cr3(cr3)),
        (!cr4.is_empty(), StateRefusal::Cr4(cr4)),
        (dr6 != 0, StateRefusal::Dr6(dr6)),
        (dr7 != 0, StateRefusal::Dr7(dr7)),
    ]
}

fn modes(vmsa: &Vmsa) -> [Check; 5] {
    let (cr0, cr4) = (vmsa.cr0, vmsa.cr4);
    let long_mode = vmsa.efer.contains(Efer::LME) && cr0.contains(Cr0::PG);
    let both_sizes = SegmentAttributes::LONG | SegmentAttributes::DEFAULT_32;
    [
        (cr0.contains(Cr0::NW) && !cr0.contains(Cr0::CD), StateRefusal::CacheControl),
        (cr4.contains(Cr4::CET) && !cr0.contains(Cr0::WP), StateRefusal::WriteProtectMissing),
        (long_mode && !cr4.contains(Cr4::PAE), StateRefusal::PaeMissing),
        (long_mode && !cr0.contains(Cr0::PE), StateRefusal::ProtectionMissing),
        (long_mode && vmsa.cs.attributes.contains(both_sizes), StateRefusal::CodeSize),
    ]
}

fn extended_state(vmsa: &Vmsa, offer: &Offer) -> [Check; 2] {
    let possible = is_possible_xcr0(vmsa.xcr0, offer.xcr0);
    let mxcsr = vmsa.mxcsr & !MXCSR_MASK;
    [(!possible, StateRefusal::Xcr0(vmsa.xcr0)), (mxcsr != 0, StateRefusal::Mxcsr(mxcsr))]
}

/// Whether XCR0 can hold `value` where it can have what is `offered`: there is
/// always x87, and no AVX without SSE [APM 24593 §11.5.2].
#[must_use]
pub fn is_possible_xcr0(value: u64, offered: StateComponents) -> bool {
    let value = StateComponents::from_bits_retain(value);
    offered.contains(value)
        && value.contains(StateComponents::X87)
        && (value.contains(StateComponents::SSE) || !value.contains(StateComponents::AVX))
}

#[cfg(test)]
mod tests;
