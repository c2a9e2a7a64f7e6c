//! What the vector registers hold.
//!
//! The layout is the standard one of XSAVE, whose first half is FXSAVE's: the
//! lower halves of the registers, a header, the upper halves [APM 24593 §11.5.5].

use core::sync::atomic::Ordering;

use super::area::{ExtendedState, INITIAL_MXCSR, MXCSR_WORD, NotStarted};

/// Vector registers.
const REGISTERS: usize = 16;

/// The word of the first register's lower half.
const LOWER_HALVES: usize = 160 / 8;
/// The header's word that names what the area holds.
const HEADER: usize = 512 / 8;
/// The word of the first register's upper half.
const UPPER_HALVES: usize = 576 / 8;

/// Place of the rounding control in MXCSR [APM 24592 §4.2.2].
const ROUNDING_SHIFT: u32 = 13;
/// The rounding control.
const ROUNDING: u64 = 3;

/// Values of the vector registers, and how their numbers are rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VectorRegisters {
    /// Each register, its lowest 64 bits first. The upper two words count where
    /// the processor has them in use, and are zero elsewhere.
    pub values: [[u64; 4]; REGISTERS],
    /// The rounding control, of which two bits count.
    pub rounding: u8,
}

impl VectorRegisters {
    /// What this processor's registers hold.
    ///
    /// # Errors
    ///
    /// [`NotStarted`].
    pub fn read() -> Result<Self, NotStarted> {
        let state = ExtendedState::allocate()?;
        state.save();
        Ok(Self::of(&state))
    }

    /// Gives this processor's registers these values, and all other extended
    /// registers their initial ones. They are the running thread's if it has an
    /// [`ExtendedState`], and otherwise hold until the next one that has.
    ///
    /// # Errors
    ///
    /// [`NotStarted`].
    pub fn write(&self) -> Result<(), NotStarted> {
        let state = ExtendedState::allocate()?;
        self.put(&state);
        state.load();
        Ok(())
    }

    /// What `state` holds.
    fn of(state: &ExtendedState) -> Self {
        let word = |place| state.word(place).load(Ordering::Relaxed);
        let has_upper = state.format().has_upper_halves();
        let upper = |place| if has_upper { word(place) } else { 0 };
        let values = core::array::from_fn(|register| {
            let (low, high) = (LOWER_HALVES + 2 * register, UPPER_HALVES + 2 * register);
            [word(low), word(low + 1), upper(high), upper(high + 1)]
        });
        Self { values, rounding: (word(MXCSR_WORD) >> ROUNDING_SHIFT & ROUNDING) as u8 }
    }

    /// Puts the values into `state`, which is an initial one.
    fn put(&self, state: &ExtendedState) {
        let set = |place, value| state.word(place).store(value, Ordering::Relaxed);
        for (register, value) in self.values.into_iter().enumerate() {
            let (low, high) = (LOWER_HALVES + 2 * register, UPPER_HALVES + 2 * register);
            set(low, value[0]);
            set(low + 1, value[1]);
            if state.format().has_upper_halves() {
                set(high, value[2]);
                set(high + 1, value[3]);
            }
        }
        let rounding = u64::from(self.rounding) & ROUNDING;
        set(MXCSR_WORD, INITIAL_MXCSR | rounding << ROUNDING_SHIFT);
        if let Some(features) = state.format().vector_features() {
            set(HEADER, features);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::format::Format;
    use super::*;

    const VALUES: VectorRegisters = VectorRegisters {
        values: [[0x1111_2222_3333_4444, u64::MAX, 5, 6]; REGISTERS],
        rounding: 2,
    };

    fn there_and_back(format: Format) -> (VectorRegisters, u64) {
        let state = ExtendedState::with_format(format).unwrap();
        VALUES.put(&state);
        (VectorRegisters::of(&state), state.word(HEADER).load(Ordering::Relaxed))
    }

    #[test]
    fn values_come_back() {
        // x87, SSE, AVX, keys.
        assert_eq!(there_and_back(Format::Xsave { features: 0x207 }), (VALUES, 0b110));
    }

    #[test]
    fn upper_halves_need_their_feature() {
        let lower = VectorRegisters {
            values: [[0x1111_2222_3333_4444, u64::MAX, 0, 0]; REGISTERS],
            ..VALUES
        };
        assert_eq!(there_and_back(Format::Xsave { features: 0b11 }), (lower, 0b10));
        assert_eq!(there_and_back(Format::Fxsave), (lower, 0));
    }
}
