//! What a rule waits for.

use abi_snp::ghcb::{ExitCode as PageEvent, MsrOperation, PageOperation};
use abi_x86::Msr;

use crate::gpa::Gpa;
use crate::hostile::occasion::Occasion;

/// What a rule waits for. `None` is anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trigger {
    /// That so many nanoseconds have gone by.
    Time(u64),
    Exit(Option<abi_svm::ExitCode>),
    Entry,
    MsrRequest(Option<MsrOperation>),
    PageRequest(Option<PageEvent>),
    Cpuid {
        leaf: Option<u32>,
        subleaf: Option<u32>,
    },
    ReadMsr(Option<Msr>),
    WriteMsr(Option<Msr>),
    ReadPort(Option<u16>),
    WritePort {
        port: Option<u16>,
        value: Option<u32>,
    },
    PageState {
        operation: Option<PageOperation>,
        pages: Option<PageRange>,
    },
    GuestRequest,
}

/// Addresses from the first to the last, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageRange {
    pub(super) first: Gpa,
    pub(super) last: Gpa,
}

impl Trigger {
    /// Whether this is what the rule waits for.
    pub(super) fn holds(self, occasion: Occasion) -> bool {
        match (self, occasion) {
            (Self::Exit(wanted), Occasion::Exit(code)) => is(wanted, code),
            (Self::Entry, Occasion::Entry(_)) | (Self::GuestRequest, Occasion::GuestRequest(_)) => {
                true
            }
            (Self::MsrRequest(wanted), Occasion::MsrRequest(operation)) => is(wanted, operation),
            (Self::PageRequest(wanted), Occasion::PageRequest { event, .. }) => is(wanted, event),
            (Self::Cpuid { leaf, subleaf }, Occasion::Cpuid { leaf: asked, subleaf: with }) => {
                is(leaf, asked) && is(subleaf, with)
            }
            (Self::ReadMsr(wanted), Occasion::ReadMsr(msr))
            | (Self::WriteMsr(wanted), Occasion::WriteMsr(msr)) => is(wanted, msr),
            (Self::ReadPort(wanted), Occasion::ReadPort(port)) => is(wanted, port),
            (Self::WritePort { port, value }, Occasion::WritePort { port: to, value: written }) => {
                is(port, to) && is(value, written)
            }
            (
                Self::PageState { operation, pages },
                Occasion::PageState { gpa, size, operation: asked },
            ) => {
                let end = gpa.0.saturating_add(size.bytes());
                is(operation, asked)
                    && pages.is_none_or(|pages| pages.first.0 < end && gpa.0 <= pages.last.0)
            }
            _ => false,
        }
    }

    /// The word that scenarios begin it with.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Time(_) => "time",
            Self::Exit(_) => "exit",
            Self::Entry => "enter",
            Self::MsrRequest(_) => "msr-request",
            Self::PageRequest(_) => "page-request",
            Self::Cpuid { .. } => "cpuid",
            Self::ReadMsr(_) => "read-msr",
            Self::WriteMsr(_) => "write-msr",
            Self::ReadPort(_) => "read-port",
            Self::WritePort { .. } => "write-port",
            Self::PageState { .. } => "page-state",
            Self::GuestRequest => "guest-request",
        }
    }

    /// Whether the guest names a page then, [`Occasion::page`].
    pub(super) const fn has_page(self) -> bool {
        matches!(
            self,
            Self::Entry
                | Self::PageRequest(_)
                | Self::WritePort { .. }
                | Self::PageState { .. }
                | Self::GuestRequest
        )
    }
}

fn is<T: PartialEq>(wanted: Option<T>, found: T) -> bool {
    wanted.is_none_or(|wanted| wanted == found)
}
