//! PAGE_INFO: the record that each page adds to the launch digest.
//!
//! The security processor fills it in for every page that the host launches
//! the guest with; its SHA-384 is the next launch digest [SNP ABI 56860
//! §8.17.2]. `snp-launch` does the same.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::digest::Digest;
use abi_x86::show_flag_names;

/// Open enumeration of page types [SNP ABI 56860 §8.17].
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
    Unaligned,
)]
#[repr(transparent)]
pub struct PageType(pub u8);

impl PageType {
    /// Content is measured and encrypted.
    pub const NORMAL: Self = Self(1);
    /// A virtual processor's save area; measured and encrypted.
    pub const VMSA: Self = Self(2);
    /// The page is zeroed.
    pub const ZERO: Self = Self(3);
    /// Content is encrypted but not measured.
    pub const UNMEASURED: Self = Self(4);
    /// The security processor writes the secrets page there.
    pub const SECRETS: Self = Self(5);
    /// The security processor checks the CPUID page there.
    pub const CPUID: Self = Self(6);

    /// The type's name, if it is one that this version knows.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::NORMAL => "normal",
            Self::VMSA => "vmsa",
            Self::ZERO => "zero",
            Self::UNMEASURED => "unmeasured",
            Self::SECRETS => "secrets",
            Self::CPUID => "cpuid",
            _ => return None,
        })
    }
}

abi_x86::show_by_name!(PageType);

/// Flags of a [`PageInfo`].
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(transparent)]
pub struct PageInfoFlags(u8);

bitflags::bitflags! {
    impl PageInfoFlags: u8 {
        /// The page is part of the initial migration image: it is launched so
        /// that the guest can receive its other pages from a migration agent.
        const MIGRATION_IMAGE = 1 << 0;
    }
}

/// What a privilege level may do with a page [APM 24593 §15.36.7].
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(transparent)]
pub struct PagePermissions(u8);

bitflags::bitflags! {
    impl PagePermissions: u8 {
        /// Read.
        const READ = 1 << 0;
        /// Write.
        const WRITE = 1 << 1;
        /// Execute in user mode.
        const EXECUTE_USER = 1 << 2;
        /// Execute in supervisor mode.
        const EXECUTE_SUPERVISOR = 1 << 3;
        /// Use as a supervisor shadow stack [APM 24593 §15.36.7, table 15-36].
        const SUPERVISOR_SHADOW_STACK = 1 << 4;
    }
}

show_flag_names!(PageInfoFlags, PagePermissions);

/// Permissions of the lower privilege levels. VMPL0 always has them all.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct VmplPermissions {
    /// What VMPL1 may do.
    pub vmpl1: PagePermissions,
    /// What VMPL2 may do.
    pub vmpl2: PagePermissions,
    /// What VMPL3 may do.
    pub vmpl3: PagePermissions,
}

impl VmplPermissions {
    /// Nothing for any lower level: what Linux/KVM launches every page with.
    pub const NONE: Self = Self {
        vmpl1: PagePermissions::empty(),
        vmpl2: PagePermissions::empty(),
        vmpl3: PagePermissions::empty(),
    };
}

/// The record of one page: 0x70 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct PageInfo {
    /// The launch digest before this page.
    pub current_digest: Digest,
    /// Digest of the content, zero for types that are not measured.
    pub contents: Digest,
    length: u16,
    /// Kind of page.
    pub page_type: PageType,
    /// Whether it is part of the migration image.
    pub flags: PageInfoFlags,
    _reserved: u8,
    /// What the lower privilege levels may do with it.
    pub permissions: VmplPermissions,
    /// Guest physical address of the page.
    pub gpa: u64,
}

const _: () = {
    use core::mem::offset_of;

    assert!(size_of::<PageInfo>() == 0x70);
    assert!(offset_of!(PageInfo, contents) == 0x30);
    assert!(offset_of!(PageInfo, length) == 0x60);
    assert!(offset_of!(PageInfo, page_type) == 0x62);
    assert!(offset_of!(PageInfo, flags) == 0x63);
    assert!(offset_of!(PageInfo, permissions) == 0x65);
    assert!(offset_of!(PageInfo, gpa) == 0x68);
};

impl PageInfo {
    /// The record of a page at `gpa` whose content has the digest `contents`,
    /// after `current_digest`: not in the migration image, without permissions
    /// for lower levels.
    #[must_use]
    pub const fn new(
        current_digest: Digest,
        contents: Digest,
        page_type: PageType,
        gpa: u64,
    ) -> Self {
        Self {
            current_digest,
            contents,
            length: size_of::<Self>() as u16,
            page_type,
            flags: PageInfoFlags::empty(),
            _reserved: 0,
            permissions: VmplPermissions::NONE,
            gpa,
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn record_is_written_field_by_field() {
        let permissions = VmplPermissions {
            vmpl1: PagePermissions::READ,
            vmpl2: PagePermissions::READ | PagePermissions::WRITE,
            vmpl3: PagePermissions::all(),
        };
        let info = PageInfo {
            flags: PageInfoFlags::MIGRATION_IMAGE,
            permissions,
            ..PageInfo::new(
                Digest([0x11; 48]),
                Digest([0x22; 48]),
                PageType::UNMEASURED,
                0x8877_6655_4433_2211,
            )
        };
        let bytes = info.as_bytes();
        assert_eq!(bytes[..0x30], [0x11; 0x30]);
        assert_eq!(bytes[0x30..0x60], [0x22; 0x30]);
        assert_eq!(bytes[0x60..0x68], [0x70, 0, 4, 1, 0, 1, 3, 0x1f]);
        assert_eq!(bytes[0x68..], [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]);
    }

    #[test]
    fn types_have_names() {
        let names: [_; 6] = core::array::from_fn(|i| PageType(i as u8 + 1).to_string());
        assert_eq!(names, ["normal", "vmsa", "zero", "unmeasured", "secrets", "cpuid"]);
        assert_eq!(PageType(0).to_string(), "unknown (0x0)");
        assert_eq!(PageType(7).name(), None);
    }
}
