//! Registers of interrupted kernel code, for tests.

use abi_svm::ExitCode;
use processor::TrapFrame;

/// Registers that are all different, at privilege level 0.
pub(crate) fn frame(code: ExitCode) -> TrapFrame {
    let mut frame = TrapFrame::default();
    frame.rax = 0xaaaa_aaaa_a1a2_a3a4;
    frame.rbx = 0xbbbb_bbbb_b1b2_b3b4;
    frame.rcx = 0xcccc_cccc_c1c2_c3c4;
    frame.rdx = 0xdddd_dddd_d1d2_d3d4;
    frame.rsi = 0x1_0000;
    frame.rdi = 0x2_0000;
    frame.rip = 0xffff_ffff_8000_1000;
    frame.rflags = 0x1_0002;
    frame.cs = 8;
    frame.error_code = code.0;
    frame
}
