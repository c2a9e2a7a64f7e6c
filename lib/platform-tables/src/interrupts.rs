//! MADT: processors and interrupt controllers [ACPI 6.5 §5.2.12].

use alloc::vec::Vec;
use core::num::NonZeroU8;

use acpi_tables::Aml;
use acpi_tables::sdt::Sdt;

use crate::fixed_hardware::SYSTEM_CONTROL_INTERRUPT;
use crate::identity::{OEM_ID, OEM_REVISION, OEM_TABLE_ID};

/// Of the table, as in ACPI 6.3; later ones add structures that are not used
/// here.
const REVISION: u8 = 5;
/// Bytes of a table's header.
const HEADER: u32 = 36;

const LOCAL_APICS: u32 = 0xfee0_0000;
const IO_APIC: u32 = 0xfec0_0000;

/// Flag of the table: there are two 8259 interrupt controllers, too.
const PC_AT_COMPATIBLE: u32 = 1;
/// Flag of a processor: it can be used.
const ENABLED: u32 = 1;
/// Flags of an interrupt: as usual on its bus (ISA: edge-triggered, high when
/// active).
const AS_ON_BUS: u16 = 0;
/// Flags of an interrupt: level-triggered, high when active.
const LEVEL_HIGH: u16 = 0xd;

/// The pin that interrupt 0, the interval timer's, comes in on.
const TIMER_PIN: u32 = 2;

/// The table by itself, for a guest that asks its loader for this one and no
/// other.
#[must_use]
pub fn madt(processors: NonZeroU8) -> Vec<u8> {
    let mut bytes = Vec::new();
    table(processors).to_aml_bytes(&mut bytes);
    bytes
}

/// The table. Each of its structures begins with its type and its bytes.
pub(crate) fn table(processors: NonZeroU8) -> Sdt {
    let mut body = Vec::new();
    body.extend(LOCAL_APICS.to_le_bytes());
    body.extend(PC_AT_COMPATIBLE.to_le_bytes());
    for id in 0..processors.get() {
        // Local APIC: the processor's identity, its APIC's id, flags.
        body.extend([0, 8, id, id]);
        body.extend(ENABLED.to_le_bytes());
    }
    // IOAPIC: its id, where it lies, its first global interrupt.
    body.extend([1, 12, 0, 0]);
    body.extend(IO_APIC.to_le_bytes());
    body.extend(0_u32.to_le_bytes());
    body.extend(source_override(0, TIMER_PIN, AS_ON_BUS));
    let system_control = SYSTEM_CONTROL_INTERRUPT;
    body.extend(source_override(system_control, system_control.into(), LEVEL_HIGH));
    // Local APIC NMI: on all processors, as usual on the bus, at LINT1.
    body.extend([4, 6, 0xff, 0, 0, 1]);

    let mut table = Sdt::new(*b"APIC", HEADER, REVISION, OEM_ID, OEM_TABLE_ID, OEM_REVISION);
    table.append_slice(&body);
    table
}

/// An interrupt of the ISA bus that is not as usual.
fn source_override(interrupt: u8, pin: u32, flags: u16) -> Vec<u8> {
    let isa = 0;
    [&[2, 10, isa, interrupt][..], &pin.to_le_bytes(), &flags.to_le_bytes()].concat()
}
