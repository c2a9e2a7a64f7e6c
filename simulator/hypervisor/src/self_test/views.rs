//! Private and shared memory: the guest's C-bit chooses.

use abi_snp::PageSize;
use abi_svm::ExitCode;
use nested_paging::{Access, View};

use super::layout::{DATA, SHARED, SPARE};
use super::tally::Tally;
use super::test_guest::{SetupError, TestGuest};
use crate::memory::Memory;

const PRIVATE_VALUE: u64 = 0x1111_2222_3333_4444;
const SHARED_VALUE: u64 = 0x5555_6666_7777_8888;

/// `mov rax, [rsi]; mov rbx, [rdi]; hlt`
const READ_BOTH: [u8; 7] = [0x48, 0x8b, 0x06, 0x48, 0x8b, 0x1f, 0xf4];
/// `mov [rsi], rax; mov [rdi], rbx; hlt`
const WRITE_BOTH: [u8; 7] = [0x48, 0x89, 0x06, 0x48, 0x89, 0x1f, 0xf4];

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
    let (private, shared) = (guest.private_page(DATA), guest.shared_page());
    private.set_word(1, PRIVATE_VALUE);
    shared.set_word(1, SHARED_VALUE);
    let exit = run_both(guest, &READ_BOTH);
    tally.check("views are both mapped", ExitCode::HLT, exit);
    tally.check("C-bit set reads private memory", PRIVATE_VALUE, guest.vcpu.save().rax);
    tally.check("C-bit clear reads shared memory", SHARED_VALUE, guest.vcpu.registers.rbx);

    guest.load(&WRITE_BOTH);
    guest.vcpu.save().rax = 1;
    guest.vcpu.registers.rbx = 2;
    point_at_both(guest);
    guest.vcpu.run();
    let seen = (private.word(1), shared.word(1));
    tally.check("views are written separately", (1, 2), seen);

    // What a page state change does: the private side goes, a shared one comes.
    let spare = guest.address(SPARE, View::Private);
    guest.nested.unmap(memory, spare, PageSize::Size4K)?;
    guest.nested.map(memory, SPARE, guest.shared_page(), Access::all())?;
    guest.load(&READ_BOTH);
    guest.vcpu.registers.rsi = SHARED + SPARE + 8;
    guest.vcpu.registers.rdi = SPARE + 8;
    let exit = guest.vcpu.run();
    let seen = (exit.code, exit.info_2, guest.vcpu.save().rax);
    tally.check("views change apart", (ExitCode::NESTED_PAGE_FAULT, spare + 8, 2), seen);
    guest.nested.unmap(memory, SPARE, PageSize::Size4K)?;
    guest.nested.map(memory, spare, guest.private_page(SPARE), Access::all())?;
    Ok(())
}

fn run_both(guest: &mut TestGuest, program: &[u8]) -> ExitCode {
    guest.load(program);
    point_at_both(guest);
    guest.vcpu.run().code
}

fn point_at_both(guest: &mut TestGuest) {
    guest.vcpu.registers.rsi = DATA + 8;
    guest.vcpu.registers.rdi = SHARED + DATA + 8;
}
