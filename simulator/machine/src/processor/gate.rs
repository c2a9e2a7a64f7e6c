//! What a gate and its code segment say.
//!
//! Long mode's forms [APM 24593 §4.8.1, §4.8.4].

use abi_x86::{SegmentAttributes, SegmentRegister, SegmentSelector};

use crate::processor::not_here::NotHere;

/// An entry of the interrupt descriptor table that leads somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gate {
    /// Address of the handler.
    pub(crate) handler: u64,
    /// Code segment of the handler.
    pub(crate) code: SegmentSelector,
    /// Number of the stack, 1 to 7, or 0 for none in particular.
    pub(crate) stack: u8,
    /// Whether interrupts are masked in the handler.
    pub(crate) masks_interrupts: bool,
}

impl Gate {
    pub(crate) fn parse(bits: u128) -> Result<Self, NotHere> {
        const PRESENT: u128 = 1 << 47;
        const TYPE_INTERRUPT_GATE: u128 = 0xe;
        const TYPE_TRAP_GATE: u128 = 0xf;
        // The bit above the type is clear in system descriptors.
        let kind = bits >> 40 & 0x1f;
        let is_gate = matches!(kind, TYPE_INTERRUPT_GATE | TYPE_TRAP_GATE);
        if !is_gate || bits & PRESENT == 0 {
            return Err(NotHere::Gate);
        }
        Ok(Self {
            handler: bits as u64 & 0xffff | (bits >> 32) as u64 & !0xffff,
            code: SegmentSelector((bits >> 16) as u16),
            stack: (bits >> 32) as u8 & 7,
            masks_interrupts: kind == TYPE_INTERRUPT_GATE,
        })
    }
}

/// The register that holds the code segment of a gate: the segment is one that
/// code at privilege level `cpl` can enter.
pub(crate) fn parse_code_segment(
    selector: SegmentSelector,
    bits: u64,
    cpl: u8,
) -> Result<SegmentRegister, NotHere> {
    const NEEDED: SegmentAttributes = SegmentAttributes::PRESENT
        .union(SegmentAttributes::CODE_OR_DATA)
        .union(SegmentAttributes::CODE)
        .union(SegmentAttributes::ACCESSED)
        .union(SegmentAttributes::LONG);
    let attributes = SegmentAttributes::from_bits_retain(
        (bits >> 40) as u16 & 0xff | (bits >> 44) as u16 & 0xf00,
    );
    let level = privilege(attributes);
    if !attributes.contains(NEEDED)
        || attributes.contains(SegmentAttributes::DEFAULT_32)
        || level > cpl
    {
        return Err(NotHere::CodeSegment(bits));
    }
    // Conforming code runs at the level of whoever enters it.
    let new_cpl = if attributes.contains(SegmentAttributes::CONFORMING) { cpl } else { level };
    let limit = (bits as u32 & 0xffff) | (bits >> 32) as u32 & 0xf_0000;
    let granular = attributes.contains(SegmentAttributes::GRANULARITY);
    Ok(SegmentRegister {
        selector: SegmentSelector(selector.0 & !3 | u16::from(new_cpl)),
        attributes,
        limit: if granular { limit << 12 | 0xfff } else { limit },
        base: bits >> 16 & 0xff_ffff | bits >> 32 & 0xff00_0000,
    })
}

/// The privilege level in a segment's attributes.
const fn privilege(attributes: SegmentAttributes) -> u8 {
    (attributes.intersection(SegmentAttributes::USER).bits() >> 5) as u8
}

#[cfg(test)]
mod tests {
    use abi_x86::{GateDescriptor, InterruptStack, SegmentDescriptor};

    use super::*;

    fn bits(gate: GateDescriptor) -> u128 {
        let [low, high] = gate.bits();
        u128::from(high) << 64 | u128::from(low)
    }

    #[test]
    fn gates_as_systems_write_them() {
        let handler = 0xffff_8123_4567_89ab;
        let code = SegmentSelector(0x10);
        let interrupt = bits(GateDescriptor::interrupt(handler, code, InterruptStack::Five));
        let expected = Gate { handler, code, stack: 5, masks_interrupts: true };
        assert_eq!(Gate::parse(interrupt), Ok(expected));
        let trap = interrupt | 1 << 40;
        assert_eq!(Gate::parse(trap), Ok(Gate { masks_interrupts: false, ..expected }));
    }

    #[test]
    fn what_is_no_gate() {
        let code = SegmentSelector(0x10);
        let gate = bits(GateDescriptor::interrupt(0x1000, code, InterruptStack::Current));
        assert!(Gate::parse(gate).is_ok());
        assert_eq!(Gate::parse(bits(GateDescriptor::MISSING)), Err(NotHere::Gate));
        assert_eq!(Gate::parse(gate & !(1 << 47)), Err(NotHere::Gate));
        // A call gate, a task-state segment, a data segment.
        for kind in [0xc_u128, 0x9, 0x1e] {
            assert_eq!(Gate::parse(gate & !(0x1f << 40) | kind << 40), Err(NotHere::Gate));
        }
    }

    #[test]
    fn code_segments() {
        let code = SegmentDescriptor::flat(SegmentAttributes::CODE_64).bits();
        let register = parse_code_segment(SegmentSelector(0x13), code, 3).unwrap();
        let expected = SegmentRegister {
            selector: SegmentSelector(0x10),
            attributes: SegmentAttributes::CODE_64,
            limit: u32::MAX,
            base: 0,
        };
        assert_eq!(register, expected);
        // Conforming: the level stays.
        let conforming = code | 1 << 42;
        let register = parse_code_segment(SegmentSelector(0x10), conforming, 3).unwrap();
        assert_eq!(register.selector, SegmentSelector(0x13));
        // Without granularity, with a base.
        let small = parse_code_segment(SegmentSelector(8), 0x1220_9b34_5678_9abc, 0).unwrap();
        assert_eq!((small.limit, small.base), (0x9abc, 0x1234_5678));
    }

    #[test]
    fn segments_that_cannot_be_entered() {
        let code = SegmentDescriptor::flat(SegmentAttributes::CODE_64).bits();
        for spoiled in [
            code & !(1 << 47), // not present
            code & !(1 << 40), // not accessed
            code & !(1 << 43), // data
            code & !(1 << 44), // a system segment
            code & !(1 << 53), // not for 64-bit mode
            code | 1 << 54,    // of both sizes
            code | 3 << 45,    // of user mode
            SegmentDescriptor::flat(SegmentAttributes::DATA).bits(),
        ] {
            let register = parse_code_segment(SegmentSelector(0x10), spoiled, 0);
            assert_eq!(register, Err(NotHere::CodeSegment(spoiled)));
        }
    }
}
