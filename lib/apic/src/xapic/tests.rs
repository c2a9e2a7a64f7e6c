//! Tests of the registers in memory.

extern crate std;

use abi_x86::Msr;
use proptest::prelude::*;

use super::*;
use crate::local_vector::LocalSource;
use crate::message::{DeliveryMode, Destination, Message, Trigger};
use crate::samples::{START, X2APIC_BASE, at, fixed, xapic};

const TASK_PRIORITY: u16 = 0x80;
const EOI: u16 = 0xb0;
const SPURIOUS: u16 = 0xf0;
const ERROR_STATUS: u16 = 0x280;
const COMMAND: u16 = 0x300;
const COMMAND_HIGH: u16 = 0x310;
const TIMER: u16 = 0x320;
const LINT0: u16 = 0x350;
const LINT1: u16 = 0x360;
const ERROR: u16 = 0x370;

fn write(local: &mut LocalApic, offset: u16, value: u32) {
    assert_eq!(local.write_register(offset, value, START), None);
}

fn read(local: &mut LocalApic, offset: u16) -> u32 {
    local.read_register(offset, START)
}

/// The errors since the last call.
fn errors(local: &mut LocalApic) -> u32 {
    write(local, ERROR_STATUS, 0);
    read(local, ERROR_STATUS)
}

#[test]
fn registers_after_reset() {
    let mut local =
        LocalApic::new(5, crate::ProcessorRole::Bootstrap, crate::samples::TIME_STAMP_HZ);
    let expected = [
        (0x20, 0x0500_0000),
        (0x30, 0x0005_0014),
        (TASK_PRIORITY, 0),
        (0xa0, 0),
        (0xd0, 0),
        (0xe0, 0xffff_ffff),
        (SPURIOUS, 0xff),
        (COMMAND, 0),
        (TIMER, 0x1_0000),
        (LINT0, 0x1_0000),
        (ERROR, 0x1_0000),
        (0x380, 0),
        (0x3e0, 0),
    ];
    for (offset, value) in expected {
        assert_eq!(read(&mut local, offset), value, "{offset:#x}");
    }
    assert_eq!(errors(&mut local), 0);
}

#[test]
fn registers_are_where_the_base_says() {
    let mut local = xapic(0);
    assert_eq!(local.register_offset(0xfee0_00b0), Some(0xb0));
    assert_eq!(local.register_offset(0xfee0_0fff), Some(0xfff));
    assert_eq!(local.register_offset(0xfee0_1000), None);
    assert_eq!(local.register_offset(0xfedf_ffff), None);
    assert_eq!(local.write_msr(Msr::APIC_BASE, 0x1234_5800, START), Ok(None));
    assert_eq!(local.register_offset(0x1234_5010), Some(0x10));
    assert_eq!(local.register_offset(0xfee0_0010), None);
}

#[test]
fn registers_are_nowhere_in_other_modes() {
    for base in [X2APIC_BASE, 0xfee0_0000] {
        let mut local = xapic(0);
        write(&mut local, TASK_PRIORITY, 0x20);
        assert_eq!(local.write_msr(Msr::APIC_BASE, base, START), Ok(None));
        assert_eq!(local.register_offset(0xfee0_0080), None);
        assert_eq!(read(&mut local, TASK_PRIORITY), u32::MAX);
        let before = local.cr8();
        write(&mut local, TASK_PRIORITY, 0x50);
        assert_eq!(local.cr8(), before);
    }
}

#[test]
fn places_without_a_register_are_errors() {
    // Remote read, CMCI, self interrupt, not a multiple of 16, beyond.
    for offset in [0, 0x90, 0xc0, 0x2f0, 0x3f0, 0x81, 0x84, 0x400, 0x8b0, 0xfff, u16::MAX] {
        let mut local = xapic(0);
        assert_eq!(read(&mut local, offset), 0, "{offset:#x}");
        assert_eq!(errors(&mut local), 1 << 7, "{offset:#x}");
        assert_eq!(errors(&mut local), 0, "{offset:#x}");
        write(&mut local, offset, 0xff);
        assert_eq!(errors(&mut local), 1 << 7, "{offset:#x}");
    }
}

#[test]
fn read_only_registers_stay() {
    let mut local = xapic(5);
    for offset in [0x20, 0x30, 0xa0, 0x100, 0x170, 0x180, 0x200, 0x270, 0x390] {
        let before = read(&mut local, offset);
        write(&mut local, offset, !before);
        assert_eq!(read(&mut local, offset), before, "{offset:#x}");
    }
    assert_eq!(errors(&mut local), 0);
}

#[test]
fn reserved_bits_are_ignored() {
    let mut local = xapic(5);
    let expected = [
        (TASK_PRIORITY, 0xff),
        (0xd0, 0xff00_0000),
        (0xe0, 0xffff_ffff),
        (SPURIOUS, 0x3ff),
        (COMMAND_HIGH, 0xff00_0000),
        (TIMER, 0x7_00ff),
        (0x330, 0x1_07ff),
        (0x340, 0x1_07ff),
        (LINT0, 0x1_a7ff),
        (LINT1, 0x1_a7ff),
        (ERROR, 0x1_00ff),
        (0x3e0, 0xb),
    ];
    for (offset, bits) in expected {
        write(&mut local, offset, u32::MAX);
        assert_eq!(read(&mut local, offset), bits, "{offset:#x}");
    }
}

#[test]
fn interrupt_is_visible_in_its_registers() {
    let mut local = xapic(0);
    assert!(local.accept(&Message { trigger: Trigger::Level, ..fixed(0, 0x45) }));
    assert!(!local.accept(&Message { trigger: Trigger::Level, ..fixed(0, 0x45) }));
    assert_eq!((read(&mut local, 0x220), read(&mut local, 0x1a0)), (1 << 5, 1 << 5));
    assert_eq!(local.highest_deliverable(), Some(0x45));
    assert_eq!(local.acknowledge(), Some(0x45));
    assert_eq!((read(&mut local, 0x220), read(&mut local, 0x120)), (0, 1 << 5));
    assert_eq!(read(&mut local, 0xa0), 0x40);
    let end = local.write_register(EOI, 0, START);
    assert_eq!(end, Some(Outgoing::EndOfInterrupt(0x45)));
    assert_eq!(read(&mut local, 0x120), 0);
    // Without an interrupt in service, EOI does nothing.
    write(&mut local, EOI, 0);
}

#[test]
fn task_priority_and_cr8_are_one() {
    let mut local = xapic(0);
    write(&mut local, TASK_PRIORITY, 0x4f);
    assert_eq!(local.cr8(), 4);
    local.accept(&fixed(0, 0x4f));
    assert_eq!((local.highest_deliverable(), local.acknowledge()), (None, None));
    local.set_cr8(3).unwrap();
    assert_eq!(read(&mut local, TASK_PRIORITY), 0x30);
    assert_eq!(local.acknowledge(), Some(0x4f));
    for value in [16, 0x100, u64::MAX] {
        assert!(local.set_cr8(value).is_err());
    }
}

#[test]
fn illegal_vectors_are_errors_and_interrupt_once() {
    let mut local = xapic(0);
    write(&mut local, ERROR, 0xfe);
    assert!(!local.accept(&fixed(0, 15)));
    assert_eq!(local.acknowledge(), Some(0xfe));
    write(&mut local, EOI, 0);
    write(&mut local, COMMAND, 0x4003);
    assert_eq!(local.acknowledge(), None);
    assert_eq!(errors(&mut local), 0x60);
    // Software has looked: the next error interrupts again.
    write(&mut local, COMMAND, 0x4003);
    assert_eq!(local.acknowledge(), Some(0xfe));
}

#[test]
fn error_vector_may_itself_be_illegal() {
    let mut local = xapic(0);
    write(&mut local, ERROR, 3);
    write(&mut local, COMMAND, 0x4003);
    assert_eq!(errors(&mut local), 0x60);
    assert!(!local.has_work());
}

#[test]
fn software_disabled_takes_no_interrupts_but_events() {
    let mut local = xapic(0);
    local.accept(&fixed(0, 0x50));
    write(&mut local, LINT0, 0x700);
    write(&mut local, SPURIOUS, 0xff);
    assert!(!local.is_enabled());
    assert_eq!(read(&mut local, LINT0), 0x1_0700);
    // It cannot be unmasked now.
    write(&mut local, LINT0, 0x700);
    assert_eq!(read(&mut local, LINT0), 0x1_0700);
    assert!(!local.raise(LocalSource::Lint0));
    assert!(!local.accept(&fixed(0, 0x60)));
    assert!(local.accept(&Message { delivery_mode: DeliveryMode::Nmi, ..fixed(0, 0) }));
    // What was requested before is still there.
    assert_eq!(local.acknowledge(), Some(0x50));
    // It can still send.
    write(&mut local, COMMAND_HIGH, 0x0300_0000);
    let sent = local.write_register(COMMAND, 0x40, START);
    assert_eq!(sent, Some(Outgoing::Interrupt(fixed(3, 0x40))));
}

#[test]
fn local_sources_do_what_their_vectors_say() {
    let mut local = xapic(0);
    assert!(!local.raise(LocalSource::Lint1));
    write(&mut local, LINT1, 0x400);
    assert!(local.raise(LocalSource::Lint1));
    assert!(!local.raise(LocalSource::Lint1));
    assert!(local.events().non_maskable);
    assert!(local.take_non_maskable() && !local.take_non_maskable());
    write(&mut local, LINT0, 0x700);
    assert!(local.raise(LocalSource::Lint0));
    assert!(local.take_external() && !local.take_external());
    write(&mut local, 0x340, 0x77);
    assert!(local.raise(LocalSource::PerformanceCounter));
    assert_eq!(local.acknowledge(), Some(0x77));
    for silent in [0x177, 0x277, 0x377, 0x677, 0x1_0077] {
        write(&mut local, 0x330, silent);
        assert!(!local.raise(LocalSource::Thermal), "{silent:#x}");
    }
}

#[test]
fn init_resets_all_but_number_and_mode() {
    let mut local = xapic(9);
    write(&mut local, 0xd0, 0x0400_0000);
    write(&mut local, TASK_PRIORITY, 0x30);
    local.accept(&fixed(9, 0x50));
    let startup = Message { delivery_mode: DeliveryMode::Startup, vector: 8, ..fixed(9, 0) };
    assert!(local.accept(&startup));
    let init = Message { delivery_mode: DeliveryMode::Init, ..fixed(9, 0) };
    assert!(local.accept(&init));
    // The start-up interrupt came before INIT: it is gone.
    assert_eq!(local.events().startup, None);
    assert!(!local.is_enabled() && local.requested().is_empty());
    assert_eq!((read(&mut local, 0xd0), read(&mut local, TASK_PRIORITY)), (0, 0));
    assert_eq!(read(&mut local, 0x20), 0x0900_0000);
    assert!(local.accept(&startup));
    assert!(!local.accept(&Message { vector: 9, ..startup }));
    assert!(local.take_init());
    assert_eq!((local.take_startup(), local.take_startup()), (Some(8), None));
    assert!(!local.has_work());
}

#[test]
fn system_management_interrupts_are_dropped() {
    let mut local = xapic(0);
    assert!(!local.accept(&Message { delivery_mode: DeliveryMode::Smi, ..fixed(0, 0x40) }));
    assert!(!local.has_work());
}

#[test]
fn periodic_timer_interrupts() {
    let mut local = xapic(0);
    write(&mut local, TIMER, 0x2_0031);
    write(&mut local, 0x3e0, 0b1011);
    write(&mut local, 0x380, 1000);
    assert_eq!(local.next_event_ns(START), Some(1000));
    assert!(!local.advance(at(999)));
    assert!(local.advance(at(1000)));
    assert_eq!(local.acknowledge(), Some(0x31));
    assert_eq!(local.read_register(0x390, at(1300)), 700);
    assert_eq!(local.next_event_ns(at(1300)), Some(2000));
    // A register access lets time pass, too.
    assert_eq!(local.read_register(0x210, at(2000)), 1 << 17);
    // Masked, it runs on and interrupts nobody.
    assert_eq!(local.write_register(TIMER, 0x3_0031, at(2100)), None);
    assert_eq!(local.next_event_ns(at(2100)), None);
    assert!(!local.advance(at(3100)));
    assert_eq!(local.write_register(TIMER, 0x2_0031, at(3100)), None);
    assert_eq!(local.next_event_ns(at(3100)), Some(4000));
}

#[test]
fn switched_off_means_forgotten() {
    let mut local = xapic(0);
    local.accept(&fixed(0, 0x50));
    local.accept(&Message { delivery_mode: DeliveryMode::Nmi, ..fixed(0, 0) });
    assert_eq!(local.write_msr(Msr::APIC_BASE, 0xfee0_0000, START), Ok(None));
    assert!(!local.has_work());
    assert!(!local.matches(Destination::All) && !local.matches(Destination::Physical(0)));
    let init = Message { delivery_mode: DeliveryMode::Init, ..fixed(0, 0) };
    assert!(!local.accept(&init) && !local.accept(&fixed(0, 0x50)));
    assert!(!local.raise(LocalSource::Lint0));
    assert_eq!(local.write_msr(Msr::APIC_BASE, 0xfee0_0800, START), Ok(None));
    assert_eq!(read(&mut local, SPURIOUS), 0xff);
}

proptest! {
    /// Whatever software does with the registers: what is delivered is above
    /// the processor priority, and nothing panics.
    #[test]
    fn any_accesses(steps in prop::collection::vec(
        (0u16..0x420, any::<u32>(), any::<u8>(), any::<u32>()), 0..100,
    )) {
        let mut local = xapic(0);
        let mut now = 0;
        for (offset, value, vector, passed) in steps {
            now += u64::from(passed);
            let offset = if vector.is_multiple_of(8) { offset } else { offset & !0xf };
            local.write_register(offset, value, at(now));
            local.accept(&fixed(0, vector));
            local.advance(at(now));
            local.read_register(offset, at(now));
            if let Some(event) = local.next_event_ns(at(now)) {
                prop_assert!(event >= now);
            }
            let priority = local.processor_priority();
            let deliverable = local.highest_deliverable();
            if let Some(vector) = deliverable {
                prop_assert!(vector >> 4 > priority >> 4);
            }
            prop_assert_eq!(local.acknowledge(), deliverable);
            prop_assert!(local.requested().iter().all(|vector| vector >= 16));
        }
    }
}
