//! The header of the file and the heads of its records.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// First bytes of a launch file.
pub(super) const MAGIC: [u8; 8] = *b"SVSM-SIM";

/// Version of the format. A reader refuses every other one.
pub const VERSION: u32 = 1;

/// What everything in the file is aligned to, in bytes.
pub(super) const ALIGNMENT: usize = 8;

/// The start of the file.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct FileHeader {
    pub(super) magic: [u8; 8],
    pub(super) version: u32,
    /// Bytes of this header.
    pub(super) header_size: u32,
    /// Bytes of the whole file.
    pub(super) total_size: u64,
}

/// The start of a record.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct RecordHead {
    pub(super) kind: RecordKind,
    pub(super) _reserved: u32,
    /// Bytes of content, without padding.
    pub(super) size: u64,
}

const _: () = {
    assert!(size_of::<FileHeader>() == 24);
    assert!(size_of::<RecordHead>() == 16);
};

/// Open enumeration of records; the table of [`crate::launch`] says what each
/// holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct RecordKind(pub u32);

impl RecordKind {
    /// How the machine is set up.
    pub const OPTIONS: Self = Self(1);
    /// Where the guest has memory.
    pub const MEMORY: Self = Self(2);
    /// Whom the simulated security processor plays.
    pub const SECURITY_PROCESSOR: Self = Self(3);
    /// What the host hands out as certificates.
    pub const CERTIFICATES: Self = Self(4);
    /// What a hostile host does.
    pub const SCENARIO: Self = Self(5);
    /// How the launch starts.
    pub const LAUNCH_START: Self = Self(6);
    /// Private pages.
    pub const PAGES: Self = Self(7);
    /// Pages that the host shares with the guest.
    pub const SHARED_PAGES: Self = Self(8);
    /// Whose guest it is.
    pub const ID_BLOCK: Self = Self(9);
    /// Private pages without content, which the guest has to accept.
    pub const GIVEN_PAGES: Self = Self(10);

    /// The record's name, if it is one that this version knows.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::OPTIONS => "options",
            Self::MEMORY => "memory",
            Self::SECURITY_PROCESSOR => "security processor",
            Self::CERTIFICATES => "certificates",
            Self::SCENARIO => "scenario",
            Self::LAUNCH_START => "launch start",
            Self::PAGES => "pages",
            Self::SHARED_PAGES => "shared pages",
            Self::ID_BLOCK => "ID block",
            Self::GIVEN_PAGES => "given pages",
            _ => return None,
        })
    }
}

abi_x86::show_by_name!(RecordKind);
