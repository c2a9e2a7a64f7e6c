//! All tables in one block, the root pointer first.

use alloc::vec::Vec;
use core::num::NonZeroU8;
use core::ops::Range;

use acpi_tables::Aml;
use acpi_tables::facs::FACS;
use acpi_tables::rsdp::Rsdp;
use acpi_tables::xsdt::XSDT;

use crate::identity::{OEM_ID, OEM_REVISION, OEM_TABLE_ID};
use crate::{devices, fixed_hardware, interrupts};

/// What the block's address must be a multiple of, in bytes: one table in it,
/// the FACS, needs that [ACPI 6.5 §5.2.10].
pub const ALIGNMENT: u64 = 64;

/// More bytes than any block has.
const LARGEST: u64 = 1 << 16;

/// Why there are no tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not a multiple of [`ALIGNMENT`], or too close to the end of the address
    /// space.
    #[error(
        "ACPI tables cannot lie at {0:#x}: give them an address that is a multiple of 64 and at \
         least 64 KiB below the end of the address space"
    )]
    Address(u64),
}

/// All tables, in one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tables {
    /// The block, the root pointer first.
    pub bytes: Vec<u8>,
    /// Where the table of processors (MADT) lies: guest physical addresses.
    pub madt: Range<u64>,
}

/// Makes all tables for a machine with so many processors, whose local APICs
/// have the ids from 0 on.
///
/// They are to lie in one block at the guest physical `address`, where the
/// root pointer (RSDP) comes first. The guest may write to them (the FACS holds
/// a lock) and must not use their memory for anything else.
///
/// # Errors
///
/// The address is unfit.
pub fn build(address: u64, processors: NonZeroU8) -> Result<Tables, Error> {
    if !address.is_multiple_of(ALIGNMENT) || address.checked_add(LARGEST).is_none() {
        return Err(Error::Address(address));
    }
    let mut block = Block { address, bytes: Vec::new() };
    // The root pointer is written last, when it is known where the rest lies.
    block.bytes.resize(Rsdp::len(), 0);
    let facs = block.put(&FACS::new());
    let dsdt = block.put(&devices::dsdt());
    let fadt = block.put(&fixed_hardware::fadt(dsdt, facs));
    let madt = block.put(&interrupts::table(processors));
    let madt_end = block.end();
    let mut root = XSDT::new(OEM_ID, OEM_TABLE_ID, OEM_REVISION);
    root.add_entry(fadt);
    root.add_entry(madt);
    let root = block.put(&root);
    let mut pointer = Vec::new();
    Rsdp::new(OEM_ID, root).to_aml_bytes(&mut pointer);
    block.bytes.splice(..pointer.len(), pointer);
    assert!((block.bytes.len() as u64) < LARGEST, "255 processors take 2 KiB, the rest 4 KiB");
    Ok(Tables { bytes: block.bytes, madt: madt..madt_end })
}

/// Tables that lie one behind the other.
struct Block {
    address: u64,
    bytes: Vec<u8>,
}

impl Block {
    /// Adds a table and tells where it lies.
    fn put(&mut self, table: &dyn Aml) -> u64 {
        let place = self.bytes.len().next_multiple_of(ALIGNMENT as usize);
        self.bytes.resize(place, 0);
        table.to_aml_bytes(&mut self.bytes);
        // `build` has checked that the block does not wrap around.
        self.address + place as u64
    }

    /// First address behind what there is so far.
    fn end(&self) -> u64 {
        self.address + self.bytes.len() as u64
    }
}

#[cfg(test)]
mod tests;
