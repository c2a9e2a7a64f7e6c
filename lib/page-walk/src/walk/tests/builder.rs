//! Memory with page tables in it, and registers that lead there.

extern crate std;

use std::collections::BTreeMap;
use std::vec::Vec;

use abi_x86::{Cr0, Cr4, Efer};
use nested_paging::{CBit, View};

use crate::access::{Access, Privilege};
use crate::error::WalkError;
use crate::paging::Paging;
use crate::physical_addresses::PhysicalAddresses;
use crate::translation::Translation;
use crate::walk::TableRead;

/// The C-bit of encrypted guests in these tests, above all addresses.
pub(super) const C_BIT: u64 = 1 << 51;

/// Physical addresses of guests in these tests have 46 bits.
const WIDTH: u8 = 46;

/// Where the reader says that there is no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoMemory;

/// Guest memory: eight bytes at each address; what was never written cannot be
/// read.
#[derive(Default)]
pub(super) struct Memory {
    words: BTreeMap<u64, u64>,
}

impl Memory {
    /// Writes an entry of 64 bits.
    pub(super) fn write(&mut self, address: u64, entry: u64) {
        assert!(address.is_multiple_of(8));
        self.words.insert(address, entry);
    }

    /// Writes an entry of 32 bits.
    pub(super) fn write_half(&mut self, address: u64, entry: u32) {
        let word = self.words.entry(address & !7).or_default();
        let mut halves = [*word as u32, (*word >> 32) as u32];
        halves[(address as usize / 4) % 2] = entry;
        *word = u64::from(halves[1]) << 32 | u64::from(halves[0]);
    }

    /// Walks; also says what was read.
    pub(super) fn walk(
        &self,
        paging: &Paging,
        linear: u64,
        access: Access,
        privilege: Privilege,
    ) -> (Result<Translation, WalkError<NoMemory>>, Vec<TableRead>) {
        let mut reads = Vec::new();
        let result = paging.translate(linear, access, privilege, |read| {
            reads.push(read);
            self.words.get(&read.address).copied().ok_or(NoMemory)
        });
        (result, reads)
    }

    /// Walks for a read by a supervisor.
    pub(super) fn read(
        &self,
        paging: &Paging,
        linear: u64,
    ) -> Result<Translation, WalkError<NoMemory>> {
        self.walk(paging, linear, Access::Read, Privilege::Supervisor).0
    }
}

/// Which guests have a C-bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encryption {
    Without,
    With,
}

pub(super) fn physical_addresses(encryption: Encryption) -> PhysicalAddresses {
    let c_bit = match encryption {
        Encryption::Without => None,
        Encryption::With => CBit::new(51),
    };
    PhysicalAddresses::new(WIDTH, c_bit).unwrap()
}

/// Long mode with four levels, no-execute and write protection.
pub(super) fn long_mode(cr3: u64) -> Paging {
    Paging {
        cr0: Cr0::PG | Cr0::PE | Cr0::WP,
        cr3,
        cr4: Cr4::PAE,
        efer: Efer::LME | Efer::LMA | Efer::NXE,
        physical_addresses: physical_addresses(Encryption::With),
    }
}

/// Paging outside long mode with these features.
pub(super) fn legacy(cr3: u64, cr4: Cr4, efer: Efer) -> Paging {
    Paging { cr4, efer, ..long_mode(cr3) }
}

/// What the C-bit of an entry says.
pub(super) fn view(entry: u64) -> View {
    if entry & C_BIT == 0 { View::Shared } else { View::Private }
}
