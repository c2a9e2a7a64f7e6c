//! All tests and endings, by subject.

pub(crate) mod attestation;
mod every_processor;
mod extended_registers;
mod foreign;
mod frames;
mod heap;
mod image;
mod pages;
mod processor;
mod processors;
mod scheduling;
mod stacks;
mod stopping;
mod user_memory;

use crate::trial::{Ending, Trial};

/// The tests, in the order in which they run.
pub(crate) const TRIALS: &[&[Trial]] = &[
    image::TRIALS,
    processor::TRIALS,
    frames::TRIALS,
    heap::TRIALS,
    foreign::TRIALS,
    user_memory::TRIALS,
    pages::TRIALS,
    attestation::TRIALS,
    scheduling::TRIALS,
    extended_registers::TRIALS,
    processors::TRIALS,
    stacks::TRIALS,
];

/// What stops the machine.
pub(crate) const ENDINGS: &[Ending] = stopping::ENDINGS;
