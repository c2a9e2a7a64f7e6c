//! Tests of the device table. Whether its byte code is right is judged by
//! Linux, in the test step `guest`.

use alloc::vec::Vec;

use acpi_tables::Aml;

use super::{dsdt, line_of};

#[test]
fn lines_go_round_the_slots() {
    let lines = |slot| [0, 1, 2, 3].map(|pin| line_of(slot, pin));
    assert_eq!(lines(0), [4, 5, 6, 7]);
    assert_eq!(lines(1), [5, 6, 7, 4]);
    assert_eq!(lines(2), [6, 7, 4, 5]);
    assert_eq!(lines(3), [7, 4, 5, 6]);
    assert_eq!(lines(24), [4, 5, 6, 7]);
    assert_eq!(lines(25), [0, 1, 2, 3]);
    assert_eq!(lines(30), [4, 5, 6, 7]);
    assert_eq!(lines(31), [0, 1, 2, 3]);
}

#[test]
fn all_devices_are_there() {
    let mut table = Vec::new();
    dsdt().to_aml_bytes(&mut table);
    let count = |part: &[u8]| table.windows(part.len()).filter(|window| *window == part).count();
    for name in [b"PCI0", b"COM1", b"_PRT", b"_S5_"] {
        assert_eq!(count(name), 1, "{name:?}");
    }
    // Once as a device, and once for each pin of a slot that leads there.
    for name in [b"LNKA", b"LNKB", b"LNKC", b"LNKD"] {
        assert_eq!(count(name), 1 + 6, "{name:?}");
    }
    for name in [b"LNKE", b"LNKF", b"LNKG", b"LNKH"] {
        assert_eq!(count(name), 1 + 26, "{name:?}");
    }
}
