//! How a run ends.

use alloc::string::String;
use core::fmt;

use abi_snp::ghcb::{ReasonSet, TerminationReason};
use serde::{Deserialize, Serialize};

/// How a run ended; shown as the line that its user reads.
///
/// Privilege levels are numbers, 0 to 3. Addresses are what the processor saw:
/// `rip` linear within its segment, `gpa` guest physical.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum End {
    /// The guest switched the machine off.
    PoweredOff,
    /// The guest asked for a restart, which a confidential guest cannot have:
    /// it takes a new launch.
    Reset,
    /// The guest asked its hypervisor to end it.
    Terminated {
        /// Number of the processor.
        vcpu: u32,
        /// Its privilege level.
        vmpl: u8,
        /// Who defines the reason, 0 to 15.
        reason_set: u8,
        /// The reason.
        reason_code: u8,
        /// What is known beyond the reason; may be empty.
        text: String,
    },
    /// An exception while delivering an exception while delivering one.
    TripleFault {
        /// Number of the processor.
        vcpu: u32,
        /// Its privilege level.
        vmpl: u8,
        /// Its instruction pointer.
        rip: u64,
    },
    /// An access or instruction that the reverse map forbids, and that the
    /// hypervisor can do nothing about.
    NestedFault {
        /// Number of the processor.
        vcpu: u32,
        /// Its privilege level.
        vmpl: u8,
        /// Its instruction pointer.
        rip: u64,
        /// Where the access went.
        gpa: u64,
        /// The rule that it broke, in words.
        rule: String,
        /// What is known beyond the rule; may be empty.
        text: String,
    },
    /// A processor was to run with a save area that no processor accepts.
    InvalidSaveArea {
        /// Number of the processor.
        vcpu: u32,
        /// The privilege level.
        vmpl: u8,
        /// What is wrong with the save area.
        text: String,
    },
    /// The guest asked its hypervisor for something that has no answer by the
    /// GHCB protocol, or said that it cannot go on.
    ProtocolError {
        /// Number of the processor.
        vcpu: u32,
        /// Its privilege level.
        vmpl: u8,
        /// What.
        text: String,
    },
    /// All processors wait, and nothing is left that could wake one.
    Stalled,
    /// The launch was refused, or the machine cannot be had.
    Refused {
        /// By whom, and why.
        text: String,
    },
    /// The simulator has a fault, or lacks something that the guest needs.
    Fault {
        /// What.
        text: String,
    },
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PoweredOff => f.write_str("guest switched itself off"),
            Self::Reset => f.write_str("guest asked for a restart, which takes a new launch"),
            Self::Terminated { vcpu, vmpl, reason_set, reason_code, text } => {
                write!(f, "guest terminated itself on processor {vcpu} at VMPL{vmpl}: ")?;
                match ReasonSet::new(*reason_set) {
                    Some(set) => write!(f, "{}", TerminationReason::new(set, *reason_code))?,
                    None => write!(f, "reason set {reason_set}, code {reason_code:#04x}")?,
                }
                more(f, text)
            }
            Self::TripleFault { vcpu, vmpl, rip } => {
                write!(f, "triple fault on processor {vcpu} at VMPL{vmpl}, RIP {rip:#x}")
            }
            Self::NestedFault { vcpu, vmpl, rip, gpa, rule, text } => {
                write!(
                    f,
                    "forbidden access to {gpa:#x} on processor {vcpu} at VMPL{vmpl}, \
                     RIP {rip:#x}: {rule}"
                )?;
                more(f, text)
            }
            Self::InvalidSaveArea { vcpu, vmpl, text } => {
                write!(f, "invalid save area for processor {vcpu} at VMPL{vmpl}")?;
                more(f, text)
            }
            Self::ProtocolError { vcpu, vmpl, text } => {
                write!(f, "GHCB protocol error on processor {vcpu} at VMPL{vmpl}: {text}")
            }
            Self::Stalled => f.write_str("all processors wait, and nothing can wake one"),
            Self::Refused { text } => write!(f, "launch refused: {text}"),
            Self::Fault { text } => write!(f, "the simulator failed: {text}"),
        }
    }
}

/// Adds a text, if there is one.
fn more(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    if text.is_empty() { Ok(()) } else { write!(f, ": {text}") }
}
