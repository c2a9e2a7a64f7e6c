//! Entry points of all 256 vectors.
//!
//! Each pushes what makes the stack look the same for all vectors, an error
//! code if the processor has not, and its number; the common part pushes the
//! general-purpose registers, which completes a `TrapFrame`, and takes all of
//! it off again when the handler returns.

use core::arch::global_asm;

use abi_x86::ExceptionVector;
use processor::Stubs;

use super::handler::handle;

/// Bytes from one stub to the next.
const STRIDE: u64 = 16;

/// Bit `n` is set if the processor pushes an error code for vector `n`. No
/// vector above 31 has one.
const WITH_ERROR_CODE: u32 = {
    let mut mask = 0;
    let mut vector = 0;
    while vector < 32 {
        if ExceptionVector(vector).pushes_error_code() {
            mask |= 1 << vector;
        }
        vector += 1;
    }
    mask
};

unsafe extern "C" {
    /// The stub of vector 0; the stub of vector `n` lies `n *` [`STRIDE`]
    /// further. Code that only the processor may enter, by a gate.
    static simulator_trap_stubs: [u8; 256 * STRIDE as usize];
}

/// Where the stubs are.
pub(super) fn all() -> Stubs {
    Stubs { first: (&raw const simulator_trap_stubs).addr() as u64, stride: STRIDE }
}

// INV-HV-TRAP-1: the order of the pushes is the reverse of `TrapFrame`'s fields,
// and that of the pops is the reverse of the pushes. The vector is pushed as a
// signed byte, so that every stub fits its stride.
global_asm!(
    ".pushsection .text.simulator_trap, \"ax\", @progbits",
    ".balign {stride}",
    "simulator_trap_stubs:",
    ".global simulator_trap_stubs",
    ".set vector, 0",
    ".rept 256",
    ".balign {stride}, 0xcc",
    ".if vector >= 32 || !(({with_error_code} >> vector) & 1)",
    "push 0",
    ".endif",
    ".byte 0x6a, vector & 0xff", // push sign-extended byte
    "jmp simulator_trap",
    ".set vector, vector + 1",
    ".endr",
    ".balign {stride}, 0xcc",
    "simulator_trap:",
    ".irp register, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15",
    "push \\register",
    ".endr",
    "cld",
    "mov rdi, rsp",
    "call {handle}",
    ".irp register, r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax",
    "pop \\register",
    ".endr",
    "add rsp, 16", // vector and error code
    "iretq",
    ".popsection",
    stride = const STRIDE,
    with_error_code = const WITH_ERROR_CODE,
    handle = sym handle,
);
