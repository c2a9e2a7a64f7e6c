//! The checks.

mod check;
mod identity;

pub(crate) use check::Check;

/// All checks, in the order in which they run.
pub(crate) fn all() -> impl Iterator<Item = &'static Check> {
    identity::CHECKS.iter()
}
