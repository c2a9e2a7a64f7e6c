//! The MADT: processors and interrupt controllers, as ACPI describes them.

/// Where each processor finds its local APIC.
const LOCAL_APIC: u32 = 0xfee0_0000;
/// Where the I/O APIC lies.
const IO_APIC: u32 = 0xfec0_0000;

/// Bytes of the header that all ACPI tables have [ACPI 6.5 §5.2.6].
const HEADER_SIZE: usize = 36;
/// Offset of the checksum in it.
const CHECKSUM: usize = 9;

/// `PCAT_COMPAT`: there are also two 8259 interrupt controllers.
const PCAT_COMPAT: u32 = 1;
/// A processor that can be used.
const ENABLED: u32 = 1;
/// Polarity and trigger mode of an interrupt: as usual for its bus, and active
/// high with levels.
const AS_USUAL: u16 = 0;
const HIGH_LEVEL: u16 = 0b1101;

/// The multiple APIC description table of a simulated machine with `vcpus`
/// processors [ACPI 6.5 §5.2.12]: local APICs with the ids 0 and up, one I/O
/// APIC, the timer (ISA interrupt 0) at its pin 2, and the ACPI interrupt (9)
/// by level, as QEMU wires its machine `q35`.
pub(crate) fn madt(vcpus: u32) -> Vec<u8> {
    let mut table = header();
    table.extend_from_slice(&LOCAL_APIC.to_le_bytes());
    table.extend_from_slice(&PCAT_COMPAT.to_le_bytes());
    // Ids have 8 bits here, which is enough for every machine that can be had.
    for id in (0..=u8::MAX).take(vcpus as usize) {
        entry(&mut table, 0, &[&[id, id], &ENABLED.to_le_bytes()]);
    }
    let first_interrupt = 0_u32.to_le_bytes();
    entry(&mut table, 1, &[&[0, 0], &IO_APIC.to_le_bytes(), &first_interrupt]);
    interrupt_override(&mut table, 0, 2, AS_USUAL);
    interrupt_override(&mut table, 9, 9, HIGH_LEVEL);
    // The line LINT1 of all processors is for non-maskable interrupts.
    entry(&mut table, 4, &[&[u8::MAX], &AS_USUAL.to_le_bytes(), &[1]]);
    seal(&mut table);
    table
}

/// The header, without size and checksum.
fn header() -> Vec<u8> {
    let revision = 5;
    let mut header = Vec::new();
    header.extend_from_slice(b"APIC");
    header.extend_from_slice(&[0, 0, 0, 0, revision, 0]);
    header.extend_from_slice(b"SVSM  ");
    header.extend_from_slice(b"SIMULATE");
    header.extend_from_slice(&1_u32.to_le_bytes());
    header.extend_from_slice(b"SVSM");
    header.extend_from_slice(&1_u32.to_le_bytes());
    assert!(header.len() == HEADER_SIZE, "the fields above make up the header");
    header
}

/// Adds an interrupt controller structure.
fn entry(table: &mut Vec<u8>, kind: u8, fields: &[&[u8]]) {
    let fields = fields.concat();
    // The longest one here has 12 bytes.
    table.extend_from_slice(&[kind, fields.len() as u8 + 2]);
    table.extend_from_slice(&fields);
}

/// Says that the ISA interrupt `source` arrives as `interrupt`, in the way that
/// `flags` say.
fn interrupt_override(table: &mut Vec<u8>, source: u8, interrupt: u32, flags: u16) {
    let isa_bus = 0;
    entry(table, 2, &[&[isa_bus, source], &interrupt.to_le_bytes(), &flags.to_le_bytes()]);
}

/// Writes size and checksum.
fn seal(table: &mut [u8]) {
    let size = table.len() as u32;
    table[4..8].copy_from_slice(&size.to_le_bytes());
    table[CHECKSUM] = table.iter().fold(0, |sum: u8, byte| sum.wrapping_sub(*byte));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kinds and contents of the structures behind the header.
    fn entries(table: &[u8]) -> Vec<(u8, &[u8])> {
        let mut entries = Vec::new();
        let mut rest = &table[44..];
        while let [kind, size, ..] = *rest {
            let (entry, next) = rest.split_at(size.into());
            entries.push((kind, &entry[2..]));
            rest = next;
        }
        entries
    }

    #[test]
    fn header_is_an_acpi_header() {
        for vcpus in 1..=8 {
            let table = madt(vcpus);
            assert_eq!(&table[..4], b"APIC");
            assert_eq!(u32::from_le_bytes(table[4..8].try_into().unwrap()) as usize, table.len());
            assert_eq!(table.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)), 0);
            assert_eq!(table[36..44], [0, 0, 0xe0, 0xfe, 1, 0, 0, 0]);
        }
    }

    #[test]
    fn every_processor_has_an_entry() {
        let table = madt(3);
        let entries = entries(&table);
        let processors: Vec<_> = entries.iter().filter(|(kind, _)| *kind == 0).collect();
        assert_eq!(processors.len(), 3);
        assert_eq!(processors[2].1, [2, 2, 1, 0, 0, 0]);
        let others: Vec<_> = entries.iter().filter(|(kind, _)| *kind != 0).collect();
        assert_eq!(others[0], &(1, &[0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0][..]));
        assert_eq!(others[1], &(2, &[0, 0, 2, 0, 0, 0, 0, 0][..]));
        assert_eq!(others[2], &(2, &[0, 9, 9, 0, 0, 0, 0xd, 0][..]));
        assert_eq!(others[3], &(4, &[0xff, 0, 0, 1][..]));
        assert_eq!(others.len(), 4);
    }
}
