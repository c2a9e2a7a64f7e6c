//! How often what was asked for.

use alloc::collections::BTreeMap;
use core::fmt;

use abi_snp::ghcb::{ExitCode, MsrOperation};

/// A kind of request. Numbers that this version does not know are counted
/// together, so there are not more kinds than it has names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// By the GHCB MSR.
    Msr(MsrOperation),
    /// By the GHCB MSR, with an unknown operation.
    UnknownMsr,
    /// By the page.
    Page(ExitCode),
    /// By the page, with an unknown event, or without one that could be read.
    UnknownPage,
}

impl EventKind {
    /// The kind of an operation by the MSR.
    #[must_use]
    pub const fn of_msr(operation: MsrOperation) -> Self {
        if operation.name().is_some() { Self::Msr(operation) } else { Self::UnknownMsr }
    }

    /// The kind of an event by the page, from its `SW_EXITCODE`.
    #[must_use]
    pub fn of_page(code: Option<u64>) -> Self {
        match code.map(ExitCode) {
            Some(code) if code.name().is_some() => Self::Page(code),
            _ => Self::UnknownPage,
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Msr(operation) => write!(f, "MSR: {operation}"),
            Self::UnknownMsr => f.write_str("MSR: unknown"),
            Self::Page(code) => write!(f, "page: {code}"),
            Self::UnknownPage => f.write_str("page: unknown"),
        }
    }
}

/// How often something was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Requests.
    pub requests: u64,
    /// How many of them were refused: malformed, ended in an exception, or
    /// ended a guest that had not asked for its end.
    pub refused: u64,
}

/// The counters of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<EventKind, Count>);

impl Counts {
    /// One more.
    pub(super) fn record(&mut self, kind: EventKind, refused: Refused) {
        let count = self.0.entry(kind).or_default();
        count.requests = count.requests.saturating_add(1);
        if refused == Refused::Yes {
            count.refused = count.refused.saturating_add(1);
        }
    }

    /// How often `kind` was asked for.
    #[must_use]
    pub fn count(&self, kind: EventKind) -> Count {
        self.0.get(&kind).copied().unwrap_or_default()
    }

    /// Everything that was asked for at least once: requests by the MSR first,
    /// each protocol in the order of its numbers.
    pub fn iter(&self) -> impl Iterator<Item = (EventKind, Count)> + '_ {
        self.0.iter().map(|(kind, count)| (*kind, *count))
    }
}

/// Whether a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    No,
    Yes,
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn kinds_are_counted_in_order() {
        let mut counts = Counts::default();
        let cpuid = EventKind::of_page(Some(0x72));
        counts.record(cpuid, Refused::No);
        counts.record(cpuid, Refused::Yes);
        counts.record(EventKind::of_msr(MsrOperation::CPUID_REQUEST), Refused::No);
        counts.record(EventKind::of_page(Some(0x1234)), Refused::Yes);
        counts.record(EventKind::of_page(None), Refused::Yes);
        counts.record(EventKind::of_msr(MsrOperation(0xfff)), Refused::Yes);
        let table: Vec<_> = counts.iter().map(|(kind, count)| (kind.to_string(), count)).collect();
        let expected = [
            ("MSR: CPUID request", 1, 0),
            ("MSR: unknown", 1, 1),
            ("page: CPUID", 2, 1),
            ("page: unknown", 2, 2),
        ]
        .map(|(kind, requests, refused)| (kind.to_string(), Count { requests, refused }));
        assert_eq!(table, expected);
        assert_eq!(counts.count(cpuid), Count { requests: 2, refused: 1 });
        assert_eq!(counts.count(EventKind::of_page(Some(0x6e))), Count::default());
    }
}
