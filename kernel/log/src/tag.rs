//! Level and audience in the tag of a record.

use crate::audience::Audience;
use crate::level::Level;

/// Position of the audience in a tag; the level lies below.
const AUDIENCE_SHIFT: u32 = 4;

/// The tag of messages with `level` for `audience`.
pub(crate) fn encode(audience: Audience, level: Level) -> u8 {
    (audience as u8) << AUDIENCE_SHIFT | level as u8
}

/// Audience and level of a tag; `None` for a tag that [`encode`] does not make.
pub(crate) fn decode(tag: u8) -> Option<(Audience, Level)> {
    let audience = match tag >> AUDIENCE_SHIFT {
        0 => Audience::Host,
        1 => Audience::Tenant,
        2 => Audience::Nobody,
        _ => return None,
    };
    let level = match tag & ((1 << AUDIENCE_SHIFT) - 1) {
        0 => Level::Error,
        1 => Level::Warning,
        2 => Level::Info,
        3 => Level::Debug,
        4 => Level::Trace,
        _ => return None,
    };
    Some((audience, level))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tag_is_decoded_to_what_it_was_or_to_nothing() {
        let decoded = (0..=u8::MAX).filter_map(|tag| Some((tag, decode(tag)?)));
        assert_eq!(decoded.clone().count(), 15);
        for (tag, (audience, level)) in decoded {
            assert_eq!(encode(audience, level), tag);
        }
    }
}
