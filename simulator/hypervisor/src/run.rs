//! Runs a guest: from the launch file to the end.
//!
//! | file | what |
//! |---|---|
//! | `setup.rs` | the machine and the guest, made from the launch file |
//! | `guest.rs` | the loop: which processor runs, what it gets, when it waits |
//! | `attack.rs` | what a hostile host does to the machine |
//! | `core.rs` | a virtual processor |
//! | `exits.rs`, `memory_fault.rs` | what an exit leads to |
//! | `fault_address.rs` | the linear address of an access that faulted |
//! | `fetch.rs`, `memory_access.rs` | instructions and memory by the guest's own page tables |
//! | `broadcast.rs` | INVLPGB and TLBSYNC |
//! | `world.rs` | what the guest asks the hypervisor for |
//! | `statistics.rs`, `trace.rs` | what was counted, what is told meanwhile |

mod attack;
mod broadcast;
mod core;
mod exits;
mod fault_address;
mod fetch;
mod guest;
mod memory_access;
mod memory_fault;
mod setup;
mod statistics;
mod trace;
mod world;

use abi_simulator::report::{End, Report};

use crate::memory::Memory;
use crate::reporter;
use crate::svm::Svm;

/// Launches and runs the guest of the launch file, and reports how that ends.
pub(crate) fn run(svm: &Svm, memory: Memory, launch_file: &'static [u8]) -> End {
    match setup::launch(svm, memory, launch_file) {
        Ok(mut guest) => {
            let end = guest.run();
            reporter::send(&Report::Statistics { sections: statistics::sections(&guest) });
            end
        }
        Err(end) => end,
    }
}
