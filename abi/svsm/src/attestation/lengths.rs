//! How long things are: the registers afterwards.

use crate::registers::CallRegisters;

/// Lengths in bytes. After a success, what was written; after
/// [`INVALID_PARAMETER`](crate::ResultCode::INVALID_PARAMETER) because of a
/// buffer that is too short, what there is to write. After anything else the
/// registers are as the guest left them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lengths {
    /// RCX: the manifest.
    pub manifest: u64,
    /// RDX: the certificates, 0 if none were asked for or there are none.
    pub certificates: u64,
    /// R8: the report.
    pub report: u64,
}

impl Lengths {
    /// The lengths in the registers.
    #[must_use]
    pub const fn decode(registers: &CallRegisters) -> Self {
        Self { manifest: registers.rcx, certificates: registers.rdx, report: registers.r8 }
    }

    /// Puts them into the registers.
    pub const fn encode(self, registers: &mut CallRegisters) {
        registers.rcx = self.manifest;
        registers.rdx = self.certificates;
        registers.r8 = self.report;
    }
}
