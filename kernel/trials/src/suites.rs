//! All tests and endings, by subject.

mod image;
mod stopping;

use crate::trial::{Ending, Trial};

/// The tests, in the order in which they run.
pub(crate) const TRIALS: &[&[Trial]] = &[image::TRIALS];

/// What stops the machine.
pub(crate) const ENDINGS: &[Ending] = stopping::ENDINGS;
