//! How fast the time stamp counter runs.
//!
//! With Secure TSC the processor tells, and nobody can change it. Without, it is
//! the host's to say: by a leaf of CPUID that is its own, or by how long a count
//! of its timer takes. A host that lies makes the module's time run wrong, which
//! it can do anyway, as it also sets the counter.

use abi_boot::BootBlock;
use abi_snp::SevFeatures;
use abi_snp::ghcb::{ExitCode, SaveArea, ValidFields};
use abi_x86::Msr;
use cpuid_table::Answer;
use serial::Registers;

use super::ghcb::Ghcb;
use super::ports::HostPorts;
use super::secrets::time_stamp_factor;
use crate::stop_reason::StopReason;
use crate::sync::mask;
use crate::time::{PortAccess, count, measure, of_hypervisor_leaf, plausible};
use crate::{msr, time};

/// Frequency of the counter in MHz, with Secure TSC [Linux 7.2
/// `MSR_AMD64_GUEST_TSC_FREQ`]: bits 17:0.
const GUEST_TSC_FREQUENCY: Msr = Msr(0xc001_0134);
const FREQUENCY_MASK: u64 = 0x3_ffff;
const MEGAHERTZ: u64 = 1_000_000;

/// The host's leaf with the frequency.
const HYPERVISOR_LEAF: u32 = 0x4000_0010;

/// Starts time.
///
/// # Errors
///
/// The host gives no means to tell how fast the counter runs.
pub(super) fn start(block: &BootBlock<'static>, features: SevFeatures) -> Result<(), StopReason> {
    let frequency = if features.contains(SevFeatures::SECURE_TSC) {
        // SAFETY: INV-MSR-1: the register exists with this feature; it is never
        // intercepted.
        let nominal = unsafe { msr::read(GUEST_TSC_FREQUENCY) } & FREQUENCY_MASK;
        plausible(mean(nominal * MEGAHERTZ, time_stamp_factor(block)))
    } else {
        host_leaf().or_else(|| measure(&HostTimer, count).and_then(plausible))
    };
    time::start(frequency.ok_or(StopReason::HostTime)?);
    Ok(())
}

/// The mean frequency of a counter that is slower than `nominal`.
fn mean(nominal: u64, hundred_thousandths: u32) -> u64 {
    nominal - nominal / 100_000 * u64::from(hundred_thousandths).min(100_000)
}

/// What the host's own leaf of CPUID says.
fn host_leaf() -> Option<u64> {
    let request = SaveArea {
        rax: Some(HYPERVISOR_LEAF.into()),
        rcx: Some(0),
        xcr0: Some(1),
        ..SaveArea::request(ExitCode::CPUID.0, 0, 0)
    };
    let asked = ValidFields::RAX | ValidFields::RBX | ValidFields::RCX | ValidFields::RDX;
    let masked = mask();
    let outputs = Ghcb::of_this_processor(&masked)?.ask(&request, asked).ok()?;
    of_hypervisor_leaf(Answer { eax: outputs.rax as u32, ..Answer::ZERO })
}

/// The host's timer chip.
struct HostTimer;

impl PortAccess for HostTimer {
    fn read(&self, port: u16) -> u8 {
        HostPorts::new(port).read(0)
    }

    fn write(&self, port: u16, value: u8) {
        HostPorts::new(port).write(0, value);
    }
}
