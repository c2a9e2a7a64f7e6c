//! Who made the tables, as their headers say [ACPI 6.5 §5.2.6].

/// Maker of the machine.
pub(crate) const OEM_ID: [u8; 6] = *b"SVSM  ";
/// The machine.
pub(crate) const OEM_TABLE_ID: [u8; 8] = *b"Q35     ";
/// Its revision.
pub(crate) const OEM_REVISION: u32 = 1;
