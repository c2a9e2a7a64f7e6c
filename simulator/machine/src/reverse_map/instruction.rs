//! What the guest's three instructions have in common.

use abi_snp::SevFeatures;

use crate::execution::{Cpl, Execution};
use crate::gpa::Gpa;
use crate::nested_fault::NestedFaultError;
use crate::reverse_map::completion::{Completion, Outcome};
use crate::reverse_map::fault::Fault;
use crate::reverse_map::ownership::private_page;
use crate::reverse_map::rule::{FaultRule, RefusalRule};
use crate::reverse_map::table::{Slot, Table};
use abi_snp::PageSize;

/// The registers that the instructions read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registers {
    /// A linear address; outside 64-bit mode already cut to the effective
    /// address size.
    pub rax: u64,
    /// Page size.
    pub rcx: u64,
    /// What to do.
    pub rdx: u64,
}

/// Whether an access is encrypted with the guest's key: the C-bit of its
/// mapping, or what `vTOM` makes of the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encryption {
    /// C = 1.
    Private,
    /// C = 0.
    Shared,
}

/// What the guest's page tables make of a linear address, once all their
/// checks have passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Translation {
    /// Where it leads.
    pub gpa: Gpa,
    /// The C-bit of the page-table entry.
    pub encryption: Encryption,
}

impl Translation {
    /// A nested page fault's error code, as long as no rule adds to it.
    ///
    /// Measured on a processor for PVALIDATE: present, user, encrypted, and
    /// neither of the bits that say whether the address is the final one.
    pub(crate) const fn error(&self) -> NestedFaultError {
        let error = NestedFaultError::PRESENT.union(NestedFaultError::USER);
        match self.encryption {
            Encryption::Private => error.union(NestedFaultError::ENCRYPTED),
            Encryption::Shared => error,
        }
    }
}

/// Why an instruction did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Fault(FaultRule),
    Refuse(RefusalRule),
}

impl From<FaultRule> for Stop {
    fn from(rule: FaultRule) -> Self {
        Self::Fault(rule)
    }
}

impl From<RefusalRule> for Stop {
    fn from(rule: RefusalRule) -> Self {
        Self::Refuse(rule)
    }
}

impl Stop {
    /// What the processor does before it has translated the address.
    pub(crate) fn early(self) -> Outcome {
        self.outcome(Gpa(0), NestedFaultError::empty())
    }

    /// What the processor does once it has.
    pub(crate) fn at(self, translation: &Translation) -> Outcome {
        self.outcome(translation.gpa, translation.error())
    }

    fn outcome(self, gpa: Gpa, error: NestedFaultError) -> Outcome {
        match self {
            Self::Fault(rule) => Outcome::Fault(Fault::new(rule, gpa, error)),
            Self::Refuse(rule) => Outcome::Complete(Completion::refused(rule)),
        }
    }
}

/// Whether the instructions exist here, and for this program.
pub(crate) fn check_execution(execution: &Execution) -> Result<(), FaultRule> {
    if !execution.features.contains(SevFeatures::SNP_ACTIVE) {
        return Err(FaultRule::SnpActive);
    }
    if execution.cpl != Cpl::Cpl0 {
        return Err(FaultRule::Cpl0);
    }
    Ok(())
}

/// The linear address of the page in RAX. From memory: the twelve low bits are
/// not looked at.
pub(crate) const fn linear_address(registers: &Registers) -> u64 {
    registers.rax & !(PageSize::Size4K.bytes() - 1)
}

/// The page size in the lowest bit of RCX.
pub(crate) const fn page_size(registers: &Registers) -> PageSize {
    if registers.rcx & 1 == 0 { PageSize::Size4K } else { PageSize::Size2M }
}

/// Whether the linear address fits the page size.
pub(crate) fn check_alignment(registers: &Registers, size: PageSize) -> Result<(), RefusalRule> {
    if linear_address(registers).is_multiple_of(size.bytes()) {
        Ok(())
    } else {
        Err(RefusalRule::LargeAligned)
    }
}

/// The entry that an instruction works on: the guest's, mutable, not in use.
///
/// The instruction works on the page that holds the address, whatever part of
/// it that is, and whatever size the guest's page tables map it with: only the
/// linear address has to be aligned. The C-bit of the mapping makes no
/// difference but in the error code; that is from memory.
pub(crate) fn own_page(table: &Table, translation: &Translation) -> Result<Slot, FaultRule> {
    let slot = private_page(table.slot(translation.gpa))?;
    if slot.entry.is_in_use() {
        return Err(FaultRule::EntryFree);
    }
    Ok(slot)
}
