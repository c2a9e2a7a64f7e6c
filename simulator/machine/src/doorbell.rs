//! Events for a guest under restricted injection: what goes into the #HV
//! doorbell page, and when the bell rings.
//!
//! Such a guest takes nothing from its hypervisor but #HV [APM 24593 §15.36.16].
//! What has happened stands in the first two bytes of a shared page, which both
//! sides change ([`abi_snp::ghcb::PendingEvents`]). The guest clears
//! `NoFurtherSignal` when it is ready for the next #HV.

use abi_snp::ghcb::DoorbellFlags;

/// What waits for a processor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// The interrupt that it would take next.
    pub interrupt: Option<u8>,
    /// An NMI.
    pub non_maskable: bool,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// The two bytes, as they are to be written.
    pub events: u16,
    /// The interrupt is in the page now: the controller has delivered it.
    pub takes_interrupt: bool,
    /// The NMI is.
    pub takes_non_maskable: bool,
    /// #HV is to be raised.
    pub signals: bool,
}

/// Adds what waits to `events`, the two bytes as the guest left them. There is
/// room for one interrupt: another one waits until the guest has taken it.
#[must_use]
pub const fn ring(events: u16, waiting: Waiting) -> Rung {
    let [vector, flags] = events.to_le_bytes();
    let mut flags = DoorbellFlags::from_bits_retain(flags);
    let (vector, takes_interrupt) = match waiting.interrupt {
        Some(next) if vector == 0 => (next, true),
        _ => (vector, false),
    };
    let takes_non_maskable = waiting.non_maskable && !flags.contains(DoorbellFlags::NMI);
    if takes_non_maskable {
        flags = flags.union(DoorbellFlags::NMI);
    }
    let is_new = takes_interrupt || takes_non_maskable;
    let signals = is_new && !flags.contains(DoorbellFlags::NO_FURTHER_SIGNAL);
    if signals {
        flags = flags.union(DoorbellFlags::NO_FURTHER_SIGNAL);
    }
    let events = u16::from_le_bytes([vector, flags.bits()]);
    Rung { events, takes_interrupt, takes_non_maskable, signals }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIGNALLED: u16 = 0x8000;

    fn interrupt(vector: u8) -> Waiting {
        Waiting { interrupt: Some(vector), non_maskable: false }
    }

    #[test]
    fn the_first_event_rings() {
        let rung = ring(0, interrupt(0x51));
        let expected = Rung {
            events: SIGNALLED | 0x51,
            takes_interrupt: true,
            takes_non_maskable: false,
            signals: true,
        };
        assert_eq!(rung, expected);
    }

    #[test]
    fn more_events_ring_once() {
        // The guest has not looked yet: an NMI fits, a second interrupt waits.
        let waiting = Waiting { interrupt: Some(0x61), non_maskable: true };
        let rung = ring(SIGNALLED | 0x51, waiting);
        let expected = Rung {
            events: SIGNALLED | 0x0151,
            takes_interrupt: false,
            takes_non_maskable: true,
            signals: false,
        };
        assert_eq!(rung, expected);
        // It has taken the interrupt, and is not ready for another #HV.
        assert!(!ring(SIGNALLED, interrupt(0x61)).signals);
        assert!(ring(SIGNALLED, interrupt(0x61)).takes_interrupt);
        // It is ready.
        assert!(ring(0, interrupt(0x61)).signals);
    }

    #[test]
    fn nothing_changes_nothing() {
        for events in [0, 0x51, SIGNALLED, u16::MAX] {
            let rung = ring(events, Waiting::default());
            assert_eq!((rung.events, rung.signals), (events, false));
        }
    }

    proptest! {
        #[test]
        fn nothing_of_the_guests_is_lost(events: u16, vector in 32_u8.., non_maskable: bool) {
            let waiting = Waiting { interrupt: Some(vector), non_maskable };
            let rung = ring(events, waiting);
            prop_assert_eq!(rung.events & 0xff00 & events, events & 0xff00);
            if events & 0xff != 0 {
                prop_assert_eq!(rung.events & 0xff, events & 0xff);
            }
            // Rung twice, it rings once.
            let left = Waiting {
                interrupt: (!rung.takes_interrupt).then_some(vector),
                non_maskable: non_maskable && !rung.takes_non_maskable,
            };
            prop_assert!(!ring(rung.events, left).signals);
        }
    }
}
