//! The registers of a virtual processor of the guest's, in its save area.
//!
//! The processor has written them there when the level was left [APM 24593
//! §15.34], and reads them when it is entered. What is in them is the guest's
//! word.

use core::mem::offset_of;

use abi_snp::{SevFeatures, Vmsa};
use abi_svsm::CallRegisters;
use abi_x86::Efer;
use guest_calls::{CallState, EntryRight, SaveAreaProperties};
use hal::Fault;
use hal::memory::View;

/// A save area that the module looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SaveArea<'w>(pub(crate) &'w View);

impl SaveArea<'_> {
    /// What decides whether a page can be a save area of the guest's.
    pub(crate) fn properties(self) -> Result<SaveAreaProperties, Fault> {
        let place = offset_of!(Vmsa, vmpl);
        let word = self.0.load(place & !7)?;
        Ok(SaveAreaProperties {
            vmpl: word.to_le_bytes()[place & 7],
            efer: Efer::from_bits_retain(self.0.load(offset_of!(Vmsa, efer))?),
            sev_features: SevFeatures::from_bits_retain(
                self.0.load(offset_of!(Vmsa, sev_features))?,
            ),
        })
    }

    /// Allows or forbids that the host runs it: without SVME no processor can
    /// [APM 24593 §15.5.1].
    pub(crate) fn set_entry(self, right: EntryRight) -> Result<(), Fault> {
        let place = offset_of!(Vmsa, efer);
        let efer = Efer::from_bits_retain(self.0.load(place)?);
        let efer = match right {
            EntryRight::Allowed => efer.union(Efer::SVME),
            EntryRight::Forbidden => efer.difference(Efer::SVME),
        };
        self.0.store(place, efer.bits())
    }

    /// Keeps the host from running it, and then reads the registers of a call, and
    /// why the level was left.
    #[inline(always)]
    pub(crate) fn stop(self) -> Result<(CallState, u64), Fault> {
        let efer = Efer::from_bits_retain(self.0.load(offset_of!(Vmsa, efer))?);
        let mut words = self.0.words();
        words.store(offset_of!(Vmsa, efer), efer.difference(Efer::SVME).bits());
        let registers = CallRegisters {
            rax: words.load(offset_of!(Vmsa, rax)),
            rcx: words.load(offset_of!(Vmsa, rcx)),
            rdx: words.load(offset_of!(Vmsa, rdx)),
            r8: words.load(offset_of!(Vmsa, r8)),
            r9: words.load(offset_of!(Vmsa, r9)),
        };
        let exit_code = words.load(offset_of!(Vmsa, guest_exit_code));
        words.all_done()?;
        Ok((CallState { efer, registers }, exit_code))
    }

    /// Writes the registers of a call, and then lets the host run it.
    #[inline(always)]
    pub(crate) fn go_on(self, efer: Efer, registers: &CallRegisters) -> Result<(), Fault> {
        let mut words = self.0.words();
        words.store(offset_of!(Vmsa, rax), registers.rax);
        words.store(offset_of!(Vmsa, rcx), registers.rcx);
        words.store(offset_of!(Vmsa, rdx), registers.rdx);
        words.store(offset_of!(Vmsa, r8), registers.r8);
        words.store(offset_of!(Vmsa, r9), registers.r9);
        words.all_done()?;
        self.0.store(offset_of!(Vmsa, efer), efer.union(Efer::SVME).bits())
    }
}
