//! The walk over the variable headers, before the `igvm` crate sees them.
//!
//! It refuses what would make the crate panic, loop or take memory out of
//! proportion, and finds the headers that the crate does not know:
//!
//! | in `igvm` 0.5.0 | what the walk checks |
//! |---|---|
//! | header sizes and file offsets are added and subtracted unchecked, slices are indexed | every range, before use |
//! | `% relocation_alignment` divides by zero | alignment is not 0 |
//! | an empty or wrapping relocation range fails an assertion | range is neither |
//! | a VBS context with registers of two VTLs, or for another processor than 0, fails an assertion | both, in [`super::vp_context`] |
//! | every parameter area and VBS context may copy the whole file | total content |
//! | relocation regions are checked against each other and all VP contexts | their counts |
//! | ignorable headers and version strings are refused, with a line on standard error | taken out, see [`Skipped`] |
//!
//! The format is that of [`IGVM_VHS_VARIABLE_HEADER`]: a type, a length, the
//! content, padding to a multiple of eight bytes.

use std::ops::Range;

use igvm_defs::{
    IGVM_VHS_PAGE_DATA, IGVM_VHS_PAGE_TABLE_RELOCATION, IGVM_VHS_PARAMETER_AREA,
    IGVM_VHS_PARAMETER_INSERT, IGVM_VHS_RELOCATABLE_REGION, IGVM_VHS_REQUIRED_MEMORY,
    IGVM_VHS_SUPPORTED_PLATFORM, IGVM_VHS_VARIABLE_HEADER, IGVM_VHS_VP_CONTEXT,
    IGVM_VHT_OPTIONAL_BIT, IGVM_VHT_RANGE_INIT, IGVM_VHT_RANGE_PLATFORM, IgvmPlatformType,
    IgvmVariableHeaderType as Type, PAGE_SIZE_4K,
};
use sha2::{Digest, Sha256};
use zerocopy::{FromBytes, Immutable, KnownLayout};

use super::error::{Error, Problem};
use super::fixed_header::FixedHeader;
use super::header_kind::{self, Kind};
use super::vp_context;

/// Most initialization headers that are read. Real files have a policy and a
/// relocatable region or two per platform.
pub const MAX_INITIALIZATION_HEADERS: u32 = 256;

/// Most VP contexts that are read. Real files have one per platform: the other
/// processors are started by the guest.
pub const MAX_VP_CONTEXTS: u32 = 4096;

/// Most bytes of content (pages, parameter areas, registers) per byte of file.
///
/// A page takes 32 bytes of header and can share its 4 KiB of data with
/// others, so that a well-made file can reach 128.
pub const MAX_CONTENT_RATIO: u64 = 256;

/// Most bytes of content in total: with all headers still less than the 32-bit
/// file offsets of the format reach, so that what was read can be written.
pub const MAX_CONTENT: u64 = 2 << 30;

/// Largest parameter area, in bytes.
pub const MAX_PARAMETER_AREA: u64 = 1 << 30;

/// Size of a large page, in bytes.
const PAGE_SIZE_2M: u64 = 2 << 20;

/// A header that was passed over: a loader may ignore it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Offset of the header in the file.
    pub offset: u64,
    /// Its type, without the bit that allows to ignore it.
    pub header_type: u32,
    /// Bytes of content.
    pub size: u32,
    /// SHA-256 of the content.
    pub sha256: [u8; 32],
    /// The content of a version string.
    pub text: Option<String>,
}

/// What the walk found.
pub(super) struct Walked {
    /// Ranges of the file that hold headers for the `igvm` crate, in order.
    pub(super) kept: Vec<Range<usize>>,
    /// The other headers.
    pub(super) skipped: Vec<Skipped>,
}

/// Checks every variable header of the file `bytes`.
pub(super) fn walk(bytes: &[u8], fixed: &FixedHeader) -> Result<Walked, Error> {
    let mut guard = Guard::new(bytes, fixed.data_start());
    let mut walked = Walked { kept: Vec::new(), skipped: Vec::new() };
    let mut at = fixed.headers().start;
    let end = fixed.headers().end;
    while at < end {
        let header = Header::read(bytes, at, end)?;
        at = header.end;
        if header.may_be_ignored() {
            walked.skipped.push(header.skip());
        } else {
            guard.check(&header).map_err(|problem| header.refuse(problem))?;
            keep(&mut walked.kept, header.offset..header.end);
        }
    }
    Ok(walked)
}

/// Adds a range, joined to the last one where they touch: so that their number
/// depends on that of skipped headers only.
fn keep(kept: &mut Vec<Range<usize>>, range: Range<usize>) {
    match kept.last_mut() {
        Some(last) if last.end == range.start => last.end = range.end,
        _ => kept.push(range),
    }
}

/// One variable header.
struct Header<'a> {
    offset: usize,
    /// First offset behind header and padding.
    end: usize,
    header_type: Type,
    body: &'a [u8],
}

impl<'a> Header<'a> {
    fn read(bytes: &'a [u8], offset: usize, section_end: usize) -> Result<Self, Error> {
        let truncated = || Error::Header {
            offset: offset as u64,
            name: "variable header",
            problem: Problem::Truncated,
        };
        let section = bytes.get(offset..section_end).ok_or_else(truncated)?;
        let (start, rest) =
            IGVM_VHS_VARIABLE_HEADER::read_from_prefix(section).map_err(|_| truncated())?;
        let body = rest.get(..start.length as usize).ok_or_else(truncated)?;
        let padded = body.len().checked_next_multiple_of(8).ok_or_else(truncated)?;
        let end = offset
            .checked_add(size_of::<IGVM_VHS_VARIABLE_HEADER>())
            .and_then(|body| body.checked_add(padded))
            .filter(|end| *end <= section_end)
            .ok_or_else(truncated)?;
        Ok(Self { offset, end, header_type: start.typ, body })
    }

    /// Whether loading the file does not depend on this header.
    fn may_be_ignored(&self) -> bool {
        let optional = self.header_type.0 & IGVM_VHT_OPTIONAL_BIT != 0;
        optional || header_kind::is_descriptive(self.header_type)
    }

    fn skip(&self) -> Skipped {
        let header_type = self.header_type.0 & !IGVM_VHT_OPTIONAL_BIT;
        let text = (header_type == Type::IGVM_VHT_VERSION_STRING.0)
            .then(|| String::from_utf8_lossy(self.body).into_owned());
        Skipped {
            offset: self.offset as u64,
            header_type,
            size: self.body.len() as u32,
            sha256: Sha256::digest(self.body).into(),
            text,
        }
    }

    fn refuse(&self, problem: Problem) -> Error {
        let name = Kind::of(self.header_type).map_or("unknown", |kind| kind.name);
        Error::Header { offset: self.offset as u64, name, problem }
    }

    /// The content as a `T`; its length was checked against the type before.
    fn read_body<T: FromBytes + Immutable + KnownLayout>(&self) -> Result<T, Problem> {
        T::read_from_bytes(self.body).map_err(|_| Problem::Truncated)
    }
}

/// The three sections, in the order that they must have.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    Platform,
    Initialization,
    Directive,
}

/// What the walk remembers from header to header.
struct Guard<'a> {
    bytes: &'a [u8],
    data_start: usize,
    section: Section,
    platforms: Vec<(u32, IgvmPlatformType)>,
    initialization_headers: u32,
    vp_contexts: u32,
    content: u64,
    max_content: u64,
}

impl<'a> Guard<'a> {
    fn new(bytes: &'a [u8], data_start: usize) -> Self {
        let ratio = (bytes.len() as u64).saturating_mul(MAX_CONTENT_RATIO);
        Self {
            bytes,
            data_start,
            section: Section::Platform,
            platforms: Vec::new(),
            initialization_headers: 0,
            vp_contexts: 0,
            content: 0,
            max_content: ratio.min(MAX_CONTENT),
        }
    }

    fn check(&mut self, header: &Header<'_>) -> Result<(), Problem> {
        let kind = Kind::of(header.header_type).ok_or(Problem::Unknown(header.header_type.0))?;
        let found = header.body.len();
        if found != kind.size {
            return Err(Problem::Length { expected: kind.size as u32, found: found as u32 });
        }
        self.enter_section(header.header_type)?;
        match header.header_type {
            Type::IGVM_VHT_SUPPORTED_PLATFORM => self.platform(&header.read_body()?),
            Type::IGVM_VHT_RELOCATABLE_REGION => relocatable_region(&header.read_body()?),
            Type::IGVM_VHT_PAGE_TABLE_RELOCATION_REGION => page_table_region(&header.read_body()?),
            Type::IGVM_VHT_PAGE_DATA => self.page_data(&header.read_body()?),
            Type::IGVM_VHT_PARAMETER_AREA => self.parameter_area(&header.read_body()?),
            Type::IGVM_VHT_PARAMETER_INSERT => {
                let insert: IGVM_VHS_PARAMETER_INSERT = header.read_body()?;
                aligned(insert.gpa, PAGE_SIZE_4K)
            }
            Type::IGVM_VHT_REQUIRED_MEMORY => {
                let memory: IGVM_VHS_REQUIRED_MEMORY = header.read_body()?;
                aligned(memory.gpa, PAGE_SIZE_4K)?;
                not_wrapping(memory.gpa, memory.number_of_bytes.into())
            }
            Type::IGVM_VHT_VP_CONTEXT => self.vp_context(&header.read_body()?),
            _ => Ok(()),
        }
    }

    fn enter_section(&mut self, header_type: Type) -> Result<(), Problem> {
        let section = if IGVM_VHT_RANGE_PLATFORM.contains(&header_type.0) {
            Section::Platform
        } else if IGVM_VHT_RANGE_INIT.contains(&header_type.0) {
            count(&mut self.initialization_headers, MAX_INITIALIZATION_HEADERS)?;
            Section::Initialization
        } else {
            Section::Directive
        };
        if section < self.section {
            return Err(Problem::Order);
        }
        self.section = section;
        Ok(())
    }

    /// The `igvm` crate lets every platform type appear once.
    fn platform(&mut self, platform: &IGVM_VHS_SUPPORTED_PLATFORM) -> Result<(), Problem> {
        let mask = platform.compatibility_mask;
        let known = self.platforms.iter().any(|(other, _)| *other & mask != 0);
        if mask.count_ones() != 1 || known {
            return Err(Problem::Mask(mask));
        }
        self.platforms.push((mask, platform.platform_type));
        Ok(())
    }

    fn page_data(&mut self, page: &IGVM_VHS_PAGE_DATA) -> Result<(), Problem> {
        let large = page.flags.is_2mb_page();
        let size = if large { PAGE_SIZE_2M } else { PAGE_SIZE_4K };
        aligned(page.gpa, size)?;
        range(page.gpa, size)?;
        if page.file_offset == 0 {
            return Ok(());
        }
        if large {
            return Err(Problem::LargePage);
        }
        self.data(page.file_offset, PAGE_SIZE_4K).map(|_| ())
    }

    fn parameter_area(&mut self, area: &IGVM_VHS_PARAMETER_AREA) -> Result<(), Problem> {
        if area.number_of_bytes > MAX_PARAMETER_AREA {
            return Err(Problem::ParameterArea {
                size: area.number_of_bytes,
                max: MAX_PARAMETER_AREA,
            });
        }
        match area.file_offset {
            0 => Ok(()),
            offset => self.data(offset, area.number_of_bytes).map(|_| ()),
        }
    }

    fn vp_context(&mut self, context: &IGVM_VHS_VP_CONTEXT) -> Result<(), Problem> {
        count(&mut self.vp_contexts, MAX_VP_CONTEXTS)?;
        let mask = context.compatibility_mask;
        let platform = self.platforms.iter().find(|(known, _)| *known == mask);
        let (_, platform) = platform.ok_or(Problem::Mask(mask))?;
        match *platform {
            IgvmPlatformType::VSM_ISOLATION => {
                let rest = self.data_from(context.file_offset)?;
                let size = vp_context::check_vbs(context.vp_index, rest)?;
                self.data(context.file_offset, size).map(|_| ())
            }
            IgvmPlatformType::SEV_SNP
            | IgvmPlatformType::SEV_ES
            | IgvmPlatformType::SEV
            | IgvmPlatformType::NATIVE
            | IgvmPlatformType::CCA => self.data(context.file_offset, PAGE_SIZE_4K).map(|_| ()),
            other => Err(Problem::NoContexts(other.0)),
        }
    }

    /// The data section from file offset `offset` on.
    fn data_from(&self, offset: u32) -> Result<&'a [u8], Problem> {
        let start = offset as usize;
        let inside = start >= self.data_start;
        let data = self.bytes.get(start..).filter(|_| inside);
        data.ok_or(Problem::Data { offset, size: 1 })
    }

    /// `size` bytes of the data section, which are counted as content.
    fn data(&mut self, offset: u32, size: u64) -> Result<&'a [u8], Problem> {
        let length = usize::try_from(size).ok();
        let data =
            self.data_from(offset).ok().zip(length).and_then(|(data, length)| data.get(..length));
        let data = data.ok_or(Problem::Data { offset, size })?;
        self.content = self.content.saturating_add(size);
        if self.content > self.max_content {
            return Err(Problem::Content(self.max_content));
        }
        Ok(data)
    }
}

fn relocatable_region(region: &IGVM_VHS_RELOCATABLE_REGION) -> Result<(), Problem> {
    if region.relocation_alignment == 0 {
        return Err(Problem::Alignment);
    }
    range(region.relocation_region_gpa, region.relocation_region_size)
}

fn page_table_region(region: &IGVM_VHS_PAGE_TABLE_RELOCATION) -> Result<(), Problem> {
    range(region.gpa, region.size)
}

fn count(counter: &mut u32, max: u32) -> Result<(), Problem> {
    *counter = counter.saturating_add(1);
    if *counter > max { Err(Problem::TooMany(max)) } else { Ok(()) }
}

fn aligned(gpa: u64, alignment: u64) -> Result<(), Problem> {
    if gpa.is_multiple_of(alignment) { Ok(()) } else { Err(Problem::Unaligned { gpa, alignment }) }
}

/// Refuses empty ranges and those whose end is not an address.
fn range(gpa: u64, size: u64) -> Result<(), Problem> {
    if size == 0 { Err(Problem::Range { gpa, size }) } else { not_wrapping(gpa, size) }
}

fn not_wrapping(gpa: u64, size: u64) -> Result<(), Problem> {
    gpa.checked_add(size).map(|_| ()).ok_or(Problem::Range { gpa, size })
}
