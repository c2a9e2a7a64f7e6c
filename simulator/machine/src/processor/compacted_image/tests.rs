//! Images byte by byte, and back.

extern crate std;

use core::convert::Infallible;
use std::vec;
use std::vec::Vec;

use abi_x86::ExceptionVector;
use proptest::prelude::*;
use zerocopy::{FromZeros, IntoBytes};

use super::*;

const ALL: u64 = 0x207;

/// Registers of which no two bytes in a row are alike, all enabled.
fn registers() -> RegisterFile {
    let mut file = RegisterFile::empty();
    for (byte, number) in file.extended.as_mut_bytes().iter_mut().zip(1_u32..) {
        *byte = (number % 251) as u8;
    }
    file.extended.mxcsr = 0x1fa0;
    file.extended.mxcsr_mask = MXCSR_MASK;
    file.extended.components = 7;
    file.extended.compaction = 0;
    file.pkru = 0x5555_5554;
    file.xcr0 = ALL;
    file
}

/// What XSAVEC leaves of memory that was full of 0xcc.
fn saved(file: &RegisterFile, size: CodeSize, requested: u64) -> Vec<u8> {
    let mut memory = vec![0xcc; 1024];
    let Ok(()) = save_compacted(file, size, requested, |offset, bytes| -> Result<(), Infallible> {
        memory[offset as usize..][..bytes.len()].copy_from_slice(bytes);
        Ok(())
    });
    memory
}

fn restored(
    file: &mut RegisterFile,
    size: CodeSize,
    requested: u64,
    memory: &[u8],
) -> Result<(), RestoreError<Infallible>> {
    restore_compacted(file, size, requested, |offset, bytes| {
        bytes.copy_from_slice(&memory[offset as usize..][..bytes.len()]);
        Ok(())
    })
}

fn word(memory: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(memory[offset..offset + 8].try_into().expect("8 bytes"))
}

#[test]
fn everything_saved() {
    let file = registers();
    let memory = saved(&file, CodeSize::Bits64, u64::MAX);
    let image = file.extended.as_bytes();
    assert_eq!(memory[..416], image[..416]);
    assert_eq!(memory[416..512], [0xcc; 96]);
    assert_eq!((word(&memory, 512), word(&memory, 520)), (0x207, 1 << 63 | 0x207));
    // XSAVEC leaves the rest of the header alone.
    assert_eq!(memory[528..576], [0xcc; 48]);
    assert_eq!(memory[576..832], image[576..832]);
    assert_eq!(word(&memory, 832), 0x5555_5554);
    assert_eq!(memory[840..], [0xcc; 184]);
}

#[test]
fn components_lie_side_by_side() {
    let file = registers();
    let memory = saved(&file, CodeSize::Bits64, 0x201);
    assert_eq!((word(&memory, 512), word(&memory, 520)), (0x201, 1 << 63 | 0x201));
    assert_eq!(memory[..24], file.extended.as_bytes()[..24]);
    // MXCSR comes with SSE.
    assert_eq!(memory[24..32], [0xcc; 8]);
    assert_eq!(memory[32..160], file.extended.as_bytes()[32..160]);
    assert_eq!(memory[160..512], [0xcc; 352]);
    assert_eq!(word(&memory, 576), 0x5555_5554);
    assert_eq!(memory[584..], [0xcc; 440]);
}

#[test]
fn what_is_not_enabled_or_in_use_is_not_saved() {
    let mut file = registers();
    file.xcr0 = 3;
    let memory = saved(&file, CodeSize::Bits64, u64::MAX);
    assert_eq!((word(&memory, 512), word(&memory, 520)), (3, 1 << 63 | 3));
    assert_eq!(memory[576..], [0xcc; 448]);
    file.xcr0 = ALL;
    file.extended.components = 1;
    let memory = saved(&file, CodeSize::Bits64, 7);
    assert_eq!((word(&memory, 512), word(&memory, 520)), (1, 1 << 63 | 7));
    assert_eq!(memory[160..512], [0xcc; 352]);
    assert_eq!(memory[576..], [0xcc; 448]);
}

#[test]
fn legacy_modes_have_eight_vector_registers() {
    let file = registers();
    let memory = saved(&file, CodeSize::Bits32, ALL);
    let image = file.extended.as_bytes();
    assert_eq!(memory[160..288], image[160..288]);
    assert_eq!(memory[288..416], [0xcc; 128]);
    assert_eq!(memory[576..704], image[576..704]);
    assert_eq!(memory[704..832], [0xcc; 128]);
    assert_eq!(word(&memory, 832), 0x5555_5554);
}

#[test]
fn what_an_image_lacks_is_reset() {
    let mut memory = saved(&registers(), CodeSize::Bits64, ALL);
    memory[528..576].fill(0);
    // The image has room for all, but holds x87 registers only.
    memory[512..520].copy_from_slice(&1_u64.to_le_bytes());
    let mut file = registers();
    file.extended.x87 = [[0; 16]; 8];
    file.pkru = 7;
    restored(&mut file, CodeSize::Bits64, 0x7, &memory).unwrap();
    assert_eq!(file.extended.x87, registers().extended.x87);
    assert_eq!((file.extended.mxcsr, file.extended.xmm), (0x1f80, [[0; 16]; 16]));
    assert_eq!(file.extended.ymm_upper, [[0; 16]; 16]);
    // PKRU was not requested.
    assert_eq!(file.pkru, 7);
    restored(&mut file, CodeSize::Bits64, 0x200, &memory).unwrap();
    assert_eq!(file.pkru, 0);
}

#[test]
fn images_that_are_refused() {
    let mut good = saved(&registers(), CodeSize::Bits64, ALL);
    good[528..576].fill(0);
    let refused = |offset: usize, value: u64, xcr0: u64| {
        let mut memory = good.clone();
        memory[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
        let mut file = registers();
        file.xcr0 = xcr0;
        let before = file.clone();
        let error = restored(&mut file, CodeSize::Bits64, u64::MAX, &memory).expect_err("refused");
        assert!(file == before);
        error
    };
    assert_eq!(refused(520, 0, ALL), RestoreError::NotCompacted);
    // A component that is not enabled, one without room, the reserved words.
    assert_eq!(refused(520, 1 << 63 | 0x207, 7), RestoreError::GeneralProtection);
    assert_eq!(refused(520, 1 << 63 | 0x8207, ALL), RestoreError::GeneralProtection);
    assert_eq!(refused(512, 0x20f, ALL), RestoreError::GeneralProtection);
    assert_eq!(refused(528, 1, ALL), RestoreError::GeneralProtection);
    assert_eq!(refused(568, 1 << 63, ALL), RestoreError::GeneralProtection);
    assert_eq!(refused(24, 0x1_0000, ALL), RestoreError::GeneralProtection);
}

#[test]
fn memory_that_cannot_be_reached() {
    let good = {
        let mut memory = saved(&registers(), CodeSize::Bits64, ALL);
        memory[528..576].fill(0);
        memory
    };
    for missing in [0, 24, 160, 512, 576, 832] {
        let result = save_compacted(&registers(), CodeSize::Bits64, ALL, |offset, _| {
            if offset == missing { Err("missing") } else { Ok(()) }
        });
        assert_eq!(result, Err("missing"));
        let mut file = RegisterFile::empty();
        file.xcr0 = ALL;
        let before = file.clone();
        let result = restore_compacted(&mut file, CodeSize::Bits64, ALL, |offset, bytes| {
            if offset == missing {
                return Err("missing");
            }
            bytes.copy_from_slice(&good[offset as usize..][..bytes.len()]);
            Ok(())
        });
        assert_eq!(result, Err(RestoreError::Read("missing")));
        assert!(file == before);
    }
}

#[test]
fn exceptions_before_the_image_is_touched() {
    let mut save = SaveArea::new_zeroed();
    save.cr0 = Cr0::TS;
    assert_eq!(check_image_access(&save, 1), Err(ExceptionVector::INVALID_OPCODE));
    save.cr4 = Cr4::OSXSAVE;
    assert_eq!(check_image_access(&save, 1), Err(ExceptionVector::DEVICE_NOT_AVAILABLE));
    save.cr0 = Cr0::empty();
    assert_eq!(check_image_access(&save, 0x1020), Err(ExceptionVector::GENERAL_PROTECTION));
    assert_eq!(check_image_access(&save, 0x1040), Ok(()));
}

proptest! {
    #[test]
    fn what_is_saved_is_restored(
        bytes in prop::collection::vec(any::<u8>(), 832),
        pkru: u32,
        xcr0 in prop::sample::select(vec![0x1_u64, 0x3, 0x7, 0x203, 0x207]),
        requested: u64,
    ) {
        let mut file = registers();
        file.extended.as_mut_bytes().copy_from_slice(&bytes);
        file.extended.mxcsr &= MXCSR_MASK;
        file.extended.mxcsr_mask = MXCSR_MASK;
        file.extended.components = 7;
        (file.pkru, file.xcr0) = (pkru, xcr0);
        let mut memory = saved(&file, CodeSize::Bits64, requested);
        memory[528..576].fill(0);
        let mut other = RegisterFile::empty();
        other.xcr0 = xcr0;
        let mut expected = other.clone();
        for part in Part::ALL {
            if requested & xcr0 & part.component().bits() == 0 {
                continue;
            }
            match part.place(CodeSize::Bits64) {
                Some(place) => {
                    expected.extended.as_mut_bytes()[place.clone()].copy_from_slice(&bytes[place]);
                }
                None => expected.pkru = pkru,
            }
        }
        if requested & xcr0 & 2 != 0 {
            expected.extended.mxcsr = file.extended.mxcsr;
            expected.extended.mxcsr_mask = MXCSR_MASK;
        }
        let result = restored(&mut other, CodeSize::Bits64, requested, &memory);
        prop_assert_eq!(result, Ok(()));
        prop_assert!(other == expected);
    }

    #[test]
    fn no_image_breaks_the_registers(
        held in 0..0x400_u64,
        room in 0..0x400_u64,
        high: u64,
        requested: u64,
    ) {
        // Mostly headers that are nearly right.
        let layout = if high % 4 == 0 { high << 32 | room } else { 1 << 63 | room };
        let mut memory = vec![0; 1024];
        memory[512..528].copy_from_slice([held, layout].as_bytes());
        let mut file = registers();
        let before = file.clone();
        let result = restored(&mut file, CodeSize::Bits64, requested, &memory);
        let possible = layout >> 63 == 1 && layout << 1 >> 1 & !ALL == 0 && held & !layout == 0;
        prop_assert_eq!(result.is_ok(), possible);
        prop_assert!(possible || file == before);
    }
}
