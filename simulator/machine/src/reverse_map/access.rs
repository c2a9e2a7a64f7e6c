//! What an access of the guest leads to.
//!
//! [APM 24593 §15.36.10, table 15-39], for an SNP-active guest, after the
//! guest's page tables and the nested ones have allowed the access:
//!
//! | access | checks, in this order |
//! |---|---|
//! | private data, fetch, page tables | [`RmpCovered`](FaultRule::RmpCovered), [`GuestOwned`](FaultRule::GuestOwned), [`ReverseMap`](FaultRule::ReverseMap), [`Mutable`](FaultRule::Mutable), [`PageSize`](FaultRule::PageSize), [`Validated`](FaultRule::Validated), [`Vmpl`](FaultRule::Vmpl) |
//! | shared write | [`HypervisorOwned`](FaultRule::HypervisorOwned) |
//! | shared read | none |
//!
//! Fetches and accesses to page tables are private, whatever the C-bit says
//! [APM 24593 §15.34.5]. That only writes with `C = 0` are checked means that a
//! shared read of a private page goes through; it sees what encryption left of
//! the content, which is for the caller to provide.

use abi_snp::{PagePermissions, SevFeatures};

use crate::execution::{Cpl, Execution};
use crate::gpa::Gpa;
use crate::nested_fault::NestedFaultError;
use crate::reverse_map::entry::Entry;
use crate::reverse_map::fault::Fault;
use crate::reverse_map::instruction::Encryption;
use crate::reverse_map::map::ReverseMap;
use crate::reverse_map::ownership::private_page;
use crate::reverse_map::rule::FaultRule;
use abi_snp::PageSize;

/// What an access is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccessKind {
    /// Data is read.
    Read,
    /// Data is written; also a read that is part of a write.
    Write,
    /// An instruction is fetched.
    Fetch,
    /// The processor reads an entry of the guest's page tables.
    TableRead,
    /// The processor sets an accessed or dirty bit in one.
    TableUpdate,
    /// A supervisor shadow stack is read.
    SupervisorShadowStackRead,
    /// A supervisor shadow stack is written.
    SupervisorShadowStackWrite,
    /// A user shadow stack is read.
    UserShadowStackRead,
    /// A user shadow stack is written.
    UserShadowStackWrite,
}

impl AccessKind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Read,
        Self::Write,
        Self::Fetch,
        Self::TableRead,
        Self::TableUpdate,
        Self::SupervisorShadowStackRead,
        Self::SupervisorShadowStackWrite,
        Self::UserShadowStackRead,
        Self::UserShadowStackWrite,
    ];

    const fn is_write(self) -> bool {
        matches!(
            self,
            Self::Write
                | Self::TableUpdate
                | Self::SupervisorShadowStackWrite
                | Self::UserShadowStackWrite
        )
    }

    const fn is_table_walk(self) -> bool {
        matches!(self, Self::TableRead | Self::TableUpdate)
    }

    const fn is_supervisor_shadow_stack(self) -> bool {
        matches!(self, Self::SupervisorShadowStackRead | Self::SupervisorShadowStackWrite)
    }

    const fn is_shadow_stack(self) -> bool {
        self.is_supervisor_shadow_stack()
            || matches!(self, Self::UserShadowStackRead | Self::UserShadowStackWrite)
    }

    /// The permission that the level needs [APM 24593 §15.36.7, table 15-36].
    ///
    /// From memory: what accesses to page tables need, and that those to a
    /// supervisor shadow stack need the one for reading or writing as well.
    fn permissions(self, execution: &Execution) -> PagePermissions {
        let data = match self {
            Self::Fetch if execution.cpl == Cpl::Cpl3 => PagePermissions::EXECUTE_USER,
            Self::Fetch => PagePermissions::EXECUTE_SUPERVISOR,
            _ if self.is_write() => PagePermissions::WRITE,
            _ => PagePermissions::READ,
        };
        if self.is_supervisor_shadow_stack() && has_vmpl_shadow_stacks(execution) {
            data | PagePermissions::SUPERVISOR_SHADOW_STACK
        } else {
            data
        }
    }
}

/// An access to guest physical memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Its first byte.
    pub gpa: Gpa,
    /// How many bytes. The pages are contiguous; an access whose linear
    /// addresses lead to pages apart is one access for each.
    pub length: u16,
    /// What it is.
    pub kind: AccessKind,
    /// The C-bit of its mapping. Not looked at for fetches and page tables.
    pub encryption: Encryption,
    /// The size with which the nested page table maps the page; 1 GiB counts
    /// as 2 MiB.
    pub nested_page_size: PageSize,
}

impl Access {
    /// Private or shared, as the processor sees it.
    const fn effective_encryption(&self) -> Encryption {
        match self.kind {
            AccessKind::Fetch | AccessKind::TableRead | AccessKind::TableUpdate => {
                Encryption::Private
            }
            _ => self.encryption,
        }
    }

    /// A nested page fault's error code, as long as no rule adds to it.
    ///
    /// From memory: that the bits for the kind of address are set as in any
    /// nested page fault.
    fn error(&self) -> NestedFaultError {
        let mut error = NestedFaultError::PRESENT | NestedFaultError::USER;
        let kind = self.kind;
        error.set(NestedFaultError::WRITE, kind.is_write());
        error.set(NestedFaultError::INSTRUCTION, kind == AccessKind::Fetch);
        error.set(NestedFaultError::SHADOW_STACK, kind.is_shadow_stack());
        error.set(NestedFaultError::TABLE_WALK, kind.is_table_walk());
        error.set(NestedFaultError::FINAL_ADDRESS, !kind.is_table_walk());
        let private = self.effective_encryption() == Encryption::Private;
        error.set(NestedFaultError::ENCRYPTED, private);
        error
    }
}

impl ReverseMap {
    /// Whether the access is allowed, as far as the reverse map goes.
    ///
    /// An access of no bytes is.
    ///
    /// # Errors
    ///
    /// What the processor does instead, for the first page that forbids it.
    pub fn check(&self, access: &Access, execution: &Execution) -> Result<(), Fault> {
        let Some(last) = access.length.checked_sub(1) else {
            return Ok(());
        };
        let mut gpa = access.gpa;
        let end = Gpa(gpa.0.saturating_add(u64::from(last)));
        loop {
            self.check_page(gpa, access, execution)
                .map_err(|(rule, extra)| Fault::new(rule, gpa, access.error() | extra))?;
            let last_of_page = gpa.0 | (PageSize::Size4K.bytes() - 1);
            if last_of_page >= end.0 {
                return Ok(());
            }
            gpa = Gpa(last_of_page + 1);
        }
    }

    fn check_page(
        &self,
        gpa: Gpa,
        access: &Access,
        execution: &Execution,
    ) -> Result<(), (FaultRule, NestedFaultError)> {
        let plain = |rule| (rule, NestedFaultError::empty());
        if access.effective_encryption() == Encryption::Shared {
            return self.check_shared(gpa, access, execution).map_err(plain);
        }
        let entry = private_page(self.table.slot(gpa)).map_err(plain)?.entry;
        if entry.page_size() != access.nested_page_size {
            return Err(plain(FaultRule::PageSize));
        }
        if !entry.is_validated() {
            return Err(plain(FaultRule::Validated));
        }
        check_permissions(entry, access.kind, execution)
            .map_err(|rule| (rule, shadow_stack_bit(entry, execution)))
    }

    fn check_shared(
        &self,
        gpa: Gpa,
        access: &Access,
        execution: &Execution,
    ) -> Result<(), FaultRule> {
        if access.kind.is_shadow_stack() && has_vmpl_shadow_stacks(execution) {
            return Err(FaultRule::ShadowStackPrivate);
        }
        if access.kind.is_write() && !self.is_hypervisor_owned(gpa, access.nested_page_size) {
            return Err(FaultRule::HypervisorOwned);
        }
        Ok(())
    }

    /// Whether everything in the page of `size` that holds `gpa` is the
    /// hypervisor's. A remapped page lies in memory of the guest.
    fn is_hypervisor_owned(&self, gpa: Gpa, size: PageSize) -> bool {
        let first = gpa.page(size).0;
        let pages =
            (0..size.small_pages() as u64).map(|page| Gpa(first + page * PageSize::Size4K.bytes()));
        pages
            .filter_map(|page| self.table.slot(page))
            .all(|slot| !slot.entry.is_assigned() && !slot.entry.is_remapped())
    }
}

/// Whether the privilege level may do that with a validated page of its own.
fn check_permissions(
    entry: Entry,
    kind: AccessKind,
    execution: &Execution,
) -> Result<(), FaultRule> {
    let granted = entry.permissions(execution.vmpl);
    if !granted.contains(kind.permissions(execution)) {
        return Err(FaultRule::Vmpl);
    }
    if kind == AccessKind::Write && !granted.contains(PagePermissions::READ) {
        return Err(FaultRule::WriteNeedsRead);
    }
    Ok(())
}

/// The bit that tells the hypervisor of a permission for shadow stacks. From
/// memory: that it is there in faults of `VMPL` only.
fn shadow_stack_bit(entry: Entry, execution: &Execution) -> NestedFaultError {
    let granted =
        entry.permissions(execution.vmpl).contains(PagePermissions::SUPERVISOR_SHADOW_STACK);
    if has_vmpl_shadow_stacks(execution) && granted {
        NestedFaultError::SUPERVISOR_SHADOW_STACK
    } else {
        NestedFaultError::empty()
    }
}

fn has_vmpl_shadow_stacks(execution: &Execution) -> bool {
    execution.features.contains(SevFeatures::VMPL_SUPERVISOR_SHADOW_STACK)
}

#[cfg(test)]
mod tests;
