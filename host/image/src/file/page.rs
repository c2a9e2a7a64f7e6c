//! The guest pages that a file loads, with what they hold.
//!
//! One [`Page`] per [directive](Directive) that names guest memory, in the
//! order of the file, which is the order of the measurement.

use std::collections::HashMap;
use std::fmt;

use igvm::snp_defs::SevVmsa;
use igvm::{IgvmDirectiveHeader as Directive, IgvmFile};
use igvm_defs::{IgvmPageDataFlags, IgvmPageDataType, PAGE_SIZE_4K};
use zerocopy::IntoBytes;

/// Size of a large page, in bytes.
const PAGE_SIZE_2M: u64 = 2 << 20;

/// A run of guest memory that one directive fills: a page, a large page or a
/// parameter area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page<'a> {
    /// Guest physical address of the first byte, a multiple of 4096.
    pub gpa: u64,
    /// Bytes of guest memory, a multiple of 4096.
    pub size: u64,
    /// Where it comes from and how it is measured.
    pub kind: PageKind,
    /// Compatibility mask: which platforms get it.
    pub mask: u32,
    /// What the file says that it holds: empty, or `size` bytes. Empty means
    /// zeros, or what the loader fills in.
    pub data: &'a [u8],
    /// The VMSA that `data` is, for [`PageKind::Vmsa`].
    pub vmsa: Option<(u16, &'a SevVmsa)>,
    /// Index of the directive in the file.
    pub directive: usize,
}

/// What a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PageKind {
    /// Measured, with content from the file.
    Data,
    /// Measured, zero, without content in the file.
    Zero,
    /// Private memory whose content is not measured.
    Unmeasured,
    /// Visible to the host, with content from the file, not measured.
    Shared,
    /// Filled by the platform: the SNP secrets page.
    Secrets,
    /// Filled by the platform: CPUID results.
    Cpuid,
    /// Filled by the platform: CPUID results for extended processor state.
    CpuidXf,
    /// The parameter area of this index, filled by the loader and not measured.
    Parameters(u32),
    /// The initial state of a virtual processor, measured.
    Vmsa,
    /// Memory in which the guest reports errors to the host; not measured.
    ErrorRange,
}

impl fmt::Display for PageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data => f.pad("data"),
            Self::Zero => f.pad("zero"),
            Self::Unmeasured => f.pad("unmeasured"),
            Self::Shared => f.pad("shared"),
            Self::Secrets => f.pad("secrets"),
            Self::Cpuid => f.pad("cpuid"),
            Self::CpuidXf => f.pad("cpuid (extended state)"),
            Self::Parameters(index) => f.pad(&format!("parameters {index}")),
            Self::Vmsa => f.pad("vmsa"),
            Self::ErrorRange => f.pad("error range"),
        }
    }
}

impl Page<'_> {
    /// First address behind the page; the largest address where it would wrap.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.gpa.saturating_add(self.size)
    }
}

/// The pages of `file`, in file order.
pub(super) fn pages(file: &IgvmFile) -> impl Iterator<Item = Page<'_>> {
    let mut areas: HashMap<u32, (u64, &[u8])> = HashMap::new();
    file.directives().iter().enumerate().filter_map(move |(index, directive)| {
        if let Directive::ParameterArea { number_of_bytes, parameter_area_index, initial_data } =
            directive
        {
            areas.insert(*parameter_area_index, (*number_of_bytes, initial_data));
        }
        page(directive, index, &areas)
    })
}

fn page<'a>(
    directive: &'a Directive,
    index: usize,
    areas: &HashMap<u32, (u64, &'a [u8])>,
) -> Option<Page<'a>> {
    let mut page = Page {
        gpa: 0,
        size: PAGE_SIZE_4K,
        kind: PageKind::Data,
        mask: directive.compatibility_mask()?,
        data: &[],
        vmsa: None,
        directive: index,
    };
    match directive {
        Directive::PageData { gpa, flags, data_type, data, .. } => {
            page.gpa = *gpa;
            page.data = data;
            page.kind = data_kind(*data_type, *flags, data);
            if flags.is_2mb_page() {
                page.size = PAGE_SIZE_2M;
            }
        }
        Directive::ParameterInsert(insert) => {
            page.gpa = insert.gpa;
            page.kind = PageKind::Parameters(insert.parameter_area_index);
            (page.size, page.data) = *areas.get(&insert.parameter_area_index)?;
        }
        Directive::SnpVpContext { gpa, vp_index, vmsa, .. } => {
            page.gpa = *gpa;
            page.kind = PageKind::Vmsa;
            page.data = vmsa.as_bytes();
            page.vmsa = Some((*vp_index, vmsa));
        }
        Directive::ErrorRange { gpa, size_bytes, .. } => {
            page.gpa = *gpa;
            page.kind = PageKind::ErrorRange;
            page.size = (*size_bytes).into();
        }
        _ => return None,
    }
    Some(page)
}

fn data_kind(data_type: IgvmPageDataType, flags: IgvmPageDataFlags, data: &[u8]) -> PageKind {
    match data_type {
        IgvmPageDataType::SECRETS => PageKind::Secrets,
        IgvmPageDataType::CPUID_DATA => PageKind::Cpuid,
        IgvmPageDataType::CPUID_XF => PageKind::CpuidXf,
        _ if flags.shared() => PageKind::Shared,
        _ if flags.unmeasured() => PageKind::Unmeasured,
        _ if data.is_empty() => PageKind::Zero,
        _ => PageKind::Data,
    }
}
