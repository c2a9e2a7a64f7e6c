//! ACPI tables: from the root pointer to the table of interrupt controllers.
//!
//! [ACPI 6.5 §5.2.5 to §5.2.8]: the root pointer leads to a root table, which
//! lists the addresses of all others. Addresses have 8 bytes there, or 4 if the
//! root pointer is older than version 2 of ACPI.
//!
//! The table that is found is checked by [`madt_processors`](crate::madt_processors);
//! of others, nothing but signature and length is looked at.

use crate::physical_memory::PhysicalMemory;
use crate::refusal::{Area, Refusal, Rule};

/// Bytes of a root pointer, of its old part, and of a table's header.
const ROOT_POINTER_SIZE: usize = 36;
const OLD_ROOT_POINTER_SIZE: usize = 20;
const HEADER_SIZE: usize = 36;

const POINTER_SIGNATURE: [u8; 8] = *b"RSD PTR ";
const MADT_SIGNATURE: [u8; 4] = *b"APIC";

/// Where a table's list of addresses lies, and of how many bytes each is.
struct Root {
    address: u64,
    signature: [u8; 4],
    entry_size: usize,
}

/// Copies the MADT to the start of `storage`, which bounds its size and that of
/// the root table, and gives the part that it takes. `root_pointer` is the
/// address of ACPI's root pointer, 0 if there is none.
///
/// # Errors
///
/// The first rule that does not hold.
pub fn find_madt<'a>(
    memory: &impl PhysicalMemory,
    root_pointer: u64,
    storage: &'a mut [u8],
) -> Result<&'a [u8], Refusal> {
    let root = root(memory, root_pointer).map_err(|rule| rule.of(Area::RootPointer))?;
    let size = read_table(memory, root.address, storage)
        .and_then(|size| check_root_table(&root, storage.get(..size).unwrap_or_default(), size))
        .map_err(|rule| rule.of(Area::RootTable))?;
    let mut entries = (HEADER_SIZE..size).step_by(root.entry_size);
    let found = entries.find_map(|offset| {
        let entry = storage.get(offset..offset + root.entry_size)?;
        let address = number(entry);
        let mut signature = [0; 4];
        memory.read(address, &mut signature).ok()?;
        (signature == MADT_SIGNATURE).then_some(address)
    });
    let of_madt = |rule: Rule| rule.of(Area::Madt);
    let address = found.ok_or_else(|| of_madt(Rule::NotListed))?;
    let size = read_table(memory, address, storage).map_err(of_madt)?;
    Ok(storage.get(..size).unwrap_or_default())
}

/// Where the root table lies, by the root pointer at `address`.
fn root(memory: &impl PhysicalMemory, address: u64) -> Result<Root, Rule> {
    if address == 0 {
        return Err(Rule::Empty);
    }
    let mut bytes = [0; ROOT_POINTER_SIZE];
    let (old, rest) = bytes.split_at_mut(OLD_ROOT_POINTER_SIZE);
    memory.read(address, old).map_err(|_| Rule::Unreadable(address))?;
    if !old.starts_with(&POINTER_SIGNATURE) {
        let [first, second, third, fourth, ..] = *old else { return Err(Rule::Truncated(0)) };
        return Err(Rule::Signature([first, second, third, fourth]));
    }
    check_sum(old)?;
    if old[15] < 2 {
        let address = number(&old[16..]);
        return Ok(Root { address, signature: *b"RSDT", entry_size: size_of::<u32>() });
    }
    let behind = address.checked_add(OLD_ROOT_POINTER_SIZE as u64);
    behind.and_then(|behind| memory.read(behind, rest).ok()).ok_or(Rule::Unreadable(address))?;
    check_sum(&bytes)?;
    let address = number(&bytes[24..32]);
    Ok(Root { address, signature: *b"XSDT", entry_size: size_of::<u64>() })
}

/// Reads the table at `address` to the start of `storage`; gives its size, which
/// is not above that of `storage`.
fn read_table(
    memory: &impl PhysicalMemory,
    address: u64,
    storage: &mut [u8],
) -> Result<usize, Rule> {
    let unreadable = |_| Rule::Unreadable(address);
    let mut header = [0; 8];
    memory.read(address, &mut header).map_err(unreadable)?;
    let length = number(&header[4..]);
    let most = storage.len();
    let size = usize::try_from(length).ok().filter(|size| *size <= most);
    let size = size.ok_or(Rule::TooLong { length, most })?;
    let table = storage.get_mut(..size).ok_or(Rule::TooLong { length, most })?;
    memory.read(address, table).map_err(unreadable)?;
    Ok(size)
}

/// Checks the root table, and gives its size.
fn check_root_table(root: &Root, table: &[u8], size: usize) -> Result<usize, Rule> {
    let (signature, _) = table.split_first_chunk().ok_or(Rule::Structure(0))?;
    if *signature != root.signature {
        return Err(Rule::Signature(*signature));
    }
    let entries = table.len().checked_sub(HEADER_SIZE).ok_or(Rule::Structure(0))?;
    if !entries.is_multiple_of(root.entry_size) {
        return Err(Rule::Structure(HEADER_SIZE));
    }
    check_sum(table)?;
    Ok(size)
}

fn check_sum(bytes: &[u8]) -> Result<(), Rule> {
    match bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)) {
        0 => Ok(()),
        _ => Err(Rule::Checksum),
    }
}

/// Up to 8 bytes as a number; the least significant one comes first.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests;
