//! Differences that are meant. Each is argued in the book, in "Deviations".

use super::difference::Difference;

/// A kind of difference.
struct Known {
    /// The command; none for any.
    command: Option<u32>,
    /// Our response code and theirs; none for any.
    ours: Option<u32>,
    theirs: Option<u32>,
    /// Why it is meant, in a few words.
    reason: &'static str,
}

const KNOWN: [Known; 4] = [
    Known {
        command: None,
        ours: Some(0x01E),
        theirs: Some(0x084),
        reason: "a tag that is none is answered with BAD_TAG",
    },
    Known {
        command: Some(0x167),
        ours: Some(0x1E5),
        theirs: Some(0x0A5),
        reason: "BINDING names its parameter for asymmetric keys, too",
    },
    Known {
        command: Some(0x157),
        ours: Some(0x1D5),
        theirs: Some(0x1DA),
        reason: "private areas have another largest size",
    },
    Known {
        command: Some(0x17A),
        ours: Some(0x1C4),
        theirs: Some(0x2C4),
        reason: "without authenticated timers there is no capability that lists them",
    },
];

/// Why a difference is meant; none if it is not.
pub(super) fn reason(difference: &Difference) -> Option<&'static str> {
    let [ours, theirs] = difference.codes();
    let command = difference.command_code();
    let matches = |known: &&Known| {
        known.command.is_none_or(|code| code == command)
            && known.ours.is_none_or(|code| code == ours)
            && known.theirs.is_none_or(|code| code == theirs)
    };
    KNOWN.iter().find(matches).map(|known| known.reason)
}
