//! The instructions under test.
//!
//! Each is a few bytes of code that ends with a return, in a page of its own
//! that is mapped a second time for user mode. So one piece of unsafe code
//! (`trial.rs`) can run them all.

use core::arch::global_asm;

use abi_x86::SIZE_4K;

/// Bytes from one instruction to the next.
const STRIDE: u64 = 32;

/// An instruction under test. Registers that it takes and gives are those of
/// the architecture, unless stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(super) enum Instruction {
    /// What user mode returns to: an exception that nothing else raises there.
    Leave = 0,
    Cpuid,
    Rdmsr,
    Wrmsr,
    Rdtsc,
    Rdtscp,
    Rdpmc,
    Wbinvd,
    Invd,
    Monitor,
    Mwait,
    Vmmcall,
    /// RAX = DR7.
    ReadDr7,
    /// DR7 = RAX.
    WriteDr7,
    /// AL = port DX.
    InByte,
    /// Port DX = AL.
    OutByte,
    /// EAX = port DX.
    InWord,
    /// Port DX = RCX bytes from RSI on.
    OutString,
    Pvalidate,
    Rmpadjust,
    Rmpquery,
    /// WRMSR, VMGEXIT, RDMSR: gives EDX:EAX of the GHCB MSR.
    Exit,
    /// RAX = the 8 bytes at RAX.
    Read,
    /// The 8 bytes at RAX = RDX.
    Write,
    /// Calls the code at RAX.
    Call,
    /// Waits for an interrupt.
    Halt,
    /// An instruction that there is not.
    Undefined,
    /// Waits with interrupts off.
    HaltForGood,
    /// Takes the interrupt table away, and raises an exception.
    TripleFault,
    /// Exchanges RDX with the 8 bytes at RAX.
    Exchange,
    /// Takes interrupts for a moment.
    TakeInterrupts,
    /// RAX = CR8.
    ReadCr8,
    /// WRMSR; RAX, RCX and RDX become R10, R11 and R12; VMGEXIT.
    ModuleCall,
    Invlpgb,
    Tlbsync,
}

unsafe extern "C" {
    /// The first instruction. Code, at the start of a page.
    static conformance_instructions: [u8; SIZE_4K as usize];
}

/// Where all of them are: a page of code.
pub(super) fn page() -> u64 {
    (&raw const conformance_instructions).addr() as u64
}

impl Instruction {
    /// Offset of its code in the page.
    pub(super) const fn offset(self) -> u64 {
        self as u64 * STRIDE
    }
}

macro_rules! instructions {
    ($($($line:literal)+;)*) => {
        global_asm!(
            ".pushsection .text.instructions, \"ax\", @progbits",
            ".balign 4096",
            ".global conformance_instructions",
            "conformance_instructions:",
            $(
                ".balign {stride}, 0xcc",
                $($line,)+
                "ret",
            )*
            ".popsection",
            stride = const STRIDE,
        );
    };
}

// In the order of `Instruction`.
instructions! {
    "ud2";
    "cpuid";
    "rdmsr";
    "wrmsr";
    "rdtsc";
    "rdtscp";
    "rdpmc";
    "wbinvd";
    "invd";
    "monitor";
    "mwait";
    "vmmcall";
    "mov rax, dr7";
    "mov dr7, rax";
    "in al, dx";
    "out dx, al";
    "in eax, dx";
    "rep outsb dx, byte ptr [rsi]";
    ".byte 0xf2, 0x0f, 0x01, 0xff"; // PVALIDATE
    ".byte 0xf3, 0x0f, 0x01, 0xfe"; // RMPADJUST
    ".byte 0xf3, 0x0f, 0x01, 0xfd"; // RMPQUERY
    "wrmsr" "rep vmmcall" "rdmsr";
    "mov rax, [rax]";
    "mov [rax], rdx";
    "call rax";
    "sti" "hlt" "cli";
    ".byte 0x0f, 0xff"; // UD0
    "cli" "hlt";
    "push 0" "push 0" "lidt [rsp]" "ud2";
    "xchg [rax], rdx";
    "sti" "nop" "nop" "cli";
    "mov rax, cr8";
    "wrmsr" "mov rax, r10" "mov rcx, r11" "mov rdx, r12" "rep vmmcall";
    ".byte 0x0f, 0x01, 0xfe"; // INVLPGB
    ".byte 0x0f, 0x01, 0xff"; // TLBSYNC
}
