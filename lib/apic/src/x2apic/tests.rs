//! Tests of the registers as MSRs.

use proptest::prelude::*;

use super::*;
use crate::message::{DeliveryMode, Destination, Message, Trigger};
use crate::samples::{START, X2APIC_BASE, at, fixed, x2apic, xapic};

const READ_ONLY: [u32; 5] = [0x802, 0x803, 0x80a, 0x80d, 0x839];
const READ_WRITE: [u32; 12] =
    [0x808, 0x80f, 0x828, 0x830, 0x832, 0x833, 0x834, 0x835, 0x836, 0x837, 0x838, 0x83e];
const WRITE_ONLY: [u32; 2] = [0x80b, 0x83f];

/// The interrupt, in-service and trigger-mode registers.
fn is_vector_bits(msr: u32) -> bool {
    (0x810..=0x827).contains(&msr)
}

#[test]
fn every_msr_is_reachable_as_the_manual_says() {
    for number in 0x800..=0x8ff {
        let msr = Msr(number);
        let mut local = x2apic(0);
        let read = local.read_msr(msr, START);
        let written = local.write_msr(msr, 0, START);
        if READ_ONLY.contains(&number) || is_vector_bits(number) {
            assert!(read.is_ok(), "{msr:?}");
            assert_eq!(written, Err(GeneralProtection::ReadOnly(msr)));
        } else if READ_WRITE.contains(&number) {
            assert!(read.is_ok() && written.is_ok(), "{msr:?}");
        } else if WRITE_ONLY.contains(&number) {
            assert_eq!(read, Err(GeneralProtection::WriteOnly(msr)));
            assert_eq!(written, Ok(None));
        } else {
            assert_eq!(read, Err(GeneralProtection::NoSuchRegister(msr)));
            assert_eq!(written, Err(GeneralProtection::NoSuchRegister(msr)));
        }
        let mut other_mode = xapic(0);
        let refused = GeneralProtection::NotInX2apicMode(msr);
        assert_eq!(other_mode.read_msr(msr, START), Err(refused));
        assert_eq!(other_mode.write_msr(msr, 0, START), Err(refused));
    }
}

#[test]
fn foreign_msrs_are_refused() {
    for number in [0, 0x10, 0x7ff, 0x900, 0xc000_0080, u32::MAX] {
        let msr = Msr(number);
        assert!(!LocalApic::has_msr(msr));
        let refused = GeneralProtection::NoSuchRegister(msr);
        assert_eq!(x2apic(0).read_msr(msr, START), Err(refused));
        assert_eq!(x2apic(0).write_msr(msr, 0, START), Err(refused));
    }
    for number in [0x1b, 0x6e0, 0x800, 0x8ff] {
        assert!(LocalApic::has_msr(Msr(number)));
    }
}

#[test]
fn each_reserved_bit_is_refused() {
    let writable = [
        (0x808, 0xff),
        (0x80b, 0),
        (0x80f, 0x3ff),
        (0x828, 0),
        (0x830, 0xffff_ffff_000c_dfff),
        (0x832, 0x7_10ff),
        (0x833, 0x1_17ff),
        (0x834, 0x1_17ff),
        (0x835, 0x1_f7ff),
        (0x836, 0x1_f7ff),
        (0x837, 0x1_10ff),
        (0x838, 0xffff_ffff),
        (0x83e, 0xb),
        (0x83f, 0xff),
    ];
    for (number, allowed) in writable {
        let msr = Msr(number);
        for bit in 0..64 {
            let bits = 1u64 << bit;
            let result = x2apic(0).write_msr(msr, bits, START);
            if allowed & bits == 0 {
                let refused = GeneralProtection::ReservedBits { msr, bits };
                assert_eq!(result, Err(refused));
            } else {
                assert!(result.is_ok(), "{msr:?} bit {bit}");
            }
        }
    }
}

#[test]
fn refused_writes_change_nothing() {
    let mut local = x2apic(0);
    local.write_msr(Msr(0x808), 0x20, START).unwrap();
    assert!(local.write_msr(Msr(0x808), 0x130, START).is_err());
    assert_eq!(local.read_msr(Msr(0x808), START), Ok(0x20));
    assert!(local.write_msr(Msr::APIC_BASE, 0xfee0_0800, START).is_err());
    assert_eq!(local.mode(), Mode::X2apic);
    assert_eq!(local.read_msr(Msr::APIC_BASE, START), Ok(X2APIC_BASE));
}

#[test]
fn number_and_logical_number_have_32_bits() {
    let mut local = x2apic(0x1_2345);
    assert_eq!(local.read_msr(Msr(0x802), START), Ok(0x1_2345));
    assert_eq!(local.read_msr(Msr(0x80d), START), Ok(0x1234_0020));
    assert_eq!(local.read_msr(Msr(0x803), START), Ok(0x0005_0014));
    assert!(local.matches(Destination::Physical(0x1_2345)));
    assert!(!local.matches(Destination::Physical(0x45)));
    assert!(local.matches(Destination::Logical(0x1234_0021)));
}

#[test]
fn entering_the_mode_keeps_the_registers() {
    let mut local = xapic(3);
    assert_eq!(local.write_register(0x80, 0x20, START), None);
    local.accept(&fixed(3, 0x51));
    assert_eq!(local.write_msr(Msr::APIC_BASE, X2APIC_BASE, START), Ok(None));
    assert_eq!(local.read_msr(Msr(0x808), START), Ok(0x20));
    assert_eq!(local.acknowledge(), Some(0x51));
    assert_eq!(local.read_msr(Msr(0x812), START), Ok(1 << 17));
}

#[test]
fn init_leaves_the_mode() {
    let mut local = x2apic(3);
    local.accept(&Message { delivery_mode: DeliveryMode::Init, ..fixed(3, 0) });
    assert_eq!(local.mode(), Mode::X2apic);
    assert_eq!(local.read_msr(Msr(0x80f), START), Ok(0xff));
}

#[test]
fn commands_are_one_write() {
    let mut local = x2apic(3);
    let sent = local.write_msr(Msr(0x830), 0x0000_0005_0000_1041, START);
    assert_eq!(sent, Ok(Some(Outgoing::Interrupt(fixed(5, 0x41)))));
    // The delivery status is never set.
    assert_eq!(local.read_msr(Msr(0x830), START), Ok(0x0000_0005_0000_0041));
    assert_eq!(local.write_msr(Msr(0x83f), 0x61, START), Ok(None));
    assert_eq!(local.acknowledge(), Some(0x61));
    assert_eq!(local.write_msr(Msr(0x83f), 0x0f, START), Ok(None));
    local.write_msr(Msr(0x828), 0, START).unwrap();
    assert_eq!(local.read_msr(Msr(0x828), START), Ok(0x20));
}

#[test]
fn end_of_a_level_triggered_interrupt_is_told() {
    let mut local = x2apic(3);
    local.accept(&Message { trigger: Trigger::Level, ..fixed(3, 0x41) });
    local.acknowledge();
    let ended = local.write_msr(Msr(0x80b), 0, START);
    assert_eq!(ended, Ok(Some(Outgoing::EndOfInterrupt(0x41))));
}

#[test]
fn deadline_that_has_passed_interrupts_at_once() {
    let mut local = x2apic(0);
    local.write_msr(Msr(0x832), 0x4_00ec, START).unwrap();
    local.write_msr(TSC_DEADLINE, 2001, START).unwrap();
    assert_eq!(local.next_event_ns(START), Some(1001));
    assert_eq!(local.read_msr(TSC_DEADLINE, at(1000)), Ok(2001));
    assert_eq!(local.highest_deliverable(), None);
    assert_eq!(local.read_msr(TSC_DEADLINE, at(1001)), Ok(0));
    assert_eq!(local.acknowledge(), Some(0xec));
    local.write_msr(Msr(0x80b), 0, at(1001)).unwrap();
    local.write_msr(TSC_DEADLINE, 5, at(1001)).unwrap();
    assert_eq!(local.acknowledge(), Some(0xec));
}

proptest! {
    /// Any access either is refused or keeps the rule that what is delivered
    /// is above the processor priority.
    #[test]
    fn any_accesses(steps in prop::collection::vec(
        (prop_oneof![4 => 0x800u32..0x840, 1 => Just(0x1b), 1 => Just(0x6e0), 1 => any::<u32>()],
         any::<u64>(), 0u32..64),
        0..100,
    )) {
        let mut local = x2apic(0);
        for (step, (number, value, shift)) in (0u64..).zip(steps) {
            let now = at(step * 1000);
            let _ = local.write_msr(Msr(number), value >> shift, now);
            let _ = local.read_msr(Msr(number), now);
            local.advance(now);
            let priority = local.processor_priority();
            if let Some(vector) = local.highest_deliverable() {
                prop_assert!(vector >> 4 > priority >> 4);
                prop_assert_eq!(local.acknowledge(), Some(vector));
            }
        }
    }
}
