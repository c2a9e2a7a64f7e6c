//! The PC's two 8259 interrupt controllers, with nothing connected.
//!
//! Kernels look whether they are there by writing a mask and reading it back,
//! and then mask everything: interrupts arrive by the I/O APIC. So this keeps
//! the masks and what belongs to programming them, and interrupts nobody.
//! [Intel 8259A data sheet]

/// First port of each controller.
const FIRST_PORTS: [u16; 2] = [0x20, 0xa0];

/// In the first port: the start of a new set-up, with a fourth word or without.
const INITIALISE: u8 = 1 << 4;
const FOURTH_WORD: u8 = 1;
/// The words of a set-up have no cascade: a third word is left out.
const SINGLE: u8 = 1 << 1;

/// Both controllers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct LegacyInterruptControllers([Controller; 2]);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
struct Controller {
    mask: u8,
    /// Words of a set-up that are still to come to the second port.
    awaited: u8,
}

impl LegacyInterruptControllers {
    /// Whether the port is one of theirs.
    #[must_use]
    pub fn has(port: u16) -> bool {
        FIRST_PORTS.contains(&(port & !1))
    }

    /// Reads a port; `None` if it is not theirs.
    #[must_use]
    pub fn read(&self, port: u16) -> Option<u8> {
        let index = FIRST_PORTS.iter().position(|first| *first == port & !1)?;
        // No request and nothing in service, in the first port.
        Some(if port & 1 == 0 { 0 } else { self.0[index].mask })
    }

    /// Writes a port; nothing happens if it is not theirs.
    pub fn write(&mut self, port: u16, value: u8) {
        let Some(index) = FIRST_PORTS.iter().position(|first| *first == port & !1) else { return };
        let controller = &mut self.0[index];
        if port & 1 == 0 {
            if value & INITIALISE != 0 {
                let third = if value & SINGLE == 0 { 1 } else { 0 };
                *controller = Controller { mask: 0, awaited: 1 + third + (value & FOURTH_WORD) };
            }
        } else if controller.awaited != 0 {
            controller.awaited -= 1;
        } else {
            controller.mask = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_read_back() {
        let mut both = LegacyInterruptControllers::default();
        both.write(0x21, 0xfb);
        both.write(0xa1, 0xff);
        assert_eq!((both.read(0x21), both.read(0xa1)), (Some(0xfb), Some(0xff)));
        assert_eq!(both.read(0x20), Some(0));
        assert_eq!(both.read(0x22), None);
        assert!(LegacyInterruptControllers::has(0xa1) && !LegacyInterruptControllers::has(0x40));
    }

    #[test]
    fn words_of_a_set_up_are_no_masks() {
        let mut both = LegacyInterruptControllers::default();
        both.write(0x21, 0xff);
        for (port, value) in [(0x20, 0x11), (0x21, 0x30), (0x21, 0x04), (0x21, 0x01)] {
            both.write(port, value);
        }
        assert_eq!(both.read(0x21), Some(0));
        both.write(0x21, 0x55);
        assert_eq!(both.read(0x21), Some(0x55));
        // An end of interrupt changes nothing.
        both.write(0x20, 0x20);
        assert_eq!(both.read(0x21), Some(0x55));
    }
}
