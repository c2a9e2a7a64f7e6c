//! The list of a function's capabilities, without those that are hidden
//! [PCI 3.0 §6.7, §6.8].
//!
//! Each capability begins with its kind and the place of the next one. The
//! guest reads other places than the device says, so that the list skips what
//! is hidden; what was hidden reads as zeros and cannot be written.

use alloc::vec::Vec;

use super::configuration_space::ConfigurationSpace;
use super::function::Function;
use super::header::{CAPABILITIES, HEADER_END};
use super::registers::RegisterSet;

const MSI: u8 = 0x05;
const MSI_X: u8 = 0x11;

/// Registers of MSI-X.
const MSI_X_REGISTERS: u8 = 3;
/// Of the first register of MSI: addresses have 64 bits, vectors are masked
/// one by one.
const MSI_WIDE: u32 = 1 << (16 + 7);
const MSI_MASKS: u32 = 1 << (16 + 8);

/// The list as the guest sees it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Capabilities {
    /// Registers of the hidden ones.
    pub(super) hidden: RegisterSet,
    /// For each register that leads to a capability or to the end: where the
    /// guest sees it lead.
    links: Vec<Link>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Link {
    /// The register, and which of its bytes it is.
    register: u8,
    byte: u32,
    to: u8,
}

impl Capabilities {
    /// Looks at a function's capabilities. A list that does not end is cut off
    /// where it would repeat itself.
    pub(super) fn of(function: Function, space: &mut impl ConfigurationSpace) -> Self {
        let mut hidden = RegisterSet::EMPTY;
        let mut links = Vec::new();
        let mut last = Link { register: CAPABILITIES, byte: 0, to: 0 };
        let mut seen = RegisterSet::EMPTY;
        let mut place = place_of(space.read(function, CAPABILITIES) as u8);
        while place >= HEADER_END && !seen.has(place) {
            seen.insert(place);
            let first = space.read(function, place);
            let [kind, next, ..] = first.to_le_bytes();
            match hidden_registers(kind, first) {
                Some(count) => {
                    for register in 0..count {
                        hidden.insert(place.saturating_add(4 * register));
                    }
                }
                None => {
                    links.push(Link { to: place, ..last });
                    last = Link { register: place, byte: 1, to: 0 };
                }
            }
            place = place_of(next);
        }
        links.push(last);
        Self { hidden, links }
    }

    /// What the guest reads in `register`, where the device has `value`.
    pub(super) fn filter(&self, register: u8, value: u32) -> u32 {
        self.links.iter().filter(|link| link.register == register).fold(value, |value, link| {
            let shift = 8 * link.byte;
            value & !(0xff << shift) | u32::from(link.to) << shift
        })
    }
}

/// A place in the list; its lowest two bits are reserved.
const fn place_of(byte: u8) -> u8 {
    byte & !3
}

/// How many registers a capability has that is hidden, from its kind and its
/// first register; `None` if it is shown.
const fn hidden_registers(kind: u8, first: u32) -> Option<u8> {
    match kind {
        MSI_X => Some(MSI_X_REGISTERS),
        MSI => {
            let wide = if first & MSI_WIDE != 0 { 1 } else { 0 };
            let masks = if first & MSI_MASKS != 0 { 2 } else { 0 };
            Some(3 + wide + masks)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
