//! Going on behind the instruction.

use abi_x86::Rflags;
use processor::TrapFrame;

/// Bytes of the longest instruction [APM 24594 §1.1].
pub const MAX_LENGTH: usize = 15;

/// The length of a decoded instruction, 1 to [`MAX_LENGTH`] bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Length(u8);

impl Length {
    /// `None` if no instruction is that long.
    pub(crate) fn new(bytes: u64) -> Option<Self> {
        let length = u8::try_from(bytes).ok()?;
        (1..=MAX_LENGTH).contains(&usize::from(length)).then_some(Self(length))
    }

    /// Makes the instruction look executed: RIP is behind it, and RF, which
    /// keeps a breakpoint from being hit twice, is clear as after every
    /// instruction [APM 24593 §3.1.6].
    pub(crate) fn finish(self, frame: &mut TrapFrame) {
        frame.rip = frame.rip.wrapping_add(u64::from(self.0));
        frame.rflags &= !Rflags::RF.bits();
    }
}
