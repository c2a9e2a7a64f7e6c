//! The ends of a guest: shutdown, and states that VMRUN refuses.

use abi_svm::ExitCode;
use abi_x86::Cr4;

use super::tally::Tally;
use super::test_guest::TestGuest;

/// Runs the checks.
pub(super) fn run(guest: &mut TestGuest, tally: &mut Tally) {
    // An exception without an interrupt table is a triple fault.
    guest.load(&[0xcc]); // int3
    guest.vcpu.save().idtr.limit = 0;
    let exit = guest.vcpu.run();
    tally.check("triple fault is a shutdown", ExitCode::SHUTDOWN, exit.code);

    guest.load(&[0xf4]);
    guest.vcpu.save().cr4.remove(Cr4::PAE);
    let exit = guest.vcpu.run();
    tally.check("long mode without CR4.PAE is refused", ExitCode::INVALID_32, exit.code);

    // A refused run leaves nothing behind once the state is set again.
    let exit = guest.run(&[0xf4]);
    tally.check("a refused guest runs once it is reset", ExitCode::HLT, exit.code);
}
