//! Exceptions and interrupts.
//!
//! An exception during a trial is its result; an interrupt is counted; any
//! other exception is the end.

use core::arch::{asm, global_asm};
use core::sync::atomic::{AtomicU64, Ordering};

use abi_x86::{DescriptorTablePointer, ExceptionVector, GateDescriptor, InterruptStack};
use processor::{Report, TrapFrame};

use super::context::{Context, VECTORS};
use super::registers::{Registers, Trap, Trial};
use super::segments::{CODE_SELECTOR, DATA_SELECTOR};
use super::trial::trapped;

/// Bytes from one entry point to the next.
const STRIDE: u64 = 16;

/// Bit `n` is set if the processor pushes an error code for vector `n`.
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

/// The interrupt table of all contexts: the two words of each gate. Words are
/// atomic because gates change while the processor may look.
static TABLE: [[AtomicU64; 2]; VECTORS] = [const { [const { AtomicU64::new(0) }; 2] }; VECTORS];

unsafe extern "C" {
    /// The entry point of vector 0. Code that only the processor enters.
    static conformance_traps: [u8; VECTORS * STRIDE as usize];
}

/// Whether a vector's gate asks for a stack of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HandlerStack {
    /// The interrupted code's; from user mode, the task state's.
    Current,
    /// The first of the interrupt stack table.
    Interrupt,
}

/// Fills the interrupt table in and gives the operand of LIDT.
pub(super) fn prepare() -> DescriptorTablePointer {
    for vector in 0..VECTORS {
        set_gate(vector, HandlerStack::Current);
    }
    DescriptorTablePointer {
        limit: size_of_val(&TABLE) as u16 - 1,
        base: (&raw const TABLE).expose_provenance() as u64,
    }
}

/// Makes the handler of #VC run on this stack.
pub(crate) fn set_communication_stack(stack: HandlerStack) {
    set_gate(usize::from(ExceptionVector::VMM_COMMUNICATION.0), stack);
}

fn set_gate(vector: usize, stack: HandlerStack) {
    let entry = (&raw const conformance_traps).addr() as u64 + vector as u64 * STRIDE;
    let stack = match stack {
        HandlerStack::Current => InterruptStack::Current,
        HandlerStack::Interrupt => InterruptStack::One,
    };
    let gate = GateDescriptor::interrupt(entry, CODE_SELECTOR, stack).bits();
    for (to, word) in TABLE[vector].iter().zip(gate) {
        to.store(word, Ordering::SeqCst);
    }
}

// The order of the pushes is the reverse of `TrapFrame`'s fields. The handler
// gives back the frame that it got, so the registers are popped from there.
global_asm!(
    ".pushsection .text.traps, \"ax\", @progbits",
    ".balign {stride}",
    ".global conformance_traps",
    "conformance_traps:",
    ".set vector, 0",
    ".rept {vectors}",
    ".balign {stride}, 0xcc",
    ".if vector >= 32 || !(({with_error_code} >> vector) & 1)",
    "push 0",
    ".endif",
    ".byte 0x6a, vector & 0xff", // push sign-extended byte
    "jmp 2f",
    ".set vector, vector + 1",
    ".endr",
    ".balign {stride}, 0xcc",
    "2:",
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
    "mov rsi, gs:[{self_address}]",
    "call {handle}",
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
    "add rsp, 16",
    "iretq",
    ".popsection",
    stride = const STRIDE,
    vectors = const VECTORS,
    with_error_code = const WITH_ERROR_CODE,
    self_address = const core::mem::offset_of!(Context, this),
    handle = sym handle,
);

/// Exceptions that no instruction causes.
const FROM_OUTSIDE: [ExceptionVector; 2] =
    [ExceptionVector::NON_MASKABLE_INTERRUPT, ExceptionVector::HYPERVISOR_INJECTION];

/// Handles an exception or interrupt.
///
/// # Safety
///
/// `frame` is what the entry code pushed, and `context` the one that runs
/// (INV-CF-TRAP-1).
unsafe extern "C" fn handle(frame: *mut TrapFrame, context: *const Context) {
    // SAFETY: INV-CF-TRAP-1: the entry code passes the frame on the stack of this
    // very call and nobody else has it; contexts live for ever.
    let (frame, context) = unsafe { (&mut *frame, &*context) };
    let vector = frame.vector();
    if vector.0 >= 32 || FROM_OUTSIDE.contains(&vector) {
        context.interrupts[usize::from(vector.0) % VECTORS].fetch_add(1, Ordering::SeqCst);
        return;
    }
    let trial = context.trial.load(Ordering::SeqCst);
    let (cr2, cr3): (u64, u64);
    // SAFETY: reading control registers changes nothing.
    unsafe {
        asm!(
            "mov {}, cr2",
            "mov {}, cr3",
            out(reg) cr2,
            out(reg) cr3,
            options(nomem, nostack, preserves_flags),
        );
    }
    if trial.is_null() {
        panic!("exception outside a trial: {}", Report { frame, cr2, cr3 });
    }
    // SAFETY: INV-CF-TRIAL-1: the trial is the processor's own until `trapped`
    // gives it back, and this handler runs on that processor.
    unsafe { complete(&mut *trial, frame, cr2) };
    frame.rdi = trial.addr() as u64;
    frame.rip = trapped as *const () as u64;
    frame.cs = CODE_SELECTOR.0.into();
    frame.ss = DATA_SELECTOR.0.into();
    frame.rflags = abi_x86::Rflags::FIXED.bits();
    // SAFETY: as above.
    frame.rsp = unsafe { (*trial).return_stack };
}

/// Writes down how a trial ended.
fn complete(trial: &mut Trial, frame: &TrapFrame, cr2: u64) {
    trial.trapped = 1;
    trial.trap = Trap {
        vector: frame.vector().0.into(),
        error_code: frame.error_code,
        rip: frame.rip,
        cs: frame.cs,
        rsp: frame.rsp,
        rflags: frame.rflags,
        cr2,
        handler_stack: (&raw const *frame).addr() as u64,
    };
    trial.registers = Registers {
        rax: frame.rax,
        rbx: frame.rbx,
        rcx: frame.rcx,
        rdx: frame.rdx,
        rsi: frame.rsi,
        rdi: frame.rdi,
        rbp: frame.rbp,
        r8: frame.r8,
        r9: frame.r9,
        r10: frame.r10,
        r11: frame.r11,
        r12: frame.r12,
        r13: frame.r13,
        r14: frame.r14,
        r15: frame.r15,
        rflags: frame.rflags,
    };
}
