//! What the guest finds in a page, and what of it is measured.

use alloc::boxed::Box;

use abi_snp::{SevFeatures, Vmsa};
use snp_launch::{Page, PageContents};
use zerocopy::{FromBytes, IntoBytes};
use zeroize::Zeroizing;

use crate::cpuid::CpuidRefusal;
use crate::guest_tsc;
use crate::launch::page::PageContent;
use crate::launch::secrets;
use crate::launch::start::Launch;

/// A page as the guest will find it and, where that differs, as it is measured.
pub(super) struct Prepared {
    /// Not all of it is public: it may be the secrets page.
    pub(super) written: Zeroizing<Page>,
    measured: Measured,
}

enum Measured {
    Normal,
    NormalZeros,
    Vmsa(Box<Page>),
    Zero,
    Unmeasured,
    Secrets,
    Cpuid,
}

impl Prepared {
    /// What `content` becomes.
    pub(super) fn new(launch: &Launch<'_>, content: PageContent<'_>) -> Result<Self, CpuidRefusal> {
        let (written, measured) = match content {
            PageContent::Normal(page) => (Zeroizing::new(*page), Measured::Normal),
            PageContent::NormalZeros => (Zeroizing::new([0; 4096]), Measured::NormalZeros),
            PageContent::Vmsa(page) => save_area(launch, page),
            PageContent::Zero => (Zeroizing::new([0; 4096]), Measured::Zero),
            PageContent::Unmeasured(page) => (Zeroizing::new(*page), Measured::Unmeasured),
            PageContent::Secrets => {
                let workarounds = launch.parameters.guest_os_workarounds;
                let page = secrets::page(&launch.secrets, workarounds, launch.platform);
                (page, Measured::Secrets)
            }
            PageContent::Cpuid(page) => {
                launch.platform.cpuid.check(page)?;
                (Zeroizing::new(bytes_of(page)), Measured::Cpuid)
            }
        };
        Ok(Self { written, measured })
    }

    /// What the launch digest is extended by.
    pub(super) fn measured(&self) -> PageContents<'_> {
        match &self.measured {
            Measured::Normal => PageContents::Normal(&self.written),
            Measured::NormalZeros => PageContents::NormalZeros,
            Measured::Vmsa(page) => PageContents::Vmsa(page),
            Measured::Zero => PageContents::Zero,
            Measured::Unmeasured => PageContents::Unmeasured,
            Measured::Secrets => PageContents::Secrets,
            Measured::Cpuid => PageContents::Cpuid,
        }
    }
}

/// A save area. The parameters of the time stamp counter are the platform's
/// and not measured; with Secure TSC they are filled in here [SNP ABI 56860 §8.17,
/// `PAGE_TYPE_VMSA`].
///
/// Firmware checks nothing else in it: what a processor cannot run with, VMRUN
/// refuses.
fn save_area(launch: &Launch<'_>, page: &Page) -> (Zeroizing<Page>, Measured) {
    let Ok(mut vmsa) = Vmsa::read_from_bytes(page) else { unreachable!("a save area is a page") };
    let (scale, offset) = (vmsa.guest_tsc_scale, vmsa.guest_tsc_offset);
    (vmsa.guest_tsc_scale, vmsa.guest_tsc_offset) = (0, 0);
    let measured = Box::new(bytes_of(&vmsa));
    (vmsa.guest_tsc_scale, vmsa.guest_tsc_offset) =
        if vmsa.sev_features.contains(SevFeatures::SECURE_TSC) {
            (guest_tsc::scale(launch.parameters.tsc_khz, launch.platform.tsc_khz), 0)
        } else {
            (scale, offset)
        };
    (Zeroizing::new(bytes_of(&vmsa)), Measured::Vmsa(measured))
}

/// The bytes of a structure that is a page.
fn bytes_of(structure: &(impl IntoBytes + zerocopy::Immutable)) -> Page {
    let mut page = [0; 4096];
    page.copy_from_slice(structure.as_bytes());
    page
}
