//! Who goes first.

/// Priority of a task. Of the ready tasks of a processor, one of the highest
/// priority runs; those of one priority take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Priority {
    /// The guest: it runs when the module has nothing to do.
    Guest,
    /// Work that nobody waits for.
    Background,
    /// Answers to the guest and to other services.
    Service,
    /// What others cannot go on without, and is over soon.
    Urgent,
}

impl Priority {
    /// All, the highest first.
    pub(crate) const FROM_THE_HIGHEST: [Self; 4] =
        [Self::Urgent, Self::Service, Self::Background, Self::Guest];

    /// The priority with a number, as `as u8` gives it.
    pub(crate) fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Guest,
            1 => Self::Background,
            2 => Self::Service,
            _ => Self::Urgent,
        }
    }
}
