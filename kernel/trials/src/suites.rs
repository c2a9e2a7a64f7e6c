//! All tests and endings, by subject.

mod frames;
mod heap;
mod image;
mod pages;
mod processor;
mod scheduling;
mod stopping;

use crate::trial::{Ending, Trial};

/// The tests, in the order in which they run.
pub(crate) const TRIALS: &[&[Trial]] = &[
    image::TRIALS,
    processor::TRIALS,
    frames::TRIALS,
    heap::TRIALS,
    pages::TRIALS,
    scheduling::TRIALS,
];

/// What stops the machine.
pub(crate) const ENDINGS: &[Ending] = stopping::ENDINGS;
