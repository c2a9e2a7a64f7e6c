//! The legacy interrupt controllers, which are switched off.
//!
//! Firmware leaves the PC's two 8259 controllers on, with timer ticks at vector
//! 8. Here only the local APIC interrupts.

use serial::Registers;

use crate::port::Ports;

/// Register of a controller's mask.
const MASK: u8 = 1;

// SAFETY: INV-HV-PORT-1: ports 0x20 to 0x27 and 0xa0 to 0xa7 of a PC are the
// interrupt controllers and their aliases, which access no memory.
static CONTROLLERS: [Ports; 2] = unsafe { [Ports::new(0x20), Ports::new(0xa0)] };

/// Masks all their interrupts.
pub(crate) fn mask_legacy_controllers() {
    for controller in &CONTROLLERS {
        controller.write(MASK, 0xff);
    }
}
