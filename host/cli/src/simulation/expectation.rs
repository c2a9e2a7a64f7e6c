//! Waiting for a text on the console.

/// A text that the guest is expected to write, wherever the pieces in which it
/// arrives begin and end.
#[derive(Clone, Debug)]
pub(super) struct Expectation {
    text: Vec<u8>,
    /// The end of what was written, shorter than the text.
    tail: Vec<u8>,
}

impl Expectation {
    /// Waits for `text`, which is not empty.
    pub(super) fn new(text: &str) -> Self {
        assert!(!text.is_empty(), "an empty text is nothing to wait for");
        Self { text: text.into(), tail: Vec::new() }
    }

    /// Takes the next piece of the console; whether the text is complete now.
    pub(super) fn is_met_by(&mut self, piece: &[u8]) -> bool {
        self.tail.extend_from_slice(piece);
        if self.tail.windows(self.text.len()).any(|window| window == self.text) {
            return true;
        }
        let enough = self.text.len() - 1;
        self.tail.drain(..self.tail.len().saturating_sub(enough));
        false
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Expectation;

    #[test]
    fn a_text_in_pieces_is_found() {
        let mut expectation = Expectation::new("login:");
        for piece in ["", "log", "log", "i", "n"] {
            assert!(!expectation.is_met_by(piece.as_bytes()), "{piece}");
        }
        assert!(expectation.is_met_by(b": "));
    }

    #[test]
    fn almost_is_not_enough() {
        let mut expectation = Expectation::new("login:");
        assert!(!expectation.is_met_by(b"login login;Login:logi"));
        assert!(!expectation.is_met_by(b" n:"));
    }

    proptest! {
        /// However the console is cut, the text is found just if it is there.
        #[test]
        fn pieces_make_no_difference(
            text in "[ab]{1,4}",
            pieces in prop::collection::vec("[ab]{0,5}", 0..8),
        ) {
            let mut expectation = Expectation::new(&text);
            let found = pieces.iter().any(|piece| expectation.is_met_by(piece.as_bytes()));
            prop_assert_eq!(found, pieces.concat().contains(&text));
        }
    }
}
