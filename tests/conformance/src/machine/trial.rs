//! Runs an instruction under test, in supervisor or user mode.

use core::arch::naked_asm;
use core::mem::offset_of;

use super::registers::{Registers, Trial};
use super::segments::{USER_CODE_SELECTOR, USER_DATA_SELECTOR};

/// Runs `trial.code` with `trial.registers`, in which it leaves the result.
///
/// While it runs, the context that GS points at names the trial; the trap
/// handler completes it and goes on at [`trapped`] if there is an exception. In
/// user mode there always is.
///
/// # Safety
///
/// `trial` is valid for reads and writes and nobody else uses it meanwhile; GS
/// points at this processor's context; the code and the registers keep the
/// promise of whoever made them (INV-CF-TRIAL-1).
#[unsafe(naked)]
pub(super) unsafe extern "C" fn run(trial: *mut Trial) {
    naked_asm!(
        "push rbx",
        "push rbp",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "pushfq",
        "mov gs:[0], rdi",
        "mov [rdi + {return_stack}], rsp",
        "mov rax, [rdi + {code}]",
        "mov gs:[8], rax",
        // In user mode, a frame for IRETQ comes first.
        "mov rcx, [rdi + {user_stack}]",
        "test rcx, rcx",
        "jz 2f",
        "push {user_data}",
        "push rcx",
        "push qword ptr [rdi + {rflags}]",
        "push {user_code}",
        "push rax",
        "call 5f",
        "iretq",
        "2:",
        "push qword ptr [rdi + {rflags}]",
        "popfq",
        "call 5f",
        "call qword ptr gs:[8]",
        // Back without an exception.
        "push rdi",
        "mov rdi, gs:[0]",
        "mov [rdi + {rax}], rax",
        "mov [rdi + {rbx}], rbx",
        "mov [rdi + {rcx}], rcx",
        "mov [rdi + {rdx}], rdx",
        "mov [rdi + {rsi}], rsi",
        "mov [rdi + {rbp}], rbp",
        "mov [rdi + {r8}], r8",
        "mov [rdi + {r9}], r9",
        "mov [rdi + {r10}], r10",
        "mov [rdi + {r11}], r11",
        "mov [rdi + {r12}], r12",
        "mov [rdi + {r13}], r13",
        "mov [rdi + {r14}], r14",
        "mov [rdi + {r15}], r15",
        "pop qword ptr [rdi + {rdi}]",
        "pushfq",
        "pop qword ptr [rdi + {rflags}]",
        "jmp {trapped}",
        // Loads all registers from the trial at RDI; keeps RFLAGS.
        "5:",
        "mov rax, [rdi + {rax}]",
        "mov rbx, [rdi + {rbx}]",
        "mov rcx, [rdi + {rcx}]",
        "mov rdx, [rdi + {rdx}]",
        "mov rsi, [rdi + {rsi}]",
        "mov rbp, [rdi + {rbp}]",
        "mov r8, [rdi + {r8}]",
        "mov r9, [rdi + {r9}]",
        "mov r10, [rdi + {r10}]",
        "mov r11, [rdi + {r11}]",
        "mov r12, [rdi + {r12}]",
        "mov r13, [rdi + {r13}]",
        "mov r14, [rdi + {r14}]",
        "mov r15, [rdi + {r15}]",
        "mov rdi, [rdi + {rdi}]",
        "ret",
        return_stack = const offset_of!(Trial, return_stack),
        code = const offset_of!(Trial, code),
        user_stack = const offset_of!(Trial, user_stack),
        user_code = const USER_CODE_SELECTOR.0,
        user_data = const USER_DATA_SELECTOR.0,
        rax = const offset_of!(Registers, rax),
        rbx = const offset_of!(Registers, rbx),
        rcx = const offset_of!(Registers, rcx),
        rdx = const offset_of!(Registers, rdx),
        rsi = const offset_of!(Registers, rsi),
        rdi = const offset_of!(Registers, rdi),
        rbp = const offset_of!(Registers, rbp),
        r8 = const offset_of!(Registers, r8),
        r9 = const offset_of!(Registers, r9),
        r10 = const offset_of!(Registers, r10),
        r11 = const offset_of!(Registers, r11),
        r12 = const offset_of!(Registers, r12),
        r13 = const offset_of!(Registers, r13),
        r14 = const offset_of!(Registers, r14),
        r15 = const offset_of!(Registers, r15),
        rflags = const offset_of!(Registers, rflags),
        trapped = sym trapped,
    )
}

/// The end of every trial: goes back to who called [`run`].
///
/// # Safety
///
/// RDI is the trial that [`run`] was called with, on this processor, and its
/// result is complete. Only [`run`] and the trap handler come here.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn trapped() {
    naked_asm!(
        "mov rsp, [rdi + {return_stack}]",
        "mov qword ptr gs:[0], 0",
        "cld",
        "popfq",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbp",
        "pop rbx",
        "ret",
        return_stack = const offset_of!(Trial, return_stack),
    )
}

const _: () = assert!(offset_of!(Trial, registers) == 0);
