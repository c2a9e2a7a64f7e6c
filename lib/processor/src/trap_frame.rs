//! Registers of interrupted code.
//!
//! Whoever owns a processor writes entry points, one per vector, that push in
//! the order that [`TrapFrame`] states.

use core::{fmt, iter};

use abi_x86::ExceptionVector;

use crate::error_code::ErrorCode;

/// Registers as a trap found them, in the order in which the entry
/// point and the processor push them: last pushed first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct TrapFrame {
    /// R15.
    pub r15: u64,
    /// R14.
    pub r14: u64,
    /// R13.
    pub r13: u64,
    /// R12.
    pub r12: u64,
    /// R11.
    pub r11: u64,
    /// R10.
    pub r10: u64,
    /// R9.
    pub r9: u64,
    /// R8.
    pub r8: u64,
    /// RBP.
    pub rbp: u64,
    /// RDI.
    pub rdi: u64,
    /// RSI.
    pub rsi: u64,
    /// RDX.
    pub rdx: u64,
    /// RCX.
    pub rcx: u64,
    /// RBX.
    pub rbx: u64,
    /// RAX.
    pub rax: u64,
    /// Pushed by the entry point: the vector in the low byte; the other bits
    /// mean nothing.
    vector: u64,
    /// Pushed by the processor, or 0 by the entry point where the exception has none.
    pub error_code: u64,
    /// RIP; from here on pushed by the processor [APM 24593 §8.9.3].
    pub rip: u64,
    /// CS.
    pub cs: u64,
    /// RFLAGS.
    pub rflags: u64,
    /// RSP.
    pub rsp: u64,
    /// SS.
    pub ss: u64,
}

const _: () = assert!(size_of::<TrapFrame>() == 22 * 8);
// The entry point calls Rust with the stack pointer at the frame. The processor aligns
// the stack to 16 before it pushes [APM 24593 §8.9.3], and so must the call be.
const _: () = assert!(size_of::<TrapFrame>().is_multiple_of(16));

impl TrapFrame {
    /// Which trap this is.
    #[must_use]
    pub fn vector(&self) -> ExceptionVector {
        ExceptionVector(self.vector.to_le_bytes()[0])
    }
}

/// A frame with the control registers at the time of the trap; formats as a
/// report of several lines for a person.
pub struct Report<'a> {
    /// The registers.
    pub frame: &'a TrapFrame,
    /// CR2: the address of the last page fault.
    pub cr2: u64,
    /// CR3.
    pub cr3: u64,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let frame = self.frame;
        describe(f, frame.vector(), frame.error_code)?;
        let lines: [&[(&str, u64)]; 7] = [
            &[("rip", frame.rip), ("rsp", frame.rsp)],
            &[("cr2", self.cr2), ("cr3", self.cr3)],
            &[("rax", frame.rax), ("rbx", frame.rbx), ("rcx", frame.rcx), ("rdx", frame.rdx)],
            &[("rsi", frame.rsi), ("rdi", frame.rdi), ("rbp", frame.rbp)],
            &[("r8 ", frame.r8), ("r9 ", frame.r9), ("r10", frame.r10), ("r11", frame.r11)],
            &[("r12", frame.r12), ("r13", frame.r13), ("r14", frame.r14), ("r15", frame.r15)],
            &[("rflags", frame.rflags), ("cs", frame.cs), ("ss", frame.ss)],
        ];
        for line in lines {
            for (separator, (name, value)) in iter::once("\n").chain(iter::repeat("  ")).zip(line) {
                write!(f, "{separator}{name} {value:016x}")?;
            }
        }
        Ok(())
    }
}

/// Which trap it is and what its error code says, on one line.
fn describe(f: &mut fmt::Formatter<'_>, vector: ExceptionVector, code: u64) -> fmt::Result {
    write!(f, "{vector}")?;
    if vector.pushes_error_code() {
        write!(f, ", {}", ErrorCode { vector, code })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn report_shows_every_register() {
        let frame = TrapFrame {
            vector: 0xffff_ffff_ffff_ff00 | 14,
            error_code: 2,
            rip: 0xffff_ffff_8000_1234,
            rsp: 0xffff_ffff_8001_0fe8,
            rflags: 0x10002,
            cs: 8,
            ss: 16,
            rax: 0xa,
            rbx: 0xb,
            rcx: 0xc,
            rdx: 0xd,
            rsi: 0x51,
            rdi: 0xd1,
            rbp: 0xb9,
            r8: 0x08,
            r9: 0x09,
            r10: 0x10,
            r11: 0x11,
            r12: 0x12,
            r13: 0x13,
            r14: 0x14,
            r15: 0x15,
        };
        let report = Report { frame: &frame, cr2: 0xdead_b000, cr3: 0x80f_f000 };
        let text = "\
#PF page fault, error code 0x2: write in kernel mode, page not present
rip ffffffff80001234  rsp ffffffff80010fe8
cr2 00000000deadb000  cr3 00000000080ff000
rax 000000000000000a  rbx 000000000000000b  rcx 000000000000000c  rdx 000000000000000d
rsi 0000000000000051  rdi 00000000000000d1  rbp 00000000000000b9
r8  0000000000000008  r9  0000000000000009  r10 0000000000000010  r11 0000000000000011
r12 0000000000000012  r13 0000000000000013  r14 0000000000000014  r15 0000000000000015
rflags 0000000000010002  cs 0000000000000008  ss 0000000000000010";
        assert_eq!(report.to_string(), text);
    }

    #[test]
    fn error_code_shows_only_where_there_is_one() {
        let frame = TrapFrame { vector: 6, ..TrapFrame::default() };
        let text = Report { frame: &frame, cr2: 0, cr3: 0 }.to_string();
        assert_eq!(text.lines().next(), Some("#UD invalid opcode"));
    }
}
