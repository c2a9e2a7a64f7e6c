//! All tests and endings, by subject.

pub(crate) mod attestation;
mod every_processor;
mod foreign;
mod frames;
mod heap;
mod image;
mod pages;
mod processor;
mod processors;
mod scheduling;
mod stopping;

use crate::trial::{Ending, Trial};

/// The tests, in the order in which they run.
pub(crate) const TRIALS: &[&[Trial]] = &[
    image::TRIALS,
    processor::TRIALS,
    frames::TRIALS,
    heap::TRIALS,
    foreign::TRIALS,
    pages::TRIALS,
    attestation::TRIALS,
    scheduling::TRIALS,
    processors::TRIALS,
];

/// What stops the machine.
pub(crate) const ENDINGS: &[Ending] = stopping::ENDINGS;
