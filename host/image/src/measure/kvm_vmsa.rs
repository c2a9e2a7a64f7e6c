//! VMSAs as QEMU and KVM make them from VP contexts.
//!
//! See [`super::Vmm::Kvm`] for what changes on the way and where that comes
//! from.

use abi_snp::{KVM_VMSA_GPA, SevFeatures};
use abi_x86::{Cr0, Cr4, Efer, Rflags, SegmentAttributes, reset};
use igvm::snp_defs::{SevSelector, SevVmsa};
use zerocopy::{FromZeros, IntoBytes};

use super::error::Error;

/// The attribute bits that a segment has in a descriptor.
const SEGMENT_ATTRIBUTES: u16 = 0xfff;

/// A VP context of the file: processor, address, state.
pub(super) type Context<'a> = (u16, u64, &'a SevVmsa);

/// The VMSAs of processors 0 to `vcpus` - 1, in this order.
///
/// Of several contexts for one processor the last one counts, as in QEMU.
pub(super) fn complete(
    contexts: &[Context<'_>],
    vcpus: u32,
    cpu_signature: Option<u32>,
) -> Result<Vec<SevVmsa>, Error> {
    if !(1..=1 << 16).contains(&vcpus) {
        return Err(Error::ProcessorCount(vcpus));
    }
    contexts.iter().try_for_each(|context| check(context, vcpus))?;
    let features = common_features(contexts)?;
    let indices = 0..=u16::try_from(vcpus - 1).unwrap_or(u16::MAX);
    indices
        .map(|vp_index| {
            let written = contexts.iter().rev().find(|(index, ..)| *index == vp_index);
            let state = match (written, cpu_signature) {
                (Some((_, _, vmsa)), _) => **vmsa,
                (None, Some(signature)) => reset_state(signature, features),
                (None, None) => return Err(Error::SignatureNeeded { vp_index }),
            };
            Ok(through_kvm(state))
        })
        .collect()
}

/// What QEMU checks before it takes a context (`check_vmsa_supported`).
fn check(context: &Context<'_>, vcpus: u32) -> Result<(), Error> {
    let (vp_index, gpa, vmsa) = *context;
    if u32::from(vp_index) >= vcpus {
        return Err(Error::NoSuchProcessor { vp_index, vcpus });
    }
    if gpa != KVM_VMSA_GPA {
        return Err(Error::VmsaAddress { vp_index, gpa, expected: KVM_VMSA_GPA });
    }
    if !features(vmsa).contains(SevFeatures::SNP_ACTIVE) {
        return Err(Error::NotSnpActive { vp_index });
    }
    match without_synchronized_fields(vmsa).as_bytes().iter().position(|byte| *byte != 0) {
        Some(offset) => Err(Error::VmsaField { vp_index, offset }),
        None => Ok(()),
    }
}

fn features(vmsa: &SevVmsa) -> SevFeatures {
    SevFeatures::from_bits_retain(vmsa.sev_features.into())
}

/// The features that all processors have.
fn common_features(contexts: &[Context<'_>]) -> Result<SevFeatures, Error> {
    let Some((first, _, vmsa)) = contexts.first() else { return Ok(SevFeatures::SNP_ACTIVE) };
    let common = features(vmsa);
    match contexts.iter().find(|(_, _, vmsa)| features(vmsa) != common) {
        Some((other, ..)) => Err(Error::MixedFeatures { first: *first, other: *other }),
        None => Ok(common),
    }
}

/// What is left of a VMSA when everything is taken out that QEMU copies into
/// its processor.
fn without_synchronized_fields(vmsa: &SevVmsa) -> SevVmsa {
    let zero = SevSelector { selector: 0, attrib: 0, limit: 0, base: 0 };
    SevVmsa {
        es: zero,
        cs: zero,
        ss: zero,
        ds: zero,
        fs: zero,
        gs: zero,
        gdtr: zero,
        ldtr: zero,
        idtr: zero,
        tr: zero,
        efer: 0,
        cr0: 0,
        cr3: 0,
        cr4: 0,
        xcr0: 0,
        dr6: 0,
        dr7: 0,
        rax: 0,
        rbx: 0,
        rcx: 0,
        rdx: 0,
        rsi: 0,
        rdi: 0,
        rbp: 0,
        rsp: 0,
        r8: 0,
        r9: 0,
        r10: 0,
        r11: 0,
        r12: 0,
        r13: 0,
        r14: 0,
        r15: 0,
        rip: 0,
        rflags: 0,
        pat: 0,
        x87_fcw: 0,
        mxcsr: 0,
        sev_features: 0.into(),
        ..*vmsa
    }
}

/// A processor after reset, as QEMU sets it up [APM 24593 table 14-1].
fn reset_state(signature: u32, features: SevFeatures) -> SevVmsa {
    let segment = |selector, attrib, base| SevSelector { selector, attrib, limit: 0xffff, base };
    let data = segment(0, 0x93, 0);
    let table = segment(0, 0, 0);
    SevVmsa {
        cs: segment(0xf000, 0x9b, 0xffff_0000),
        ds: data,
        es: data,
        fs: data,
        gs: data,
        ss: data,
        gdtr: table,
        idtr: table,
        ldtr: segment(0, 0x82, 0),
        tr: segment(0, 0x8b, 0),
        cr0: (Cr0::CD | Cr0::NW | Cr0::ET).bits(),
        rip: 0xfff0,
        rdx: signature.into(),
        dr6: reset::DR6,
        dr7: reset::DR7,
        pat: reset::PAT,
        xcr0: reset::XCR0,
        mxcsr: reset::MXCSR,
        x87_fcw: reset::X87_CONTROL_WORD,
        sev_features: features.bits().into(),
        ..SevVmsa::new_zeroed()
    }
}

/// What KVM makes of the state that QEMU hands over.
fn through_kvm(mut vmsa: SevVmsa) -> SevVmsa {
    vmsa.efer |= Efer::SVME.bits();
    vmsa.cr4 |= Cr4::MCE.bits();
    vmsa.cr0 = vmsa.cr0 & !(Cr0::CD | Cr0::NW).bits() | Cr0::ET.bits();
    vmsa.rflags |= Rflags::FIXED.bits();
    vmsa.tr.base = vmsa.ldtr.base;
    for segment in [
        &mut vmsa.cs,
        &mut vmsa.ds,
        &mut vmsa.es,
        &mut vmsa.fs,
        &mut vmsa.gs,
        &mut vmsa.ss,
        &mut vmsa.ldtr,
        &mut vmsa.tr,
    ] {
        segment.attrib &= SEGMENT_ATTRIBUTES;
    }
    for table in [&mut vmsa.gdtr, &mut vmsa.idtr] {
        table.selector = 0;
        table.attrib = 0;
        table.limit &= 0xffff;
    }
    vmsa.cpl = ((vmsa.ss.attrib & SegmentAttributes::USER.bits()) >> 5) as u8;
    vmsa
}

#[cfg(test)]
mod tests;
