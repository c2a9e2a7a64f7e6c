//! Layouts as an IGVM file.
//!
//! # What loaders expect
//!
//! - *Platform headers.* QEMU looks at the platform type only; the `igvm` crate
//!   insists on platform version 1 and on highest VTL 0 or 2. We follow the
//!   format's meaning: 2 where the image carries something for a less privileged
//!   level, 0 otherwise. The shared boundary is 0: the C-bit tells private from
//!   shared memory.
//! - *Order.* QEMU gathers consecutive page data and imports it when something
//!   else follows, but parameter areas at once. So that it measures in the order
//!   of the file, parameter areas come first, then all pages by address, then
//!   the processor, which KVM measures last whatever the file says. Cloud
//!   Hypervisor sorts everything by address, parameter areas included, so its
//!   digest is another one.
//! - *Unknown headers.* QEMU refuses a file with a directive that it does not
//!   know, for any platform; Cloud Hypervisor stops. Only what the manifest asks
//!   for is written.
//! - *First platform.* Cloud Hypervisor looks at no other: SNP comes first.
//! - *Zero pages.* A page of zeros is written without data. Loaders import it
//!   as an ordinary page; file size does not depend on it.
//!
//! Sources: QEMU `backends/igvm.c` and `target/i386/sev.c`, Cloud Hypervisor
//! `vmm/src/igvm/igvm_loader.rs`, and the `igvm_defs` crate for the format.

use std::collections::BTreeMap;

use abi_boot::PAGE_SIZE;
use abi_snp::Vmsa;
use abi_x86::SIZE_2M;
use igvm::snp_defs::SevVmsa;
use igvm::{
    Arch, IgvmDirectiveHeader, IgvmFile, IgvmInitializationHeader, IgvmPlatformHeader, IgvmRevision,
};
use igvm_defs::{
    IGVM_NATIVE_PLATFORM_VERSION, IGVM_SEV_SNP_PLATFORM_VERSION, IGVM_VHS_PARAMETER,
    IGVM_VHS_PARAMETER_INSERT, IGVM_VHS_SUPPORTED_PLATFORM, IgvmPageDataFlags, IgvmPageDataType,
    IgvmPlatformType,
};
use zerocopy::{FromBytes, IntoBytes};

use super::context;
use crate::layout::part::{Layout, Part, Purpose};
use crate::manifest::{PlatformName, Snp};

/// Compatibility masks, as in other projects' files.
const SNP_MASK: u32 = 1 << 0;
const NATIVE_MASK: u32 = 1 << 1;

/// Bytes that the fixed header and everything but pages take at most.
const HEADERS_SIZE: u64 = 1 << 20;
/// Bytes that the header of a page takes, rounded up.
const PAGE_HEADER_SIZE: u64 = 32;

/// Why no IGVM file was written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Offsets in the file have 32 bits.
    #[error("the image has {0} bytes of content; an IGVM file cannot hold 4 GiB or more")]
    TooLarge(u64),
    /// The first processor's save area would overwrite something.
    #[error("snp.vmsa_gpa {0:#x} lies in memory that the image uses")]
    SaveArea(u64),
    /// The format's library refuses what was built.
    #[error("IGVM: {0}")]
    Format(#[from] igvm::Error),
}

/// Writes one file for all of `layouts`. What is equal on several platforms is
/// there once.
pub(super) fn write(layouts: &BTreeMap<PlatformName, Layout>, snp: &Snp) -> Result<Vec<u8>, Error> {
    let pages = merge(layouts, |layout| layout.parts.iter().flat_map(pages_of));
    let page_sizes = pages.iter().map(|(page, _)| page.data.len() as u64);
    let size: u64 =
        page_sizes.map(|size| size.next_multiple_of(PAGE_SIZE) + PAGE_HEADER_SIZE).sum();
    if size + HEADERS_SIZE > u32::MAX.into() {
        return Err(Error::TooLarge(size));
    }

    if let Some(layout) = layouts.get(&PlatformName::Snp) {
        check_save_area(layout, snp.vmsa_gpa.get())?;
    }
    let mut directives = required_memory(layouts);
    directives.extend(parameters(layouts));
    directives.extend(pages.iter().map(|(page, mask)| page.directive(*mask)));
    directives.extend(layouts.iter().map(|(platform, layout)| context(*platform, layout, snp)));

    let platforms = layouts.iter().map(|(platform, layout)| supported(*platform, layout)).collect();
    let mut initializations = Vec::new();
    if layouts.contains_key(&PlatformName::Snp) {
        initializations.push(IgvmInitializationHeader::GuestPolicy {
            policy: snp.policy.get().bits(),
            compatibility_mask: SNP_MASK,
        });
    }
    // A native processor context needs version 2 of the format; without one,
    // version 1 suits more loaders.
    let revision = if layouts.contains_key(&PlatformName::Native) {
        IgvmRevision::V2 { arch: Arch::X64, page_size: PAGE_SIZE as u32 }
    } else {
        IgvmRevision::V1
    };
    let mut bytes = Vec::new();
    IgvmFile::new(revision, platforms, initializations, directives)?.serialize(&mut bytes)?;
    Ok(bytes)
}

fn check_save_area(layout: &Layout, gpa: u64) -> Result<(), Error> {
    let required = layout.required_memory.iter().map(|(base, size)| *base..base + size);
    let parts = layout.parts.iter().map(|part| part.gpa..part.end());
    if required.chain(parts).any(|range| range.contains(&gpa)) {
        return Err(Error::SaveArea(gpa));
    }
    Ok(())
}

fn mask(platform: PlatformName) -> u32 {
    match platform {
        PlatformName::Snp => SNP_MASK,
        PlatformName::Native => NATIVE_MASK,
    }
}

/// Collects what `items` finds in each layout, sorted, equal items once, with
/// the mask of the platforms that have them.
fn merge<'a, T: Ord, I: Iterator<Item = T>>(
    layouts: &'a BTreeMap<PlatformName, Layout>,
    items: impl Fn(&'a Layout) -> I,
) -> Vec<(T, u32)> {
    let mut merged = BTreeMap::new();
    for (platform, layout) in layouts {
        for item in items(layout) {
            *merged.entry(item).or_insert(0) |= mask(*platform);
        }
    }
    merged.into_iter().collect()
}

fn supported(platform: PlatformName, layout: &Layout) -> IgvmPlatformHeader {
    let (platform_type, platform_version) = match platform {
        PlatformName::Snp => (IgvmPlatformType::SEV_SNP, IGVM_SEV_SNP_PLATFORM_VERSION),
        PlatformName::Native => (IgvmPlatformType::NATIVE, IGVM_NATIVE_PLATFORM_VERSION),
    };
    // What the starting level does not map is for a lower one. Native machines
    // have one level only.
    let for_lower_level = layout.parts.iter().any(|part| part.access.is_empty());
    let highest_vtl = if platform == PlatformName::Snp && for_lower_level { 2 } else { 0 };
    IgvmPlatformHeader::SupportedPlatform(IGVM_VHS_SUPPORTED_PLATFORM {
        compatibility_mask: mask(platform),
        highest_vtl,
        platform_type,
        platform_version,
        shared_gpa_boundary: 0,
    })
}

fn required_memory(layouts: &BTreeMap<PlatformName, Layout>) -> Vec<IgvmDirectiveHeader> {
    merge(layouts, |layout| layout.required_memory.iter().copied())
        .into_iter()
        .map(|((gpa, size), compatibility_mask)| IgvmDirectiveHeader::RequiredMemory {
            gpa,
            compatibility_mask,
            // At most 2 GiB: layouts do not ask for more.
            number_of_bytes: size as u32,
            vtl2_protectable: false,
        })
        .collect()
}

/// Areas are declared, filled and inserted one after the other, numbered by
/// address.
fn parameters(layouts: &BTreeMap<PlatformName, Layout>) -> Vec<IgvmDirectiveHeader> {
    let areas = merge(layouts, |layout| {
        layout
            .parts
            .iter()
            .filter(|part| parameter(part.purpose, 0).is_some())
            .map(|part| (part.gpa, part.purpose, part.size))
    });
    let mut directives = Vec::new();
    for (parameter_area_index, ((gpa, purpose, size), compatibility_mask)) in (0..).zip(areas) {
        directives.push(IgvmDirectiveHeader::ParameterArea {
            number_of_bytes: size,
            parameter_area_index,
            initial_data: Vec::new(),
        });
        directives.extend(parameter(purpose, parameter_area_index));
        directives.push(IgvmDirectiveHeader::ParameterInsert(IGVM_VHS_PARAMETER_INSERT {
            gpa,
            compatibility_mask,
            parameter_area_index,
        }));
    }
    directives
}

/// The directive that has a loader fill area `parameter_area_index`, if parts
/// of this purpose are filled by loaders.
fn parameter(purpose: Purpose, parameter_area_index: u32) -> Option<IgvmDirectiveHeader> {
    let start = IGVM_VHS_PARAMETER { parameter_area_index, byte_offset: 0 };
    Some(match purpose {
        Purpose::MemoryMap => IgvmDirectiveHeader::MemoryMap(start),
        Purpose::VpCount => IgvmDirectiveHeader::VpCount(start),
        Purpose::Madt => IgvmDirectiveHeader::Madt(start),
        Purpose::DeviceTree => IgvmDirectiveHeader::DeviceTree(start),
        _ => return None,
    })
}

/// One page of a part. The order of fields is the order in the file.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Page<'a> {
    gpa: u64,
    kind: PageKind,
    /// What it starts with, without trailing zeros if it is zero altogether.
    data: &'a [u8],
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum PageKind {
    Normal,
    /// 2 MiB of zeros.
    LargeZero,
    Secrets,
    Cpuid,
}

impl Page<'_> {
    fn directive(&self, compatibility_mask: u32) -> IgvmDirectiveHeader {
        IgvmDirectiveHeader::PageData {
            gpa: self.gpa,
            compatibility_mask,
            flags: IgvmPageDataFlags::new().with_is_2mb_page(self.kind == PageKind::LargeZero),
            data_type: match self.kind {
                PageKind::Normal | PageKind::LargeZero => IgvmPageDataType::NORMAL,
                PageKind::Secrets => IgvmPageDataType::SECRETS,
                PageKind::Cpuid => IgvmPageDataType::CPUID_DATA,
            },
            data: self.data.to_vec(),
        }
    }
}

/// The pages of a part; none if it is a parameter area.
fn pages_of(part: &Part) -> Vec<Page<'_>> {
    let kind = match part.purpose {
        Purpose::Secrets => PageKind::Secrets,
        Purpose::Cpuid => PageKind::Cpuid,
        purpose if parameter(purpose, 0).is_some() => return Vec::new(),
        _ => PageKind::Normal,
    };
    let mut pages = Vec::new();
    let mut chunks = part.content.chunks(PAGE_SIZE as usize);
    let mut gpa = part.gpa;
    while gpa < part.end() {
        let data = chunks.next().unwrap_or_default();
        let large = part.purpose == Purpose::FreeMemory
            && gpa.is_multiple_of(SIZE_2M)
            && part.end() - gpa >= SIZE_2M;
        let (kind, step) = if large { (PageKind::LargeZero, SIZE_2M) } else { (kind, PAGE_SIZE) };
        let zero = data.iter().all(|byte| *byte == 0);
        pages.push(Page { gpa, kind, data: if zero { &[] } else { data } });
        gpa += step;
    }
    pages
}

fn context(platform: PlatformName, layout: &Layout, snp: &Snp) -> IgvmDirectiveHeader {
    match platform {
        PlatformName::Snp => IgvmDirectiveHeader::SnpVpContext {
            gpa: snp.vmsa_gpa.get(),
            compatibility_mask: SNP_MASK,
            vp_index: 0,
            vmsa: save_area(&context::vmsa(&layout.start, snp.sev_features.get())),
        },
        PlatformName::Native => IgvmDirectiveHeader::X64NativeVpContext {
            compatibility_mask: NATIVE_MASK,
            vp_index: 0,
            context: Box::new(context::native(&layout.start)),
        },
    }
}

/// The same page in the type that the format's library wants.
fn save_area(vmsa: &Vmsa) -> Box<SevVmsa> {
    const { assert!(size_of::<Vmsa>() == size_of::<SevVmsa>()) };
    match SevVmsa::read_from_bytes(vmsa.as_bytes()) {
        Ok(vmsa) => Box::new(vmsa),
        Err(_) => unreachable!("both are one page and take any content"),
    }
}
