//! The end of the machine, with a status for whoever started it.
//!
//! QEMU's `isa-debug-exit` device ends QEMU with status `2 * value + 1` when
//! `value` is written to its port [QEMU hw/misc/debugexit.c]. Start QEMU with
//! `-device isa-debug-exit,iobase=0xf4,iosize=0x04`.

use serial::Registers;

use crate::console::println;
use crate::instruction::halt_forever;
use crate::port::Ports;

/// Reads of the port before the device is taken to be missing: seconds, far more
/// than a present one needs, however busy the machine is.
const READS_BEFORE_HALT: u32 = 2_000_000;

/// How a run ended: the value written to the device. QEMU's own statuses are 0
/// and 1, and a reset with `-no-reboot` gives 0, so that none of these can be
/// mistaken for another end.
///
/// | QEMU's exit status | end |
/// |---|---|
/// | 33 | [`Passed`](Self::Passed) |
/// | 35 | [`Failed`](Self::Failed) |
/// | 37 | [`Refused`](Self::Refused) |
/// | 39 | [`Fault`](Self::Fault) |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Status {
    /// Every check passed.
    Passed = 0x10,
    /// At least one check failed.
    Failed = 0x11,
    /// The machine lacks what the simulator needs; a message says what.
    Refused = 0x12,
    /// A fault of the simulator itself: a panic or an exception.
    Fault = 0x13,
}

/// Ends the machine.
pub(crate) fn exit(status: Status) -> ! {
    Ports::DEBUG_EXIT.write(0, status as u8);
    // QEMU ends when its main loop sees the request, some moments later. Reads
    // let that loop run.
    for _ in 0..READS_BEFORE_HALT {
        Ports::DEBUG_EXIT.read(0);
    }
    println!(
        "halted ({status:?}): QEMU has no exit device; start it with \
         -device isa-debug-exit,iobase=0xf4,iosize=0x04"
    );
    halt_forever()
}
