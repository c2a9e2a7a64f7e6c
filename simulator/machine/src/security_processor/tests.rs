//! Requests of a guest, right and wrong.

mod derived_keys;
mod reports;
mod requests;
