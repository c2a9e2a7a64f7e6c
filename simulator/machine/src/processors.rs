//! Virtual processors: which privilege level of each runs, with which save area.
//!
//! A virtual processor of an SNP guest has one save area (VMSA) for each of its
//! privilege levels, and runs one of them at a time. Guests start and stop save
//! areas with the event *SNP AP Creation* and change the level with *Run VMPL*
//! [GHCB 56421 2.04 §4.1]; [`ghcb`](crate::ghcb) decodes both and asks
//! [`Processors`], which keeps the account. Whoever runs the processors
//! (`simulator/hypervisor`) asks [`Processors::state`] what to run, and tells
//! with [`Processors::halt`], [`Processors::wake`] and [`Processors::init`] what
//! else happens to them.
//!
//! | file | what |
//! |---|---|
//! | `index` | [`ProcessorIndex`]: which processor; [`Target`]: which level of it |
//! | `context` | [`Context`]: what a level has besides its save area; [`Activity`]: what it is doing |
//! | `processor` | [`RunState`]: what one processor does |
//! | `table` | [`Processors`]: all of them |
//! | `creation` | who may create and destroy save areas: [`CreationRefusal`] |
//! | `levels` | from one level to another |
//! | `start` | HLT, INIT and start-up interrupts |
//! | `takeover` | what a hostile host does with processors |
//!
//! # Where the rules come from
//!
//! Run VMPL and the level in AP Creation are not in the hypervisors of today's
//! distributions. They are modelled after the patches by which Linux/KVM is to
//! get them; where two versions of these differ, the text says which one it is.

mod context;
mod creation;
mod index;
mod levels;
mod processor;
mod start;
mod table;
mod takeover;

pub use context::{Activity, Channel, Completion, Context, SaveAreaPage};
pub use creation::{CreationRefusal, LaunchState};
pub use index::{ProcessorIndex, Target};
pub use levels::NoSaveArea;
pub use processor::{RunState, Running};
pub use start::StartUp;
pub use table::{ProcessorCountError, ProcessorDefaults, Processors};
