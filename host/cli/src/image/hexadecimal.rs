//! Numbers on the command line: decimal, or hexadecimal after `0x`.

/// Reads a 32-bit number such as `0x00b00f21` or `42`.
///
/// # Errors
///
/// It is neither, or does not fit; the text is for people.
pub(super) fn number(text: &str) -> Result<u32, String> {
    let result = match text.strip_prefix("0x") {
        Some(digits) if digits.starts_with('+') => return Err(wrong(text)),
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    result.map_err(|_| wrong(text))
}

fn wrong(text: &str) -> String {
    format!("`{text}` is not a 32-bit number: write it decimal, or hexadecimal after 0x")
}

/// Reads 16 bytes written as 32 hexadecimal digits, first byte first.
///
/// # Errors
///
/// There are other characters, or not 32 of them; the text is for people.
pub(super) fn sixteen_bytes(text: &str) -> Result<[u8; 16], String> {
    let wrong = || format!("`{text}` is not 32 hexadecimal digits");
    if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    u128::from_str_radix(text, 16).map(u128::to_be_bytes).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::{number, sixteen_bytes};

    #[test]
    fn numbers() {
        assert_eq!(number("42"), Ok(42));
        assert_eq!(number("0x00b00f21"), Ok(0x00b0_0f21));
        assert_eq!(number("4294967295"), Ok(u32::MAX));
        for text in ["", "0x", "0x+1", "-1", "4294967296", "0x100000000", "b0", "1 "] {
            assert!(number(text).is_err(), "{text}");
        }
    }

    #[test]
    fn bytes_in_reading_order() {
        let expected = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff];
        assert_eq!(sixteen_bytes("000102030405060708090a0b0c0d0eFF"), Ok(expected));
        for text in ["", "00", "+00102030405060708090a0b0c0d0e0f", "é00102030405060708090a0b0c0d0e"]
        {
            assert!(sixteen_bytes(text).is_err(), "{text}");
        }
    }
}
