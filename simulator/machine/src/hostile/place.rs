//! Which page and which processor a rule means.

use crate::gpa::Gpa;

/// An address, as a rule names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// This one.
    At(Gpa),
    /// So many bytes into the page that the guest has named.
    It(u64),
}

impl Place {
    /// The address, if `page` is the one that the guest has named.
    pub(super) fn resolve(self, page: Option<Gpa>) -> Option<Gpa> {
        match self {
            Self::At(gpa) => Some(gpa),
            Self::It(offset) => page?.0.checked_add(offset).map(Gpa),
        }
    }
}

/// A processor, as a rule names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// The one that brought the rule about.
    It,
    /// The one with this number.
    Number(u32),
}
