//! AMD SEV-SNP, as far as giving up goes.
//!
//! The start on this platform is not built yet, so there is no console. What
//! the kernel can do is to end with a reason that the host's log shows.

use core::arch::asm;

use abi_snp::ghcb::{MsrRequest, ReasonSet, TerminationReason};
use abi_x86::Msr;

use super::interface::Platform;
use crate::stop_reason::StopReason;
use serial::Console;

/// The platform `snp`.
pub(crate) struct Snp;

impl Platform for Snp {
    fn prepare(&self) {}

    fn console(&self) -> Option<&dyn Console> {
        None
    }

    fn stop(&self, reason: StopReason) -> ! {
        let reason = TerminationReason::new(ReasonSet::MODULE, reason.code());
        let request = MsrRequest::Terminate(reason).encode();
        // A hypervisor that lets the processor go on gets the request again.
        loop {
            // SAFETY: the GHCB MSR exists on every processor with SEV-SNP, and
            // a value whose low bits are 0x100 is no address, so the hypervisor
            // is given no memory. `rep vmmcall` is VMGEXIT
            // [APM 24594 VMGEXIT]. Registers and memory stay as they are.
            unsafe {
                asm!(
                    "wrmsr",
                    "rep vmmcall",
                    in("ecx") Msr::GHCB.0,
                    in("eax") request as u32,
                    in("edx") (request >> 32) as u32,
                    options(nostack, preserves_flags),
                );
            }
        }
    }
}
