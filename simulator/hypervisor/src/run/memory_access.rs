//! The guest's memory as its own page tables lead to it.

use abi_snp::PageSize;
use abi_svm::SaveArea;
use abi_x86::PageFaultError;
use machine::processor::{LinearMemory, NotReached};
use machine::reverse_map::{Access, AccessKind, Encryption, ReverseMap};
use machine::{Execution, Gpa, GuestMemory};
use nested_paging::{CBit, View};
use page_walk::{Paging, PhysicalAddresses, Privilege, TableRead, WalkError};

use crate::guest_ram::GuestRam;

/// Bits of a physical address, the C-bit among them.
const ADDRESS_BITS: u8 = 52;

/// The guest's memory, reached by its page tables as they are.
pub(super) struct Reach<'a> {
    pub(super) ram: &'a GuestRam,
    pub(super) paging: Paging,
}

/// Why an address leads nowhere: what the guest gets instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreached {
    /// A page fault.
    PageFault { linear: u64, error: PageFaultError },
    /// The address is none.
    GeneralProtection,
    /// A page table is not where the guest has memory: what follows, shows
    /// when the processor reads it.
    NoTable,
}

impl<'a> Reach<'a> {
    /// The memory of a guest with these registers.
    pub(super) fn new(ram: &'a GuestRam, c_bit: CBit, save: &SaveArea) -> Self {
        let physical_addresses =
            PhysicalAddresses::new(ADDRESS_BITS, Some(c_bit)).expect("52 bits are possible");
        let paging = Paging {
            cr0: save.cr0,
            cr3: save.cr3,
            cr4: save.cr4,
            efer: save.efer,
            physical_addresses,
        };
        Self { ram, paging }
    }

    /// Where a linear address leads.
    pub(super) fn translate(
        &self,
        linear: u64,
        access: page_walk::Access,
        privilege: Privilege,
    ) -> Result<(Gpa, Encryption), Unreached> {
        let read = |table: TableRead| {
            let mut entry = [0; 8];
            let read = self.ram.read(Gpa(table.address), Encryption::Private, &mut entry);
            read.map(|()| u64::from_le_bytes(entry))
        };
        match self.paging.translate(linear, access, privilege, read) {
            Ok(translation) => {
                let encryption = match translation.view {
                    View::Private => Encryption::Private,
                    View::Shared => Encryption::Shared,
                };
                Ok((Gpa(translation.address), encryption))
            }
            Err(WalkError::PageFault(error)) => Err(Unreached::PageFault { linear, error }),
            Err(WalkError::NonCanonical(_)) => Err(Unreached::GeneralProtection),
            Err(WalkError::Unreadable { .. }) => Err(Unreached::NoTable),
        }
    }
}

/// Memory as the processor itself accesses it while it delivers an exception.
pub(super) struct ProcessorMemory<'a> {
    pub(super) ram: &'a mut GuestRam,
    pub(super) reverse_map: &'a ReverseMap,
    pub(super) paging: Paging,
    pub(super) execution: Execution,
}

impl ProcessorMemory<'_> {
    /// Where the bytes are: up to two parts, each with its length.
    fn parts(
        &self,
        address: u64,
        length: usize,
        kind: AccessKind,
    ) -> Result<[(Gpa, Encryption, usize); 2], NotReached> {
        let access = match kind {
            AccessKind::Write => page_walk::Access::Write,
            _ => page_walk::Access::Read,
        };
        let first = (PageSize::Size4K.bytes() - address % PageSize::Size4K.bytes()) as usize;
        let first = first.min(length);
        let part = |address, length: usize| {
            let reach = Reach { ram: self.ram, paging: self.paging };
            let (gpa, encryption) =
                reach.translate(address, access, Privilege::Implicit).map_err(|_| NotReached)?;
            let entry = self.reverse_map.entry(gpa).ok_or(NotReached)?;
            let access = Access {
                gpa,
                length: length as u16,
                kind,
                encryption,
                nested_page_size: entry.page_size(),
            };
            self.reverse_map.check(&access, &self.execution).map_err(|_| NotReached)?;
            Ok((gpa, encryption, length))
        };
        let head = part(address, first)?;
        if first == length {
            return Ok([head, (head.0, head.1, 0)]);
        }
        Ok([head, part(address.wrapping_add(first as u64), length - first)?])
    }
}

impl LinearMemory for ProcessorMemory<'_> {
    fn read(&mut self, address: u64, bytes: &mut [u8]) -> Result<(), NotReached> {
        let mut rest = bytes;
        for (gpa, encryption, length) in self.parts(address, rest.len(), AccessKind::Read)? {
            let (now, later) = rest.split_at_mut(length);
            self.ram.read(gpa, encryption, now).map_err(|_| NotReached)?;
            rest = later;
        }
        Ok(())
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), NotReached> {
        let mut rest = bytes;
        for (gpa, encryption, length) in self.parts(address, rest.len(), AccessKind::Write)? {
            let (now, later) = rest.split_at(length);
            self.ram.write(gpa, encryption, now).map_err(|_| NotReached)?;
            rest = later;
        }
        Ok(())
    }
}
