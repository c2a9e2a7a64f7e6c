//! Tests that run inside the kernel.
//!
//! The same start-up as the module's, on the platform it is built for; but
//! then, in place of services, one test after the other. What they print is
//! what Rust's own test harness prints, so `cargo svsm test kernel` reads it.
//!
//! | file | what |
//! |---|---|
//! | [`trial`] | a test, an ending, and what comes of them |
//! | [`suites`] | all of them, by subject: a new one is a line there |
//! | [`mod@bench`] | what operations cost, in place of tests |
//! | [`options`] | which of them the image's kernel options ask for |
//! | [`runner`] | runs them |
//!
//! A test returns a failure and the next one goes on. One that panics ends the
//! machine, and whoever reads the console sees at which. What is *meant* to end
//! the machine is an ending: each runs in a machine of its own.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

mod bench;
mod options;
mod runner;
mod suites;
mod trial;

hal::entry!(runner::enter, kernel_start::keep);
