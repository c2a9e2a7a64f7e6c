//! A guest that checks its SEV-SNP platform from inside.
//!
//! It runs instructions and asks its hypervisor for things, one after the other,
//! compares what happens with what the specifications say, and tells on the
//! first serial port. The same image runs on hardware and in the platform
//! simulator; that is how the simulator is held to what hardware does. The
//! book's page on conformance says how to run it.
//!
//! It can also be the guest of a module. Then it checks that module, and does
//! what a hostile guest would.
//!
//! | file | what |
//! |---|---|
//! | `machine` | the only `unsafe`: instructions, tables, memory |
//! | `ghcb` | requests to the hypervisor |
//! | `console` | text output |
//! | `bench` | what checks work with |
//! | `workers`, `save_area` | other processors and levels |
//! | `caller`, `vcpus` | calls of the module that the guest is below |
//! | `verdict` | what a check comes to |
//! | `checks` | the checks, by subject |
//! | `calls` | the checks of a module |
//! | `attacked` | checks that run alone, under a hostile host |
//! | `endings` | what ends the guest, one in each run |
//! | `settings` | which of them the host asks for |
//! | `ending` | how the guest ends otherwise |
//! | `suite` | runs them and ends |
#![no_std]
#![no_main]

extern crate alloc;

mod attacked;
mod bench;
mod caller;
mod calls;
mod checks;
mod console;
mod ending;
mod endings;
mod ghcb;
mod machine;
mod panic;
mod save_area;
mod settings;
mod suite;
mod vcpus;
mod verdict;
mod workers;

machine::entry!(suite::run);
