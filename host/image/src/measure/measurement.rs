//! The digest over all pages of a file.

use std::collections::BTreeMap;

use abi_snp::{Digest, KVM_VMSA_GPA, PageInfo, PageInfoFlags, PageType, VmplPermissions};
use igvm::IgvmDirectiveHeader;
use igvm_defs::IgvmPlatformType;
use snp_launch::{LaunchDigest, PageContents};

use super::error::Error;
use super::kvm_vmsa;
use super::options::{Options, PageList, Vmm};
use super::order;
use super::page_walk;
use crate::file::{Igvm, Page};

/// A launch digest and how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measurement {
    /// The launch digest.
    pub digest: Digest,
    /// Pages of 4 KiB by type.
    pub counts: BTreeMap<PageType, u64>,
    /// The record of each page in the order of the measurement, if
    /// [`PageList::Keep`] asked for them.
    pub pages: Vec<PageInfo>,
    /// What the file's ID block says about the digest.
    pub id_block: IdBlockDigest,
}

/// The launch digest that an ID block expects, compared with the computed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdBlockDigest {
    /// The file has no ID block for SEV-SNP.
    Absent,
    /// It expects the digest that was computed.
    Agrees,
    /// It expects this other digest: a launch of the file fails.
    Differs(Digest),
}

/// Computes the SEV-SNP launch digest of a file.
///
/// # Errors
///
/// See [`Error`]: the file is not for SEV-SNP, or the loader would refuse it.
pub fn snp_launch_digest(igvm: &Igvm, options: &Options) -> Result<Measurement, Error> {
    let mask = igvm.mask_of(IgvmPlatformType::SEV_SNP).ok_or(Error::NotSnp)?;
    let pages: Vec<_> = igvm.pages().filter(|page| page.mask & mask != 0).collect();
    page_walk::check_pages(&pages)?;
    let mut launch = Launch::new(options);
    match options.vmm {
        Vmm::AsWritten => pages.iter().for_each(|page| launch.add(page)),
        Vmm::Kvm { vcpus } => {
            let contexts: Vec<_> = pages.iter().filter_map(context).collect();
            let vmsas = kvm_vmsa::complete(&contexts, vcpus, options.cpu_signature)?;
            order::qemu(pages).iter().for_each(|page| launch.add(page));
            for vmsa in &vmsas {
                launch.add_page(KVM_VMSA_GPA, PageContents::Vmsa(&zerocopy::transmute!(*vmsa)));
            }
        }
    }
    Ok(launch.finish(id_block_digest(igvm, mask)))
}

fn context<'a>(page: &Page<'a>) -> Option<kvm_vmsa::Context<'a>> {
    page.vmsa.map(|(vp_index, vmsa)| (vp_index, page.gpa, vmsa))
}

/// The digest that the file's ID block expects.
fn id_block_digest(igvm: &Igvm, mask: u32) -> Option<Digest> {
    igvm.file().directives().iter().find_map(|directive| match directive {
        IgvmDirectiveHeader::SnpIdBlock { compatibility_mask, ld, .. }
            if compatibility_mask & mask != 0 =>
        {
            Some(Digest(*ld))
        }
        _ => None,
    })
}

/// A launch in progress.
struct Launch<'a> {
    options: &'a Options,
    digest: LaunchDigest,
    counts: BTreeMap<PageType, u64>,
    pages: Vec<PageInfo>,
}

impl<'a> Launch<'a> {
    fn new(options: &'a Options) -> Self {
        Self { options, digest: LaunchDigest::new(), counts: BTreeMap::new(), pages: Vec::new() }
    }

    fn add(&mut self, page: &Page<'_>) {
        for (gpa, contents) in page_walk::page_steps(page, self.options.zero_pages) {
            self.add_page(gpa, contents);
        }
    }

    /// Both loaders launch all pages without rights for lower privilege levels
    /// and outside a migration image.
    fn add_page(&mut self, gpa: u64, contents: PageContents<'_>) {
        let permissions = VmplPermissions::NONE;
        let page = self.digest.add_page(gpa, contents, permissions, PageInfoFlags::empty());
        *self.counts.entry(page.page_type).or_default() += 1;
        if self.options.page_list == PageList::Keep {
            self.pages.push(page);
        }
    }

    fn finish(self, expected: Option<Digest>) -> Measurement {
        let digest = self.digest.value();
        let id_block = match expected {
            None => IdBlockDigest::Absent,
            Some(expected) if expected == digest => IdBlockDigest::Agrees,
            Some(expected) => IdBlockDigest::Differs(expected),
        };
        Measurement { digest, counts: self.counts, pages: self.pages, id_block }
    }
}
