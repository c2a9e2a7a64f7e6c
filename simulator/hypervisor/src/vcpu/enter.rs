//! World switch: into the guest and back.

use core::arch::naked_asm;
use core::mem::offset_of;
use core::ptr;

use abi_svm::Vmcb;
use machine::processor::GeneralRegisters;

/// Runs the guest of `vmcb` with `registers` until it exits. `host` is where
/// VMSAVE keeps the host's state meanwhile.
///
/// INV-HV-RUN-1 holds for `vmcb`: only [`Vcpu`](super::Vcpu) has one.
pub(super) fn enter(vmcb: &mut Vmcb, host: &mut Vmcb, registers: &mut GeneralRegisters) {
    let physical = |vmcb: &mut Vmcb| ptr::from_mut(vmcb).expose_provenance() as u64;
    // SAFETY: INV-HV-RUN-1: SVM is on, the blocks lie at their physical
    // addresses, and the guest reaches nothing of the host's. The references
    // are exclusive, so that nobody else sees the processor's changes.
    unsafe { world_switch(physical(vmcb), physical(host), registers) }
}

/// Saves the host, loads the guest, runs it, and the same back.
///
/// Interrupts are off for the host before and after. While the guest runs, a
/// pending physical interrupt ends the run: VMRUN looks at the host's interrupt
/// flag, so it is set, with the global interrupt flag clear until the guest runs
/// [APM 24593 §15.17, §15.21.1].
///
/// # Safety
///
/// As the caller says. `vmcb` and `host` are physical addresses.
#[unsafe(naked)]
unsafe extern "C" fn world_switch(vmcb: u64, host: u64, registers: *mut GeneralRegisters) {
    naked_asm!(
        "push rbx",
        "push rbp",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "push rdx",
        "push rsi",
        "push rdi",
        "clgi",
        "sti",
        "mov rax, rsi",
        "vmsave rax",
        "mov rax, rdi",
        "vmload rax",
        "mov rbx, [rdx + {rbx}]",
        "mov rcx, [rdx + {rcx}]",
        "mov rsi, [rdx + {rsi}]",
        "mov rdi, [rdx + {rdi}]",
        "mov rbp, [rdx + {rbp}]",
        "mov r8, [rdx + {r8}]",
        "mov r9, [rdx + {r9}]",
        "mov r10, [rdx + {r10}]",
        "mov r11, [rdx + {r11}]",
        "mov r12, [rdx + {r12}]",
        "mov r13, [rdx + {r13}]",
        "mov r14, [rdx + {r14}]",
        "mov r15, [rdx + {r15}]",
        "mov rdx, [rdx + {rdx}]",
        "vmrun rax",
        // The exit restored RAX and RSP of the host.
        "cli",
        "vmsave rax",
        "mov rax, [rsp + 16]",
        "mov [rax + {rbx}], rbx",
        "mov [rax + {rcx}], rcx",
        "mov [rax + {rdx}], rdx",
        "mov [rax + {rsi}], rsi",
        "mov [rax + {rdi}], rdi",
        "mov [rax + {rbp}], rbp",
        "mov [rax + {r8}], r8",
        "mov [rax + {r9}], r9",
        "mov [rax + {r10}], r10",
        "mov [rax + {r11}], r11",
        "mov [rax + {r12}], r12",
        "mov [rax + {r13}], r13",
        "mov [rax + {r14}], r14",
        "mov [rax + {r15}], r15",
        "mov rax, [rsp + 8]",
        "vmload rax",
        "stgi",
        "add rsp, 24",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbp",
        "pop rbx",
        "cld",
        "ret",
        rbx = const offset_of!(GeneralRegisters, rbx),
        rcx = const offset_of!(GeneralRegisters, rcx),
        rdx = const offset_of!(GeneralRegisters, rdx),
        rsi = const offset_of!(GeneralRegisters, rsi),
        rdi = const offset_of!(GeneralRegisters, rdi),
        rbp = const offset_of!(GeneralRegisters, rbp),
        r8 = const offset_of!(GeneralRegisters, r8),
        r9 = const offset_of!(GeneralRegisters, r9),
        r10 = const offset_of!(GeneralRegisters, r10),
        r11 = const offset_of!(GeneralRegisters, r11),
        r12 = const offset_of!(GeneralRegisters, r12),
        r13 = const offset_of!(GeneralRegisters, r13),
        r14 = const offset_of!(GeneralRegisters, r14),
        r15 = const offset_of!(GeneralRegisters, r15),
    )
}
