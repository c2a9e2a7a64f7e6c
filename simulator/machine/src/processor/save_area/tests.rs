//! What is loaded is stored again, and nothing else changes.

use abi_snp::{SevFeatures, Vmpl, Vmsa};
use abi_svm::{Event, ExitCode, SaveArea};
use abi_x86::{ExceptionVector, reset};
use proptest::prelude::*;
use zerocopy::{FromBytes, FromZeros, IntoBytes};

use super::*;
use crate::processor::samples::{OFFER, long_mode};

const VMGEXIT: ExitRecord = ExitRecord {
    code: ExitCode::VMGEXIT,
    info_1: 0,
    info_2: 0,
    interrupted: Event::NONE,
    next_rip: 0,
};

/// A save area and a register file full of something else.
fn used_processor() -> (SaveArea, RegisterFile) {
    let mut save = SaveArea::new_zeroed();
    save.as_mut_bytes().fill(0xa5);
    let mut file = RegisterFile::empty();
    file.extended.as_mut_bytes().fill(0xa5);
    file.dr = [0xa5; 4];
    file.dr_address_mask = [0xa5; 4];
    (save, file)
}

/// A page of `bytes` that passes the checks: what they look at is as in the
/// sample.
fn runnable(bytes: &[u8], features: SevFeatures) -> Vmsa {
    let mut vmsa = Vmsa::read_from_bytes(bytes).expect("a page");
    let sample = long_mode(Vmpl::Vmpl2);
    vmsa.cs = sample.cs;
    vmsa.vmpl = sample.vmpl;
    vmsa.efer = sample.efer;
    vmsa.cr4 = sample.cr4;
    vmsa.cr3 = sample.cr3;
    vmsa.cr0 = sample.cr0;
    vmsa.dr6 = sample.dr6;
    vmsa.dr7 = sample.dr7;
    vmsa.sev_features = features;
    vmsa.xcr0 = 7;
    vmsa.mxcsr &= 0xffff;
    vmsa
}

/// Bytes in which no two words are alike.
fn distinct_bytes() -> [u8; 4096] {
    let mut bytes = [0; 4096];
    for (word, number) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(1_u32..) {
        *word = number.wrapping_mul(0x9e37_79b1).to_le_bytes();
    }
    bytes
}

#[test]
fn registers_reach_their_places() {
    let mut vmsa = runnable(&distinct_bytes(), SevFeatures::SNP_ACTIVE);
    vmsa.x87_ftw = 0xfffc;
    let (mut save, mut file) = used_processor();
    load_vmsa(&vmsa, Vmpl::Vmpl2, &OFFER, &mut save, &mut file).unwrap();
    assert_eq!((file.vmpl, file.features), (Vmpl::Vmpl2, SevFeatures::SNP_ACTIVE));
    // The save areas agree about the offsets of what they have in common.
    for range in [0..0xa0, 0xcb..0xcc, 0xd0..0xd8, 0x148..0x180, 0x1d8..0x248, 0x268..0x298] {
        assert_eq!(save.as_bytes()[range.clone()], vmsa.as_bytes()[range]);
    }
    assert_eq!(file.general.rcx, vmsa.rcx);
    assert_eq!(file.general.rbp, vmsa.rbp);
    assert_eq!(file.general.r15, vmsa.r15);
    assert_eq!((file.pkru, file.tsc_aux, file.xss), (vmsa.pkru, vmsa.tsc_aux, vmsa.xss));
    assert_eq!((file.spec_ctrl, file.xcr0), (vmsa.spec_ctrl, 7));
    let image = file.extended.as_bytes();
    assert_eq!(image[..2], vmsa.x87_fcw.to_le_bytes());
    assert_eq!(image[2..4], vmsa.x87_fsw.to_le_bytes());
    assert_eq!(image[4], 1);
    assert_eq!(image[6..8], vmsa.x87_fop.to_le_bytes());
    assert_eq!(image[8..16], vmsa.x87_rip.to_le_bytes());
    assert_eq!(image[16..24], vmsa.x87_dp.to_le_bytes());
    assert_eq!(image[24..28], vmsa.mxcsr.to_le_bytes());
    assert_eq!(image[48..58], vmsa.fpreg_x87[10..20]);
    assert_eq!(image[58..64], [0; 6]);
    assert_eq!(image[160..416], vmsa.fpreg_xmm);
    assert_eq!(image[512..528], [7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(image[576..], vmsa.fpreg_ymm);
}

#[test]
fn debug_registers_are_swapped_on_demand() {
    let (mut save, mut file) = used_processor();
    let mut vmsa = long_mode(Vmpl::Vmpl1);
    vmsa.dr = [1, 2, 3, 4];
    vmsa.dr_address_mask = [5, 6, 7, 8];
    load_vmsa(&vmsa, Vmpl::Vmpl1, &OFFER, &mut save, &mut file).unwrap();
    assert_eq!((file.dr, file.dr_address_mask), ([0; 4], [0; 4]));
    file.dr = [9; 4];
    store_vmsa(&save, &file, &VMGEXIT, &mut vmsa);
    assert_eq!((vmsa.dr, vmsa.dr_address_mask), ([1, 2, 3, 4], [5, 6, 7, 8]));

    vmsa.sev_features |= SevFeatures::DEBUG_SWAP;
    load_vmsa(&vmsa, Vmpl::Vmpl1, &OFFER, &mut save, &mut file).unwrap();
    assert_eq!((file.dr, file.dr_address_mask), ([1, 2, 3, 4], [5, 6, 7, 8]));
    file.dr[0] = 9;
    file.dr_address_mask[3] = 9;
    store_vmsa(&save, &file, &VMGEXIT, &mut vmsa);
    assert_eq!((vmsa.dr, vmsa.dr_address_mask), ([9, 2, 3, 4], [5, 6, 7, 9]));
}

#[test]
fn the_exit_is_told() {
    let (mut save, mut file) = used_processor();
    let mut vmsa = long_mode(Vmpl::Vmpl0);
    load_vmsa(&vmsa, Vmpl::Vmpl0, &OFFER, &mut save, &mut file).unwrap();
    let exit = ExitRecord {
        code: ExitCode::NESTED_PAGE_FAULT,
        info_1: 0x1_0000_0006,
        info_2: 0x1234_5000,
        interrupted: Event::exception_with_code(ExceptionVector::PAGE_FAULT, 2),
        next_rip: 0x5555,
    };
    store_vmsa(&save, &file, &exit, &mut vmsa);
    let written = (vmsa.guest_exit_code, vmsa.guest_exit_info_1, vmsa.guest_exit_info_2);
    assert_eq!(written, (0x400, 0x1_0000_0006, 0x1234_5000));
    assert_eq!((vmsa.guest_exit_int_info, vmsa.guest_nrip), (0x2_8000_0b0e, 0x5555));
}

#[test]
fn a_refused_state_changes_nothing() {
    let (mut save, mut file) = used_processor();
    let before = (save.clone(), file.clone());
    let mut vmsa = long_mode(Vmpl::Vmpl3);
    vmsa.cr3 |= 1 << 63;
    let refusal = load_vmsa(&vmsa, Vmpl::Vmpl3, &OFFER, &mut save, &mut file);
    assert_eq!(refusal, Err(StateRefusal::Cr3(1 << 63)));
    assert!((save, file) == before);
}

#[test]
fn start_state_of_an_empty_file() {
    let file = RegisterFile::empty();
    assert_eq!(file.extended.control_word, reset::X87_CONTROL_WORD);
    assert_eq!(file.extended.mxcsr, reset::MXCSR);
    assert_eq!(file.xcr0, reset::XCR0);
}

proptest! {
    #[test]
    fn loading_and_storing_changes_the_exit_only(
        bytes in prop::collection::vec(any::<u8>(), 4096),
        debug in any::<bool>(),
    ) {
        let optional = if debug { SevFeatures::DEBUG_SWAP } else { SevFeatures::empty() };
        let vmsa = runnable(&bytes, SevFeatures::SNP_ACTIVE | optional);
        let (mut save, mut file) = used_processor();
        load_vmsa(&vmsa, Vmpl::Vmpl2, &OFFER, &mut save, &mut file).unwrap();
        let mut stored = vmsa.clone();
        store_vmsa(&save, &file, &VMGEXIT, &mut stored);
        let mut expected = vmsa.clone();
        expected.guest_exit_code = 0x403;
        expected.guest_exit_info_1 = 0;
        expected.guest_exit_info_2 = 0;
        expected.guest_exit_int_info = 0;
        expected.guest_nrip = 0;
        // The processor says what the registers hold, not what it was told.
        expected.x87_ftw = stored.x87_ftw;
        prop_assert!(stored == expected);
        prop_assert_eq!(abridge_tags(stored.x87_ftw), abridge_tags(vmsa.x87_ftw));
        // And from then on the tag word is what it says.
        load_vmsa(&stored, Vmpl::Vmpl2, &OFFER, &mut save, &mut file).unwrap();
        let mut again = stored.clone();
        store_vmsa(&save, &file, &VMGEXIT, &mut again);
        prop_assert!(again == stored);
    }
}

#[test]
fn the_time_stamp_counter_is_the_save_areas_with_secure_tsc_only() {
    let plain = SevFeatures::SNP_ACTIVE;
    for (features, ticks) in [(plain, 1000), (plain | SevFeatures::SECURE_TSC, 3007)] {
        let (mut save, mut file) = used_processor();
        let mut vmsa = runnable(&[0; 4096], features);
        (vmsa.guest_tsc_scale, vmsa.guest_tsc_offset) = (3 << 32, 7);
        load_vmsa(&vmsa, Vmpl::Vmpl2, &OFFER, &mut save, &mut file).unwrap();
        assert_eq!(file.tsc.at(1000), ticks);
        // What a processor only reads stays.
        let mut stored = vmsa.clone();
        store_vmsa(&save, &file, &VMGEXIT, &mut stored);
        assert_eq!((stored.guest_tsc_scale, stored.guest_tsc_offset), (3 << 32, 7));
    }
}
