//! The memory that the registers are saved in.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use super::format::Format;
use super::instructions::{load, save};
use crate::OutOfMemory;
use crate::heap::TryPush;
use crate::sync::Once;

/// How the processors save them, once [`start()`](super::start()) has chosen.
pub(super) static FORMAT: Once<Format> = Once::new();

/// Bytes of an area. The features that are used take at most 2696 on every
/// processor there is; what CPUID says of it is the host's to tell and not
/// relied on.
const AREA_SIZE: usize = 4096;

/// Words of a block, whose alignment XSAVE needs.
const WORDS_PER_BLOCK: usize = 8;

/// Control word of x87 after FNINIT: all exceptions masked [APM 24592 §6.2.2].
const INITIAL_FCW: u64 = 0x37f;
/// MXCSR after a reset: all exceptions masked [APM 24592 §4.2.2].
pub(super) const INITIAL_MXCSR: u64 = 0x1f80;
/// The word that holds MXCSR, in its low half.
pub(super) const MXCSR_WORD: usize = 3;

/// Part of an area. Its words are atomic because the processor writes them
/// behind Rust's back.
#[repr(C, align(64))]
#[derive(Debug)]
struct Block([AtomicU64; WORDS_PER_BLOCK]);

/// The extended state of a thread that does not run. Its `Debug` shows none of
/// it: it is the thread's own.
pub struct ExtendedState {
    format: Format,
    blocks: Vec<Block>,
}

/// There is no extended state yet, or no memory for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotStarted {
    /// No processor has been told to use it.
    #[error("extended state: call extended_state::start first")]
    NotStarted,
    /// There is no memory for an area.
    #[error("extended state: {0}")]
    OutOfMemory(#[from] OutOfMemory),
}

impl ExtendedState {
    /// The state that a program starts with.
    ///
    /// # Errors
    ///
    /// [`NotStarted`].
    pub fn allocate() -> Result<Self, NotStarted> {
        Self::with_format(*FORMAT.get().ok_or(NotStarted::NotStarted)?).map_err(Into::into)
    }

    pub(super) fn with_format(format: Format) -> Result<Self, OutOfMemory> {
        let mut blocks = Vec::new();
        for _ in 0..AREA_SIZE / size_of::<Block>() {
            blocks.try_push(Block([const { AtomicU64::new(0) }; WORDS_PER_BLOCK]))?;
        }
        let state = Self { format, blocks };
        state.reset();
        Ok(state)
    }

    /// Makes it the state that a program starts with. XRSTOR initialises what
    /// the header, all zero, does not list, but for MXCSR.
    pub(crate) fn reset(&self) {
        let words = self.blocks.iter().flat_map(|block| &block.0).enumerate();
        for (place, word) in words {
            let value = match place {
                0 => INITIAL_FCW,
                MXCSR_WORD => INITIAL_MXCSR,
                _ => 0,
            };
            word.store(value, Ordering::Relaxed);
        }
    }

    /// Saves this processor's registers here.
    pub(crate) fn save(&self) {
        // SAFETY: INV-EXTENDED-1: the area is aligned and large enough, and its
        // words are atomic.
        unsafe { save(self.format, self.area()) };
    }

    /// Loads this processor's registers from here.
    pub(crate) fn load(&self) {
        // SAFETY: INV-EXTENDED-1: the area holds what `reset` or `save` put there,
        // with this format, or values of vector registers besides; the kernel does not use these registers.
        unsafe { load(self.format, self.area()) };
    }

    /// How it is saved.
    pub(super) const fn format(&self) -> Format {
        self.format
    }

    /// A word of the area.
    pub(super) fn word(&self, place: usize) -> &AtomicU64 {
        &self.blocks[place / WORDS_PER_BLOCK].0[place % WORDS_PER_BLOCK]
    }

    fn area(&self) -> *mut u64 {
        self.blocks.as_ptr().cast::<u64>().cast_mut()
    }
}

impl core::fmt::Debug for ExtendedState {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ExtendedState").field("format", &self.format).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    /// A process may use FXSAVE on every x86-64 processor.
    fn state() -> ExtendedState {
        ExtendedState::with_format(Format::Fxsave).unwrap()
    }

    #[test]
    fn what_was_saved_is_loaded() {
        // A control word that tells: rounding towards zero, all masked.
        let (own, other) = (state(), state());
        own.save();
        let saved = own.blocks[0].0[MXCSR_WORD].load(Ordering::Relaxed);
        other.blocks[0].0[MXCSR_WORD].store(0x7f80, Ordering::Relaxed);
        other.load();
        let seen = state();
        seen.save();
        own.load();
        let after = state();
        after.save();
        let mxcsr = |state: &ExtendedState| state.blocks[0].0[MXCSR_WORD].load(Ordering::Relaxed);
        assert_eq!(mxcsr(&seen) as u32, 0x7f80);
        assert_eq!(mxcsr(&after) as u32, saved as u32);
    }

    #[test]
    fn nothing_is_left_after_a_reset() {
        let state = state();
        state.save();
        state.reset();
        let words = || state.blocks.iter().flat_map(|block| &block.0);
        let mut values = words().map(|word| word.load(Ordering::Relaxed)).filter(|word| *word != 0);
        assert_eq!(values.next(), Some(INITIAL_FCW));
        assert_eq!(values.next(), Some(INITIAL_MXCSR));
        assert_eq!(values.next(), None);
        assert_eq!(words().count() * 8, AREA_SIZE);
        assert!(state.area().addr().is_multiple_of(64));
    }

    #[test]
    fn debug_shows_no_register() {
        assert_eq!(std::format!("{:?}", state()), "ExtendedState { format: Fxsave, .. }");
    }
}
