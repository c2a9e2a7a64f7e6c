//! How often what was done to the reverse map, and how it ended.

use alloc::collections::TryReserveError;
use alloc::vec::Vec;
use core::fmt;

use crate::reverse_map::completion::Outcome;
use crate::reverse_map::fault::FaultKind;
use abi_snp::PageSize;
use abi_snp::ReturnCode;
use abi_snp::Vmpl;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(usize)]
pub enum Operation {
    /// PVALIDATE that accepts a page.
    Validate,
    /// PVALIDATE that gives a page up.
    Rescind,
    /// RMPADJUST.
    Rmpadjust,
    /// RMPQUERY.
    Rmpquery,
    /// RMPUPDATE: the page becomes the guest's.
    MakePrivate,
    /// RMPUPDATE: the page becomes the hypervisor's.
    MakeShared,
    /// RMPUPDATE: the page goes to the security processor.
    MakeImmutable,
    /// PSMASH.
    Psmash,
    /// The security processor launches a page.
    LaunchUpdate,
    /// The security processor gives a page back.
    PageReclaim,
    /// The security processor joins 512 pages.
    PageUnsmash,
}

impl Operation {
    /// All operations: those of the guest, the hypervisor, the security
    /// processor.
    pub const ALL: [Self; 11] = [
        Self::Validate,
        Self::Rescind,
        Self::Rmpadjust,
        Self::Rmpquery,
        Self::MakePrivate,
        Self::MakeShared,
        Self::MakeImmutable,
        Self::Psmash,
        Self::LaunchUpdate,
        Self::PageReclaim,
        Self::PageUnsmash,
    ];
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Validate => "PVALIDATE (validate)",
            Self::Rescind => "PVALIDATE (rescind)",
            Self::Rmpadjust => "RMPADJUST",
            Self::Rmpquery => "RMPQUERY",
            Self::MakePrivate => "RMPUPDATE (private)",
            Self::MakeShared => "RMPUPDATE (shared)",
            Self::MakeImmutable => "RMPUPDATE (immutable)",
            Self::Psmash => "PSMASH",
            Self::LaunchUpdate => "SNP_LAUNCH_UPDATE",
            Self::PageReclaim => "SNP_PAGE_RECLAIM",
            Self::PageUnsmash => "SNP_PAGE_UNSMASH",
        })
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(usize)]
pub enum Ending {
    /// Done.
    Done,
    /// Done, though nothing changed: PVALIDATE with the carry flag.
    Unchanged,
    /// [`ReturnCode::FailInput`].
    FailInput,
    /// [`ReturnCode::FailPermission`].
    FailPermission,
    /// [`ReturnCode::FailInUse`].
    FailInUse,
    /// [`ReturnCode::FailOverlap`].
    FailOverlap,
    /// [`ReturnCode::FailSizeMismatch`].
    FailSizeMismatch,
    /// [`ReturnCode::FailBadAddress`].
    FailBadAddress,
    /// `#UD`.
    InvalidOpcode,
    /// `#GP(0)`.
    GeneralProtection,
    /// `#PF`.
    PageFault,
    /// `#VC` for a page that is not validated.
    PageNotValidated,
    /// Exit with a nested page fault.
    NestedPageFault,
    /// Refused by the security processor.
    FirmwareRefused,
}

impl Ending {
    /// All endings.
    pub const ALL: [Self; 14] = [
        Self::Done,
        Self::Unchanged,
        Self::FailInput,
        Self::FailPermission,
        Self::FailInUse,
        Self::FailOverlap,
        Self::FailSizeMismatch,
        Self::FailBadAddress,
        Self::InvalidOpcode,
        Self::GeneralProtection,
        Self::PageFault,
        Self::PageNotValidated,
        Self::NestedPageFault,
        Self::FirmwareRefused,
    ];
}

impl From<ReturnCode> for Ending {
    fn from(code: ReturnCode) -> Self {
        match code {
            ReturnCode::Success => Self::Done,
            ReturnCode::FailInput => Self::FailInput,
            ReturnCode::FailPermission => Self::FailPermission,
            ReturnCode::FailInUse => Self::FailInUse,
            ReturnCode::FailOverlap => Self::FailOverlap,
            ReturnCode::FailSizeMismatch => Self::FailSizeMismatch,
            ReturnCode::FailBadAddress => Self::FailBadAddress,
        }
    }
}

impl From<&Outcome> for Ending {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Complete(completion) if completion.unchanged => Self::Unchanged,
            Outcome::Complete(completion) => completion.code.into(),
            Outcome::Fault(fault) => match fault.kind {
                FaultKind::InvalidOpcode => Self::InvalidOpcode,
                FaultKind::GeneralProtection => Self::GeneralProtection,
                FaultKind::PageFault(_) => Self::PageFault,
                FaultKind::PageNotValidated { .. } => Self::PageNotValidated,
                FaultKind::NestedPageFault { .. } => Self::NestedPageFault,
            },
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Done => "done",
            Self::Unchanged => "unchanged",
            Self::FailInput => "FAIL_INPUT",
            Self::FailPermission => "FAIL_PERMISSION",
            Self::FailInUse => "FAIL_INUSE",
            Self::FailOverlap => "FAIL_OVERLAP",
            Self::FailSizeMismatch => "FAIL_SIZEMISMATCH",
            Self::FailBadAddress => "FAIL_BADADDR",
            Self::InvalidOpcode => "#UD",
            Self::GeneralProtection => "#GP",
            Self::PageFault => "#PF",
            Self::PageNotValidated => "#VC not validated",
            Self::NestedPageFault => "nested page fault",
            Self::FirmwareRefused => "refused by firmware",
        })
    }
}

/// What is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// What was done.
    pub operation: Operation,
    /// To a page of which size: that which was asked for; for RMPQUERY, which
    /// does not ask, that which was found, or 4 KiB if it failed.
    pub page_size: PageSize,
    /// By which level of the guest; `None` for the hypervisor and the security
    /// processor.
    pub vmpl: Option<Vmpl>,
    /// How it ended.
    pub ending: Ending,
}

/// The counters of one reverse map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statistics {
    counts: Vec<u64>,
}

const SIZES: usize = PageSize::ALL.len();
const ENDINGS: usize = Ending::ALL.len();
const ACTORS: usize = Vmpl::ALL.len() + 1;
const COUNTERS: usize = Operation::ALL.len() * SIZES * ACTORS * ENDINGS;

impl Statistics {
    /// Counters that are all 0.
    pub(crate) fn new() -> Result<Self, TryReserveError> {
        let mut counts = Vec::new();
        counts.try_reserve_exact(COUNTERS)?;
        counts.resize(COUNTERS, 0);
        Ok(Self { counts })
    }

    /// One more.
    pub(crate) fn record(&mut self, event: Event) {
        if let Some(count) = self.counts.get_mut(index(event)) {
            *count = count.saturating_add(1);
        }
    }

    /// How often `event` happened.
    #[must_use]
    pub fn count(&self, event: Event) -> u64 {
        self.counts.get(index(event)).copied().unwrap_or_default()
    }

    /// Everything that happened, with how often, in a fixed order: by
    /// operation, page size, level and ending.
    pub fn events(&self) -> impl Iterator<Item = (Event, u64)> + '_ {
        let actors = || Vmpl::ALL.into_iter().map(Some).chain([None]);
        Operation::ALL
            .into_iter()
            .flat_map(|operation| PageSize::ALL.map(|page_size| (operation, page_size)))
            .flat_map(move |(operation, page_size)| {
                actors().map(move |vmpl| (operation, page_size, vmpl))
            })
            .flat_map(|(operation, page_size, vmpl)| {
                Ending::ALL.map(|ending| Event { operation, page_size, vmpl, ending })
            })
            .map(|event| (event, self.count(event)))
            .filter(|(_, count)| *count > 0)
    }
}

fn index(event: Event) -> usize {
    let actor = event.vmpl.map_or(Vmpl::ALL.len(), |vmpl| usize::from(vmpl.number()));
    let row = (event.operation as usize * SIZES + event.page_size as usize) * ACTORS + actor;
    row * ENDINGS + event.ending as usize
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn each_event_has_a_counter_of_its_own() {
        let mut statistics = Statistics::new().unwrap();
        let mut expected = 0;
        for operation in Operation::ALL {
            for page_size in PageSize::ALL {
                for vmpl in Vmpl::ALL.map(Some).into_iter().chain([None]) {
                    for ending in Ending::ALL {
                        statistics.record(Event { operation, page_size, vmpl, ending });
                        expected += 1;
                    }
                }
            }
        }
        let events: Vec<_> = statistics.events().collect();
        assert_eq!((events.len(), COUNTERS), (expected, expected));
        assert!(events.iter().all(|(_, count)| *count == 1));
    }

    #[test]
    fn only_what_happened_is_listed() {
        let mut statistics = Statistics::new().unwrap();
        let event = Event {
            operation: Operation::Rescind,
            page_size: PageSize::Size2M,
            vmpl: Some(Vmpl::Vmpl0),
            ending: Ending::Unchanged,
        };
        assert_eq!(statistics.events().count(), 0);
        statistics.record(event);
        statistics.record(event);
        assert_eq!(statistics.events().collect::<Vec<_>>(), [(event, 2)]);
        assert_eq!(statistics.count(event), 2);
        assert_eq!(statistics.count(Event { vmpl: None, ..event }), 0);
    }

    #[test]
    fn return_codes_are_shown_as_the_instructions_give_them() {
        for code in ReturnCode::ALL {
            let ending = Ending::from(code);
            let expected =
                if code == ReturnCode::Success { "done".into() } else { code.to_string() };
            assert_eq!(ending.to_string(), expected);
        }
    }
}
