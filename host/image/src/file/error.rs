//! Why a file is not accepted as IGVM.

use thiserror::Error as ThisError;

/// What is wrong with a file.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// Larger than the 32-bit sizes of the format can say.
    #[error("the file has {size} bytes, an IGVM file has at most {max}")]
    TooLarge {
        /// Bytes given.
        size: u64,
        /// Most bytes that are read.
        max: u64,
    },
    /// Shorter than a fixed header.
    #[error("the file has {size} bytes, which is less than an IGVM fixed header ({needed})")]
    NoFixedHeader {
        /// Bytes given.
        size: u64,
        /// Bytes of a fixed header of this revision.
        needed: u64,
    },
    /// It does not start with `IGVM`.
    #[error("not an IGVM file: offset 0x0 holds {found:#010x} instead of \"IGVM\"")]
    Magic {
        /// The first four bytes, little-endian.
        found: u32,
    },
    /// A revision of the format other than 1 and 2.
    #[error("offset 0x4: IGVM format version {found} is not supported, only 1 and 2 are")]
    Version {
        /// The version in the file.
        found: u32,
    },
    /// An architecture other than x86-64 and AArch64.
    #[error("offset 0x18: unknown architecture {found:#x}")]
    Architecture {
        /// The number in the file.
        found: u32,
    },
    /// A page size other than 4096 bytes.
    #[error("offset 0x1c: page size {found} is not supported, only 4096 is")]
    PageSize {
        /// Bytes per page that the file states.
        found: u32,
    },
    /// The file is longer or shorter than it says.
    #[error("offset 0x10: the file says that it has {stated} bytes, it has {actual}")]
    FileSize {
        /// Size in the fixed header.
        stated: u32,
        /// Bytes given.
        actual: u64,
    },
    /// The variable header section is unaligned or lies outside the file.
    #[error("offset 0x8: a header section of {size:#x} bytes at {offset:#x} does not fit the file")]
    HeaderSection {
        /// Stated offset of the section.
        offset: u32,
        /// Stated size of the section.
        size: u32,
    },
    /// The checksum over the headers is wrong: the file is damaged.
    #[error("offset 0x14: the checksum is {stated:#010x}, the headers have {computed:#010x}")]
    Checksum {
        /// Checksum in the fixed header.
        stated: u32,
        /// CRC-32 of the headers.
        computed: u32,
    },
    /// A variable header is wrong or not supported.
    #[error("header at offset {offset:#x} ({name}): {problem}")]
    Header {
        /// Offset of the header in the file.
        offset: u64,
        /// What kind of header it is.
        name: &'static str,
        /// What is wrong with it.
        problem: Problem,
    },
    /// The headers contradict each other or break a rule that the `igvm` crate
    /// checks.
    #[error("inconsistent headers: {}", with_sources(.0))]
    Format(#[source] igvm::Error),
}

/// What is wrong with one variable header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum Problem {
    /// Type or content runs over the end of the header section.
    #[error("runs over the end of the header section")]
    Truncated,
    /// A type that this program does not know and that may not be ignored.
    #[error("unknown type {0:#x}, which may not be ignored")]
    Unknown(u32),
    /// The content is not as long as its type asks for.
    #[error("has {found} bytes of content instead of {expected}")]
    Length {
        /// Bytes that the type has.
        expected: u32,
        /// Bytes that the header states.
        found: u32,
    },
    /// Sections must come in the order platform, initialization, directive.
    #[error("comes after a header of a later section")]
    Order,
    /// More headers of this kind than are supported.
    #[error("there are more than {0} of them")]
    TooMany(u32),
    /// File data outside the file's data section.
    #[error("refers to {size:#x} bytes at offset {offset:#x}, which are not in the data section")]
    Data {
        /// Offset in the file.
        offset: u32,
        /// Bytes from there.
        size: u64,
    },
    /// All headers together repeat more file data than is reasonable.
    #[error("repeats file data beyond {0:#x} bytes")]
    Content(u64),
    /// A guest physical address that is not aligned.
    #[error("address {gpa:#x} is not a multiple of {alignment:#x}")]
    Unaligned {
        /// The address.
        gpa: u64,
        /// What it should be a multiple of.
        alignment: u64,
    },
    /// A range that is empty or wraps around the address space.
    #[error("range of {size:#x} bytes at {gpa:#x} is empty or wraps")]
    Range {
        /// First address.
        gpa: u64,
        /// Bytes.
        size: u64,
    },
    /// The page is 2 MiB large and has content.
    #[error("2 MiB pages with content are not supported")]
    LargePage,
    /// A parameter area that no guest needs.
    #[error("the area has {size:#x} bytes, at most {max:#x} are supported")]
    ParameterArea {
        /// Bytes that the header states.
        size: u64,
        /// Most bytes that are supported.
        max: u64,
    },
    /// An alignment of zero.
    #[error("the relocation alignment is 0")]
    Alignment,
    /// The mask names no platform, or more than one.
    #[error("compatibility mask {0:#x} does not name exactly one platform of the file")]
    Mask(u32),
    /// No format is defined for contexts of this platform.
    #[error("platform type {0} has no VP contexts")]
    NoContexts(u8),
    /// VBS contexts are read for the boot processor only.
    #[error("VP index {0} is not supported, only 0 is")]
    VpIndex(u16),
    /// Registers of a VBS context belong to several VTLs.
    #[error("has registers of VTL {first} and of VTL {other}")]
    MixedVtl {
        /// VTL of the first register.
        first: u8,
        /// A different VTL that follows.
        other: u8,
    },
}

/// The crate puts the cause of a refusal into `source`; one line should say it
/// all.
fn with_sources(error: &igvm::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
