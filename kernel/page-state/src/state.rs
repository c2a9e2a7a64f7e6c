//! States of a page, and which can follow which.

use core::fmt;

/// Who may use a private page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The module alone.
    Module,
    /// The guest at this level, and the module for it.
    Guest(GuestLevel),
}

/// A level of privilege below the module's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuestLevel {
    /// VMPL1.
    One,
    /// VMPL2.
    Two,
    /// VMPL3.
    Three,
}

/// What a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageState {
    /// Not of this VM.
    Absent,
    /// Shared with the host.
    Shared,
    /// Private as far as the host says, and not validated: nobody may use it.
    Unvalidated,
    /// Private and validated.
    Validated(Owner),
    /// A processor's save area (VMSA): nobody may write to it.
    SaveArea,
}

impl PageState {
    /// All states, in the order of [`Self::code`].
    pub(crate) const ALL: [Self; 8] = [
        Self::Absent,
        Self::Shared,
        Self::Unvalidated,
        Self::Validated(Owner::Module),
        Self::Validated(Owner::Guest(GuestLevel::One)),
        Self::Validated(Owner::Guest(GuestLevel::Two)),
        Self::Validated(Owner::Guest(GuestLevel::Three)),
        Self::SaveArea,
    ];

    /// The state as a number of 3 bits.
    pub(crate) const fn code(self) -> u64 {
        match self {
            Self::Absent => 0,
            Self::Shared => 1,
            Self::Unvalidated => 2,
            Self::Validated(Owner::Module) => 3,
            Self::Validated(Owner::Guest(GuestLevel::One)) => 4,
            Self::Validated(Owner::Guest(GuestLevel::Two)) => 5,
            Self::Validated(Owner::Guest(GuestLevel::Three)) => 6,
            Self::SaveArea => 7,
        }
    }

    /// The state with this number, of which 3 bits count.
    pub(crate) const fn of_code(code: u64) -> Self {
        Self::ALL[(code & 7) as usize]
    }

    /// Whether a page can go from this state to `next` in one claim. Absent
    /// pages stay so, save areas are made of validated pages and become such
    /// again, and no page goes to the state that it is in: a page that is
    /// validated twice could be two pages.
    #[must_use]
    pub const fn can_become(self, next: Self) -> bool {
        match (self, next) {
            (Self::Absent, _) | (_, Self::Absent) => false,
            (Self::Shared | Self::Unvalidated, Self::SaveArea)
            | (Self::SaveArea, Self::Shared | Self::Unvalidated) => false,
            _ => self.code() != next.code(),
        }
    }
}

impl fmt::Display for PageState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Absent => "not of this VM",
            Self::Shared => "shared with the host",
            Self::Unvalidated => "private and not validated",
            Self::Validated(Owner::Module) => "the module's",
            Self::Validated(Owner::Guest(GuestLevel::One)) => "the guest's at level 1",
            Self::Validated(Owner::Guest(GuestLevel::Two)) => "the guest's at level 2",
            Self::Validated(Owner::Guest(GuestLevel::Three)) => "the guest's at level 3",
            Self::SaveArea => "a save area",
        })
    }
}
