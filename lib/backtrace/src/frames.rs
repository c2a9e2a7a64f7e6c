//! The walk.

/// Reads the stack that is walked.
pub trait StackWords {
    /// The word at a virtual address, a multiple of 8; `None` if it is not
    /// wholly on the stack. Must not fault.
    fn word(&self, address: u64) -> Option<u64>;
}

/// A place in the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Where code was interrupted: the address of the instruction.
    Interrupted(u64),
    /// Where a call returns to: the address behind the call.
    Return(u64),
}

impl Frame {
    /// The address as it was found.
    #[must_use]
    pub const fn address(self) -> u64 {
        match self {
            Self::Interrupted(address) | Self::Return(address) => address,
        }
    }

    /// An address inside the instruction that was executing: a call that never
    /// returns can be the last instruction of its function, so that the address
    /// behind it belongs to another.
    #[must_use]
    pub const fn inside(self) -> u64 {
        match self {
            Self::Interrupted(address) => address,
            Self::Return(address) => address.saturating_sub(1),
        }
    }
}

/// The frames of a stack, innermost first. Ends where the stack does, or where
/// a frame pointer leads nowhere.
#[derive(Debug)]
pub struct Frames<'a, S> {
    stack: &'a S,
    interrupted: Option<u64>,
    frame_pointer: u64,
}

impl<S> Clone for Frames<'_, S> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<'a, S: StackWords> Frames<'a, S> {
    /// From interrupted code with these registers. The function that was
    /// interrupted before it had set up its frame hides its caller.
    #[must_use]
    pub const fn of_registers(stack: &'a S, rip: u64, rbp: u64) -> Self {
        Self { stack, interrupted: Some(rip), frame_pointer: rbp }
    }

    /// From the function whose frame pointer is this: its caller comes first.
    #[must_use]
    pub const fn of_callers(stack: &'a S, rbp: u64) -> Self {
        Self { stack, interrupted: None, frame_pointer: rbp }
    }
}

impl<S: StackWords> Iterator for Frames<'_, S> {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        if let Some(address) = self.interrupted.take() {
            return Some(Frame::Interrupted(address));
        }
        let own = self.frame_pointer;
        if own == 0 || !own.is_multiple_of(8) {
            return None;
        }
        let callers = self.stack.word(own)?;
        let address = self.stack.word(own.checked_add(8)?)?;
        // The outermost code has no caller, and pushes 0 in its place.
        if address == 0 {
            return None;
        }
        // Callers' frames lie above. Anything else would walk in circles.
        self.frame_pointer = if callers > own { callers } else { 0 };
        Some(Frame::Return(address))
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    const BASE: u64 = 0x1000;

    /// A stack from [`BASE`] on.
    struct Stack(Vec<u64>);

    impl StackWords for Stack {
        fn word(&self, address: u64) -> Option<u64> {
            assert!(address.is_multiple_of(8));
            self.0.get(usize::try_from(address.checked_sub(BASE)? / 8).ok()?).copied()
        }
    }

    #[test]
    fn callers_are_found_up_to_the_outermost() {
        let stack = Stack([0, 0x1028, 0x111, 7, 7, 0x1040, 0x222, 7, 0, 0x333].to_vec());
        let frames = Frames::of_registers(&stack, 0x42, 0x1008);
        let expected = [
            Frame::Interrupted(0x42),
            Frame::Return(0x111),
            Frame::Return(0x222),
            Frame::Return(0x333),
        ];
        assert!(frames.eq(expected));
        assert!(Frames::of_callers(&stack, 0x1028).eq(expected.into_iter().skip(2)));
        assert_eq!(expected.map(Frame::inside), [0x42, 0x110, 0x221, 0x332]);
    }

    #[test]
    fn walks_end_where_nothing_can_follow() {
        for (words, rbp) in [
            ([0x1000, 0x111].as_slice(), 0x1000),  // itself
            (&[0, 0x111], 0x1000),                 // nobody
            (&[0x1010, 0x111, 0x1000, 0], 0x1000), // no address
            (&[0x1009, 0x111, 5, 5], 0x1000),      // between words
            (&[0x2000, 0x111], 0x1000),            // not on the stack
            (&[0x1010, 0x111, 0x1018], 0x1000),    // half on the stack
            (&[u64::MAX - 7, 0x111], 0x1000),      // the last word of all
        ] {
            let stack = Stack(words.to_vec());
            let frames: Vec<_> = Frames::of_callers(&stack, rbp).collect();
            assert_eq!(frames, [Frame::Return(0x111)], "{words:x?}");
        }
        for rbp in [0, 1, 8, u64::MAX, u64::MAX - 7, 0x1001] {
            assert_eq!(Frames::of_callers(&Stack(std::vec![9, 9]), rbp).next(), None);
        }
    }

    proptest! {
        #[test]
        fn no_stack_makes_a_walk_longer_than_itself(
            words in prop::collection::vec(prop_oneof![0x1000..0x1100_u64, any::<u64>()], 0..32),
            rbp in prop_oneof![0x1000..0x1100_u64, any::<u64>()],
        ) {
            let stack = Stack(words);
            let frames = Frames::of_callers(&stack, rbp).take(100).count();
            prop_assert!(frames <= stack.0.len());
        }
    }
}
