//! Who may read a message.

use core::fmt;

use abi_boot::ConsoleAudience;

/// Who may read a message. Whoever comes later in the order may also read what
/// is for those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Audience {
    /// Whoever runs the machine: what the host knows anyway or has caused, and
    /// what its operator needs to find out why a guest does not start.
    Host,
    /// The owner of the guest: what may be said about the guest to itself.
    Tenant,
    /// Nobody outside the module: for its own tests and examinations.
    Nobody,
}

impl Audience {
    /// Whether `reader` may read what is for this audience.
    #[must_use]
    pub fn may_be_read_by(self, reader: Self) -> bool {
        self <= reader
    }

    /// For whom the console is, by the image's manifest; `None` if it is for
    /// nobody. A console that is for the tenant is the tenant's decision: the
    /// host can read it as well.
    #[must_use]
    pub fn of_console(console: ConsoleAudience) -> Option<Self> {
        match console {
            ConsoleAudience::HOST => Some(Self::Host),
            ConsoleAudience::TENANT => Some(Self::Tenant),
            _ => None,
        }
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Host => "host",
            Self::Tenant => "tenant",
            Self::Nobody => "nobody",
        })
    }
}
