//! Model-specific registers and time by way of the host.

use abi_snp::ghcb::{ExitCode, SaveArea, ValidFields};
use abi_x86::Msr;

use super::ghcb::Ghcb;
use crate::local_apic::Registers;
use crate::stop_reason::StopReason;
use crate::sync::mask;

/// `SW_EXITINFO1` of an MSR event.
const READ: u64 = 0;
const WRITE: u64 = 1;

/// Whether a register belongs to a device that the host emulates: the interrupt
/// controller, base and mode included [APM 24593 §16.3.1 and §16.11].
pub(super) const fn is_the_hosts(msr: Msr) -> bool {
    matches!(msr, Msr::APIC_BASE | Msr(0x800..=0x8ff))
}

/// Has the host read a register.
///
/// # Errors
///
/// There is no GHCB page yet, or the host gives no value.
pub(super) fn read(msr: Msr) -> Result<u64, StopReason> {
    let request =
        SaveArea { rcx: Some(msr.0.into()), ..SaveArea::request(ExitCode::MSR.0, READ, 0) };
    pair(&request)
}

/// Has the host write a register.
///
/// # Errors
///
/// There is no GHCB page yet, or the host refuses.
pub(super) fn write(msr: Msr, value: u64) -> Result<(), StopReason> {
    let request = SaveArea {
        rcx: Some(msr.0.into()),
        rax: Some(value & 0xffff_ffff),
        rdx: Some(value >> 32),
        ..SaveArea::request(ExitCode::MSR.0, WRITE, 0)
    };
    let masked = mask();
    let ghcb = Ghcb::of_this_processor(&masked).ok_or(StopReason::HostIntercept)?;
    ghcb.ask(&request, ValidFields::empty()).map_err(|_| StopReason::HostGhcbAnswer)?;
    Ok(())
}

/// Registers of the own processor's interrupt controller, by way of the host.
pub(super) struct HostRegisters;

impl Registers for HostRegisters {
    type Error = StopReason;

    fn read(&self, register: Msr) -> Result<u64, StopReason> {
        read(register)
    }

    fn write(&self, register: Msr, value: u64) -> Result<(), StopReason> {
        write(register, value)
    }
}

/// Has the host read the time stamp counter: for hosts that intercept it.
///
/// # Errors
///
/// There is no GHCB page yet, or the host gives no value.
pub(super) fn time_stamp() -> Result<u64, StopReason> {
    pair(&SaveArea::request(ExitCode::RDTSC.0, 0, 0))
}

/// The value that an event returns in EDX:EAX.
fn pair(request: &SaveArea) -> Result<u64, StopReason> {
    let masked = mask();
    let ghcb = Ghcb::of_this_processor(&masked).ok_or(StopReason::HostIntercept)?;
    let outputs = ghcb
        .ask(request, ValidFields::RAX | ValidFields::RDX)
        .map_err(|_| StopReason::HostGhcbAnswer)?;
    Ok(outputs.rdx << 32 | outputs.rax & 0xffff_ffff)
}
