//! Entry points of all 256 vectors.
//!
//! Every stub pushes what makes the stack look the same for all vectors, an
//! error code if the processor has not, and its number; then the common part
//! pushes the general-purpose registers, which completes a `TrapFrame`. When the
//! handler returns, all registers get the values that it left in the frame.
//!
//! Code for this target uses no vector registers, so there are none to save.

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
    static svsm_trap_stubs: [u8; 256 * STRIDE as usize];
}

/// Where the stubs are.
pub(crate) fn all() -> Stubs {
    Stubs { first: (&raw const svsm_trap_stubs).addr() as u64, stride: STRIDE }
}

// INV-TRAP-1: the order of the pushes is the reverse of `TrapFrame`'s fields.
// The vector is pushed as a signed byte, so that every stub fits its stride;
// `TrapFrame::vector` takes the low byte only.
global_asm!(
    ".pushsection .text.svsm_trap, \"ax\", @progbits",
    ".balign {stride}",
    ".global svsm_trap_stubs",
    "svsm_trap_stubs:",
    ".set vector, 0",
    ".rept 256",
    ".balign {stride}, 0xcc",
    ".if vector >= 32 || !(({with_error_code} >> vector) & 1)",
    "push 0",
    ".endif",
    ".byte 0x6a, vector & 0xff", // push sign-extended byte
    "jmp svsm_trap",
    ".set vector, vector + 1",
    ".endr",
    ".balign {stride}, 0xcc",
    "svsm_trap:",
    "push rax",
    "push rbx",
    "push rcx",
    "push rdx",
    "push rsi",
    "push rdi",
    "push rbp",
    "push r8",
    "push r9",
    "push r10",
    "push r11",
    "push r12",
    "push r13",
    "push r14",
    "push r15",
    "cld",
    "mov rdi, rsp",
    // A frame that is out of place (see `handler.rs`) must not upset the stack of
    // the handler.
    "mov rbp, rsp",
    "and rsp, -16",
    "call {handle}",
    "mov rsp, rbp",
    "pop r15",
    "pop r14",
    "pop r13",
    "pop r12",
    "pop r11",
    "pop r10",
    "pop r9",
    "pop r8",
    "pop rbp",
    "pop rdi",
    "pop rsi",
    "pop rdx",
    "pop rcx",
    "pop rbx",
    "pop rax",
    "add rsp, 16", // vector and error code
    "iretq",
    ".popsection",
    stride = const STRIDE,
    with_error_code = const WITH_ERROR_CODE,
    handle = sym handle,
);
