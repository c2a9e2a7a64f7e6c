//! The legacy interrupt controllers, which are switched off.
//!
//! Firmware leaves the PC's two 8259 controllers on, with timer ticks at vector
//! 8. Here only the local APIC interrupts.

use serial::Registers;

use crate::port::Ports;

/// Register of a controller's mask.
const MASK: u8 = 1;

/// Masks all their interrupts.
pub(crate) fn mask_legacy_controllers() {
    for controller in &Ports::LEGACY_INTERRUPTS {
        controller.write(MASK, 0xff);
    }
}
