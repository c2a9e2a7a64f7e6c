//! Instructions as assemblers write them, with good and bad addresses.

use abi_x86::ExceptionVector;
use processor::TrapFrame;

use super::*;

/// No address.
const BAD: u64 = 0x0100_0000_0000_0000;

/// Registers of kernel code, all of them addresses.
fn frame() -> TrapFrame {
    let mut frame = TrapFrame::default();
    let place = 0xffff_ffff_8000_1000;
    for register in [
        &mut frame.rax,
        &mut frame.rbx,
        &mut frame.rsi,
        &mut frame.rdi,
        &mut frame.rbp,
        &mut frame.rsp,
        &mut frame.rip,
        &mut frame.r8,
        &mut frame.r12,
    ] {
        *register = place;
    }
    frame.cs = 8;
    frame
}

fn raised(vector: ExceptionVector, bytes: &[u8], frame: &TrapFrame) -> bool {
    let mut padded = [0x90; 15];
    padded[..bytes.len()].copy_from_slice(bytes);
    can_have_raised(vector, Code { before: None, at: &padded }, frame)
}

fn divides(bytes: &[u8]) -> bool {
    raised(ExceptionVector::DIVIDE_ERROR, bytes, &frame())
}

fn protected(bytes: &[u8], frame: &TrapFrame) -> bool {
    raised(ExceptionVector::GENERAL_PROTECTION, bytes, frame)
}

fn stacked(bytes: &[u8], frame: &TrapFrame) -> bool {
    raised(ExceptionVector::STACK, bytes, frame)
}

#[test]
fn only_divisions_divide() {
    // div rcx; idiv ecx; div qword [rsi]; div r8
    for division in
        [&[0x48, 0xf7, 0xf1][..], &[0xf7, 0xf9], &[0x48, 0xf7, 0x36], &[0x49, 0xf7, 0xf0]]
    {
        assert!(divides(division), "{division:x?}");
    }
    // mul rcx; mov rax, [rsi]; nop; rdmsr
    for other in [&[0x48, 0xf7, 0xe1][..], &[0x48, 0x8b, 0x06], &[0x90], &[0x0f, 0x32]] {
        assert!(!divides(other), "{other:x?}");
    }
}

#[test]
fn breakpoints_leave_rip_behind_them() {
    let after = |before| {
        let code = Code { before, at: &[0xcc; 15] };
        can_have_raised(ExceptionVector::BREAKPOINT, code, &frame())
    };
    assert!(after(Some(0xcc)));
    assert!(!after(Some(0x90)));
    assert!(!after(None));
}

#[test]
fn bad_addresses_are_the_codes_own_fault() {
    // mov rax, [rsi+8]; mov [r12+rbx*8], rax; rep movsb; cmp byte [rdi], 0
    type Register = fn(&mut TrapFrame) -> &mut u64;
    let accesses: [(&[u8], Register); 4] = [
        (&[0x48, 0x8b, 0x46, 0x08], |frame| &mut frame.rsi),
        (&[0x49, 0x89, 0x04, 0xdc], |frame| &mut frame.r12),
        (&[0xf3, 0xa4], |frame| &mut frame.rdi),
        (&[0x80, 0x3f, 0x00], |frame| &mut frame.rdi),
    ];
    for (bytes, register) in accesses {
        let mut frame = frame();
        // Scaled by 8 it must still be an address.
        frame.rbx = 0x10;
        assert!(!protected(bytes, &frame), "{bytes:x?}");
        *register(&mut frame) = BAD;
        assert!(protected(bytes, &frame), "{bytes:x?}");
        assert!(!stacked(bytes, &frame), "{bytes:x?} uses no stack");
    }
}

#[test]
fn sums_count_not_their_parts() {
    // mov rax, [rsi+rbx]
    let bytes = [0x48, 0x8b, 0x04, 0x1e];
    let mut frame = frame();
    (frame.rsi, frame.rbx) = (BAD, BAD.wrapping_neg().wrapping_add(0x1000));
    assert!(!protected(&bytes, &frame));
    (frame.rsi, frame.rbx) = (BAD / 2, BAD / 2);
    assert!(protected(&bytes, &frame));
}

#[test]
fn bad_stacks_are_the_codes_own_fault() {
    // push rax; pop rax; mov rax, [rsp+8]; mov rax, [rbp-8]; leave; call +0; ret
    let accesses: [&[u8]; 7] = [
        &[0x50],
        &[0x58],
        &[0x48, 0x8b, 0x44, 0x24, 0x08],
        &[0x48, 0x8b, 0x45, 0xf8],
        &[0xc9],
        &[0xe8, 0, 0, 0, 0],
        &[0xc3],
    ];
    for bytes in accesses {
        let mut frame = frame();
        assert!(!stacked(bytes, &frame), "{bytes:x?}");
        (frame.rsp, frame.rbp) = (BAD, BAD);
        assert!(stacked(bytes, &frame), "{bytes:x?}");
    }
    // add rax, rbx
    let mut frame = frame();
    (frame.rsp, frame.rbp) = (BAD, BAD);
    assert!(!stacked(&[0x48, 0x01, 0xd8], &frame));
}

#[test]
fn plain_code_raises_nothing() {
    // add rax, rbx; jz +5; lea rax, [rsi]; cmove rax, rbx; test al, al;
    // mov rax, gs:[0]; call +5; lock xadd [rsi], rax; mov rax, [rip+4]
    for bytes in [
        &[0x48, 0x01, 0xd8][..],
        &[0x74, 0x05],
        &[0x48, 0x8d, 0x06],
        &[0x48, 0x0f, 0x44, 0xc3],
        &[0x84, 0xc0],
        &[0x65, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0],
        &[0xe8, 5, 0, 0, 0],
        &[0xf0, 0x48, 0x0f, 0xc1, 0x06],
        &[0x48, 0x8b, 0x05, 4, 0, 0, 0],
    ] {
        assert!(!protected(bytes, &frame()), "{bytes:x?}");
        assert!(!stacked(bytes, &frame()), "{bytes:x?}");
    }
}

#[test]
fn what_has_other_reasons_may_be_the_cause() {
    // wrmsr; mov cr4, rax; mov ds, ax; iretq; ret; jmp rax; lidt [rax];
    // cmpxchg16b [rsi]; xsetbv; movaps xmm0, [rsi]; int 0x80; mov al, [esi]
    for bytes in [
        &[0x0f, 0x30][..],
        &[0x0f, 0x22, 0xe0],
        &[0x8e, 0xd8],
        &[0x48, 0xcf],
        &[0xc3],
        &[0xff, 0xe0],
        &[0x0f, 0x01, 0x18],
        &[0x48, 0x0f, 0xc7, 0x0e],
        &[0x0f, 0x01, 0xd1],
        &[0x0f, 0x28, 0x06],
        &[0xcd, 0x80],
        &[0x67, 0x8a, 0x06],
    ] {
        assert!(protected(bytes, &frame()), "{bytes:x?}");
    }
    // What is no instruction cannot be judged.
    assert!(protected(&[0x06], &frame()));
}

#[test]
fn the_register_of_the_protocol_never_faults() {
    let mut frame = frame();
    frame.rcx = 0xc001_0130;
    for bytes in [[0x0f, 0x32], [0x0f, 0x30]] {
        assert!(!protected(&bytes, &frame));
        assert!(!stacked(&bytes, &frame));
        frame.rcx += 1;
        assert!(protected(&bytes, &frame));
        frame.rcx -= 1;
    }
}

#[test]
fn where_there_is_no_code() {
    let judged = |vector, rip| {
        let mut frame = frame();
        frame.rip = rip;
        can_have_raised(vector, Code::default(), &frame)
    };
    assert!(judged(ExceptionVector::GENERAL_PROTECTION, BAD));
    assert!(!judged(ExceptionVector::GENERAL_PROTECTION, 0x1000));
    assert!(!judged(ExceptionVector::STACK, BAD));
    assert!(!judged(ExceptionVector::DIVIDE_ERROR, BAD));
}

#[test]
fn other_exceptions_are_not_judged() {
    assert!(raised(ExceptionVector::PAGE_FAULT, &[0x90], &frame()));
}
