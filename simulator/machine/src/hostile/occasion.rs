//! What happens in a machine that a hostile host can wait for.

use core::fmt;

use abi_snp::PageSize;
use abi_snp::ghcb::{ExitCode as PageEvent, MsrOperation, PageOperation};
use abi_x86::Msr;

use crate::gpa::Gpa;

/// Something that a virtual processor does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occasion {
    /// It exits, with this code of the emulated processor's.
    Exit(abi_svm::ExitCode),
    /// A save area was loaded. The GHCB page that its level has registered.
    Entry(Option<Gpa>),
    /// It asks by the GHCB MSR.
    MsrRequest(MsrOperation),
    /// It asks by the GHCB page.
    PageRequest {
        /// What for.
        event: PageEvent,
        /// The GHCB page.
        page: Gpa,
    },
    /// It is told what CPUID says, by either protocol.
    Cpuid {
        /// EAX.
        leaf: u32,
        /// ECX.
        subleaf: u32,
    },
    /// RDMSR that the host executes.
    ReadMsr(Msr),
    /// WRMSR that the host executes.
    WriteMsr(Msr),
    /// Input from a port.
    ReadPort(u16),
    /// Output to a port.
    WritePort {
        /// The port.
        port: u16,
        /// What is written.
        value: u32,
    },
    /// It asks that a page changes its state, by either protocol.
    PageState {
        /// The page.
        gpa: Gpa,
        /// Its size.
        size: PageSize,
        /// What it shall become.
        operation: PageOperation,
    },
    /// It sends a message to the security processor; the page for the answer.
    GuestRequest(Gpa),
}

impl Occasion {
    /// The page that the guest has named, if it has: what `it` means. A number
    /// that the guest writes to a port is that of a page.
    pub(super) fn page(self) -> Option<Gpa> {
        match self {
            Self::Entry(page) => page,
            Self::PageRequest { page, .. } => Some(page),
            Self::PageState { gpa, .. } => Some(gpa),
            Self::GuestRequest(response) => Some(response),
            Self::WritePort { value, .. } => Some(Gpa(u64::from(value) * PageSize::Size4K.bytes())),
            _ => None,
        }
    }
}

impl fmt::Display for Occasion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(code) => write!(f, "exit: {code}"),
            Self::Entry(_) => f.write_str("entry"),
            Self::MsrRequest(operation) => write!(f, "MSR: {operation}"),
            Self::PageRequest { event, .. } => write!(f, "page: {event}"),
            Self::Cpuid { leaf, subleaf } => write!(f, "CPUID {leaf:#x}/{subleaf:#x}"),
            Self::ReadMsr(msr) => write!(f, "read of MSR {:#x}", msr.0),
            Self::WriteMsr(msr) => write!(f, "write of MSR {:#x}", msr.0),
            Self::ReadPort(port) => write!(f, "read of port {port:#x}"),
            Self::WritePort { port, value } => write!(f, "{value:#x} to port {port:#x}"),
            Self::PageState { gpa, size, operation } => {
                write!(f, "{operation:?}: {size} page at {gpa}")
            }
            Self::GuestRequest(_) => f.write_str("message to the security processor"),
        }
    }
}
