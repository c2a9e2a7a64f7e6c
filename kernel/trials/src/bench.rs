//! What the kernel's own operations cost.
//!
//! Each is done a few times between two marks, the first with an even number and
//! the second with the next; who counts from outside is `svsm bench kernel`. The
//! console says which number is what, and what memory is used for.

mod operations;
mod others;

use hal::measuring::mark;
use hal::memory::statistics;
use hal::println;

use self::operations::{OPERATIONS, Operation};

/// Measures everything.
pub(crate) fn run() {
    // Before the operations, which take memory for themselves.
    let memory = statistics();
    for (number, operation) in (0_u8..).step_by(2).zip(OPERATIONS) {
        let Operation { name, parts, run } = operation;
        println!("operation {number} {parts} {name}");
        if run(&|work| between_marks(number, work)).is_err() {
            println!("error: {name}: there is no memory");
        }
    }
    println!("memory {} fixed", memory.fixed);
    for (name, bytes) in memory.kinds {
        println!("memory {bytes} {name}");
    }
}

/// Does `work` once, between two marks.
fn between_marks(number: u8, work: &mut dyn FnMut()) {
    mark(number);
    work();
    mark(number.saturating_add(1));
}
