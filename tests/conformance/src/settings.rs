//! What the host asks this guest to do.
//!
//! QEMU's `-fw_cfg name=opt/org.svsm/conformance,string=TEXT` gives the text,
//! through two ports [QEMU docs/specs/fw_cfg.rst]. So one measured image serves
//! all runs. Where there is no such item, all checks run.

use alloc::string::String;
use alloc::vec::Vec;

use abi_snp::ghcb::PortIoWidth;

use crate::console::{read_port, write_port};
use crate::ghcb::Ghcb;

/// The item's name.
const NAME: &str = "opt/org.svsm/conformance";
/// Longest text that is read, in bytes.
const LONGEST: u32 = 64;
/// Most items that are looked at.
const MOST_ITEMS: u32 = 256;

const SELECTOR: u16 = 0x510;
const DATA: u16 = 0x511;

/// Number of the item that holds the signature.
const SIGNATURE: u16 = 0x00;
/// Number of the item that lists the others.
const DIRECTORY: u16 = 0x19;

/// The text that the host gives, if it gives one.
pub(crate) fn text(ghcb: Ghcb) -> Option<String> {
    let items = Items(ghcb);
    items.select(SIGNATURE);
    if items.bytes()? != *b"QEMU" {
        return None;
    }
    items.select(DIRECTORY);
    let count = u32::from_be_bytes(items.bytes()?).min(MOST_ITEMS);
    for _ in 0..count {
        let size = u32::from_be_bytes(items.bytes()?);
        let number = u16::from_be_bytes(items.bytes()?);
        let _reserved: [u8; 2] = items.bytes()?;
        let name: [u8; 56] = items.bytes()?;
        if name.split(|byte| *byte == 0).next() == Some(NAME.as_bytes()) {
            items.select(number);
            let text: Option<Vec<u8>> = (0..size.min(LONGEST)).map(|_| items.byte()).collect();
            return String::from_utf8(text?).ok();
        }
    }
    None
}

/// QEMU's items for firmware.
struct Items(Ghcb);

impl Items {
    /// Goes to the start of an item.
    fn select(&self, number: u16) {
        write_port(self.0, SELECTOR, PortIoWidth::Two, number.into());
    }

    /// The item's next byte; zero behind its end.
    fn byte(&self) -> Option<u8> {
        read_port(self.0, DATA, PortIoWidth::One).map(|value| value as u8)
    }

    fn bytes<const N: usize>(&self) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        for byte in &mut bytes {
            *byte = self.byte()?;
        }
        Some(bytes)
    }
}
