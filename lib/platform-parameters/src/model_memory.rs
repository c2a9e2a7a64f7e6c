//! Memory for tests: pieces at addresses, and nothing between them.

extern crate std;

use std::collections::BTreeMap;
use std::vec::Vec;

use crate::physical_memory::{PhysicalMemory, Unreadable};

/// The bytes at each address that has one.
#[derive(Default)]
pub(crate) struct ModelMemory(pub(crate) BTreeMap<u64, u8>);

impl ModelMemory {
    pub(crate) fn put(&mut self, address: u64, bytes: &[u8]) {
        self.0.extend((address..).zip(bytes.iter().copied()));
    }
}

impl PhysicalMemory for ModelMemory {
    fn read(&self, address: u64, to: &mut [u8]) -> Result<(), Unreadable> {
        for (offset, byte) in (0..).zip(to) {
            let address = address.checked_add(offset).ok_or(Unreadable)?;
            *byte = *self.0.get(&address).ok_or(Unreadable)?;
        }
        Ok(())
    }
}

/// Makes the bytes add up to zero by the one at `place`.
pub(crate) fn seal(bytes: &mut [u8], place: usize) {
    bytes[place] = 0;
    bytes[place] = bytes.iter().fold(0, |sum: u8, byte| sum.wrapping_sub(*byte));
}

/// A table with this signature and content behind its header, sealed.
pub(crate) fn table(signature: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut table = std::vec![0; 36];
    table[..4].copy_from_slice(signature);
    table.extend_from_slice(content);
    let length = table.len() as u32;
    table[4..8].copy_from_slice(&length.to_le_bytes());
    seal(&mut table, 9);
    table
}
