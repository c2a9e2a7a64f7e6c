//! What stops the machine, and the reasons it gives.

use core::hint::black_box;

use abi_x86::ExceptionVector;
use hal::StopReason;

use crate::trial::Ending;

/// The endings.
pub(super) const ENDINGS: &[Ending] = &[
    Ending { name: "panic", reason: StopReason::Panic, run: || panic!("as asked for") },
    Ending { name: "index", reason: StopReason::Panic, run: out_of_bounds },
    Ending { name: "overflow", reason: OVERFLOW, run: overflow },
    Ending { name: "stop", reason: StopReason::ServiceStart, run: stop },
];

/// The processor cannot push the page fault of a stack that has overflowed.
const OVERFLOW: StopReason = StopReason::Trap(ExceptionVector::DOUBLE_FAULT);

fn overflow() {
    #[expect(unconditional_recursion, reason = "that is what is tested")]
    fn without_end(depth: u64) -> u64 {
        let local = black_box([depth; 32]);
        without_end(depth + 1) + local[0]
    }
    black_box(without_end(0));
}

fn out_of_bounds() {
    let bytes = [1_u8, 2, 3];
    let index: usize = black_box(3);
    black_box(bytes[index]);
}

fn stop() {
    hal::stop(StopReason::ServiceStart)
}
