//! Kernel threads: stacks, and switching between them.
//!
//! A [`Context`] is one flow of control with a stack of its own. Which one runs
//! when is the business of `kernel/tasks`; here is only what it takes to go
//! from one to another, safe to use in any order:
//!
//! ```text
//!           arm                switch_to              entry returns
//!   EMPTY -------> READY <------------------> RUNNING -------------> FINISHED
//!     ^                                                                 |
//!     +-----------------------------------------------------------------+
//!                          reclaim: gives the stack back
//! ```
//!
//! Every step is an atomic exchange, so a context runs on one processor at a
//! time whoever asks for it: a context becomes READY or FINISHED only after the
//! processor has left its stack, and only READY ones can be entered. Contexts
//! live for ever and are used again, so no reference to one can dangle.
//!
//! | file | subject |
//! |---|---|
//! | `context.rs` | what is kept of a thread that does not run, and its state |
//! | `processor_threads.rs` | what a processor runs and what it has just left |
//! | `running.rs` | which contexts these are |
//! | `stack.rs` | stacks |
//! | `stack_switch.rs` | the instructions |
//! | `page_tables.rs` | the tables that a thread runs under |
//! | `switch.rs` | going from one context to another |
//!
//! Interrupts are masked during a switch, by one guard that the thread which is
//! left hands to the one that is entered. What the guard's end does (unmask or
//! not) belongs to the thread and is exchanged. So are page tables, and the
//! [extended state](crate::extended_state) of threads that have one.

mod context;
mod page_tables;
pub(crate) mod processor_threads;
mod running;
mod stack;
mod stack_switch;
mod switch;
mod this_processor;

#[cfg(test)]
mod tests;

pub use context::{Context, Departure, Entry, NotEmpty};
pub use processor_threads::ProcessorThreads;
pub use stack::Stack;
pub use switch::{adopt, switch_to};
