//! From pages of the file to pages of the platform.

use snp_launch::PageContents;

use super::error::Error;
use super::options::ZeroPages;
use crate::file::{Page, PageKind};

/// Bytes in a page of the measurement.
const PAGE_SIZE: u64 = 4096;

/// Most pages of 4 KiB that are measured: 16 GiB of guest memory, some seconds
/// of hashing.
const MAX_PAGES: u64 = 1 << 22;

/// What an empty page holds.
static ZEROS: snp_launch::Page = [0; PAGE_SIZE as usize];

/// Refuses pages that are too many or not in the address space.
///
/// # Errors
///
/// [`Error::Wraps`] and [`Error::TooManyPages`].
pub fn check_pages(pages: &[Page<'_>]) -> Result<(), Error> {
    let mut count: u64 = 0;
    for page in pages.iter().filter(|page| is_measured(page)) {
        let Page { gpa, size, .. } = *page;
        gpa.checked_add(size).ok_or(Error::Wraps { gpa, size })?;
        count = count.saturating_add(size / PAGE_SIZE);
    }
    if count > MAX_PAGES { Err(Error::TooManyPages(MAX_PAGES)) } else { Ok(()) }
}

/// Address and content of every 4 KiB of `page`, ascending; nothing for pages
/// that are not measured. Check them first: see [`check_pages`].
pub fn page_steps<'a>(
    page: &Page<'a>,
    zero_pages: ZeroPages,
) -> impl Iterator<Item = (u64, PageContents<'a>)> + use<'a> {
    let (kind, end) = (page.kind, if is_measured(page) { page.end() } else { page.gpa });
    let addresses = (page.gpa..end).step_by(PAGE_SIZE as usize);
    let data = page.data.as_chunks().0.iter().chain(std::iter::repeat(&ZEROS));
    addresses.zip(data).map(move |(gpa, data)| (gpa, contents(kind, data, zero_pages)))
}

fn is_measured(page: &Page<'_>) -> bool {
    !matches!(page.kind, PageKind::Shared | PageKind::ErrorRange)
}

fn contents(kind: PageKind, data: &snp_launch::Page, zero_pages: ZeroPages) -> PageContents<'_> {
    match kind {
        PageKind::Secrets => PageContents::Secrets,
        PageKind::Cpuid | PageKind::CpuidXf => PageContents::Cpuid,
        PageKind::Vmsa => PageContents::Vmsa(data),
        PageKind::Zero if zero_pages == ZeroPages::Native => PageContents::Zero,
        PageKind::Data | PageKind::Zero => PageContents::Normal(data),
        PageKind::Unmeasured
        | PageKind::Parameters(_)
        | PageKind::Shared
        | PageKind::ErrorRange => PageContents::Unmeasured,
    }
}
