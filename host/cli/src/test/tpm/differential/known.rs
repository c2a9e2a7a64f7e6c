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

const KNOWN: &[Known] = &[
    Known {
        command: None,
        ours: Some(0x18B),
        theirs: Some(0x902),
        reason: "persistent objects need no room among the transient ones",
    },
    Known {
        command: Some(0x153),
        ours: None,
        theirs: Some(0x902),
        reason: "creating an object needs no room among the transient ones",
    },
    Known {
        command: Some(0x12A),
        ours: Some(0),
        theirs: Some(0x14B),
        reason: "orderly indices are not limited by memory of their own",
    },
    Known {
        command: Some(0x149),
        ours: Some(0x126),
        theirs: Some(0),
        reason: "of two negative numbers the one nearer to zero is greater",
    },
    Known {
        command: Some(0x174),
        ours: None,
        theirs: Some(0x101),
        reason: "a number larger than the modulus is no failure of the device",
    },
    Known { command: None, ours: Some(0x1E6), theirs: None, reason: CURVES },
    Known { command: None, ours: Some(0x2E6), theirs: None, reason: CURVES },
    Known {
        command: Some(0x167),
        ours: Some(0x1DA),
        theirs: Some(0x1D5),
        reason: "secrets have another largest size",
    },
    Known {
        command: Some(0x159),
        ours: None,
        theirs: Some(0x101),
        reason: "a number larger than the modulus is no failure of the device",
    },
    Known {
        command: None,
        ours: Some(0x01E),
        theirs: Some(0x084),
        reason: "a tag that is none is answered with BAD_TAG",
    },
    Known {
        command: Some(0x156),
        ours: Some(0x0A5),
        theirs: Some(0),
        reason: "a prime that does not divide the modulus is not imported",
    },
    Known {
        command: Some(0x157),
        ours: Some(0x1D5),
        theirs: Some(0x1DA),
        reason: "private areas have another largest size",
    },
    Known { command: Some(0x197), ours: Some(0x29C), theirs: Some(0x19C), reason: HANDLES },
    Known { command: Some(0x197), ours: Some(0x181), theirs: Some(0x281), reason: HANDLES },
    Known { command: Some(0x197), ours: Some(0x182), theirs: Some(0x282), reason: HANDLES },
    Known { command: Some(0x197), ours: Some(0x292), theirs: Some(0x192), reason: HANDLES },
    Known {
        command: Some(0x197),
        ours: Some(0x3E1),
        theirs: None,
        reason: "uses of keys that there are not are not certified",
    },
    Known {
        command: None,
        ours: Some(0x28B),
        theirs: Some(0x902),
        reason: "persistent objects need no room among the transient ones",
    },
    Known {
        command: Some(0x176),
        ours: Some(0x2DA),
        theirs: Some(0x2D5),
        reason: "secrets have another largest size",
    },
    Known {
        command: Some(0x176),
        ours: Some(0),
        theirs: Some(0x4C4),
        reason: "AES keys of 192 bits are known",
    },
    Known {
        command: Some(0x18A),
        ours: Some(0),
        theirs: Some(0x1C4),
        reason: "AES keys of 192 bits are known",
    },
    Known {
        command: Some(0x167),
        ours: Some(0x1C7),
        theirs: Some(0x2C4),
        reason: "AES keys of 192 bits are known",
    },
    Known { command: Some(0x186), ours: Some(0), theirs: Some(0x2C3), reason: "SM3 is known" },
    Known {
        command: Some(0x17E),
        ours: Some(0x1DA),
        theirs: Some(0x1D5),
        reason: "there are more hashes, and so longer lists of selections",
    },
];

/// libtpms has the numbers of both handles the wrong way round; newer versions of
/// the reference implementation do not.
const HANDLES: &str = "CertifyX509 names the handle that is wrong";
const CURVES: &str = "P-192, P-224 and BN P-256 are not offered";

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
