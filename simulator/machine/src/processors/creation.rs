//! Creating and destroying save areas: the launch, and *SNP AP Creation*.
//!
//! [GHCB 56421 2.04 §4.1, "SNP AP Creation"]. Whether the page is a save area
//! at all shows when the processor enters it
//! ([`enter_save_area`](crate::reverse_map::ReverseMap::enter_save_area)).

use abi_snp::{PageSize, SevFeatures, Vmpl};

use crate::gpa::Gpa;
use crate::processors::context::{Activity, SaveAreaPage};
use crate::processors::index::{ProcessorIndex, Target};
use crate::processors::table::Processors;

/// How a processor begins that has a save area from the launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaunchState {
    /// It executes.
    Runs,
    /// It waits for its first start-up interrupt, as KVM has it for all
    /// processors but the first.
    WaitsForStartup,
}

/// Why a save area is not created or destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreationRefusal {
    /// The level has more rights than the one that asks. Learned from patches
    /// to Linux/KVM, which protect VMPL0 in this way; that it holds for all
    /// levels is from memory.
    #[error("{asking} asks for a save area of {target}, which has more rights")]
    AboveCaller {
        /// The level that asks.
        asking: Vmpl,
        /// The level that it asks for.
        target: Vmpl,
    },
    /// VMPL0 of a processor names itself: it can only be replaced by another
    /// processor [patches to Linux/KVM].
    #[error("VMPL0 asks to replace itself; another processor would have to")]
    OwnTopLevel,
    /// No page starts there.
    #[error("the save area's address {0} is not that of a page")]
    Unaligned(Gpa),
    /// A page of 2 MiB could start there: processors mishandle save areas at
    /// such addresses, so Linux/KVM refuses them.
    #[error("the save area's address {0} is a multiple of 2 MiB, which processors mishandle")]
    LargePageAligned(Gpa),
    /// Not an SNP save area.
    #[error("the save area's SEV features {0} lack SNP")]
    NotSnp(SevFeatures),
    /// Features that the hypervisor does not offer.
    #[error("the save area has SEV features {0} that are not supported")]
    Unsupported(SevFeatures),
    /// Features that differ from those of the level's first save area, on
    /// whichever processor that was [patches to Linux/KVM].
    #[error("the save area has SEV features {given}, its level has {expected}")]
    OtherFeatures {
        /// The level's.
        expected: SevFeatures,
        /// The save area's.
        given: SevFeatures,
    },
}

/// Highest guest physical address and 1.
const ADDRESS_LIMIT: u64 = 1 << 52;

impl Processors {
    /// Gives a processor a save area before anything has run. The most
    /// privileged level that gets one is the one that runs.
    ///
    /// # Errors
    ///
    /// The save area is none that AP Creation would accept.
    pub fn launch(
        &mut self,
        target: Target,
        save_area: SaveAreaPage,
        state: LaunchState,
    ) -> Result<(), CreationRefusal> {
        self.accept(target.vmpl, save_area)?;
        let activity = match state {
            LaunchState::Runs => Activity::Runs,
            LaunchState::WaitsForStartup => Activity::AwaitsStart(None),
        };
        self.install(target, save_area, activity);
        let processor = self.processor_mut(target.processor);
        if processor.current.is_none_or(|current| target.vmpl.is_above(current)) {
            processor.current = Some(target.vmpl);
        }
        Ok(())
    }

    /// Keeps a save area for `target` until the next INIT of its processor, or
    /// until another level of the processor runs it with Run VMPL. Replaces one
    /// that is kept already. What the level runs now, it goes on running.
    ///
    /// `caller` is the processor whose running level asks.
    ///
    /// # Errors
    ///
    /// The caller may not, or the save area is not acceptable.
    pub fn create_on_init(
        &mut self,
        caller: ProcessorIndex,
        target: Target,
        save_area: SaveAreaPage,
    ) -> Result<(), CreationRefusal> {
        self.check_caller(caller, target)?;
        self.accept(target.vmpl, save_area)?;
        self.processor_mut(target.processor).level_mut(target.vmpl).deferred = Some(save_area);
        Ok(())
    }

    /// Lets the target's processor run `save_area` at the target's level from
    /// now on, whatever it was doing: a first version of the patches to
    /// Linux/KVM has it so. A level that is interrupted that way goes on when
    /// Run VMPL names it.
    ///
    /// # Errors
    ///
    /// As [`Self::create_on_init`].
    pub fn create(
        &mut self,
        caller: ProcessorIndex,
        target: Target,
        save_area: SaveAreaPage,
    ) -> Result<(), CreationRefusal> {
        self.check_caller(caller, target)?;
        self.accept(target.vmpl, save_area)?;
        self.install(target, save_area, Activity::Runs);
        self.processor_mut(target.processor).current = Some(target.vmpl);
        Ok(())
    }

    /// Takes the save area away from `target`, and one that is kept for it. If
    /// it was the one that ran, its processor runs nothing from now on.
    ///
    /// # Errors
    ///
    /// The caller may not.
    pub fn destroy(
        &mut self,
        caller: ProcessorIndex,
        target: Target,
    ) -> Result<(), CreationRefusal> {
        self.check_caller(caller, target)?;
        let processor = self.processor_mut(target.processor);
        let level = processor.level_mut(target.vmpl);
        level.context = None;
        level.deferred = None;
        if processor.current == Some(target.vmpl) {
            processor.current = None;
        }
        Ok(())
    }

    fn check_caller(&self, caller: ProcessorIndex, target: Target) -> Result<(), CreationRefusal> {
        let asking = self.processor(caller).current.unwrap_or(Vmpl::Vmpl3);
        if target.vmpl.is_above(asking) {
            return Err(CreationRefusal::AboveCaller { asking, target: target.vmpl });
        }
        if target.vmpl == Vmpl::Vmpl0 && target.processor == caller {
            return Err(CreationRefusal::OwnTopLevel);
        }
        Ok(())
    }

    /// Checks a save area; its features become those of the level if it is the
    /// first one.
    fn accept(&mut self, vmpl: Vmpl, save_area: SaveAreaPage) -> Result<(), CreationRefusal> {
        let SaveAreaPage { gpa, features: given } = save_area;
        if !gpa.is_aligned(PageSize::Size4K) || gpa.0 >= ADDRESS_LIMIT {
            return Err(CreationRefusal::Unaligned(gpa));
        }
        if gpa.is_aligned(PageSize::Size2M) {
            return Err(CreationRefusal::LargePageAligned(gpa));
        }
        if !given.contains(SevFeatures::SNP_ACTIVE) {
            return Err(CreationRefusal::NotSnp(given));
        }
        let unsupported = given.difference(self.defaults.supported_features);
        if !unsupported.is_empty() {
            return Err(CreationRefusal::Unsupported(unsupported));
        }
        // There is an element for each number that a `Vmpl` can have.
        let of_level = &mut self.features[usize::from(vmpl.number())];
        match *of_level {
            Some(expected) if expected != given => {
                Err(CreationRefusal::OtherFeatures { expected, given })
            }
            _ => {
                *of_level = Some(given);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
