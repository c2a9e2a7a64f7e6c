//! Instructions as assemblers write them.

use abi_snp::Vmpl;
use abi_x86::{Efer, SegmentAttributes};
use proptest::prelude::*;
use zerocopy::FromZeros;

use super::*;
use crate::processor::samples::{long_mode, segment};

fn code(size: CodeSize) -> SaveArea {
    let mut save = SaveArea::new_zeroed();
    save.efer = Efer::LMA;
    save.cs = match size {
        CodeSize::Bits64 => segment(8, SegmentAttributes::CODE_64),
        CodeSize::Bits32 => segment(8, SegmentAttributes::from_bits_retain(0xc9b)),
        CodeSize::Bits16 => segment(8, SegmentAttributes::from_bits_retain(0x9b)),
    };
    save.rip = 0x1000;
    save
}

/// What `bytes` are in 64-bit mode, with something else behind them.
fn operation_of(bytes: &[u8]) -> Operation {
    let padded = [bytes, &[0x90; MAX_LENGTH]].concat();
    let instruction =
        Instruction::decode(&padded[..MAX_LENGTH], &code(CodeSize::Bits64)).expect("decodes");
    assert_eq!(usize::from(instruction.length()), bytes.len(), "{bytes:x?}");
    instruction.operation()
}

#[test]
fn instructions_of_snp_guests() {
    for (bytes, operation) in [
        (&[0xf2, 0x0f, 0x01, 0xff][..], Operation::Pvalidate),
        (&[0xf3, 0x0f, 0x01, 0xfe], Operation::Rmpadjust),
        (&[0xf3, 0x0f, 0x01, 0xfd], Operation::Rmpquery),
        (&[0xf3, 0x0f, 0x01, 0xd9], Operation::Vmgexit),
        (&[0xf2, 0x0f, 0x01, 0xd9], Operation::Vmgexit),
        (&[0x0f, 0x01, 0xd9], Operation::Vmmcall),
    ] {
        assert_eq!(operation_of(bytes), operation, "{bytes:x?}");
    }
}

#[test]
fn instructions_that_exit() {
    for (bytes, operation, exit) in [
        (&[0x0f, 0xa2][..], Operation::Cpuid, 0x72),
        (&[0x0f, 0x32], Operation::Rdmsr, 0x7c),
        (&[0x0f, 0x30], Operation::Wrmsr, 0x7c),
        (&[0xf4], Operation::Hlt, 0x78),
        (&[0xf3, 0x90], Operation::Pause, 0x77),
        (&[0xe4, 0x60], Operation::PortIo, 0x7b),
        (&[0xee], Operation::PortIo, 0x7b),
        (&[0x66, 0xef], Operation::PortIo, 0x7b),
        (&[0xf3, 0x6e], Operation::PortIo, 0x7b),
        (&[0xf3, 0x66, 0x6d], Operation::PortIo, 0x7b),
        (&[0x0f, 0x31], Operation::Rdtsc, 0x6e),
        (&[0x0f, 0x01, 0xf9], Operation::Rdtscp, 0x87),
        (&[0x0f, 0x33], Operation::Rdpmc, 0x6f),
        (&[0x0f, 0x01, 0xfd], Operation::Rdpru, 0x8e),
        (&[0x0f, 0x08], Operation::Invd, 0x76),
        (&[0x0f, 0x09], Operation::Wbinvd, 0x89),
        (&[0xf3, 0x0f, 0x09], Operation::Wbnoinvd, 0x89),
        (&[0x0f, 0x01, 0x38], Operation::Invlpg, 0x79),
        (&[0x0f, 0x01, 0xfe], Operation::Invlpgb, 0xa0),
        (&[0x0f, 0x01, 0xff], Operation::Tlbsync, 0xa4),
        (&[0x0f, 0x01, 0xc8], Operation::Monitor, 0x8a),
        (&[0x0f, 0x01, 0xc9], Operation::Mwait, 0x8b),
        (&[0x0f, 0x01, 0xfa], Operation::Monitor, 0x8a),
        (&[0x0f, 0x01, 0xfb], Operation::Mwait, 0x8b),
        (&[0x0f, 0x01, 0xd1], Operation::Xsetbv, 0x8d),
        (&[0x0f, 0x01, 0xdd], Operation::Clgi, 0x85),
        (&[0x0f, 0x01, 0xdc], Operation::Stgi, 0x84),
        (&[0xf3, 0x0f, 0x01, 0xd9], Operation::Vmgexit, 0x403),
        (&[0x0f, 0x01, 0xd9], Operation::Vmmcall, 0x81),
    ] {
        assert_eq!(operation_of(bytes), operation, "{bytes:x?}");
        assert_eq!(operation.exit_code(), Some(ExitCode(exit)), "{bytes:x?}");
    }
}

#[test]
fn moves_of_special_registers() {
    use GeneralRegister::{R11, Rax, Rdi};
    for (bytes, operation, exit) in [
        (&[0x0f, 0x20, 0xc0][..], Operation::ReadControl { number: 0, register: Rax }, 0x00),
        (&[0x0f, 0x22, 0xdf], Operation::WriteControl { number: 3, register: Rdi }, 0x13),
        (&[0x44, 0x0f, 0x20, 0xc0], Operation::ReadControl { number: 8, register: Rax }, 0x08),
        (&[0xf0, 0x0f, 0x22, 0xc0], Operation::WriteControl { number: 8, register: Rax }, 0x18),
        (&[0x0f, 0x21, 0xf8], Operation::ReadDebug { number: 7, register: Rax }, 0x27),
        (&[0x41, 0x0f, 0x23, 0xfb], Operation::WriteDebug { number: 7, register: R11 }, 0x37),
    ] {
        assert_eq!(operation_of(bytes), operation, "{bytes:x?}");
        assert_eq!(operation.exit_code(), Some(ExitCode(exit)), "{bytes:x?}");
    }
    let save = code(CodeSize::Bits32);
    let legacy = Instruction::decode(&[0x0f, 0x23, 0xff], &save).unwrap();
    assert_eq!(legacy.operation(), Operation::WriteDebug { number: 7, register: Rdi });
}

#[test]
fn images_of_extended_state() {
    for (bytes, operation) in [
        (&[0x0f, 0xc7, 0x27][..], Operation::Xsavec),
        (&[0x48, 0x0f, 0xc7, 0x27], Operation::Xsavec),
        (&[0x48, 0x0f, 0xc7, 0x2f], Operation::Xsaves),
        (&[0x48, 0x0f, 0xc7, 0x1f], Operation::Xrstors),
        (&[0x48, 0x0f, 0xae, 0x2f], Operation::Xrstor),
    ] {
        assert_eq!(operation_of(bytes), operation, "{bytes:x?}");
        assert_eq!(operation.exit_code(), None);
    }
}

#[test]
fn other_instructions_have_a_length() {
    for bytes in [
        &[0x0f, 0x0b][..],
        &[0x90],
        &[0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8],
        &[0xc5, 0xfc, 0x28, 0xc1],
        &[0x67, 0x48, 0x8b, 0x84, 0x88, 4, 3, 2, 1],
    ] {
        assert_eq!(operation_of(bytes), Operation::Other, "{bytes:x?}");
    }
    assert_eq!(Operation::Other.exit_code(), None);
}

#[test]
fn what_is_no_instruction() {
    let save = code(CodeSize::Bits64);
    let decode = |bytes: &[u8]| Instruction::decode(bytes, &save);
    for cut in 0..4 {
        let bytes = &[0xf2, 0x0f, 0x01, 0xff][..cut];
        assert_eq!(decode(bytes), Err(DecodeError::TooShort), "{cut}");
    }
    // PUSH ES is gone in 64-bit mode, and LOCK does not go with CPUID.
    assert_eq!(decode(&[0x06, 0x90]), Err(DecodeError::Unknown));
    assert_eq!(decode(&[0xf0, 0x0f, 0xa2]), Err(DecodeError::Unknown));
    // Prefixes beyond what an instruction may have.
    assert_eq!(decode(&[0x66; 15]), Err(DecodeError::Unknown));
    // TDCALL and VMCALL are Intel's; what is known of them is their length.
    assert_eq!(decode(&[0x66, 0x0f, 0x01, 0xcc]).map(|i| i.operation()), Ok(Operation::Other));
}

#[test]
fn the_mode_decides() {
    // INC EAX; RDMSR in 32-bit code, a REX prefix in 64-bit code.
    let bytes = [0x40, 0x0f, 0x32];
    let decode = |size| Instruction::decode(&bytes, &code(size)).map(|i| i.operation());
    assert_eq!(decode(CodeSize::Bits64), Ok(Operation::Rdmsr));
    assert_eq!(decode(CodeSize::Bits32), Ok(Operation::Other));
    assert_eq!(decode(CodeSize::Bits16), Ok(Operation::Other));
    // RMPADJUST exists in 64-bit mode only, PVALIDATE everywhere.
    let adjust = Instruction::decode(&[0xf3, 0x0f, 0x01, 0xfe], &code(CodeSize::Bits32));
    assert_eq!(adjust.map(|i| i.operation()), Err(DecodeError::Unknown));
    for size in [CodeSize::Bits16, CodeSize::Bits32] {
        let validate = Instruction::decode(&[0xf2, 0x0f, 0x01, 0xff], &code(size)).unwrap();
        assert_eq!(validate.operation(), Operation::Pvalidate);
    }
}

#[test]
fn memory_operands() {
    let address = |size, bytes: &[u8]| {
        let mut save = code(size);
        save.ds.base = 0xffff_f000;
        save.gs.base = 0x10_0000_0000;
        save.rax = 0xffff_ffff_0000_2000;
        let general = GeneralRegisters { rdi: 0x4000, r15: 0x10, ..Default::default() };
        Instruction::decode(bytes, &save).unwrap().memory_address(&save, &general)
    };
    let long = |bytes: &[u8]| address(CodeSize::Bits64, bytes);
    // XSAVEC [rdi]; XSAVEC [rdi + r15 * 8 + 0x40]; XSAVEC gs:[rax]
    assert_eq!(long(&[0x0f, 0xc7, 0x27]), Some(0x4000));
    assert_eq!(long(&[0x42, 0x0f, 0xc7, 0x64, 0xff, 0x40]), Some(0x40c0));
    assert_eq!(long(&[0x65, 0x0f, 0xc7, 0x20]), Some(0x0f_0000_2000));
    // XSAVEC [rip + 0x100]; INVLPG [eax]
    assert_eq!(long(&[0x0f, 0xc7, 0x25, 0, 1, 0, 0]), Some(0x1107));
    assert_eq!(long(&[0x67, 0x0f, 0x01, 0x38]), Some(0x2000));
    // With a base, and cut to 32 bits: INVLPG [eax], then INVLPG [di]
    assert_eq!(address(CodeSize::Bits32, &[0x0f, 0x01, 0x38]), Some(0x1000));
    assert_eq!(address(CodeSize::Bits16, &[0x0f, 0x01, 0x3d]), Some(0x3000));
    assert_eq!(long(&[0x0f, 0xa2]), None);
}

#[test]
fn implicit_operands() {
    let address = |size, bytes: &[u8]| {
        let mut save = code(size);
        save.rax = 0x1111_2222_3333_4444;
        Instruction::decode(bytes, &save).unwrap().implicit_address(&save)
    };
    let validate = &[0xf2, 0x0f, 0x01, 0xff];
    let short_address = &[0x67, 0xf2, 0x0f, 0x01, 0xff];
    assert_eq!(address(CodeSize::Bits64, validate), 0x1111_2222_3333_4444);
    assert_eq!(address(CodeSize::Bits64, short_address), 0x3333_4444);
    assert_eq!(address(CodeSize::Bits32, validate), 0x3333_4444);
    assert_eq!(address(CodeSize::Bits16, validate), 0x4444);
    assert_eq!(address(CodeSize::Bits64, &[0xf3, 0x0f, 0x01, 0xfe]), 0x1111_2222_3333_4444);
}

#[test]
fn the_sample_state_is_64_bit_code() {
    let vmsa = long_mode(Vmpl::Vmpl0);
    let mut save = SaveArea::new_zeroed();
    (save.efer, save.cs) = (vmsa.efer, vmsa.cs);
    assert_eq!(CodeSize::of(&save), CodeSize::Bits64);
}

proptest! {
    #[test]
    fn any_bytes_are_judged(bytes in prop::collection::vec(any::<u8>(), 0..20), size in 0..3_u8) {
        let size = match size {
            0 => CodeSize::Bits16,
            1 => CodeSize::Bits32,
            _ => CodeSize::Bits64,
        };
        let save = code(size);
        let general = GeneralRegisters::default();
        match Instruction::decode(&bytes, &save) {
            Ok(instruction) => {
                let length = usize::from(instruction.length());
                prop_assert!((1..=MAX_LENGTH).contains(&length) && length <= bytes.len());
                // What lies behind an instruction makes no difference.
                let alone = Instruction::decode(&bytes[..length], &save);
                prop_assert_eq!(alone.map(|i| i.operation()), Ok(instruction.operation()));
                if let Some(address) = instruction.memory_address(&save, &general) {
                    prop_assert!(size == CodeSize::Bits64 || address <= u64::from(u32::MAX));
                }
            }
            Err(DecodeError::TooShort) => prop_assert!(bytes.len() < MAX_LENGTH),
            Err(DecodeError::Unknown) => {
                // More bytes do not make it an instruction.
                let longer = [&bytes[..], &[0; 15]].concat();
                prop_assert_eq!(
                    Instruction::decode(&longer, &save),
                    Err(DecodeError::Unknown)
                );
            }
        }
    }
}
