//! A page that the host hands over.

use abi_snp::{CpuidPage, VmplPermissions};
use snp_launch::{Page, PageContents};

use crate::gpa::Gpa;

/// What is in the page, by type [SNP ABI 56860 §8.17].
pub enum PageContent<'a> {
    /// Measured content.
    Normal(&'a Page),
    /// Measured content that is all zeros.
    NormalZeros,
    /// A save area, measured as well.
    Vmsa(&'a Page),
    /// Zeros.
    Zero,
    /// Content that is not measured.
    Unmeasured(&'a Page),
    /// The page becomes the secrets page.
    Secrets,
    /// The CPUID page, with the values that the host vouches for. If they are
    /// refused, the host finds the right ones here.
    Cpuid(&'a mut CpuidPage),
}

/// As what 2 MiB of zeros are launched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zeros {
    /// As content that happens to be zero.
    Normal,
    /// As zero pages.
    Zero,
}

impl Zeros {
    /// What the launch digest is extended by for each 4 KiB.
    pub(super) const fn measured(self) -> PageContents<'static> {
        match self {
            Self::Normal => PageContents::NormalZeros,
            Self::Zero => PageContents::Zero,
        }
    }
}

/// A page of 4 KiB to launch.
pub struct LaunchPage<'a> {
    /// Where the guest finds it.
    pub gpa: Gpa,
    /// What is in it.
    pub content: PageContent<'a>,
    /// What the levels below VMPL0 may do with it. Linux/KVM:
    /// [`VmplPermissions::NONE`].
    pub permissions: VmplPermissions,
}
