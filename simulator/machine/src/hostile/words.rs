//! A line of a scenario, word by word.

use alloc::string::ToString;
use alloc::vec::Vec;

use crate::hostile::error::ScenarioProblem;

/// Most bytes that a word of hexadecimal digits can stand for: a page.
const BYTES_LIMIT: usize = 4096;

/// The words of a line, and how many of them have been read.
pub(super) struct Words<'a> {
    words: Vec<&'a str>,
    read: usize,
}

impl<'a> Words<'a> {
    /// The words of `line`, up to a comment.
    pub(super) fn of(line: &'a str) -> Self {
        let text = line.split('#').next().unwrap_or_default();
        Self { words: text.split_whitespace().collect(), read: 0 }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.peek().is_none()
    }

    pub(super) fn peek(&self) -> Option<&'a str> {
        self.words.get(self.read).copied()
    }

    /// The next word, which should be `expected`.
    pub(super) fn next(&mut self, expected: &'static str) -> Result<&'a str, ScenarioProblem> {
        let word = self.peek().ok_or(ScenarioProblem::Missing(expected))?;
        self.read += 1;
        Ok(word)
    }

    /// Reads the next word if it is `word`, and says whether it was.
    pub(super) fn take(&mut self, word: &str) -> bool {
        let matches = self.peek() == Some(word);
        self.read += usize::from(matches);
        matches
    }

    /// Reads the next word, which has to be `word`.
    pub(super) fn demand(&mut self, word: &'static str) -> Result<(), ScenarioProblem> {
        let found = self.next(word)?;
        if found == word { Ok(()) } else { Err(unexpected(found, word)) }
    }

    /// A number up to `limit`: decimal, or hexadecimal behind `0x`, with `_`
    /// anywhere between digits.
    pub(super) fn number(
        &mut self,
        what: &'static str,
        limit: u64,
    ) -> Result<u64, ScenarioProblem> {
        let word = self.next(what)?;
        let number = parse_number(word).ok_or_else(|| unexpected(word, what))?;
        if number > u128::from(limit) {
            return Err(ScenarioProblem::TooLarge { word: word.to_string(), what, limit });
        }
        Ok(number as u64)
    }

    /// A number of 32 bits.
    pub(super) fn number_32(&mut self, what: &'static str) -> Result<u32, ScenarioProblem> {
        self.number(what, u32::MAX.into()).map(|number| number as u32)
    }

    /// A number of 16 bits.
    pub(super) fn number_16(&mut self, what: &'static str) -> Result<u16, ScenarioProblem> {
        self.number(what, u16::MAX.into()).map(|number| number as u16)
    }

    /// A number of 8 bits.
    pub(super) fn number_8(&mut self, what: &'static str) -> Result<u8, ScenarioProblem> {
        self.number(what, u8::MAX.into()).map(|number| number as u8)
    }

    /// A time in nanoseconds: a number with one of the units `ns`, `us`, `ms`
    /// and `s` right behind it.
    pub(super) fn duration_ns(&mut self) -> Result<u64, ScenarioProblem> {
        const EXPECTED: &str = "a time such as 500ms";
        let word = self.next(EXPECTED)?;
        let units = [("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000)];
        let (number, unit) = units
            .into_iter()
            .find_map(|(suffix, unit)| Some((word.strip_suffix(suffix)?, unit)))
            .ok_or_else(|| unexpected(word, EXPECTED))?;
        let number = parse_number(number).ok_or_else(|| unexpected(word, EXPECTED))?;
        let nanoseconds = number.checked_mul(unit).and_then(|time| u64::try_from(time).ok());
        nanoseconds.ok_or_else(|| ScenarioProblem::TooLarge {
            word: word.to_string(),
            what: "time in nanoseconds",
            limit: u64::MAX,
        })
    }

    /// Bytes, each as two hexadecimal digits.
    pub(super) fn bytes(&mut self) -> Result<Vec<u8>, ScenarioProblem> {
        const EXPECTED: &str = "bytes as pairs of hexadecimal digits, at most 4096";
        let word = self.next(EXPECTED)?;
        let (pairs, rest) = word.as_bytes().as_chunks();
        let bytes: Option<Vec<u8>> =
            pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
        bytes
            .filter(|bytes| rest.is_empty() && (1..=BYTES_LIMIT).contains(&bytes.len()))
            .ok_or_else(|| unexpected(word, EXPECTED))
    }
}

/// The problem that `word` stands where `expected` should.
pub(super) fn unexpected(word: &str, expected: &'static str) -> ScenarioProblem {
    ScenarioProblem::Unexpected { word: word.to_string(), expected }
}

fn digit(character: u8) -> Option<u8> {
    char::from(character).to_digit(16).map(|digit| digit as u8)
}

/// `None` for what is no number, or does not even fit into 128 bits.
pub(super) fn parse_number(word: &str) -> Option<u128> {
    let (digits, base) = match word.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (word, 10),
    };
    let mut number = None;
    for character in digits.chars() {
        if character == '_' && number.is_some() {
            continue;
        }
        let digit = u128::from(character.to_digit(base)?);
        number = Some(number.unwrap_or(0_u128).checked_mul(base.into())?.checked_add(digit)?);
    }
    number
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn numbers_in_both_bases() {
        let mut words = Words::of("17 0x8000_001F 1_000 0xffffffffffffffff # 5");
        assert_eq!(words.number_8("n"), Ok(17));
        assert_eq!(words.number_32("n"), Ok(0x8000_001f));
        assert_eq!(words.number_16("n"), Ok(1000));
        assert_eq!(words.number("n", u64::MAX), Ok(u64::MAX));
        assert!(words.is_at_end());
        assert_eq!(words.number_8("a number"), Err(ScenarioProblem::Missing("a number")));
    }

    #[test]
    fn what_is_no_number() {
        for word in ["", "0x", "_1", "-1", "1x", "0xg", "1.5", "9".repeat(60).as_str()] {
            assert_eq!(parse_number(word), None, "{word}");
        }
        let error = Words::of("256").number_8("vector").unwrap_err();
        let expected =
            ScenarioProblem::TooLarge { word: "256".to_string(), what: "vector", limit: 255 };
        assert_eq!(error, expected);
    }

    #[test]
    fn times_have_units() {
        for (word, time) in [("0s", 0), ("7ns", 7), ("2us", 2000), ("3ms", 3_000_000)] {
            assert_eq!(Words::of(word).duration_ns(), Ok(time));
        }
        for word in ["5", "s", "1m", "1.5s"] {
            let problem = Words::of(word).duration_ns();
            assert!(matches!(problem, Err(ScenarioProblem::Unexpected { .. })), "{word}");
        }
        let problem = Words::of("0x1_0000_0000_0000_0000ns").duration_ns();
        assert!(matches!(problem, Err(ScenarioProblem::TooLarge { .. })));
    }

    #[test]
    fn bytes_are_pairs_of_digits() {
        assert_eq!(Words::of("00fFa5").bytes(), Ok(vec![0, 0xff, 0xa5]));
        for word in ["0", "0x00", "é", "gg", &"00".repeat(4097)] {
            assert!(Words::of(word).bytes().is_err(), "{word}");
        }
    }

    #[test]
    fn comments_are_no_words() {
        assert!(Words::of("  # when").is_at_end());
        let mut words = Words::of("\twhen\u{a0}do#x");
        assert!(words.take("when") && !words.take("when"));
        assert_eq!(words.demand("do"), Ok(()));
        assert_eq!(words.peek(), None);
    }
}
