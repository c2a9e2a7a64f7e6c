//! The number of virtual processors that an IGVM loader writes.

use crate::refusal::{Area, Refusal, Rule};

/// Reads the number in `area`, little-endian, 4 bytes; `most` is how many
/// processors the module may serve.
///
/// # Errors
///
/// The area is too short, or the number is 0 or above `most`.
pub fn processor_count(area: &[u8], most: u32) -> Result<u32, Refusal> {
    let rule = match area.first_chunk().map(|bytes| u32::from_le_bytes(*bytes)) {
        Some(count) if (1..=most).contains(&count) => return Ok(count),
        Some(count) => Rule::ProcessorCount { count, most },
        None => Rule::Truncated(area.len()),
    };
    Err(rule.of(Area::ProcessorCount))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_is_bounded() {
        assert_eq!(processor_count(&[4, 0, 0, 0, 9], 4), Ok(4));
        for (bytes, count) in [([5, 0, 0, 0], 5), ([0; 4], 0), ([0, 0, 0, 0x80], 0x8000_0000)] {
            let rule = processor_count(&bytes, 4).unwrap_err().rule;
            assert_eq!(rule, Rule::ProcessorCount { count, most: 4 });
        }
        assert_eq!(processor_count(&[1, 0, 0], 4).unwrap_err().rule, Rule::Truncated(3));
    }
}
