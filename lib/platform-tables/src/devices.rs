//! DSDT: devices that cannot be found by asking [ACPI 6.5 §5.2.11.1, §19].
//!
//! It also says how to switch off (`\_S5`).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use acpi_tables::aml::{
    AddressSpace, AddressSpaceCacheable, Device, EISAName, IO, Interrupt, Method, Name, ONE,
    Package, PackageBuilder, Path, ResourceTemplate, Scope, ZERO,
};
use acpi_tables::sdt::Sdt;
use acpi_tables::{Aml, AmlSink};

use crate::identity::{OEM_ID, OEM_REVISION, OEM_TABLE_ID};

/// Of the table: numbers in its programs have 64 bits.
const REVISION: u8 = 2;
/// Bytes of a table's header.
const HEADER: u32 = 36;

/// Memory in which PCI devices are mapped: first and last address.
const PCI_MEMORY: (u32, u32) = (0xc000_0000, 0xfebf_ffff);
/// First of the two registers that PCI is configured through, each of 4 ports.
const PCI_CONFIGURATION: u16 = 0xcf8;

/// Slots on a bus, and pins of each.
const SLOTS: u8 = 32;
const PINS: u8 = 4;

/// Interrupt lines for PCI.
const LINES: u8 = 8;
/// Letter of the first.
const FIRST_LINE: u8 = b'A';
/// The IOAPIC's pin that it is connected to.
const FIRST_LINE_PIN: u32 = 16;

/// Ports of the serial port, and its interrupt.
const SERIAL_PORT: (u16, u8) = (0x3f8, 8);
const SERIAL_INTERRUPT: u32 = 4;

/// The table.
pub(crate) fn dsdt() -> Sdt {
    let mut program = Vec::new();
    // Sleep types for the two registers that switching off may write, and two
    // reserved values.
    let off = Package::new([&ZERO as &dyn Aml; 4].to_vec());
    Name::new("_S5_".into(), &off).to_aml_bytes(&mut program);
    let mut devices: Vec<Encoded> = (0..LINES).map(interrupt_line).collect();
    devices.extend([host_bridge(), serial_port()]);
    let devices = devices.iter().map(|device| device as &dyn Aml).collect();
    Scope::new("_SB_".into(), devices).to_aml_bytes(&mut program);

    let mut table = Sdt::new(*b"DSDT", HEADER, REVISION, OEM_ID, OEM_TABLE_ID, OEM_REVISION);
    table.append_slice(&program);
    table
}

/// PCI: its bus numbers, ports, memory and interrupt lines.
fn host_bridge() -> Encoded {
    let (first, last) = PCI_MEMORY;
    let memory = AddressSpaceCacheable::NotCacheable;
    device(
        "PCI0",
        &[
            // A bridge to PCI Express, which may be taken for one to plain PCI.
            &Name::new("_HID".into(), &EISAName::new("PNP0A08")),
            &Name::new("_CID".into(), &EISAName::new("PNP0A03")),
            &Name::new("_UID".into(), &ZERO),
            &resource_list(
                "_CRS",
                &[
                    &AddressSpace::new_bus_number(0_u16, 0xff),
                    &IO::new(PCI_CONFIGURATION, PCI_CONFIGURATION, 1, 8),
                    &AddressSpace::new_io(0_u16, PCI_CONFIGURATION - 1, None),
                    &AddressSpace::new_io(PCI_CONFIGURATION + 8, u16::MAX, None),
                    &AddressSpace::new_memory(memory, true, first, last, None),
                ],
            ),
            &Name::new("_PRT".into(), &routing()),
        ],
    )
}

/// Which interrupt line each pin of each slot on bus 0 is connected to.
fn routing() -> PackageBuilder {
    let mut all = PackageBuilder::new();
    for (slot, pin) in (0..SLOTS).flat_map(|slot| (0..PINS).map(move |pin| (slot, pin))) {
        let any_function = u32::from(slot) << 16 | 0xffff;
        let mut entry = PackageBuilder::new();
        entry.add_element(&any_function);
        entry.add_element(&pin);
        entry.add_element(&Path::new(&line_name(line_of(slot, pin))));
        // Which of the line's interrupts: it has only one.
        entry.add_element(&ZERO);
        all.add_element(&entry);
    }
    all
}

/// The line that a pin (0 for INTA) of a slot is connected to.
///
/// Lines 4 to 7 go round the slots that devices are put into; lines 0 to 3
/// belong to the slots of the chipset, but for its bridge to plain PCI in
/// slot 30.
fn line_of(slot: u8, pin: u8) -> u8 {
    match slot {
        25..=29 | 31 => pin,
        30 => 4 + pin,
        _ => 4 + (slot + pin) % 4,
    }
}

/// An interrupt line as a device, which says how the pin is to be set up.
fn interrupt_line(line: u8) -> Encoded {
    let pin = FIRST_LINE_PIN + u32::from(line);
    let interrupt = || Interrupt::new(true, false, false, true, pin);
    device(
        &line_name(line),
        &[
            &Name::new("_HID".into(), &EISAName::new("PNP0C0F")),
            &Name::new("_UID".into(), &line),
            &resource_list("_PRS", &[&interrupt()]),
            &resource_list("_CRS", &[&interrupt()]),
            // It can neither be switched off nor changed.
            &Method::new("_DIS".into(), 0, false, Vec::new()),
            &Method::new("_SRS".into(), 1, false, Vec::new()),
        ],
    )
}

fn line_name(line: u8) -> String {
    format!("LNK{}", char::from(FIRST_LINE + line))
}

fn serial_port() -> Encoded {
    let (port, count) = SERIAL_PORT;
    device(
        "COM1",
        &[
            // Compatible with a 16550A.
            &Name::new("_HID".into(), &EISAName::new("PNP0501")),
            &Name::new("_UID".into(), &ONE),
            &resource_list(
                "_CRS",
                &[
                    &IO::new(port, port, 1, count),
                    // Edge-triggered, high when active, not shared.
                    &Interrupt::new(true, true, false, false, SERIAL_INTERRUPT),
                ],
            ),
        ],
    )
}

/// A piece of the program that is written out already.
struct Encoded(Vec<u8>);

impl Aml for Encoded {
    fn to_aml_bytes(&self, sink: &mut dyn AmlSink) {
        sink.vec(&self.0);
    }
}

fn device(name: &str, content: &[&dyn Aml]) -> Encoded {
    let mut bytes = Vec::new();
    Device::new(name.into(), content.to_vec()).to_aml_bytes(&mut bytes);
    Encoded(bytes)
}

fn resource_list(name: &str, resources: &[&dyn Aml]) -> Encoded {
    let mut bytes = Vec::new();
    Name::new(name.into(), &ResourceTemplate::new(resources.to_vec())).to_aml_bytes(&mut bytes);
    Encoded(bytes)
}

#[cfg(test)]
mod tests;
