//! What several tests use.

use core::num::NonZeroU64;

use crate::apic_base::ProcessorRole;
use crate::local_apic::LocalApic;
use crate::message::{DeliveryMode, Destination, Message, Trigger};
use crate::moment::Moment;

/// A time stamp counter with two ticks per nanosecond.
pub(crate) const TIME_STAMP_HZ: NonZeroU64 = NonZeroU64::new(2_000_000_000).unwrap();

/// The value of the base register that switches on x2APIC mode.
pub(crate) const X2APIC_BASE: u64 = 0xfee0_0c00;

/// The spurious vector register: enabled by software, vector 255.
pub(crate) const SOFTWARE_ENABLED: u32 = 0x1ff;

pub(crate) const START: Moment = at(0);

/// The moment so many nanoseconds after [`START`].
pub(crate) const fn at(nanoseconds: u64) -> Moment {
    Moment { nanoseconds, time_stamp: nanoseconds * 2 }
}

/// A local APIC in xAPIC mode, enabled by software.
pub(crate) fn xapic(id: u32) -> LocalApic {
    let mut local = LocalApic::new(id, ProcessorRole::Application, TIME_STAMP_HZ);
    assert_eq!(local.write_register(0xf0, SOFTWARE_ENABLED, START), None);
    local
}

/// A local APIC in x2APIC mode, enabled by software.
pub(crate) fn x2apic(id: u32) -> LocalApic {
    let mut local = LocalApic::new(id, ProcessorRole::Application, TIME_STAMP_HZ);
    for (msr, value) in [(0x1b, X2APIC_BASE), (0x80f, SOFTWARE_ENABLED.into())] {
        assert_eq!(local.write_msr(abi_x86::Msr(msr), value, START), Ok(None));
    }
    local
}

/// An edge-triggered interrupt for one local APIC.
pub(crate) fn fixed(id: u32, vector: u8) -> Message {
    Message {
        destination: Destination::Physical(id),
        delivery_mode: DeliveryMode::Fixed,
        vector,
        trigger: Trigger::Edge,
    }
}
