//! Instructions one by one, and a second decoder as judge.

extern crate std;

use abi_x86::Msr;
use iced_x86::{Decoder, DecoderOptions, Mnemonic, OpKind, Register};
use proptest::prelude::*;

use super::*;
use crate::length::MAX_LENGTH;
use crate::samples::frame;
use crate::string_access::Transferred;

/// A frame with some registers changed.
macro_rules! with {
    ($base:expr; $($register:ident: $value:expr),*) => {{
        let mut changed = $base;
        $(changed.$register = $value;)*
        changed
    }};
}

/// Decodes; what the answer does to the frame is compared with this one.
fn decode(bytes: &[u8], code: ExitCode) -> (Result<Intercepted, Refusal>, TrapFrame) {
    let frame = frame(code);
    (Intercepted::decode(bytes, &frame), frame)
}

/// The frame behind an instruction of this length, otherwise unchanged.
fn behind(code: ExitCode, length: u64) -> TrapFrame {
    let frame = frame(code);
    with!(frame.clone(); rip: frame.rip + length, rflags: 2)
}

#[test]
fn cpuid_asks_with_32_bits_and_clears_upper_halves() {
    let (decoded, mut frame) = decode(&[0x0f, 0xa2, 0xcc], ExitCode::CPUID);
    let Ok(Intercepted::Cpuid(call)) = decoded else { panic!("{decoded:?}") };
    assert_eq!((call.leaf(), call.subleaf()), (0xa1a2_a3a4, 0xc1c2_c3c4));
    call.answer(&mut frame, [1, 2, 3, u32::MAX]);
    let expected = with!(behind(ExitCode::CPUID, 2); rax: 1, rbx: 2, rcx: 3, rdx: 0xffff_ffff);
    assert_eq!(frame, expected);
}

#[test]
fn reads_of_ports_change_as_much_of_rax_as_is_read() {
    let cases: [(&[u8], u16, PortIoWidth, u64); 8] = [
        (&[0xe4, 0x80], 0x80, PortIoWidth::One, 0xaaaa_aaaa_a1a2_a3f4),
        (&[0x66, 0xe5, 0xff], 0xff, PortIoWidth::Two, 0xaaaa_aaaa_a1a2_f3f4),
        (&[0xe5, 0x12], 0x12, PortIoWidth::Four, 0xf1f2_f3f4),
        (&[0xec], 0xd3d4, PortIoWidth::One, 0xaaaa_aaaa_a1a2_a3f4),
        (&[0x66, 0xed], 0xd3d4, PortIoWidth::Two, 0xaaaa_aaaa_a1a2_f3f4),
        (&[0xed], 0xd3d4, PortIoWidth::Four, 0xf1f2_f3f4),
        (&[0x48, 0xed], 0xd3d4, PortIoWidth::Four, 0xf1f2_f3f4),
        (&[0x48, 0xe5, 0x12], 0x12, PortIoWidth::Four, 0xf1f2_f3f4),
    ];
    for (bytes, port, width, rax) in cases {
        let (decoded, mut frame) = decode(bytes, ExitCode::IO);
        let Ok(Intercepted::ReadPort(access)) = decoded else { panic!("{bytes:x?} {decoded:?}") };
        assert_eq!((access.port(), access.width()), (port, width), "{bytes:x?}");
        access.answer(&mut frame, 0xf1f2_f3f4);
        let expected = with!(behind(ExitCode::IO, bytes.len() as u64); rax: rax);
        assert_eq!(frame, expected, "{bytes:x?}");
    }
}

#[test]
fn writes_to_ports_take_as_much_of_rax_as_is_written() {
    let cases: [(&[u8], u16, PortIoWidth, u32); 7] = [
        (&[0xe6, 0x80], 0x80, PortIoWidth::One, 0xa4),
        (&[0x66, 0xe7, 0xff], 0xff, PortIoWidth::Two, 0xa3a4),
        (&[0xe7, 0x12], 0x12, PortIoWidth::Four, 0xa1a2_a3a4),
        (&[0xee], 0xd3d4, PortIoWidth::One, 0xa4),
        (&[0x66, 0xef], 0xd3d4, PortIoWidth::Two, 0xa3a4),
        (&[0xef], 0xd3d4, PortIoWidth::Four, 0xa1a2_a3a4),
        (&[0x48, 0xef], 0xd3d4, PortIoWidth::Four, 0xa1a2_a3a4),
    ];
    for (bytes, port, width, value) in cases {
        let (decoded, mut frame) = decode(bytes, ExitCode::IO);
        let Ok(Intercepted::WritePort(access)) = decoded else { panic!("{bytes:x?} {decoded:?}") };
        assert_eq!((access.port(), access.width(), access.value()), (port, width, value));
        access.answer(&mut frame);
        assert_eq!(frame, behind(ExitCode::IO, bytes.len() as u64), "{bytes:x?}");
    }
}

#[test]
fn model_specific_registers_move_through_two_halves() {
    let (decoded, mut frame) = decode(&[0x0f, 0x32], ExitCode::MSR);
    let Ok(Intercepted::ReadMsr(access)) = decoded else { panic!("{decoded:?}") };
    assert_eq!(access.msr(), Msr(0xc1c2_c3c4));
    access.answer(&mut frame, 0x1122_3344_5566_7788);
    let expected = with!(behind(ExitCode::MSR, 2); rax: 0x5566_7788, rdx: 0x1122_3344);
    assert_eq!(frame, expected);

    let (decoded, mut frame) = decode(&[0x0f, 0x30], ExitCode::MSR);
    let Ok(Intercepted::WriteMsr(access)) = decoded else { panic!("{decoded:?}") };
    assert_eq!((access.msr(), access.value()), (Msr(0xc1c2_c3c4), 0xd1d2_d3d4_a1a2_a3a4));
    access.answer(&mut frame);
    assert_eq!(frame, behind(ExitCode::MSR, 2));
}

#[test]
fn time_comes_with_aux_where_it_is_asked_for() {
    let (decoded, mut frame) = decode(&[0x0f, 0x31], ExitCode::RDTSC);
    let Ok(Intercepted::ReadTimeStamp(read)) = decoded else { panic!("{decoded:?}") };
    assert!(!read.wants_aux());
    read.answer(&mut frame, 0x1_0000_0002, 7);
    assert_eq!(frame, with!(behind(ExitCode::RDTSC, 2); rax: 2, rdx: 1));

    let (decoded, mut frame) = decode(&[0x0f, 0x01, 0xf9], ExitCode::RDTSCP);
    let Ok(Intercepted::ReadTimeStamp(read)) = decoded else { panic!("{decoded:?}") };
    assert!(read.wants_aux());
    read.answer(&mut frame, 0x1_0000_0002, 7);
    assert_eq!(frame, with!(behind(ExitCode::RDTSCP, 3); rax: 2, rcx: 7, rdx: 1));
}

#[test]
fn strings_move_up_and_down_in_rounds() {
    // rep outsw, upwards.
    let mut frame = with!(frame(ExitCode::IO); rcx: 5);
    let decoded = Intercepted::decode(&[0xf3, 0x66, 0x6f], &frame);
    let Ok(Intercepted::String(access)) = decoded else { panic!("{decoded:?}") };
    assert_eq!((access.port(), access.width(), access.count()), (0xd3d4, PortIoWidth::Two, 5));
    assert_eq!(access.direction(), PortIoDirection::Out);
    assert_eq!((access.address_of(0), access.address_of(4)), (0x1_0000, 0x1_0008));
    let before = frame.clone();
    assert_eq!(access.transferred(&mut frame, 3), Transferred::Part);
    assert_eq!(frame, with!(before; rcx: 2, rsi: 0x1_0006));
    let decoded = Intercepted::decode(&[0xf3, 0x66, 0x6f], &frame);
    let Ok(Intercepted::String(access)) = decoded else { panic!("{decoded:?}") };
    // More than there are do not count.
    assert_eq!(access.transferred(&mut frame, u64::MAX), Transferred::All);
    let expected = with!(behind(ExitCode::IO, 3); rcx: 0, rsi: 0x1_000a);
    assert_eq!(frame, expected);

    // insd, once, downwards; RCX does not matter.
    let mut frame = with!(self::frame(ExitCode::IO); rflags: 0x402);
    let decoded = Intercepted::decode(&[0x6d], &frame);
    let Ok(Intercepted::String(access)) = decoded else { panic!("{decoded:?}") };
    assert_eq!((access.direction(), access.count()), (PortIoDirection::In, 1));
    assert_eq!(access.transferred(&mut frame, 0), Transferred::Part);
    assert_eq!(access.transferred(&mut frame, 1), Transferred::All);
    let expected = with!(behind(ExitCode::IO, 1); rdi: 0x1_fffc, rflags: 0x402);
    assert_eq!(frame, expected);

    // rep insb, zero times.
    let mut frame = with!(self::frame(ExitCode::IO); rcx: 0);
    let decoded = Intercepted::decode(&[0xf3, 0x6c], &frame);
    let Ok(Intercepted::String(access)) = decoded else { panic!("{decoded:?}") };
    assert_eq!((access.count(), access.width()), (0, PortIoWidth::One));
    assert_eq!(access.transferred(&mut frame, 0), Transferred::All);
    assert_eq!(frame, with!(behind(ExitCode::IO, 2); rcx: 0));
}

#[test]
fn forms_that_the_kernel_does_not_use_are_refused() {
    for bytes in
        [[0xf2, 0x6c].as_slice(), &[0x67, 0x6d], &[0x67, 0x6f], &[0x65, 0x6f], &[0xf3, 0x64, 0x6e]]
    {
        assert_eq!(decode(bytes, ExitCode::IO).0, Err(Refusal::UnusedForm), "{bytes:x?}");
    }
    // Segments without a base, and a prefix that INS ignores.
    for bytes in [[0x3e, 0x6f], [0x65, 0x6d]] {
        assert!(matches!(decode(&bytes, ExitCode::IO).0, Ok(Intercepted::String(_))), "{bytes:x?}");
    }
}

#[test]
fn injected_exceptions_are_found_out() {
    let fitting: [(&[u8], ExitCode); 8] = [
        (&[0x0f, 0xa2], ExitCode::CPUID),
        (&[0xec], ExitCode::IO),
        (&[0xee], ExitCode::IO),
        (&[0x6e], ExitCode::IO),
        (&[0x0f, 0x30], ExitCode::MSR),
        (&[0x0f, 0x32], ExitCode::MSR),
        (&[0x0f, 0x31], ExitCode::RDTSC),
        (&[0x0f, 0x01, 0xf9], ExitCode::RDTSCP),
    ];
    for (bytes, right) in fitting {
        for (_, code) in fitting {
            let result = decode(bytes, code).0;
            if code == right {
                assert!(result.is_ok(), "{bytes:x?}");
            } else {
                assert_eq!(result, Err(Refusal::CodeDoesNotFit { code }), "{bytes:x?}");
            }
        }
    }
    // NOP, HLT, VMGEXIT, a read of memory.
    for bytes in [[0x90].as_slice(), &[0xf4], &[0xf3, 0x0f, 0x01, 0xd9], &[0x8b, 0x00]] {
        for (_, code) in fitting {
            assert_eq!(decode(bytes, code).0, Err(Refusal::CodeDoesNotFit { code }), "{bytes:x?}");
        }
    }
}

#[test]
fn other_exits_levels_and_bytes_are_refused() {
    for code in [0x400, 0x81, 0x78, 0x27, 0x37, 0x6f, 0x8d, 0, u64::MAX] {
        let code = ExitCode(code);
        assert_eq!(decode(&[0x0f, 0xa2], code).0, Err(Refusal::Unexpected { code }));
    }
    for level in 1..4 {
        let frame = with!(frame(ExitCode::CPUID); cs: 0x20 | u64::from(level));
        let refusal = Intercepted::decode(&[0x0f, 0xa2], &frame).unwrap_err();
        assert_eq!(refusal, Refusal::PrivilegeLevel(level));
    }
    for bytes in [[].as_slice(), &[0x0f], &[0xe4], &[0x06], &[0x66; 15], &[0xf0, 0x0f, 0xa2]] {
        let refusal = decode(bytes, ExitCode::CPUID).0.unwrap_err();
        let expected = [Refusal::NoInstruction, Refusal::CodeDoesNotFit { code: ExitCode::CPUID }];
        assert!(expected.contains(&refusal), "{bytes:x?} {refusal:?}");
    }
}

/// What another decoder says: the exit that the instruction makes, with its
/// length and width.
fn judge(bytes: &[u8]) -> Option<(ExitCode, u64, Option<u8>)> {
    let mut decoder = Decoder::with_ip(64, bytes, 0, DecoderOptions::AMD);
    let decoded = decoder.decode();
    let width = |register| match register {
        Register::AL => 1,
        Register::AX => 2,
        _ => 4,
    };
    let (code, width) = match decoded.mnemonic() {
        Mnemonic::Cpuid => (ExitCode::CPUID, None),
        Mnemonic::Rdmsr | Mnemonic::Wrmsr if decoded.op_count() == 0 => (ExitCode::MSR, None),
        Mnemonic::Rdtsc => (ExitCode::RDTSC, None),
        Mnemonic::Rdtscp => (ExitCode::RDTSCP, None),
        Mnemonic::In => (ExitCode::IO, Some(width(decoded.op0_register()))),
        Mnemonic::Out => (ExitCode::IO, Some(width(decoded.op1_register()))),
        Mnemonic::Insb | Mnemonic::Outsb => (ExitCode::IO, Some(1)),
        Mnemonic::Insw | Mnemonic::Outsw => (ExitCode::IO, Some(2)),
        Mnemonic::Insd | Mnemonic::Outsd => (ExitCode::IO, Some(4)),
        _ => return None,
    };
    // Immediate ports are bytes.
    let kinds = [decoded.op0_kind(), decoded.op1_kind()];
    assert!(code != ExitCode::IO || !kinds.contains(&OpKind::Immediate16));
    Some((code, decoded.len() as u64, width))
}

fn width_of(decoded: &Intercepted) -> Option<u8> {
    Some(match decoded {
        Intercepted::ReadPort(access) => access.width() as u8,
        Intercepted::WritePort(access) => access.width() as u8,
        Intercepted::String(access) => access.width() as u8,
        _ => return None,
    })
}

/// Finishes with an answer of zeros.
fn finish(decoded: Intercepted, frame: &mut TrapFrame) {
    match decoded {
        Intercepted::Cpuid(call) => call.answer(frame, [0; 4]),
        Intercepted::ReadPort(access) => access.answer(frame, 0),
        Intercepted::WritePort(access) => access.answer(frame),
        Intercepted::String(access) => {
            assert_eq!(access.transferred(frame, access.count()), Transferred::All);
        }
        Intercepted::ReadMsr(access) => access.answer(frame, 0),
        Intercepted::WriteMsr(access) => access.answer(frame),
        Intercepted::ReadTimeStamp(read) => read.answer(frame, 0, 0),
    }
}

/// Bytes among which the instructions that are answered are frequent.
fn bytes() -> impl Strategy<Value = [u8; MAX_LENGTH]> {
    let prefix =
        prop::sample::select(&[0x66_u8, 0x67, 0xf2, 0xf3, 0x2e, 0x3e, 0x26, 0x36, 0x64, 0x65]);
    let rex = prop::option::of(0x40..0x50_u8);
    let opcode = prop_oneof![
        prop::sample::select(std::vec![
            std::vec![0x0f_u8, 0xa2],
            std::vec![0x0f, 0x30],
            std::vec![0x0f, 0x31],
            std::vec![0x0f, 0x32],
            std::vec![0x0f, 0x01, 0xf9],
        ]),
        prop::sample::select(&[
            0x6c_u8, 0x6d, 0x6e, 0x6f, 0xe4, 0xe5, 0xe6, 0xe7, 0xec, 0xed, 0xee, 0xef
        ])
        .prop_map(|byte| std::vec![byte]),
        any::<[u8; 3]>().prop_map(|bytes| bytes.to_vec()),
    ];
    (prop::collection::vec(prefix, 0..4), rex, opcode, any::<[u8; MAX_LENGTH]>()).prop_map(
        |(prefixes, rex, opcode, mut bytes)| {
            let start = prefixes.into_iter().chain(rex).chain(opcode);
            for (to, from) in bytes.iter_mut().zip(start) {
                *to = from;
            }
            // Several REX prefixes in a row are no instruction to one decoder.
            for next in 1..bytes.len() {
                if bytes[next - 1] & 0xf0 == 0x40 && bytes[next] & 0xf0 == 0x40 {
                    bytes[next] = 0x90;
                }
            }
            bytes
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// Nothing is answered that another decoder sees differently, and the
    /// instructions of a kernel are answered.
    #[test]
    fn two_decoders_agree(bytes in bytes()) {
        for code in [ExitCode::CPUID, ExitCode::IO, ExitCode::MSR, ExitCode::RDTSC, ExitCode::RDTSCP] {
            let mut frame = frame(code);
            match Intercepted::decode(&bytes, &frame) {
                Ok(decoded) => {
                    let (rip, width) = (frame.rip, width_of(&decoded));
                    finish(decoded, &mut frame);
                    prop_assert_eq!(Some((code, frame.rip - rip, width)), judge(&bytes));
                }
                Err(Refusal::UnusedForm) => prop_assert_eq!(code, ExitCode::IO),
                Err(refusal) => {
                    let right = judge(&bytes).map(|(right, _, _)| right);
                    prop_assert_ne!(right, Some(code), "{:x?} {:?}", bytes, refusal);
                }
            }
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..16), code: u64, cs: u64) {
        let frame = with!(frame(ExitCode::IO); error_code: code, cs: cs);
        let _ = Intercepted::decode(&bytes, &frame);
        for code in [0x72, 0x7b, 0x7c, 0x6e, 0x87] {
            let frame = with!(self::frame(ExitCode::IO); error_code: code);
            let _ = Intercepted::decode(&bytes, &frame);
        }
    }
}
