//! How the guest ends.

use abi_snp::ghcb::{MsrRequest, PortIoWidth, ReasonSet, TerminationReason};

use crate::console::write_port;
use crate::ghcb::Ghcb;
use crate::machine::exit;

/// Why the guest asks its hypervisor to end it: the codes of reason set 3,
/// which is this program's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Reason {
    /// The program itself failed: it has no result.
    Broken = 0,
    /// Checks have failed.
    ChecksFailed = 1,
    /// The guest was to be ended by what it did, and was not.
    Survived = 2,
    /// The machine was to be switched off, and goes on.
    NoPowerOff = 3,
}

/// The set of this program's reason codes.
const REASON_SET: ReasonSet = ReasonSet::new(3).expect("3 is below 16");

/// Ends the guest by the GHCB MSR.
pub(crate) fn terminate(reason: Reason) -> ! {
    let reason = TerminationReason::new(REASON_SET, reason as u8);
    // A hypervisor that lets the processor go on gets the request again.
    loop {
        exit(MsrRequest::Terminate(reason).encode());
    }
}

/// Switches the machine off, as QEMU's q35 has it: PM1 control with the sleep
/// type of state S5, which is 0 there [ACPI 6.5 §4.8.3.2.1].
pub(crate) fn power_off(ghcb: Ghcb) -> ! {
    const PM1_CONTROL: u16 = 0x604;
    const SLEEP_ENABLE: u32 = 1 << 13;
    write_port(ghcb, PM1_CONTROL, PortIoWidth::Two, SLEEP_ENABLE);
    terminate(Reason::NoPowerOff)
}
