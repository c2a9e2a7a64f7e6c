//! Guests without paging: real mode.

use abi_svm::{Event, ExitCode};
use abi_x86::ExceptionVector;

use super::layout::{DATA, PROGRAM, STACK_TOP, handler};
use super::tally::Tally;
use super::test_guest::TestGuest;

/// Bytes that delivery pushes in real mode: FLAGS, CS, IP.
const FRAME: u64 = 6;

/// Runs the checks.
pub(super) fn run(guest: &mut TestGuest, tally: &mut Tally) {
    let exit = in_real_mode(guest, &[0x0f, 0xa2]);
    tally.check("real mode exits", (ExitCode::CPUID, PROGRAM), (exit.code, exit.rip));

    // mov byte [DATA], 0x77; hlt
    guest.private_page(DATA).fill(0);
    let [low, high, ..] = DATA.to_le_bytes();
    let exit = in_real_mode(guest, &[0xc6, 0x06, low, high, 0x77, 0xf4]);
    let seen = (exit.code, exit.rip, guest.read_byte(DATA));
    tally.check("real mode writes memory", (ExitCode::HLT, PROGRAM + 5, 0x77), seen);

    let vector = ExceptionVector::VMM_COMMUNICATION;
    let [low, high, ..] = handler(vector.0).to_le_bytes();
    guest.load(&[0xf4]);
    guest.enter_real_mode();
    guest.write(u64::from(vector.0) * 4, &[low, high, 0, 0]);
    guest.vcpu.inject(Event::exception(vector));
    let exit = guest.vcpu.run();
    let seen = (exit.code, exit.rip, guest.vcpu.save().rsp);
    let expected = (ExitCode::HLT, handler(vector.0), STACK_TOP - FRAME);
    tally.check("#VC in real mode", expected, seen);
}

fn in_real_mode(guest: &mut TestGuest, program: &[u8]) -> crate::vcpu::Exit {
    guest.load(program);
    guest.enter_real_mode();
    guest.vcpu.run()
}
