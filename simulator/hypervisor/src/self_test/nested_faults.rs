//! Nested page faults: exit 0x400, its code and address.

use abi_snp::PageSize;
use abi_svm::{Event, ExitCode, NestedFault};
use abi_x86::{ExceptionVector, Rflags};
use nested_paging::{Access, View};

use super::layout::{LARGE, LOST_TABLE, NO_EXECUTE, NOWHERE, PROGRAM, READ_ONLY, SHARED, SPARE};
use super::tally::Tally;
use super::test_guest::{SetupError, TestGuest};
use crate::memory::Memory;
use crate::vcpu::Exit;

/// `mov rax, [rsi]; hlt`
const READ: [u8; 4] = [0x48, 0x8b, 0x06, 0xf4];
/// `mov [rsi], rax; hlt`
const WRITE: [u8; 4] = [0x48, 0x89, 0x06, 0xf4];
/// `jmp rsi`
const JUMP: [u8; 2] = [0xff, 0xe6];

/// A fault of the guest's own access, without table walk.
const ACCESS: NestedFault = NestedFault::USER.union(NestedFault::FINAL_ADDRESS);

/// Runs the checks.
///
/// # Errors
///
/// Want of memory.
pub(super) fn run(
    guest: &mut TestGuest,
    memory: &mut Memory,
    tally: &mut Tally,
) -> Result<(), SetupError> {
    for (name, program, target, fault) in [
        ("read of no memory", &READ[..], NOWHERE + 8, ACCESS),
        ("write to no memory", &WRITE, NOWHERE + 8, ACCESS | NestedFault::WRITE),
        ("fetch from no memory", &JUMP, NOWHERE + 8, ACCESS | NestedFault::INSTRUCTION),
        (
            "write to read-only memory",
            &WRITE,
            READ_ONLY + 8,
            ACCESS | NestedFault::PRESENT | NestedFault::WRITE,
        ),
        (
            "fetch from no-execute memory",
            &JUMP,
            NO_EXECUTE + 8,
            ACCESS | NestedFault::PRESENT | NestedFault::INSTRUCTION,
        ),
    ] {
        let exit = run_one(guest, program, target);
        let address = guest.address(target, View::Private);
        tally.check(name, expected(fault, address), observed(&exit));
    }
    let exit = run_one(guest, &READ, SHARED + SPARE + 8);
    let expected_exit = expected(ACCESS, SPARE + 8);
    tally.check("fault address without C-bit", expected_exit, observed(&exit));
    let exit = run_one(guest, &READ, READ_ONLY + 8);
    tally.check("read of read-only memory", (ExitCode::HLT, PROGRAM + 3), (exit.code, exit.rip));
    table_walk(guest, tally);
    changes(guest, memory, tally)?;
    cut_short(guest, tally);
    Ok(())
}

fn run_one(guest: &mut TestGuest, program: &[u8], target: u64) -> Exit {
    guest.load(program);
    guest.vcpu.registers.rsi = target;
    guest.vcpu.run()
}

fn expected(fault: NestedFault, address: u64) -> (ExitCode, NestedFault, u64) {
    (ExitCode::NESTED_PAGE_FAULT, fault, address)
}

fn observed(exit: &Exit) -> (ExitCode, NestedFault, u64) {
    (exit.code, NestedFault::from_bits_retain(exit.info_1), exit.info_2)
}

/// The guest's page table lies in no memory.
fn table_walk(guest: &mut TestGuest, tally: &mut Tally) {
    let exit = run_one(guest, &READ, LOST_TABLE + 0x1000);
    let (code, fault, address) = observed(&exit);
    let entry = guest.address(NOWHERE + 8, View::Private);
    tally.check("page table in no memory", (ExitCode::NESTED_PAGE_FAULT, entry), (code, address));
    let kind = fault & (NestedFault::TABLE_WALK | NestedFault::FINAL_ADDRESS);
    tally.check("page table in no memory, kind", NestedFault::TABLE_WALK, kind);
}

/// Changes to nested tables take effect at the next run.
fn changes(
    guest: &mut TestGuest,
    memory: &mut Memory,
    tally: &mut Tally,
) -> Result<(), SetupError> {
    let halted = (ExitCode::HLT, PROGRAM + 3);
    let spare = guest.address(SPARE, View::Private);
    let exit = run_one(guest, &WRITE, SPARE);
    tally.check("write to memory", halted, (exit.code, exit.rip));
    guest.nested.protect(memory, spare, PageSize::Size4K, Access::empty())?;
    let exit = run_one(guest, &WRITE, SPARE);
    let fault = ACCESS | NestedFault::PRESENT | NestedFault::WRITE;
    tally.check("write after protection", expected(fault, spare), observed(&exit));
    guest.nested.unmap(memory, spare, PageSize::Size4K)?;
    let exit = run_one(guest, &READ, SPARE);
    tally.check("read after unmapping", expected(ACCESS, spare), observed(&exit));
    guest.nested.map(memory, spare, guest.private_page(SPARE), Access::all())?;
    let exit = guest.vcpu.run();
    tally.check("read goes on after mapping", halted, (exit.code, exit.rip));

    guest.large_page()[5].set_word(0, 0x55);
    let exit = run_one(guest, &READ, LARGE + 0x5000);
    let seen = (exit.code, guest.vcpu.save().rax);
    tally.check("read of a large page", (ExitCode::HLT, 0x55), seen);
    let large = guest.address(LARGE, View::Private);
    guest.nested.split(memory, large)?;
    guest.nested.unmap(memory, large + 0x6000, PageSize::Size4K)?;
    let exit = run_one(guest, &READ, LARGE + 0x5000);
    let seen = (exit.code, guest.vcpu.save().rax);
    tally.check("read of a split page", (ExitCode::HLT, 0x55), seen);
    let exit = run_one(guest, &READ, LARGE + 0x6000);
    tally.check("read of a split page's hole", expected(ACCESS, large + 0x6000), observed(&exit));
    Ok(())
}

/// A fault while an exception is delivered: the exit names the exception.
fn cut_short(guest: &mut TestGuest, tally: &mut Tally) {
    let event = Event::exception_with_code(ExceptionVector::GENERAL_PROTECTION, 0x1230);
    guest.load(&[0xf4]);
    guest.vcpu.save().idtr.base = NOWHERE;
    guest.vcpu.inject(event);
    let exit = guest.vcpu.run();
    let seen = (exit.code, exit.info_2 & !0xfff, exit.interrupted);
    let nowhere = guest.address(NOWHERE, View::Private);
    let expected = (ExitCode::NESTED_PAGE_FAULT, nowhere, Some(event));
    tally.check("exception cut short by a fault", expected, seen);

    // A virtual interrupt is named in another way, see `Vcpu::run`, and is
    // pending still.
    guest.load(&[0xf4]);
    guest.vcpu.save().idtr.base = NOWHERE;
    guest.vcpu.save().rflags |= Rflags::IF;
    guest.vcpu.raise_virtual_interrupt(0xec);
    let exit = guest.vcpu.run();
    let pending = guest.vcpu.has_virtual_interrupt();
    guest.vcpu.clear_virtual_interrupt();
    let seen = (exit.code, exit.info_2 & !0xfff, exit.interrupted, pending);
    let expected = (ExitCode::NESTED_PAGE_FAULT, nowhere, None, true);
    tally.check("virtual interrupt cut short by a fault", expected, seen);
}
