//! Alternate injection: events that a save area brings with it.
//!
//! The processor takes them from the save area instead of the hypervisor's
//! control block, and stores what is left of them there; so another privilege
//! level decides what its guest gets, and the hypervisor does not
//! [APM 24593 §15.36.16]. That nothing of the control block counts then, that a
//! pending event is gone from the save area once it is delivered, and that the
//! processor stores the task priority, is from memory, and as COCONUT-SVSM relies
//! on it [coconut-svsm kernel/src/cpu/apic.rs].

use abi_snp::{SevFeatures, VintrControl, Vmsa};
use abi_svm::{Event, EventKind, InterruptShadow, VirtualInterrupts};
use abi_x86::ExceptionVector;

/// Events and interrupt state of a save area, in the form of a control block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavedEvents {
    /// The pending virtual interrupt and the task priority.
    pub interrupts: VirtualInterrupts,
    /// Whether the last instruction keeps interrupts away.
    pub shadow: InterruptShadow,
    /// What is delivered first.
    pub event: Event,
}

fn controls(vmsa: &Vmsa) -> VintrControl {
    VintrControl::from_bits_retain(vmsa.vintr_ctrl)
}

impl SavedEvents {
    /// The events of `vmsa`; `None` if it does not ask for alternate injection.
    #[must_use]
    pub fn of(vmsa: &Vmsa) -> Option<Self> {
        if !vmsa.sev_features.contains(SevFeatures::ALTERNATE_INJECTION) {
            return None;
        }
        let controls = controls(vmsa);
        let mut interrupts = VirtualInterrupts::from_bits_retain(controls.in_control_block());
        // The emulated processor knows no such flag.
        if !controls.contains(VintrControl::GLOBAL_INTERRUPT_FLAG) {
            interrupts.remove(VirtualInterrupts::PENDING);
        }
        let mut shadow = InterruptShadow::empty();
        shadow.set(InterruptShadow::SHADOW, controls.contains(VintrControl::INTERRUPT_SHADOW));
        let event = Event::from_bits(vmsa.event_inj);
        Some(Self { interrupts, shadow, event })
    }

    /// Stores what is left in the save area that they are from.
    pub(super) fn store(self, vmsa: &mut Vmsa) {
        let before = controls(vmsa);
        let kept = before.bits() & !before.in_control_block();
        let left = VintrControl::from_bits_retain(self.interrupts.bits()).in_control_block();
        let mut after = VintrControl::from_bits_retain(kept | left);
        if !before.contains(VintrControl::GLOBAL_INTERRUPT_FLAG) {
            after.set(VintrControl::PENDING, before.contains(VintrControl::PENDING));
        }
        let in_shadow = self.shadow.contains(InterruptShadow::SHADOW);
        after.set(VintrControl::INTERRUPT_SHADOW, in_shadow);
        vmsa.vintr_ctrl = after.bits();
        vmsa.event_inj = self.event.bits();
    }
}

/// What makes a save area impossible to run, of its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventRefusal {
    /// `BUSY` is set: VMRUN ends with `VMEXIT_BUSY`.
    #[error("the save area is busy: an event of it was not delivered to the end")]
    Busy,
    /// Virtual NMIs, which this platform lacks.
    #[error("the save area asks for virtual NMIs, which the platform does not have")]
    VirtualNmi,
    /// There is no such event [APM 24593 §15.20].
    #[error("the save area has an event to deliver that there is not: {0:#x}")]
    Event(u64),
}

/// Checks the events of a save area. From memory, but for the kinds of events.
pub(super) fn check(vmsa: &Vmsa) -> Result<(), EventRefusal> {
    if !vmsa.sev_features.contains(SevFeatures::ALTERNATE_INJECTION) {
        return Ok(());
    }
    let controls = controls(vmsa);
    let event = Event::from_bits(vmsa.event_inj);
    let is_possible = match event.kind() {
        EventKind::EXCEPTION => {
            event.vector() < 32 && event.vector() != ExceptionVector::NON_MASKABLE_INTERRUPT.0
        }
        kind => {
            [EventKind::INTERRUPT, EventKind::NMI, EventKind::SOFTWARE_INTERRUPT].contains(&kind)
        }
    };
    if controls.contains(VintrControl::BUSY) {
        Err(EventRefusal::Busy)
    } else if controls.contains(VintrControl::NMI_ENABLE) {
        Err(EventRefusal::VirtualNmi)
    } else if event.is_valid() && !is_possible {
        Err(EventRefusal::Event(event.bits()))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn vmsa(controls: VintrControl, event: Event) -> Vmsa {
        let mut vmsa = Vmsa::zeroed();
        vmsa.sev_features = SevFeatures::SNP_ACTIVE | SevFeatures::ALTERNATE_INJECTION;
        (vmsa.vintr_ctrl, vmsa.event_inj) = (controls.bits(), event.bits());
        vmsa
    }

    #[test]
    fn events_go_to_the_control_block_and_back() {
        let controls = VintrControl::GLOBAL_INTERRUPT_FLAG
            .union(VintrControl::INTERRUPT_SHADOW)
            .with_interrupt(0x51)
            .with_task_priority(3);
        let mut vmsa = vmsa(controls, Event::nmi());
        let events = SavedEvents::of(&vmsa).unwrap();
        assert_eq!(events.interrupts.bits(), 0x51_0005_0103);
        assert_eq!((events.shadow, events.event), (InterruptShadow::SHADOW, Event::nmi()));
        // Both are delivered, and the guest writes 7 to CR8.
        let interrupts = VirtualInterrupts::from_bits_retain(0x51_0105_0007);
        let left = SavedEvents { interrupts, shadow: InterruptShadow::empty(), event: Event::NONE };
        left.store(&mut vmsa);
        assert_eq!((vmsa.vintr_ctrl, vmsa.event_inj), (0x51_0005_0207, 0));
    }

    #[test]
    fn without_the_global_flag_an_interrupt_stays() {
        let mut vmsa = vmsa(VintrControl::empty().with_interrupt(0x51), Event::NONE);
        let before = vmsa.vintr_ctrl;
        let events = SavedEvents::of(&vmsa).unwrap();
        assert!(!events.interrupts.contains(VirtualInterrupts::PENDING));
        events.store(&mut vmsa);
        assert_eq!(vmsa.vintr_ctrl, before);
    }

    #[test]
    fn other_save_areas_have_no_events() {
        let mut vmsa = vmsa(VintrControl::all(), Event::from_bits(u64::MAX));
        vmsa.sev_features = SevFeatures::SNP_ACTIVE;
        assert_eq!((SavedEvents::of(&vmsa), check(&vmsa)), (None, Ok(())));
    }

    #[test]
    fn what_cannot_run_is_refused() {
        let refused = |controls, bits| check(&vmsa(controls, Event::from_bits(bits)));
        let none = VintrControl::empty();
        assert_eq!(refused(VintrControl::BUSY, 0), Err(EventRefusal::Busy));
        assert_eq!(refused(VintrControl::NMI_ENABLE, 0), Err(EventRefusal::VirtualNmi));
        for event in [0x8000_0100, 0x8000_0302, 0x8000_0320, 0x8000_0700] {
            assert_eq!(refused(none, event), Err(EventRefusal::Event(event)));
        }
        for event in [0, 0x700, 0x8000_0031, 0x8000_0202, 0x8000_030d, 0x8000_0480] {
            assert_eq!(refused(none, event), Ok(()));
        }
    }

    proptest! {
        #[test]
        fn what_is_not_touched_stays(bits: u64, event: u64) {
            let mut vmsa = vmsa(VintrControl::from_bits_retain(bits), Event::from_bits(event));
            let events = SavedEvents::of(&vmsa).unwrap();
            events.store(&mut vmsa);
            prop_assert_eq!((vmsa.vintr_ctrl, vmsa.event_inj), (bits, event));
        }
    }
}
