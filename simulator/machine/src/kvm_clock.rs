//! KVM's clock for guests: how time stamps become nanoseconds.
//!
//! A guest cannot measure its time stamp counter well: every access to a timer
//! is an exit. So it names a shared page, by a register, and the hypervisor
//! writes there how to compute the time
//! [Linux `Documentation/virt/kvm/x86/msr.rst`]. The counter is the same on all
//! processors and does not change its frequency, so what is written once stays
//! true.

use core::num::NonZeroU64;

use abi_x86::Msr;

use crate::gpa::Gpa;

/// Where the processor's clock is, and whether it is on: `MSR_KVM_SYSTEM_TIME_NEW`.
pub const SYSTEM_TIME: Msr = Msr(0x4b56_4d01);

/// Where the guest wants the time of day: `MSR_KVM_WALL_CLOCK_NEW`.
pub const WALL_CLOCK: Msr = Msr(0x4b56_4d00);

const ENABLED: u64 = 1;
/// Of the clock's flags: all processors agree.
const STABLE: u8 = 1;
const NANOSECONDS: u64 = 1_000_000_000;

/// The address of the clock in the value of [`SYSTEM_TIME`]; `None` if the
/// guest switches its clock off.
#[must_use]
pub const fn clock_address(value: u64) -> Option<Gpa> {
    if value & ENABLED == 0 { None } else { Some(Gpa(value & !ENABLED)) }
}

/// A time stamp and the time that belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// What RDTSC returned.
    pub time_stamp: u64,
    /// Nanoseconds since the machine's start.
    pub nanoseconds: u64,
}

/// What the hypervisor writes for a counter of `frequency` hertz:
/// `pvclock_vcpu_time_info`.
#[must_use]
pub fn clock(reference: Reference, frequency: NonZeroU64) -> [u8; 32] {
    let (multiplier, shift) = scale(frequency);
    let mut bytes = [0; 32];
    // An even version: nobody is writing.
    bytes[0..4].copy_from_slice(&2_u32.to_le_bytes());
    bytes[8..16].copy_from_slice(&reference.time_stamp.to_le_bytes());
    bytes[16..24].copy_from_slice(&reference.nanoseconds.to_le_bytes());
    bytes[24..28].copy_from_slice(&multiplier.to_le_bytes());
    bytes[28] = shift as u8;
    bytes[29] = STABLE;
    bytes
}

/// What the hypervisor writes for a machine that started `seconds` after 1970,
/// UTC: `pvclock_wall_clock`.
#[must_use]
pub fn wall_clock(seconds: u32) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[0..4].copy_from_slice(&2_u32.to_le_bytes());
    bytes[4..8].copy_from_slice(&seconds.to_le_bytes());
    bytes
}

/// Nanoseconds are ticks, shifted left by the second number, times the first,
/// divided by 2^32. The first is as large as it can be.
fn scale(frequency: NonZeroU64) -> (u32, i8) {
    let mut shift = 0;
    let mut frequency = frequency.get();
    // Between one and two nanoseconds a tick, less than one of the shifted ones.
    while frequency <= NANOSECONDS {
        frequency *= 2;
        shift += 1;
    }
    while frequency > 2 * NANOSECONDS {
        frequency /= 2;
        shift -= 1;
    }
    let multiplier = (u128::from(NANOSECONDS) << 32) / u128::from(frequency);
    (multiplier.min(u32::MAX.into()) as u32, shift)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As Linux computes it, `__pvclock_read_cycles`.
    fn read(bytes: &[u8; 32], time_stamp: u64) -> u64 {
        let word = |at: usize| u64::from_le_bytes(*bytes[at..].first_chunk().unwrap());
        let multiplier = word(24) as u32;
        let delta = time_stamp - word(8);
        let delta = match bytes[28] as i8 {
            shift if shift < 0 => delta >> -shift,
            shift => delta << shift,
        };
        word(16) + ((u128::from(delta) * u128::from(multiplier)) >> 32) as u64
    }

    proptest! {
        #[test]
        fn a_second_is_a_second(hertz in 1_000_000_u64..20_000_000_000, start in any::<u32>()) {
            let reference = Reference { time_stamp: start.into(), nanoseconds: 5 };
            let bytes = clock(reference, NonZeroU64::new(hertz).unwrap());
            let later = read(&bytes, u64::from(start) + hertz);
            prop_assert!((NANOSECONDS + 5).abs_diff(later) < 3000, "{later}");
        }
    }

    #[test]
    fn the_lowest_bit_switches_on() {
        assert_eq!(clock_address(0x1001), Some(Gpa(0x1000)));
        assert_eq!(clock_address(0x1000), None);
    }

    #[test]
    fn layout_is_linuxes() {
        let reference = Reference { time_stamp: 0x1122, nanoseconds: 0x3344 };
        let bytes = clock(reference, NonZeroU64::new(2 * NANOSECONDS).unwrap());
        assert_eq!(bytes[..8], [2, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!((bytes[8], bytes[9], bytes[16], bytes[17]), (0x22, 0x11, 0x44, 0x33));
        assert_eq!(bytes[24..30], [0, 0, 0, 0x80, 0, 1]);
        assert_eq!(wall_clock(7)[..8], [2, 0, 0, 0, 7, 0, 0, 0]);
    }
}
