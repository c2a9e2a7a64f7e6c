//! Bytes in pieces, as lines.

use anyhow::{Result, bail};

/// Longest line that is taken, in bytes: far longer than any that the simulator
/// writes.
const LONGEST: usize = 4 << 20;

/// Collects pieces until they make up lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// The lines that the next piece completes, without their ends and without
    /// empty ones.
    ///
    /// # Errors
    ///
    /// A line does not end.
    pub(super) fn take(&mut self, piece: &[u8]) -> Result<Vec<Vec<u8>>> {
        let mut lines = Vec::new();
        let mut parts = piece.split(|byte| *byte == b'\n');
        // `split` gives at least one part; the last one is not complete.
        self.rest.extend_from_slice(parts.next().unwrap_or_default());
        for part in parts {
            lines.push(std::mem::replace(&mut self.rest, part.to_vec()));
        }
        if self.rest.len() > LONGEST {
            bail!("a line of the simulator's report has more than {LONGEST} bytes");
        }
        lines.retain(|line| !line.is_empty());
        Ok(lines)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{LONGEST, Lines};

    #[test]
    fn a_line_may_come_in_pieces() -> anyhow::Result<()> {
        let mut lines = Lines::default();
        assert!(lines.take(b"on")?.is_empty());
        assert_eq!(lines.take(b"e\n\ntwo\nth")?, [b"one".to_vec(), b"two".to_vec()]);
        assert_eq!(lines.take(b"ree\n")?, [b"three".to_vec()]);
        assert!(lines.take(b"")?.is_empty());
        Ok(())
    }

    #[test]
    fn an_endless_line_is_refused() -> anyhow::Result<()> {
        let mut lines = Lines::default();
        lines.take(&vec![b'x'; LONGEST])?;
        assert!(lines.take(b"x").is_err());
        Ok(())
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(pieces in prop::collection::vec("[ab\n]{0,5}", 0..8)) {
            let mut lines = Lines::default();
            let mut found = Vec::new();
            for piece in &pieces {
                found.extend(lines.take(piece.as_bytes()).unwrap());
            }
            let whole = pieces.concat();
            // What follows the last line end is no line yet.
            let complete = whole.rsplit_once('\n').map_or("", |(complete, _)| complete);
            let expected: Vec<_> = complete.split('\n').filter(|line| !line.is_empty()).collect();
            prop_assert_eq!(found, expected.iter().map(|line| line.as_bytes()).collect::<Vec<_>>());
        }
    }
}
