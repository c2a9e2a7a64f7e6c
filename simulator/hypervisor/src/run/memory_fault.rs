//! Accesses that the nested page tables do not allow.
//!
//! Either the tables lack what the reverse map allows, and are filled; or an
//! SEV-SNP processor would not allow the access either, and the guest gets an
//! exception, or the hypervisor an exit that it can do nothing about.

use abi_simulator::report::End;
use abi_snp::PageSize;
use abi_svm::NestedFault;
use abi_x86::ExceptionVector;
use alloc::format;
use alloc::string::ToString;
use machine::reverse_map::{Access, AccessKind, Encryption, Fault, FaultKind, FaultRule};
use machine::{Gpa, NestedFaultError};
use nested_paging::View;

use super::guest::{Guest, Turn, fault};
use crate::vcpu::Exit;
use crate::views::{Paging, Place, Source};

impl Guest {
    /// Handles a nested page fault.
    pub(super) fn memory_fault(&mut self, number: usize, exit: &Exit) -> Result<Turn, End> {
        let bits = NestedFault::from_bits_retain(exit.info_1);
        let (address, view) = self.world.views.c_bit().split(exit.info_2);
        let gpa = Gpa(address);
        let paging = self.cores[number].paging();
        let kind = access_kind(bits);
        let encryption = match (paging, view, kind) {
            (Paging::On, View::Shared, AccessKind::Read | AccessKind::Write) => Encryption::Shared,
            _ => Encryption::Private,
        };
        let Some(entry) = self.world.reverse_map.entry(gpa) else {
            return self.device_access(number, gpa, encryption, kind);
        };
        let access =
            Access { gpa, length: 1, kind, encryption, nested_page_size: entry.page_size() };
        let execution = self.cores[number].execution();
        if let Err(broken) = self.world.reverse_map.check(&access, &execution) {
            if let FaultKind::PageNotValidated { gpa } = broken.kind
                && let Some(linear) = self.linear_address(number, gpa, kind)
            {
                self.cores[number].vcpu.save().cr2 = linear;
            }
            return self.broken_rule(number, &broken);
        }
        let place = Place { vmpl: execution.vmpl, paging, gpa, view, encryption };
        let world = &mut self.world;
        let source = Source { ram: &world.ram, reverse_map: &world.reverse_map };
        let allowed = world
            .views
            .fill(&mut world.memory, source, place)
            .map_err(|error| fault(error.to_string()))?;
        let suffices = allowed.is_some_and(|allowed| allows(allowed, kind));
        if suffices {
            return Ok(Turn::GoesOn);
        }
        // Fetches and table walks are private whatever their C-bit, and user
        // and supervisor mode can differ in what they may execute: nested page
        // tables of an emulated processor can show neither.
        let rip = self.cores[number].vcpu.save().rip;
        Err(fault(format!(
            "cannot show {kind:?} of the {encryption:?} page {gpa} (RIP {rip:#x}), though the \
             reverse map allows it"
        )))
    }

    /// An access outside all memory.
    fn device_access(
        &mut self,
        number: usize,
        gpa: Gpa,
        encryption: Encryption,
        kind: AccessKind,
    ) -> Result<Turn, End> {
        let is_data = matches!(kind, AccessKind::Read | AccessKind::Write);
        if encryption == Encryption::Shared && is_data {
            let code = abi_svm::ExitCode::NESTED_PAGE_FAULT.0;
            self.cores[number].raise(ExceptionVector::VMM_COMMUNICATION, Some(code));
            return Ok(Turn::GoesOn);
        }
        let access = Access {
            gpa,
            length: 1,
            kind,
            encryption: Encryption::Private,
            nested_page_size: PageSize::Size4K,
        };
        let execution = self.cores[number].execution();
        match self.world.reverse_map.check(&access, &execution) {
            Err(broken) => self.broken_rule(number, &broken),
            Ok(()) => Err(fault(format!("{gpa} is no memory, but the reverse map allows it"))),
        }
    }

    /// The reverse map forbids an access.
    fn broken_rule(&mut self, number: usize, broken: &Fault) -> Result<Turn, End> {
        match (broken.kind.exception(), broken.kind) {
            (Some((vector, code)), _) => {
                self.cores[number].raise(vector, code);
                Ok(Turn::GoesOn)
            }
            (None, FaultKind::NestedPageFault { gpa, error }) => {
                Err(self.forbidden(number, gpa, broken, error))
            }
            (None, _) => Err(fault(broken.to_string())),
        }
    }

    /// The end of a guest that the hypervisor cannot help.
    pub(super) fn forbidden(
        &mut self,
        number: usize,
        gpa: Gpa,
        broken: &Fault,
        error: NestedFaultError,
    ) -> End {
        let core = &mut self.cores[number];
        let text = match (broken.rule, self.world.reverse_map.entry(gpa)) {
            (FaultRule::RmpCovered, _) | (_, None) => format!("{error}"),
            (_, Some(entry)) => format!("{error}; the page is {:?}", entry.state()),
        };
        End::NestedFault {
            vcpu: number as u32,
            vmpl: core.file.vmpl.number(),
            rip: core.vcpu.save().rip,
            gpa: gpa.0,
            rule: broken.rule.to_string(),
            text,
        }
    }
}

/// What kind of access a fault was about.
fn access_kind(bits: NestedFault) -> AccessKind {
    let write = bits.contains(NestedFault::WRITE);
    if bits.contains(NestedFault::TABLE_WALK) {
        if write { AccessKind::TableUpdate } else { AccessKind::TableRead }
    } else if bits.contains(NestedFault::INSTRUCTION) {
        AccessKind::Fetch
    } else if write {
        AccessKind::Write
    } else {
        AccessKind::Read
    }
}

/// Whether nested page tables that allow `access` let an access of this kind
/// pass.
fn allows(access: nested_paging::Access, kind: AccessKind) -> bool {
    use nested_paging::Access;
    match kind {
        AccessKind::Fetch => access.contains(Access::EXECUTE),
        AccessKind::Write | AccessKind::TableUpdate => access.contains(Access::WRITE),
        _ => true,
    }
}
