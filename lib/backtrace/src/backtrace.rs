//! A walk in words.

use core::fmt;

use abi_boot::Symbols;

use crate::frames::{Frames, StackWords};

/// Formats as one line for each frame: number, address, function and offset.
pub struct Backtrace<'a, S> {
    /// Where to begin.
    pub frames: Frames<'a, S>,
    /// Names of the functions, if there are any.
    pub symbols: Option<Symbols<'a>>,
    /// Most frames to show; a line says if there are more.
    pub most: usize,
}

impl<S: StackWords> fmt::Display for Backtrace<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut frames = self.frames.clone();
        let mut separator = "";
        for (number, frame) in frames.by_ref().take(self.most).enumerate() {
            write!(f, "{separator}#{number:<2} {:016x}", frame.address())?;
            separator = "\n";
            let symbol = self.symbols.and_then(|symbols| symbols.find(frame.inside()));
            if let Some(mut symbol) = symbol {
                symbol.offset = symbol.offset.saturating_add(frame.address() - frame.inside());
                write!(f, " {symbol}")?;
            }
        }
        match frames.next() {
            Some(_) => write!(f, "{separator}and more"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;
    use std::vec::Vec;

    use abi_boot::VIRTUAL_BASE;

    use super::*;

    struct Stack([u64; 6]);

    impl StackWords for Stack {
        fn word(&self, address: u64) -> Option<u64> {
            self.0.get(usize::try_from(address / 8).ok()?).copied()
        }
    }

    /// Two functions, `one` from 0x1000 and `two` from 0x1010.
    fn symbols() -> Vec<u8> {
        let mut bytes = b"SVSMSYMS".to_vec();
        for word in [2_u32, 6, 0x1000, 0x10, 0, 0x1010, 0x20, 3] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        bytes.extend_from_slice(b"onetwo");
        bytes
    }

    #[test]
    fn frames_show_with_names() {
        // The call returns behind the end of `one`.
        let stack = Stack([0, 0x18, VIRTUAL_BASE + 0x1010, 0x28, VIRTUAL_BASE + 0x5000, 0]);
        let bytes = symbols();
        let mut backtrace = Backtrace {
            frames: Frames::of_registers(&stack, VIRTUAL_BASE + 0x1012, 8),
            symbols: Some(Symbols::parse(&bytes).unwrap()),
            most: 8,
        };
        let expected = "\
#0  ffffffff80001012 two+0x2
#1  ffffffff80001010 one+0x10
#2  ffffffff80005000";
        assert_eq!(backtrace.to_string(), expected);
        backtrace.most = 1;
        assert_eq!(backtrace.to_string(), "#0  ffffffff80001012 two+0x2\nand more");
        backtrace.symbols = None;
        backtrace.most = 0;
        assert_eq!(backtrace.to_string(), "and more");
    }
}
