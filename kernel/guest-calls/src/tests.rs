//! Calls of a guest on a model of the machine, good and bad.

mod attestation;
mod core_calls;
mod deposits;
mod guest;
mod lists;
mod model;
mod random_calls;
mod refusals;
mod vcpus;
