//! Pages that the guest is launched with.

use abi_snp::{PageSize, PageType, VmplPermissions};
use abi_x86::SIZE_4K;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::launch::error::Problem;
use crate::launch::options::Options;
use crate::memory::MemoryRange;

/// Bytes in a [`Page`].
pub const PAGE_SIZE: usize = SIZE_4K as usize;

/// The content of a page.
pub type Page = [u8; PAGE_SIZE];

/// One step of a launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaunchStep<'a> {
    /// The security processor takes pages over.
    Private(Pages<'a>),
    /// The host writes pages that it goes on sharing with the guest; nothing
    /// is measured.
    Shared(SharedPages<'a>),
    /// The host gives pages to the guest without the security processor:
    /// nothing is measured, and the guest has to accept them.
    Given(GivenPages),
}

/// Neighbouring pages that are handed to the security processor in the same
/// way, ascending: what SNP_LAUNCH_UPDATE is told about them [SNP ABI 56860
/// §8.17].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRun {
    /// Guest physical address of the first page, aligned to [`Self::size`].
    pub gpa: u64,
    /// Number of pages of 4 KiB, not 0, whole pages of [`Self::size`].
    pub count: u64,
    /// What becomes of the pages. The content of secrets pages is the security
    /// processor's; that of CPUID pages is what the guest would like to find
    /// there.
    pub page_type: PageType,
    /// The size that the reverse map gives the pages.
    pub size: PageSize,
    /// What the lower privilege levels may do with them.
    pub permissions: VmplPermissions,
    /// The virtual processor that starts with this save area, for
    /// [`PageType::VMSA`]; 0 for all others. Processors without one wait until
    /// the guest starts them.
    pub vcpu: u32,
}

impl PageRun {
    /// A run of `count` pages of 4 KiB from `gpa` on, without rights for lower
    /// privilege levels.
    #[must_use]
    pub const fn new(gpa: u64, count: u64, page_type: PageType) -> Self {
        let (size, permissions) = (PageSize::Size4K, VmplPermissions::NONE);
        Self { gpa, count, page_type, size, permissions, vcpu: 0 }
    }

    /// First address behind the run; the largest address where it would wrap,
    /// which no run of a launch file does.
    #[must_use]
    pub const fn end(&self) -> u64 {
        end(self.gpa, self.count)
    }

    /// As the record has it.
    pub(super) const fn head(&self) -> PagesHead {
        PagesHead {
            gpa: self.gpa,
            count: self.count,
            page_type: self.page_type,
            size: self.size as u8,
            permissions: self.permissions,
            _reserved_15: [0; 3],
            vcpu: self.vcpu,
            _reserved_1c: 0,
        }
    }
}

/// Private pages and what they hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pages<'a> {
    /// Where, and how they are launched.
    pub run: PageRun,
    /// One element for each page, or none if all are zero.
    pub content: &'a [Page],
}

impl<'a> Pages<'a> {
    /// Guest physical address and content of every page, ascending; `None` for
    /// a page of zeros that the file does not hold.
    pub fn iter(&self) -> impl Iterator<Item = (u64, Option<&'a Page>)> + use<'a> {
        let addresses = (self.run.gpa..self.run.end()).step_by(PAGE_SIZE);
        let content = self.content.iter().map(Some).chain(core::iter::repeat(None));
        addresses.zip(content)
    }
}

/// Pages that host and guest share, with content from the host.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SharedPages<'a> {
    /// Guest physical address of the first page, a multiple of 4096.
    pub gpa: u64,
    /// What they hold; at least one page.
    pub content: &'a [Page],
}

/// Private memory that is the guest's from the start, and that it has not
/// accepted: in pages of 2 MiB where whole ones fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct GivenPages {
    /// Guest physical address of the first page, a multiple of 4096.
    pub gpa: u64,
    /// Number of pages, not 0.
    pub count: u64,
}

impl core::fmt::Debug for Pages<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Pages({:?}, {} of them with content)", self.run, self.content.len())
    }
}

impl core::fmt::Debug for SharedPages<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "SharedPages({:#x}, {} pages)", self.gpa, self.content.len())
    }
}

/// A [`PageRun`] in the file.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct PagesHead {
    gpa: u64,
    count: u64,
    page_type: PageType,
    size: u8,
    permissions: VmplPermissions,
    _reserved_15: [u8; 3],
    vcpu: u32,
    _reserved_1c: u32,
}

/// [`SharedPages`] in the file.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct SharedPagesHead {
    pub(super) gpa: u64,
    pub(super) count: u64,
}

const _: () = {
    use core::mem::offset_of;

    assert!(size_of::<PagesHead>() == 32);
    assert!(offset_of!(PagesHead, page_type) == 16);
    assert!(offset_of!(PagesHead, permissions) == 18);
    assert!(offset_of!(PagesHead, vcpu) == 24);
    assert!(size_of::<SharedPagesHead>() == 16);
    assert!(size_of::<GivenPages>() == 16);
};

impl<'a> Pages<'a> {
    /// Reads a record of a machine with `options` and `memory`.
    pub(super) fn parse(
        record: &'a [u8],
        options: &Options,
        memory: &[MemoryRange],
    ) -> Result<Self, Problem> {
        let (head, content) = split::<PagesHead>(record)?;
        let (gpa, count, vcpu) = (head.gpa, head.count, head.vcpu);
        let known = head.page_type.name().is_some();
        Problem::unless(known, "page type", head.page_type.0.into(), "there is no such type")?;
        let size = PageSize::ALL.into_iter().find(|size| *size as u8 == head.size);
        let rule = "it is 0 (4 KiB) or 1 (2 MiB)";
        let size =
            size.ok_or(Problem::Field { field: "page size", value: head.size.into(), rule })?;
        let (page_type, permissions) = (head.page_type, head.permissions);
        let run = PageRun { gpa, count, page_type, size, permissions, vcpu };

        check_range(gpa, count, size)?;
        let content = content_pages(content)?;
        if !content.is_empty() && content.len() as u64 != count {
            return Err(wrong_content(count, content));
        }
        match page_type {
            PageType::VMSA => {
                Problem::unless(count == 1, "page count", count, "a save area is one page")?;
                let exists = vcpu < options.vcpus;
                Problem::unless(exists, "vcpu", vcpu.into(), "the machine has fewer processors")?;
                if content.is_empty() {
                    return Err(wrong_content(count, content));
                }
            }
            _ => {
                Problem::unless(vcpu == 0, "vcpu", vcpu.into(), "only save areas have one")?;
                check_inside(memory, gpa, run.end())?;
            }
        }
        if matches!(page_type, PageType::ZERO | PageType::SECRETS) && !content.is_empty() {
            return Err(wrong_content(0, content));
        }
        Ok(Self { run, content })
    }
}

impl<'a> SharedPages<'a> {
    /// Reads a record of a machine with `memory`.
    pub(super) fn parse(record: &'a [u8], memory: &[MemoryRange]) -> Result<Self, Problem> {
        let (head, content) = split::<SharedPagesHead>(record)?;
        check_range(head.gpa, head.count, PageSize::Size4K)?;
        let content = content_pages(content)?;
        if content.len() as u64 != head.count {
            return Err(wrong_content(head.count, content));
        }
        check_inside(memory, head.gpa, end(head.gpa, head.count))?;
        Ok(Self { gpa: head.gpa, content })
    }
}

impl GivenPages {
    /// First address behind the pages; the largest address where it would wrap,
    /// which no pages of a launch file do.
    #[must_use]
    pub const fn end(&self) -> u64 {
        end(self.gpa, self.count)
    }

    /// The pages, with their sizes.
    pub fn in_largest_pages(&self) -> impl Iterator<Item = (u64, PageSize)> + use<> {
        let (mut next, end) = (self.gpa, self.end());
        core::iter::from_fn(move || {
            let gpa = next;
            let fits = |size: PageSize| {
                gpa.is_multiple_of(size.bytes()) && end.saturating_sub(gpa) >= size.bytes()
            };
            let size = [PageSize::Size2M, PageSize::Size4K].into_iter().find(|size| fits(*size))?;
            next = gpa.saturating_add(size.bytes());
            Some((gpa, size))
        })
    }

    /// Refuses pages that are none of a machine with `memory`.
    pub(super) fn check(&self, memory: &[MemoryRange]) -> Result<(), Problem> {
        check_range(self.gpa, self.count, PageSize::Size4K)?;
        check_inside(memory, self.gpa, self.end())
    }
}

const fn end(gpa: u64, count: u64) -> u64 {
    gpa.saturating_add(count.saturating_mul(SIZE_4K))
}

fn split<T: FromBytes>(record: &[u8]) -> Result<(T, &[u8]), Problem> {
    let (expected, found) = (size_of::<T>() as u64, record.len() as u64);
    T::read_from_prefix(record).map_err(|_| Problem::Size { expected, found })
}

fn content_pages(content: &[u8]) -> Result<&[Page], Problem> {
    match content.as_chunks() {
        (pages, []) => Ok(pages),
        (_, rest) => Err(Problem::Field {
            field: "size",
            value: rest.len() as u64,
            rule: "bytes are left over after the last whole page",
        }),
    }
}

fn wrong_content(expected: u64, content: &[Page]) -> Problem {
    Problem::Content { expected, found: content.len() as u64 }
}

fn check_range(gpa: u64, count: u64, size: PageSize) -> Result<(), Problem> {
    let whole = count != 0 && count.is_multiple_of(size.small_pages().into());
    Problem::unless(whole, "page count", count, "it is not 0, and whole pages of their size")?;
    let aligned = gpa.is_multiple_of(size.bytes());
    Problem::unless(aligned, "address", gpa, "it is a multiple of the page size")?;
    let fits = count.checked_mul(SIZE_4K).and_then(|bytes| gpa.checked_add(bytes)).is_some();
    Problem::unless(fits, "page count", count, "the pages end below the end of the address space")
}

/// `memory` is ascending and without overlap.
fn check_inside(memory: &[MemoryRange], gpa: u64, end: u64) -> Result<(), Problem> {
    let covered = memory.iter().fold(gpa, |covered, range| {
        if (range.gpa..range.end()).contains(&covered) { range.end() } else { covered }
    });
    if covered >= end { Ok(()) } else { Err(Problem::OutsideMemory { gpa, end }) }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;

    #[test]
    fn given_memory_comes_in_the_largest_pages_that_fit() {
        let pages = GivenPages { gpa: 0x1f_f000, count: 514 };
        let sizes: Vec<_> = pages.in_largest_pages().collect();
        let small = PageSize::Size4K;
        assert_eq!(sizes, [(0x1f_f000, small), (0x20_0000, PageSize::Size2M), (0x40_0000, small)]);
        assert_eq!(GivenPages { gpa: 0, count: 511 }.in_largest_pages().count(), 511);
    }
}
