//! States that a processor runs, and one way to spoil each.

use abi_snp::{SevFeatures, Vmpl, Vmsa};
use abi_x86::{Cr0, Cr4, Efer, SegmentAttributes};

use super::*;
use crate::processor::samples::{OFFER, long_mode, start_up};

#[test]
fn usual_states_run() {
    for vmpl in Vmpl::ALL {
        assert_eq!(check_vmsa(&long_mode(vmpl), vmpl, &OFFER), Ok(()));
        assert_eq!(check_vmsa(&start_up(vmpl), vmpl, &OFFER), Ok(()));
    }
}

#[test]
fn every_check_has_its_refusal() {
    type Spoil = fn(&mut Vmsa);
    let cases: [(Spoil, StateRefusal); 22] = [
        (|v| v.vmpl = 1, StateRefusal::Vmpl { found: 1, asked: Vmpl::Vmpl2 }),
        (|v| v.vmpl = 0xff, StateRefusal::Vmpl { found: 0xff, asked: Vmpl::Vmpl2 }),
        (|v| v.sev_features = SevFeatures::empty(), StateRefusal::SnpInactive),
        (
            |v| v.sev_features |= SevFeatures::VIRTUAL_TOM | SevFeatures::DEBUG_SWAP,
            StateRefusal::Features(SevFeatures::VIRTUAL_TOM),
        ),
        (|v| v.efer.remove(Efer::SVME), StateRefusal::NotSvm),
        (
            |v| v.efer = v.efer.union(Efer::from_bits_retain(1 << 9)),
            StateRefusal::Efer(Efer::from_bits_retain(1 << 9)),
        ),
        (|v| v.cr0 = v.cr0.union(Cr0::from_bits_retain(1 << 32)), StateRefusal::Cr0(1 << 32)),
        (|v| v.cr3 |= 1 << 52, StateRefusal::Cr3(1 << 52)),
        (|v| v.cr4 |= Cr4::PCIDE, StateRefusal::Cr4(Cr4::PCIDE)),
        (|v| v.dr6 |= 1 << 63, StateRefusal::Dr6(1 << 63)),
        (|v| v.dr7 |= 1 << 32, StateRefusal::Dr7(1 << 32)),
        (|v| v.cr0 |= Cr0::NW, StateRefusal::CacheControl),
        (
            |v| {
                v.cr4 |= Cr4::CET;
                v.cr0.remove(Cr0::WP);
            },
            StateRefusal::WriteProtectMissing,
        ),
        (|v| v.cr4.remove(Cr4::PAE), StateRefusal::PaeMissing),
        (|v| v.cr0.remove(Cr0::PE), StateRefusal::ProtectionMissing),
        (|v| v.cs.attributes |= SegmentAttributes::DEFAULT_32, StateRefusal::CodeSize),
        (|v| v.xcr0 = 0, StateRefusal::Xcr0(0)),
        (|v| v.xcr0 = 5, StateRefusal::Xcr0(5)),
        (|v| v.xcr0 = 0xe7, StateRefusal::Xcr0(0xe7)),
        (|v| v.mxcsr = 0x1_1f80, StateRefusal::Mxcsr(0x1_0000)),
        (|v| v.mxcsr = u32::MAX, StateRefusal::Mxcsr(0xffff_0000)),
        (
            |v| {
                v.sev_features |= SevFeatures::ALTERNATE_INJECTION;
                v.event_inj = 0x8000_0700;
            },
            StateRefusal::Events(EventRefusal::Event(0x8000_0700)),
        ),
    ];
    for (spoil, refusal) in cases {
        let mut vmsa = long_mode(Vmpl::Vmpl2);
        spoil(&mut vmsa);
        assert_eq!(check_vmsa(&vmsa, Vmpl::Vmpl2, &OFFER), Err(refusal));
    }
}

#[test]
fn modes_count_in_long_mode_only() {
    let mut vmsa = start_up(Vmpl::Vmpl1);
    vmsa.cs.attributes |= SegmentAttributes::LONG | SegmentAttributes::DEFAULT_32;
    vmsa.efer |= Efer::LME;
    assert_eq!(check_vmsa(&vmsa, Vmpl::Vmpl1, &OFFER), Ok(()));
}

#[test]
fn a_platform_offers_less() {
    let offer = Offer { xcr0: StateComponents::X87, cr4: Cr4::empty(), ..OFFER };
    let mut vmsa = long_mode(Vmpl::Vmpl0);
    assert_eq!(check_vmsa(&vmsa, Vmpl::Vmpl0, &offer), Err(StateRefusal::Cr4(Cr4::PAE)));
    vmsa = start_up(Vmpl::Vmpl0);
    vmsa.xcr0 = 3;
    assert_eq!(check_vmsa(&vmsa, Vmpl::Vmpl0, &offer), Err(StateRefusal::Xcr0(3)));
}

#[test]
#[should_panic(expected = "features that the model ignores")]
fn a_platform_offers_what_the_model_knows() {
    let offer = Offer { features: SevFeatures::SECURE_AVIC, ..OFFER };
    let _ = check_vmsa(&long_mode(Vmpl::Vmpl0), Vmpl::Vmpl0, &offer);
}
