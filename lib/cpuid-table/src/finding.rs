//! What was wrong with a CPUID page that can be used all the same.

use core::fmt;

use crate::answer::AnswerRegister;

/// Something that did not add up and is not relied on, for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The same question is answered twice, in the same way.
    Repeated {
        /// The leaf.
        leaf: u32,
        /// The subleaf.
        subleaf: u32,
    },
    /// An entry for a subleaf of a leaf that has none. It is ignored.
    UnexpectedSubleaf {
        /// The leaf.
        leaf: u32,
        /// The subleaf that is not 0.
        subleaf: u32,
    },
    /// An entry behind the greatest leaf of its range, or the greatest subleaf
    /// of its leaf. It is ignored.
    BeyondMaximum {
        /// The leaf.
        leaf: u32,
        /// The subleaf.
        subleaf: u32,
    },
    /// The greatest leaf of a range lies outside of the range. It is taken as
    /// the last one inside.
    ImpossibleMaximum {
        /// The leaf that states it.
        leaf: u32,
        /// What it states.
        maximum: u32,
    },
    /// A state component of XSAVE that is not offered.
    Component {
        /// Its number, the bit in XCR0 or XSS.
        number: u32,
        /// Why.
        fault: ComponentFault,
    },
    /// Features that are not offered because state or instructions that they
    /// need are missing.
    Features {
        /// The leaf.
        leaf: u32,
        /// The subleaf.
        subleaf: u32,
        /// The register.
        register: AnswerRegister,
        /// The bits in it that were cleared.
        bits: u32,
    },
    /// The stated size of an XSAVE area is not what its components add up to.
    /// The computed one is used.
    AreaSize {
        /// The subleaf of leaf 0xd.
        subleaf: u32,
        /// EBX or ECX.
        register: AnswerRegister,
        /// The size in the page, in bytes.
        stated: u32,
        /// The size that its components have, in bytes.
        computed: u32,
    },
}

/// Why a state component is not offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComponentFault {
    /// Not a component that this version knows the layout of.
    Unknown,
    /// There is no subleaf of leaf 0xd that describes it.
    NoLayout,
    /// Its size is not that of the component.
    Size,
    /// It does not lie behind the header and inside the greatest area, or it
    /// is the supervisor's and has a place.
    Place,
    /// It overlaps one before it.
    Overlap,
    /// Described as the supervisor's and listed as the user's, or the reverse.
    Kind,
    /// No feature that uses it is there.
    NoFeature,
    /// Other components that it cannot be without are missing, or XSAVE or
    /// XSAVES is.
    Incomplete,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Repeated { leaf, subleaf } => {
                write!(f, "CPUID leaf {leaf:#x}, subleaf {subleaf:#x}, stands twice")
            }
            Self::UnexpectedSubleaf { leaf, subleaf } => {
                write!(f, "CPUID leaf {leaf:#x} has no subleaf {subleaf:#x}; ignored")
            }
            Self::BeyondMaximum { leaf, subleaf } => write!(
                f,
                "CPUID leaf {leaf:#x}, subleaf {subleaf:#x}, lies beyond the stated maximum; ignored"
            ),
            Self::ImpossibleMaximum { leaf, maximum } => {
                write!(f, "CPUID leaf {leaf:#x} states {maximum:#x} as its range's last leaf")
            }
            Self::Component { number, fault } => {
                write!(f, "XSAVE component {number} is not used: {fault}")
            }
            Self::Features { leaf, subleaf, register, bits } => write!(
                f,
                "CPUID leaf {leaf:#x}, subleaf {subleaf:#x}, {register}: features {bits:#x} \
                 are not used, they lack what they need"
            ),
            Self::AreaSize { subleaf, register, stated, computed } => write!(
                f,
                "CPUID leaf 0xd, subleaf {subleaf}, {register}: XSAVE area of {stated} bytes, \
                 computed {computed}"
            ),
        }
    }
}

impl fmt::Display for ComponentFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unknown => "unknown component",
            Self::NoLayout => "no subleaf describes it",
            Self::Size => "wrong size",
            Self::Place => "wrong place",
            Self::Overlap => "overlaps another component",
            Self::Kind => "of the user and the supervisor at once",
            Self::NoFeature => "no feature uses it",
            Self::Incomplete => "needs what is missing",
        })
    }
}
