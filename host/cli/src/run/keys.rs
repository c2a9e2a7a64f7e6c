//! What is typed at the console: for the guest, or for this program.
//!
//! As with QEMU's own console, Ctrl-A says that the next key is a command.

/// Ctrl-A, as a terminal sends it.
const PREFIX: u8 = 0x01;

/// What Ctrl-A h answers.
pub(super) const HELP: &str = "\
Ctrl-A x       end the run
Ctrl-A h       this text
Ctrl-A Ctrl-A  Ctrl-A for the guest
";

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The guest gets this byte.
    Send(u8),
    /// Say which keys there are.
    Help,
    /// End the run.
    Leave,
}

/// Tells keys for the guest from commands.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// Whether Ctrl-A was the last key.
    after_prefix: bool,
}

impl Keys {
    /// What a key is for. nothing if it is the first half of a command or no
    /// command that there is.
    pub(super) fn press(&mut self, key: u8) -> Option<Meaning> {
        match (std::mem::take(&mut self.after_prefix), key) {
            (false, PREFIX) => {
                self.after_prefix = true;
                None
            }
            (false, _) | (true, PREFIX) => Some(Meaning::Send(key)),
            (true, b'x' | b'X') => Some(Meaning::Leave),
            (true, b'h' | b'H' | b'?') => Some(Meaning::Help),
            (true, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Keys, Meaning, PREFIX};

    fn typed(keys: &[u8]) -> Vec<Meaning> {
        let mut state = Keys::default();
        keys.iter().filter_map(|key| state.press(*key)).collect()
    }

    #[test]
    fn commands() {
        let send = Meaning::Send;
        assert_eq!(typed(b"a\x01xb"), [send(b'a'), Meaning::Leave, send(b'b')]);
        assert_eq!(typed(b"\x01h\x01?"), [Meaning::Help, Meaning::Help]);
        assert_eq!(typed(b"\x01\x01x"), [send(PREFIX), send(b'x')]);
        assert_eq!(typed(b"\x01\x01\x01x"), [send(PREFIX), Meaning::Leave]);
        // No command: nothing happens, and the next key is an ordinary one.
        assert_eq!(typed(b"\x01qx"), [send(b'x')]);
        assert_eq!(typed(b"\x01"), []);
        // Ctrl-C is the guest's.
        assert_eq!(typed(b"\x03"), [send(3)]);
    }

    proptest! {
        /// Any bytes reach the guest when each Ctrl-A is typed twice.
        #[test]
        fn everything_can_be_sent(bytes in prop::collection::vec(0..4_u8, 0..40)) {
            let keys: Vec<u8> = bytes
                .iter()
                .flat_map(|byte| vec![*byte; if *byte == PREFIX { 2 } else { 1 }])
                .collect();
            let sent: Vec<Meaning> = bytes.iter().copied().map(Meaning::Send).collect();
            prop_assert_eq!(typed(&keys), sent);
        }
    }
}
