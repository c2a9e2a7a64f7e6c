//! This machine's I/O interrupt controller: where interrupts of QEMU's devices
//! arrive.
//!
//! Each pin that a guest's device uses interrupts this processor with a vector
//! of its own; the handler notes the pin ([`note`]), and the run loop takes the
//! notes ([`take_notes`]) and raises the same pin of the guest's controller.
//! A pin whose interrupt stays until the device is served is masked until the
//! guest says that it has done so.
//!
//! [82093AA data sheet, section 3; QEMU hw/intc/ioapic.c]

use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};

/// Vector of pin 0; pin `n` has the vector `n` further.
const FIRST_VECTOR: u8 = 0x40;

/// Pins of the controller.
const PINS: u8 = 24;

/// First pin of the PCI interrupt lines, which stay asserted until served.
const FIRST_PCI_PIN: u8 = 16;

/// Pins that are used: the timer, the first serial port, the clock, and PCI.
const USED: u32 = 1 << 2 | 1 << 4 | 1 << 8 | 0xff << FIRST_PCI_PIN;

const BASE: usize = 0xfec0_0000;
const SELECT: usize = BASE;
const WINDOW: usize = BASE + 0x10;

/// Low word of an entry: asserted by level, masked.
const LEVEL: u32 = 1 << 15;
const MASKED: u32 = 1 << 16;

/// Pins that have interrupted since the last [`take_notes`].
static NOTES: AtomicU32 = AtomicU32::new(0);

/// Sets all pins up.
pub(crate) fn prepare() {
    for pin in 0..PINS {
        let mask = if USED & 1 << pin == 0 { MASKED } else { 0 };
        set(pin, mask);
    }
}

/// Notes the pin whose interrupt has this vector, if it is one's. A level
/// stays asserted, so its pin is masked.
pub(crate) fn note(vector: u8) {
    if let Some(pin) = vector.checked_sub(FIRST_VECTOR).filter(|pin| *pin < PINS) {
        if is_level(pin) {
            set(pin, MASKED);
        }
        NOTES.fetch_or(1 << pin, Ordering::Relaxed);
    }
}

/// The pins that have interrupted since the last call, bit `n` for pin `n`.
pub(crate) fn take_notes() -> u32 {
    if NOTES.load(Ordering::Relaxed) == 0 { 0 } else { NOTES.swap(0, Ordering::Relaxed) }
}

/// Whether the pin's interrupt stays until its device is served.
pub(crate) const fn is_level(pin: u8) -> bool {
    pin >= FIRST_PCI_PIN
}

/// Takes the mask off a pin, so that it interrupts again, at once if it is
/// still asserted.
pub(crate) fn unmask(pin: u8) {
    if USED & 1 << pin != 0 {
        set(pin, 0);
    }
}

/// Writes the entry of a pin. It interrupts the processor with APIC number 0,
/// the one that the machine starts on.
fn set(pin: u8, mask: u32) {
    let level = if is_level(pin) { LEVEL } else { 0 };
    let entry = 0x10 + 2 * u32::from(pin);
    write(entry, MASKED);
    write(entry + 1, 0);
    write(entry, mask | level | u32::from(FIRST_VECTOR + pin));
}

fn write(register: u32, value: u32) {
    // SAFETY: INV-HV-APIC-1: the controller of a PC lies at this address, which
    // is mapped and no memory of Rust's. Its entries lead to this processor's
    // vectors from 0x40 on, whose handler notes them.
    unsafe {
        ptr::with_exposed_provenance_mut::<u32>(SELECT).write_volatile(register);
        ptr::with_exposed_provenance_mut::<u32>(WINDOW).write_volatile(value);
    }
}
