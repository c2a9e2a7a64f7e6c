//! An ending.

use core::fmt;

use crate::bench::Bench;
use crate::console::println;
use crate::verdict::Verdict;

/// Something that ends the guest.
pub(super) struct Ending {
    /// Its name.
    pub(super) name: &'static str,
    /// Where that is specified.
    pub(super) source: &'static str,
    /// What hardware and hypervisors do.
    pub(super) hardware: &'static str,
    /// Processors that it takes.
    pub(super) processors: u32,
    /// Brings it about. Comes back only if the guest goes on.
    pub(super) run: fn(&mut Bench) -> Verdict,
}

/// How the guest is to end, by the names of the simulator's reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// An access that the reverse map forbids, to this guest physical address.
    NestedFault(u64),
    /// A triple fault.
    TripleFault,
    /// All processors wait for ever.
    Stalled,
    /// The guest terminates itself for this reason of this program's set.
    Terminated(u8),
    /// The save area cannot be entered.
    InvalidSaveArea,
    /// The machine starts again.
    Reset,
    /// The hypervisor can make nothing of what the guest asks for.
    ProtocolError,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NestedFault(gpa) => write!(f, "nested_fault {gpa:#x}"),
            Self::TripleFault => f.write_str("triple_fault"),
            Self::Stalled => f.write_str("stalled"),
            Self::Terminated(code) => write!(f, "terminated {code:#x}"),
            Self::InvalidSaveArea => f.write_str("invalid_save_area"),
            Self::Reset => f.write_str("reset"),
            Self::ProtocolError => f.write_str("protocol_error"),
        }
    }
}

/// Says how the guest is about to end.
pub(super) fn announce(expected: Expected) {
    println!("expect {expected}");
}
