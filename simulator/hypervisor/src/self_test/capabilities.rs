//! What differs between QEMU's versions and options, and what that means.
//!
//! The simulator can live with either answer, so nothing here passes or fails:
//! each line says what there is.

use abi_svm::{ExitCode, NestedFault, SvmFeatures};
use abi_x86::ExceptionVector;

use super::layout::{DATA, NOWHERE, PROGRAM};
use super::test_guest::TestGuest;
use crate::console::println;
use crate::svm::Svm;

/// Tells what this machine has.
pub(super) fn run(svm: &Svm, guest: &mut TestGuest) {
    tell(svm.features().contains(SvmFeatures::NEXT_RIP_SAVE), "next RIP saved at exits");
    tell(svm.features().contains(SvmFeatures::DECODE_ASSISTS), "instruction bytes at exits");
    tell(locked_change_faults_as_write(guest), "write faults for locked changes of memory");
    tell(
        unknown_memory_form_faults(guest),
        "#UD for XSAVEC, XSAVES and XRSTORS, so that they can be emulated",
    );
    // QEMU 7.2 reports INVD as WBINVD, and executes XSETBV.
    tell(exits_as(guest, &[0x0f, 0x08, 0xf4], ExitCode::INVD), "an exit of its own for INVD");
    tell(exits_as(guest, &[0x0f, 0x01, 0xd1, 0xf4], ExitCode::XSETBV), "an exit for XSETBV");
}

fn tell(has: bool, what: &str) {
    println!("{} {what}", if has { "has" } else { "lacks" });
}

/// Whether the first instruction of `code` exits with `expected`, which is
/// intercepted.
fn exits_as(guest: &mut TestGuest, code: &[u8], expected: ExitCode) -> bool {
    guest.load(code);
    let exit = guest.vcpu.run();
    exit.code == expected && exit.rip == PROGRAM
}

/// Whether a locked instruction that reads and writes memory faults as a write,
/// as on real processors. QEMU with one processor lets it read first, and
/// reports that.
fn locked_change_faults_as_write(guest: &mut TestGuest) -> bool {
    // lock add [rsi], rax; hlt
    guest.load(&[0xf0, 0x48, 0x01, 0x06, 0xf4]);
    guest.vcpu.registers.rsi = NOWHERE + 8;
    let exit = guest.vcpu.run();
    let fault = NestedFault::from_bits_retain(exit.info_1);
    exit.code == ExitCode::NESTED_PAGE_FAULT && fault.contains(NestedFault::WRITE)
}

/// Whether the memory forms of opcode 0F C7 that the processor lacks are
/// unknown instructions. Some versions of QEMU, 10.0.2 among them, take them for
/// instructions that do nothing [QEMU issue 3172]: a guest that is offered XSAVEC
/// there would save no state.
fn unknown_memory_form_faults(guest: &mut TestGuest) -> bool {
    // xsavec [rsi]; hlt
    guest.load(&[0x0f, 0xc7, 0x26, 0xf4]);
    guest.vcpu.save().rax = 0b11;
    guest.vcpu.registers.rsi = DATA;
    let exit = guest.vcpu.run();
    let unknown = ExitCode::of_exception(ExceptionVector::INVALID_OPCODE);
    unknown == Some(exit.code) && exit.rip == PROGRAM
}
