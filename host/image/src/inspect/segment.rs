//! Segment attributes in words [APM 24593 §4.7].

use abi_x86::SegmentAttributes;

/// A segment's attributes in words, in the layout of a VMSA.
pub(super) fn in_words(attributes: u16) -> String {
    let bits = SegmentAttributes::from_bits_retain(attributes);
    let ring = (bits & SegmentAttributes::USER).bits() >> 5;
    if !bits.contains(SegmentAttributes::PRESENT) {
        return "not present".to_owned();
    }
    if !bits.contains(SegmentAttributes::CODE_OR_DATA) {
        return system_segment(attributes & 0xf);
    }
    let read_write = bits.contains(SegmentAttributes::READ_WRITE);
    if bits.contains(SegmentAttributes::CODE) {
        let size = if bits.contains(SegmentAttributes::LONG) {
            "64-bit"
        } else if bits.contains(SegmentAttributes::DEFAULT_32) {
            "32-bit"
        } else {
            "16-bit"
        };
        format!("{size} code, ring {ring}")
    } else {
        let access = if read_write { "writable" } else { "read-only" };
        format!("{access} data, ring {ring}")
    }
}

/// The types of system segments that processors start with
/// [APM 24593 table 4-6].
fn system_segment(segment_type: u16) -> String {
    match segment_type {
        0x2 => "LDT".to_owned(),
        0x3 => "busy 16-bit TSS".to_owned(),
        0x9 => "available TSS".to_owned(),
        0xb => "busy TSS".to_owned(),
        other => format!("system type {other:#x}"),
    }
}

/// The attributes of a segment of a Hyper-V register or of a native context,
/// whose bits 8 to 11 are unused, in the layout of a VMSA.
pub(super) fn without_unused_bits(attributes: u16) -> u16 {
    attributes & 0xff | attributes >> 4 & 0xf00
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_told_in_words() {
        assert_eq!(in_words(0xa9b), "64-bit code, ring 0");
        assert_eq!(in_words(0xc9b), "32-bit code, ring 0");
        assert_eq!(in_words(0x9b), "16-bit code, ring 0");
        assert_eq!(in_words(0xcf3), "writable data, ring 3");
        assert_eq!(in_words(0x91), "read-only data, ring 0");
        assert_eq!(in_words(0x8b), "busy TSS");
        assert_eq!(in_words(0x82), "LDT");
        assert_eq!(in_words(0), "not present");
    }

    #[test]
    fn unused_bits_are_left_out() {
        assert_eq!(without_unused_bits(0xaf9b), 0xa9b);
    }
}
