//! The only `unsafe` of this program: entry, tables, instructions, memory.
//!
//! What it offers is safe to use in any way that compiles, with three exceptions
//! that only checks which mean it can run into: the page of a [`Probe::Call`]
//! must hold what [`Page::make_return`] puts there, a worker that runs must not
//! be started again, and a [`Probe::ModuleCall`] must not name the program's own
//! pages. The book's page on soundness lists the invariants that
//! the SAFETY comments name.
//!
//! | file | what |
//! |---|---|
//! | `entry` | first instructions; [`entry!`] names the function to go on with |
//! | `below`, `boot_parameters` | the same for the guest of a module |
//! | `guest` | [`Guest`]: what the image was given, and where probes are run |
//! | `probe` | [`Probe`]: an instruction with operands, [`Outcome`]: what it came to |
//! | `instructions` | the code of the instructions |
//! | `registers`, `trial` | how one is run, so that an exception is a result |
//! | `trap`, `segments`, `context` | what a processor needs for that |
//! | `worker` | other processors and levels, which run what they are told |
//! | `memory` | [`Page`]: memory to experiment with |
//! | `exit` | VMGEXIT for the program's own needs |
//! | `heap` | the heap |

mod below;
mod boot_parameters;
mod context;
mod entry;
mod exit;
mod guest;
mod heap;
mod instructions;
mod memory;
mod probe;
mod registers;
mod segments;
mod trap;
mod trial;
mod worker;

pub(crate) use entry::entry;
pub(crate) use exit::{exit, time_stamp};
pub(crate) use guest::{Guest, StartState, Worker};
pub(crate) use memory::{Allowed, Page, Published, View};
pub(crate) use probe::{
    Content, GUEST_TSC_FREQUENCY, Mode, Outcome, Permissions, Probe, Validation,
};
pub(crate) use registers::Trap;
pub(crate) use trap::{HandlerStack, set_communication_stack};
