//! The guest's virtual processors: which there are, and who is doing what to
//! them.

use alloc::collections::TryReserveError;
use alloc::vec::Vec;

use super::atomic::{AtomicU64, Ordering};
use super::processor_slot::ProcessorSlot;
use super::vcpu_slot::{Identity, PAGE_NUMBERS, State, VcpuSlot};

/// All virtual processors of the guest, and the pages that processors hold for
/// it. All processors share it.
///
/// There can be several save areas for one processor: a guest that restarts a
/// processor makes a new one before it deletes the old one. The processor
/// serves the newest.
#[derive(Debug)]
pub struct Registry {
    processors: Vec<ProcessorSlot>,
    vcpus: Vec<VcpuSlot>,
}

/// Why there is no first virtual processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BootVcpuError {
    /// The page cannot be one: its number is too large.
    #[error("page {0:#x} cannot be a save area: addresses have 52 bits")]
    Page(u64),
    /// There is one, or there is no place for any.
    #[error("there is no place for the guest's first virtual processor")]
    NoPlace,
}

/// There is no place for one more virtual processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

/// Why a virtual processor cannot be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DeleteError {
    /// The page is no save area of the guest's.
    Unknown,
    /// It is the guest's first.
    First,
    /// It is serving a call, being made, or being deleted.
    InUse,
}

/// Which virtual processor a processor serves.
#[derive(Debug)]
pub(super) enum Current<'r> {
    /// None.
    None,
    /// It is being made, or being deleted, which may yet fail.
    Changing,
    /// This one, and no other processor can change that while it lives.
    Vcpu(ServedVcpu<'r>),
}

impl Registry {
    /// For processors with these APIC identifiers, of which the first has number
    /// 0, and at most `vcpus` virtual processors at a time.
    ///
    /// # Errors
    ///
    /// There is no memory. Nothing is allocated later.
    ///
    /// # Panics
    ///
    /// With more than 2^16 processors.
    pub fn new(apic_ids: &[u32], vcpus: usize) -> Result<Self, TryReserveError> {
        assert!(apic_ids.len() <= 1 << u16::BITS, "numbers of processors have 16 bits");
        let mut registry = Self { processors: Vec::new(), vcpus: Vec::new() };
        registry.processors.try_reserve_exact(apic_ids.len())?;
        registry.vcpus.try_reserve_exact(vcpus)?;
        #[allow(clippy::disallowed_methods, reason = "there is room")]
        {
            registry.processors.extend(apic_ids.iter().copied().map(ProcessorSlot::new));
            registry.vcpus.extend((0..vcpus).map(|_| VcpuSlot::new()));
        }
        Ok(registry)
    }

    pub(super) fn processors(&self) -> &[ProcessorSlot] {
        &self.processors
    }

    /// Processor `number`, which exists.
    pub(super) fn processor(&self, number: usize) -> &ProcessorSlot {
        self.processors.get(number).expect("processors are numbered as the registry was made")
    }

    /// The number of the processor with this APIC identifier.
    pub(super) fn processor_with(&self, apic_id: u32) -> Option<u16> {
        let number = self.processors.iter().position(|slot| slot.apic_id == apic_id)?;
        u16::try_from(number).ok()
    }

    /// All virtual processors by processor and calling area, as page numbers;
    /// while one is made or deleted, it counts.
    pub(super) fn calling_areas(&self) -> impl Iterator<Item = (u16, u64)> {
        self.vcpus.iter().filter_map(|slot| {
            // Acquire: whoever moved here from a hold has announced it before it
            // ended the hold.
            let area = slot.calling_area.load(Ordering::Acquire).checked_sub(1)?;
            let processor = Identity::of_word(slot.word.load(Ordering::Acquire))
                .map_or(u16::MAX, |(identity, _)| identity.processor());
            Some((processor, area))
        })
    }

    /// Says which virtual processor the guest starts with: on processor 0, with
    /// save area and calling area by page number. It cannot be deleted. The
    /// calling area is the guest's, and nobody claims pages yet.
    ///
    /// # Errors
    ///
    /// See [`BootVcpuError`].
    pub fn set_first_vcpu(&self, save_area: u64, calling_area: u64) -> Result<(), BootVcpuError> {
        if save_area >= PAGE_NUMBERS || calling_area >= PAGE_NUMBERS {
            return Err(BootVcpuError::Page(save_area.max(calling_area)));
        }
        if self.vcpus.iter().any(|slot| slot.word.load(Ordering::Acquire) != State::Free as u64) {
            return Err(BootVcpuError::NoPlace);
        }
        let identity = Identity::new(save_area, 0).first();
        let new = self.reserve(identity).map_err(|Full| BootVcpuError::NoPlace)?;
        new.set_calling_area(calling_area);
        new.ready();
        Ok(())
    }

    /// The calling area of the first virtual processor, by page number.
    pub(super) fn first_calling_area(&self) -> Option<u64> {
        let slot = self.vcpus.iter().find(|slot| {
            Identity::of_word(slot.word.load(Ordering::Acquire))
                .is_some_and(|(identity, _)| identity.is_first())
        })?;
        slot.calling_area.load(Ordering::Acquire).checked_sub(1)
    }

    /// Takes a place for a virtual processor that is yet to be made. Its save
    /// area is claimed by the caller, so that nobody else makes the same.
    pub(super) fn create(&self, save_area: u64, processor: u16) -> Result<NewVcpu<'_>, Full> {
        assert!(save_area < PAGE_NUMBERS, "claimed pages are in a table that has memory");
        self.reserve(Identity::new(save_area, processor))
    }

    fn reserve(&self, identity: Identity) -> Result<NewVcpu<'_>, Full> {
        let creating = identity.word(State::Creating);
        let take = |slot: &VcpuSlot| change(&slot.word, State::Free as u64, creating);
        let number = self.vcpus.iter().position(take).ok_or(Full)?;
        let entry = Entry { registry: self, slot: &self.vcpus[number], number, identity };
        Ok(NewVcpu { entry, is_ready: false })
    }

    /// The virtual processor whose call this processor is to serve.
    pub(super) fn current(&self, processor: usize) -> Current<'_> {
        let current = &self.processor(processor).current;
        loop {
            let announced = current.load(Ordering::Acquire);
            let Some(number) = announced.checked_sub(1) else { return Current::None };
            let number = number as usize;
            let slot = &self.vcpus[number];
            let found = slot.word.load(Ordering::Acquire);
            if let Some((identity, State::Ready)) = Identity::of_word(found)
                && usize::from(identity.processor()) == processor
                && change(&slot.word, found, identity.word(State::Serving))
            {
                let entry = Entry { registry: self, slot, number, identity };
                return Current::Vcpu(ServedVcpu { entry, is_deleted: false });
            }
            if current.load(Ordering::Acquire) == announced {
                return Current::Changing;
            }
            // It was deleted, or there is a newer one.
        }
    }

    /// Takes a virtual processor to delete it, so that its processor serves no
    /// more calls of it.
    pub(super) fn delete(&self, save_area: u64) -> Result<DyingVcpu<'_>, DeleteError> {
        let of_slot = |slot: &VcpuSlot| {
            Identity::of_word(slot.word.load(Ordering::Acquire))
                .filter(|(identity, _)| identity.save_area() == save_area)
        };
        let (number, slot, (identity, state)) = (0..)
            .zip(&self.vcpus)
            .find_map(|(number, slot)| Some((number, slot, of_slot(slot)?)))
            .ok_or(DeleteError::Unknown)?;
        if identity.is_first() {
            return Err(DeleteError::First);
        }
        let (ready, deleting) = (identity.word(State::Ready), identity.word(State::Deleting));
        if state != State::Ready || !change(&slot.word, ready, deleting) {
            return Err(DeleteError::InUse);
        }
        let entry = Entry { registry: self, slot, number, identity };
        Ok(DyingVcpu { entry, is_gone: false })
    }
}

/// An entry that one processor has for itself, by its state.
#[derive(Debug)]
struct Entry<'r> {
    registry: &'r Registry,
    slot: &'r VcpuSlot,
    number: usize,
    identity: Identity,
}

impl Entry<'_> {
    fn announcement(&self) -> u64 {
        self.number as u64 + 1
    }

    fn set_state(&self, state: State) {
        self.slot.word.store(self.identity.word(state), Ordering::Release);
    }

    /// The processor serves it no more, if it was the newest there.
    fn withdraw(&self) {
        let current = &self.registry.processor(self.identity.processor().into()).current;
        let _ = change(current, self.announcement(), 0);
    }

    /// Ends the calling area and makes the place free, in this order.
    fn free(&self) {
        self.slot.calling_area.store(0, Ordering::Release);
        self.slot.word.store(State::Free as u64, Ordering::Release);
    }
}

/// A virtual processor that is being made; dropped, there is none.
#[derive(Debug)]
#[must_use = "a virtual processor that is dropped is not made"]
pub(super) struct NewVcpu<'r> {
    entry: Entry<'r>,
    is_ready: bool,
}

impl NewVcpu<'_> {
    /// Says where its calling area is. The caller holds the page, or nobody
    /// claims any.
    pub(super) fn set_calling_area(&self, page: u64) {
        self.entry.slot.calling_area.store(page + 1, Ordering::Release);
    }

    /// It is made: its processor serves it from now on.
    pub(super) fn ready(mut self) {
        self.is_ready = true;
        let processor = usize::from(self.entry.identity.processor());
        let current = &self.entry.registry.processor(processor).current;
        // Announced first: once it is ready, it can be deleted, which ends the
        // announcement. Swapped, as the end of an older one is: each of the two
        // sees what the other has done.
        current.swap(self.entry.announcement(), Ordering::AcqRel);
        self.entry.set_state(State::Ready);
    }
}

impl Drop for NewVcpu<'_> {
    fn drop(&mut self) {
        if !self.is_ready {
            self.entry.free();
        }
    }
}

/// A virtual processor that its processor serves a call of. Until this is
/// dropped, nobody else deletes it or moves its calling area.
#[derive(Debug)]
pub(super) struct ServedVcpu<'r> {
    entry: Entry<'r>,
    is_deleted: bool,
}

/// What is known of a virtual processor that is [served](ServedVcpu), as long as
/// that is. A few words that are handed on: where they stand, nobody has to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Calling<'c> {
    slot: &'c VcpuSlot,
    identity: Identity,
}

impl Calling<'_> {
    /// The page that is its save area.
    pub(super) fn save_area(self) -> u64 {
        self.identity.save_area()
    }

    /// The processor that it runs on.
    pub(super) fn processor(self) -> u16 {
        self.identity.processor()
    }

    /// Whether it is the guest's first.
    pub(super) fn is_first(self) -> bool {
        self.identity.is_first()
    }

    /// The page that is its calling area.
    pub(super) fn calling_area(self) -> u64 {
        // Nobody else changes it, and each one that is made has one.
        self.slot.calling_area.load(Ordering::Relaxed).saturating_sub(1)
    }

    /// Says that its calling area is another page, which the caller holds.
    pub(super) fn set_calling_area(self, page: u64) {
        self.slot.calling_area.store(page + 1, Ordering::Release);
    }
}

impl<'r> ServedVcpu<'r> {
    /// What is known of it.
    pub(super) fn calling(&self) -> Calling<'_> {
        Calling { slot: self.entry.slot, identity: self.entry.identity }
    }

    /// Takes it to delete it, on its own behalf.
    pub(super) fn delete(mut self) -> DyingVcpu<'r> {
        assert!(!self.entry.identity.is_first(), "the first one is refused");
        self.is_deleted = true;
        self.entry.set_state(State::Deleting);
        let Entry { registry, slot, number, identity } = self.entry;
        DyingVcpu { entry: Entry { registry, slot, number, identity }, is_gone: false }
    }
}

impl Drop for ServedVcpu<'_> {
    fn drop(&mut self) {
        if !self.is_deleted {
            self.entry.set_state(State::Ready);
        }
    }
}

/// A virtual processor that is being deleted; dropped, it is what it was.
#[derive(Debug)]
#[must_use = "a virtual processor that is dropped is not deleted"]
pub(super) struct DyingVcpu<'r> {
    entry: Entry<'r>,
    is_gone: bool,
}

impl DyingVcpu<'_> {
    /// It is deleted.
    pub(super) fn gone(mut self) {
        self.is_gone = true;
        // First the announcement: a processor that finds one whose place is
        // another's looks again.
        self.entry.withdraw();
        self.entry.free();
    }
}

impl Drop for DyingVcpu<'_> {
    fn drop(&mut self) {
        if !self.is_gone {
            self.entry.set_state(State::Ready);
        }
    }
}

/// Compare and swap; says whether it happened.
fn change(word: &AtomicU64, from: u64, to: u64) -> bool {
    word.compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed).is_ok()
}
