//! What stops the machine, and the reasons it gives.

use core::hint::black_box;

use hal::StopReason;

use crate::trial::Ending;

/// The endings.
pub(super) const ENDINGS: &[Ending] = &[
    Ending { name: "panic", reason: StopReason::Panic, run: || panic!("as asked for") },
    Ending { name: "index", reason: StopReason::Panic, run: out_of_bounds },
    Ending { name: "stop", reason: StopReason::ServiceStart, run: stop },
];

fn out_of_bounds() {
    let bytes = [1_u8, 2, 3];
    let index: usize = black_box(3);
    black_box(bytes[index]);
}

fn stop() {
    hal::stop(StopReason::ServiceStart)
}
