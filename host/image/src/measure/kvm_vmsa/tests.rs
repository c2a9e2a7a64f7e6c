//! What changes on the way through QEMU and KVM, and what is refused.

use super::*;
use crate::file::samples;

fn context(change: impl FnOnce(&mut SevVmsa)) -> SevVmsa {
    let mut vmsa = *samples::vmsa();
    change(&mut vmsa);
    vmsa
}

/// The VMSA of the first of one processors.
fn completed(vmsa: &SevVmsa) -> Result<SevVmsa, Error> {
    complete(&[(0, KVM_VMSA_GPA, vmsa)], 1, None).map(|mut vmsas| vmsas.remove(0))
}

#[test]
fn registers_get_what_kvm_forces() {
    let written = context(|vmsa| {
        vmsa.efer = 0xd00;
        vmsa.cr4 = 0x20;
        vmsa.cr0 = 0xe000_0001;
        vmsa.rflags = 0;
        vmsa.ss.attrib = 0xf0f3;
        vmsa.gdtr = SevSelector { selector: 1, attrib: 2, limit: 0x3_ffff, base: 4 };
        vmsa.ldtr.base = 0x1234;
        vmsa.tr.base = 0x5678;
    });
    let completed = completed(&written).expect("accepted");
    assert_eq!(completed.efer, 0x1d00);
    assert_eq!(completed.cr4, 0x60);
    assert_eq!(completed.cr0, 0x8000_0011);
    assert_eq!(completed.rflags, 2);
    assert_eq!((completed.ss.attrib, completed.cpl), (0x0f3, 3));
    assert_eq!(completed.gdtr, SevSelector { selector: 0, attrib: 0, limit: 0xffff, base: 4 });
    assert_eq!(completed.tr.base, 0x1234);
    assert_eq!((completed.rip, completed.cr3), (written.rip, written.cr3));
}

#[test]
fn contexts_that_qemu_refuses_are_refused() {
    let vmsa = samples::vmsa();
    let at = |gpa| complete(&[(0, gpa, &vmsa)], 1, None).map(|_| ());
    let expected = KVM_VMSA_GPA;
    assert_eq!(at(0x1000), Err(Error::VmsaAddress { vp_index: 0, gpa: 0x1000, expected }));

    let field = |change: fn(&mut SevVmsa)| completed(&context(change)).map(|_| ());
    let refused = |offset| Err(Error::VmsaField { vp_index: 0, offset });
    assert_eq!(field(|vmsa| vmsa.star = 1 << 8), refused(0x201));
    assert_eq!(field(|vmsa| vmsa.vmpl = 1), refused(0xca));
    assert_eq!(field(|vmsa| vmsa.virtual_tom = 1), refused(0x3c8));
    assert_eq!(field(|vmsa| vmsa.vmsa_padding[2447] = 1), refused(0xfff));

    let no_snp = field(|vmsa| vmsa.sev_features.set_snp(false));
    assert_eq!(no_snp, Err(Error::NotSnpActive { vp_index: 0 }));
}

#[test]
fn processors_must_fit_the_machine() {
    let vmsa = samples::vmsa();
    let contexts = |index| [(index, KVM_VMSA_GPA, &*vmsa)];
    for vcpus in [0, 65537] {
        assert!(
            matches!(complete(&[], vcpus, Some(1)), Err(Error::ProcessorCount(n)) if n == vcpus)
        );
    }
    let outside = complete(&contexts(2), 2, Some(1)).map(|_| ());
    assert_eq!(outside, Err(Error::NoSuchProcessor { vp_index: 2, vcpus: 2 }));
    let unsigned = complete(&contexts(0), 2, None).map(|_| ());
    assert_eq!(unsigned, Err(Error::SignatureNeeded { vp_index: 1 }));
    assert_eq!(complete(&contexts(65535), 65536, Some(1)).map(|v| v.len()), Ok(65536));
}

#[test]
fn features_are_those_of_the_machine() {
    let (one, other) = (context(|_| {}), context(|vmsa| vmsa.sev_features.set_debug_swap(true)));
    let mixed = complete(&[(0, KVM_VMSA_GPA, &one), (1, KVM_VMSA_GPA, &other)], 2, None);
    assert_eq!(mixed.map(|_| ()), Err(Error::MixedFeatures { first: 0, other: 1 }));
    let vmsas = complete(&[(0, KVM_VMSA_GPA, &other)], 2, Some(5)).expect("accepted");
    assert_eq!(u64::from(vmsas[1].sev_features), 0x21);
    assert_eq!((vmsas[1].rdx, vmsas[1].cr0, vmsas[1].efer), (5, 0x10, 0x1000));
}

#[test]
fn the_last_context_of_a_processor_counts() {
    let (first, last) = (context(|vmsa| vmsa.rax = 1), context(|vmsa| vmsa.rax = 2));
    let vmsas = complete(&[(0, KVM_VMSA_GPA, &first), (0, KVM_VMSA_GPA, &last)], 1, None);
    assert_eq!(vmsas.expect("accepted")[0].rax, 2);
}
