//! `VINTR_CTRL` of a save area: virtual interrupts under alternate injection.
//!
//! With [`SevFeatures::ALTERNATE_INJECTION`](crate::SevFeatures) the processor
//! takes from the save area what a hypervisor would have in its control block
//! otherwise [APM 24593 §15.36.16, appendix B, table B-4]. The places of the
//! fields are those that COCONUT-SVSM has
//! [coconut-svsm cpuarch/src/vmsa.rs, `VIntrCtrl`].

/// Virtual interrupts of a save area.
///
/// | bits | meaning |
/// |---|---|
/// | 7:0 | task priority, also written by the guest as CR8 |
/// | 19:16 | priority of the pending interrupt |
/// | 39:32 | its vector |
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VintrControl(u64);

bitflags::bitflags! {
    impl VintrControl: u64 {
        /// `V_IRQ`: a virtual interrupt is pending. The processor clears it when
        /// it delivers the interrupt.
        const PENDING = 1 << 8;
        /// `VGIF`: events are delivered.
        const GLOBAL_INTERRUPT_FLAG = 1 << 9;
        /// `INT_SHADOW`: the instruction before keeps interrupts away from the
        /// next one.
        const INTERRUPT_SHADOW = 1 << 10;
        /// `V_NMI`: a virtual NMI is pending.
        const NMI = 1 << 11;
        /// `V_NMI_MASK`: one is being handled.
        const NMI_MASK = 1 << 12;
        /// `V_IGN_TPR`: deliver the interrupt whatever the task priority is.
        const IGNORE_TASK_PRIORITY = 1 << 20;
        /// `V_NMI_ENABLE`: NMIs are virtual.
        const NMI_ENABLE = 1 << 26;
        /// `BUSY`: an exit has cut short the delivery of an event, and the save
        /// area must not run before somebody has seen to it.
        const BUSY = 1 << 63;
    }
}

abi_x86::show_flag_names!(VintrControl);

impl VintrControl {
    const VECTOR: u64 = 0xff << 32;
    const PRIORITY: u64 = 0xf << 16;
    const TASK_PRIORITY: u64 = 0xff;

    /// These with an interrupt of `vector` pending, at the priority of its class.
    #[must_use]
    pub const fn with_interrupt(self, vector: u8) -> Self {
        let others = self.0 & !(Self::VECTOR | Self::PRIORITY);
        let (vector, class) = (vector as u64, vector as u64 >> 4);
        Self(others | vector << 32 | class << 16).union(Self::PENDING)
    }

    /// These with a task priority: the class of interrupts, 0 to 15, that is not
    /// delivered any more, with all below.
    #[must_use]
    pub const fn with_task_priority(self, class: u8) -> Self {
        Self(self.0 & !Self::TASK_PRIORITY | class as u64)
    }

    /// The bits that the field at 0x060 of a control block has in the same places:
    /// task priority, and the interrupt with its priority.
    #[must_use]
    pub const fn in_control_block(self) -> u64 {
        let flags = Self::PENDING.union(Self::IGNORE_TASK_PRIORITY).0;
        self.0 & (Self::VECTOR | Self::PRIORITY | Self::TASK_PRIORITY | flags)
    }
}

#[cfg(test)]
mod tests {
    use super::VintrControl;

    #[test]
    fn interrupts_are_in_their_places() {
        let controls = VintrControl::GLOBAL_INTERRUPT_FLAG.with_interrupt(0x51);
        assert_eq!(controls.bits(), 0x51_0005_0300);
        assert_eq!(controls.with_interrupt(0x62).bits(), 0x62_0006_0300);
        assert_eq!(controls.with_task_priority(6).bits(), 0x51_0005_0306);
        assert_eq!(controls.with_task_priority(6).with_task_priority(1).bits(), 0x51_0005_0301);
        assert_eq!(VintrControl::all().with_interrupt(0x51).in_control_block(), 0x51_0015_0100);
    }
}
