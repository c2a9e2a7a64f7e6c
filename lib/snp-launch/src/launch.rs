//! The running launch digest: one record per page, hashed with the one before.

use abi_snp::{Digest, PageInfo, PageInfoFlags, PageType, VmplPermissions};
use sha2::{Digest as _, Sha384};
use zerocopy::IntoBytes;

/// The content of a page.
pub type Page = [u8; 4096];

/// The digest of a page of zeros.
const ZEROS: Digest = Digest([
    0xc0, 0xe5, 0x9a, 0x3e, 0x3f, 0xfb, 0xd3, 0xb5, 0xc7, 0x54, 0x28, 0xfb, 0x36, 0x43, 0x2f, 0xac,
    0xab, 0xc7, 0x45, 0x94, 0x42, 0x96, 0xff, 0x51, 0x5f, 0x73, 0x7c, 0x4f, 0xef, 0x4e, 0xfc, 0x64,
    0x58, 0x68, 0x09, 0xf7, 0xa1, 0x6f, 0x56, 0x35, 0x4a, 0x1e, 0xae, 0xcf, 0x2a, 0xa8, 0xd7, 0x74,
]);

/// What a page is launched with. Only two types are measured with their
/// content; for the others it is known, or none of the guest owner's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageContents<'a> {
    /// Ordinary content.
    Normal(&'a Page),
    /// Ordinary content that is all zeros: measures as
    /// [`Normal`](Self::Normal), and need not be hashed again and again.
    NormalZeros,
    /// A virtual processor's save area.
    Vmsa(&'a Page),
    /// Zeros.
    Zero,
    /// Content that the digest does not cover.
    Unmeasured,
    /// The secrets page.
    Secrets,
    /// The CPUID page.
    Cpuid,
}

impl PageContents<'_> {
    /// The type by its number.
    #[must_use]
    pub const fn page_type(&self) -> PageType {
        match self {
            Self::Normal(_) | Self::NormalZeros => PageType::NORMAL,
            Self::Vmsa(_) => PageType::VMSA,
            Self::Zero => PageType::ZERO,
            Self::Unmeasured => PageType::UNMEASURED,
            Self::Secrets => PageType::SECRETS,
            Self::Cpuid => PageType::CPUID,
        }
    }

    /// What the record holds as digest of the content.
    fn digest(&self) -> Digest {
        match self {
            Self::Normal(page) | Self::Vmsa(page) => Digest(Sha384::digest(page).into()),
            Self::NormalZeros => ZEROS,
            Self::Zero | Self::Unmeasured | Self::Secrets | Self::Cpuid => Digest::ZERO,
        }
    }
}

/// The digest of a launch that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaunchDigest(Digest);

impl LaunchDigest {
    /// The digest before the first page: zero.
    #[must_use]
    pub const fn new() -> Self {
        Self(Digest::ZERO)
    }

    /// Extends the digest by the page at guest physical address `gpa`, and
    /// returns the record that was hashed.
    ///
    /// Order counts: pages are to be added as the host launches them. Linux/KVM
    /// launches all of them with [`VmplPermissions::NONE`] and empty `flags`,
    /// and save areas at [`abi_snp::KVM_VMSA_GPA`].
    pub fn add_page(
        &mut self,
        gpa: u64,
        contents: PageContents<'_>,
        permissions: VmplPermissions,
        flags: PageInfoFlags,
    ) -> PageInfo {
        let mut info = PageInfo::new(self.0, contents.digest(), contents.page_type(), gpa);
        info.permissions = permissions;
        info.flags = flags;
        self.0 = Digest(Sha384::digest(info.as_bytes()).into());
        info
    }

    /// The digest over all pages so far.
    #[must_use]
    pub const fn value(&self) -> Digest {
        self.0
    }
}

impl Default for LaunchDigest {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
