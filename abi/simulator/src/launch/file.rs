//! Reading a launch file.

use alloc::boxed::Box;
use alloc::vec::Vec;

use zerocopy::FromBytes;

use crate::launch::error::{Error, Problem};
use crate::launch::guest::{Identity, LaunchStart};
use crate::launch::options::Options;
use crate::launch::pages::{GivenPages, LaunchStep, Pages, SharedPages};
use crate::launch::record::{ALIGNMENT, FileHeader, MAGIC, RecordHead, RecordKind, VERSION};
use crate::launch::security_processor::SecurityProcessor;
use crate::memory::MemoryRange;

/// A launch file that was read and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchFile<'a> {
    /// How the machine is set up.
    pub options: Options,
    /// Where the guest has memory: at least one range, ascending, page-aligned,
    /// without overlap.
    pub memory: Vec<MemoryRange>,
    /// Whom the simulated security processor plays.
    pub security_processor: SecurityProcessor,
    /// What the host answers when a guest asks for certificates: the bytes of
    /// an [`abi_snp::CertificateTable`], which are not looked at here, since a
    /// hostile host may hand out anything. Empty if the host has none.
    pub certificates: &'a [u8],
    /// What a hostile host does, in words that the hypervisor reads. Empty if
    /// it plays fair.
    pub scenario: &'a str,
    /// How the launch starts.
    pub start: LaunchStart,
    /// The launch itself, in this order. All pages but save areas lie in
    /// [`Self::memory`].
    pub steps: Vec<LaunchStep<'a>>,
    /// Whose guest it is, if it says so.
    pub identity: Option<Box<Identity>>,
}

impl<'a> LaunchFile<'a> {
    /// Reads the launch file whose whole content is `bytes`; they need no
    /// alignment.
    ///
    /// # Errors
    ///
    /// See [`Error`]: the first rule that does not hold.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut offset = check_header(bytes)?;
        let mut found = Found::default();
        while let Some(rest) = bytes.get(offset..).filter(|rest| !rest.is_empty()) {
            let record = Record::first_of(rest).map_err(|problem| {
                // With less than a head, not even the kind is there.
                let kind = RecordHead::read_from_prefix(rest).map(|(head, _)| head.kind);
                Error::Record { offset, kind: kind.unwrap_or(RecordKind(0)), problem }
            })?;
            found.take(&record).map_err(|problem| Error::Record {
                offset,
                kind: record.kind,
                problem,
            })?;
            // `first_of` has seen that many bytes.
            offset = offset.saturating_add(record.padded_size);
        }
        found.finish()
    }
}

/// Checks the header of the file and returns its size.
fn check_header(bytes: &[u8]) -> Result<usize, Error> {
    let actual = bytes.len();
    let (header, _) = FileHeader::read_from_prefix(bytes).map_err(|_| Error::NoHeader(actual))?;
    if header.magic != MAGIC {
        return Err(Error::Magic);
    }
    if header.version != VERSION {
        return Err(Error::Version(header.version));
    }
    if header.header_size as usize != size_of::<FileHeader>() {
        return Err(Error::HeaderSize(header.header_size));
    }
    if header.total_size != actual as u64 {
        return Err(Error::TotalSize { stated: header.total_size, actual: actual as u64 });
    }
    Ok(size_of::<FileHeader>())
}

/// A record, taken out of the file.
struct Record<'a> {
    kind: RecordKind,
    content: &'a [u8],
    /// Bytes from its head to the next record.
    padded_size: usize,
}

impl<'a> Record<'a> {
    /// The record that `bytes` start with.
    fn first_of(bytes: &'a [u8]) -> Result<Self, Problem> {
        let (head, rest) = RecordHead::read_from_prefix(bytes).map_err(|_| Problem::Truncated)?;
        let size = usize::try_from(head.size).map_err(|_| Problem::Truncated)?;
        let content = rest.get(..size).ok_or(Problem::Truncated)?;
        let padded = size.checked_next_multiple_of(ALIGNMENT).ok_or(Problem::Truncated)?;
        if padded > rest.len() {
            return Err(Problem::Truncated);
        }
        Ok(Self { kind: head.kind, content, padded_size: size_of::<RecordHead>() + padded })
    }
}

/// What was found so far.
#[derive(Default)]
struct Found<'a> {
    options: Option<Options>,
    memory: Option<Vec<MemoryRange>>,
    security_processor: Option<SecurityProcessor>,
    certificates: Option<&'a [u8]>,
    scenario: Option<&'a str>,
    start: Option<LaunchStart>,
    steps: Vec<LaunchStep<'a>>,
    identity: Option<Box<Identity>>,
}

impl<'a> Found<'a> {
    /// Reads one record.
    fn take(&mut self, record: &Record<'a>) -> Result<(), Problem> {
        let content = record.content;
        let Some(options) = &self.options else {
            if record.kind != RecordKind::OPTIONS {
                return Err(Problem::NotFirst);
            }
            let options: Options = whole(content)?;
            options.check()?;
            self.options = Some(options);
            return Ok(());
        };
        match record.kind {
            RecordKind::OPTIONS => Err(Problem::Repeated),
            RecordKind::MEMORY => set(&mut self.memory, memory(content)?),
            RecordKind::SECURITY_PROCESSOR => {
                let processor: SecurityProcessor = whole(content)?;
                processor.check()?;
                set(&mut self.security_processor, processor)
            }
            RecordKind::CERTIFICATES => set(&mut self.certificates, content),
            RecordKind::SCENARIO => {
                let text = core::str::from_utf8(content).map_err(|_| Problem::NotText)?;
                set(&mut self.scenario, text)
            }
            RecordKind::LAUNCH_START => set(&mut self.start, whole(content)?),
            RecordKind::PAGES => {
                let pages = Pages::parse(content, options, self.memory_for_pages()?)?;
                self.steps.push(LaunchStep::Private(pages));
                Ok(())
            }
            RecordKind::SHARED_PAGES => {
                let pages = SharedPages::parse(content, self.memory_for_pages()?)?;
                self.steps.push(LaunchStep::Shared(pages));
                Ok(())
            }
            RecordKind::GIVEN_PAGES => {
                let pages: GivenPages = whole(content)?;
                pages.check(self.memory_for_pages()?)?;
                self.steps.push(LaunchStep::Given(pages));
                Ok(())
            }
            RecordKind::ID_BLOCK => set(&mut self.identity, identity(content)?),
            _ => Err(Problem::Unknown),
        }
    }

    /// The guest's memory, once everything is there that a page needs.
    fn memory_for_pages(&self) -> Result<&[MemoryRange], Problem> {
        if self.start.is_none() {
            return Err(Problem::Early(RecordKind::LAUNCH_START));
        }
        self.memory.as_deref().ok_or(Problem::Early(RecordKind::MEMORY))
    }

    /// The file, if nothing is missing.
    fn finish(self) -> Result<LaunchFile<'a>, Error> {
        let missing = Error::Missing;
        Ok(LaunchFile {
            options: self.options.ok_or(missing(RecordKind::OPTIONS))?,
            memory: self.memory.ok_or(missing(RecordKind::MEMORY))?,
            security_processor: self
                .security_processor
                .ok_or(missing(RecordKind::SECURITY_PROCESSOR))?,
            certificates: self.certificates.unwrap_or_default(),
            scenario: self.scenario.unwrap_or_default(),
            start: self.start.ok_or(missing(RecordKind::LAUNCH_START))?,
            steps: self.steps,
            identity: self.identity,
        })
    }
}

/// Puts `value` where nothing was.
fn set<T>(place: &mut Option<T>, value: T) -> Result<(), Problem> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Problem::Repeated),
    }
}

/// The structure that a record consists of.
fn whole<T: FromBytes>(content: &[u8]) -> Result<T, Problem> {
    T::read_from_bytes(content).map_err(|_| wrong_size(size_of::<T>(), content))
}

fn wrong_size(expected: usize, content: &[u8]) -> Problem {
    Problem::Size { expected: expected as u64, found: content.len() as u64 }
}

/// The ranges of a MEMORY record.
fn memory(content: &[u8]) -> Result<Vec<MemoryRange>, Problem> {
    let mut ranges: Vec<MemoryRange> = Vec::new();
    let (chunks, rest) = content.as_chunks::<{ size_of::<MemoryRange>() }>();
    if chunks.is_empty() || !rest.is_empty() {
        let expected = chunks.len().max(1).saturating_mul(size_of::<MemoryRange>());
        return Err(wrong_size(expected, content));
    }
    for chunk in chunks {
        let range: MemoryRange = zerocopy::transmute!(*chunk);
        let (gpa, size) = (range.gpa, range.size);
        let aligned = gpa.is_multiple_of(abi_x86::SIZE_4K);
        Problem::unless(aligned, "address", gpa, "it is a multiple of 4096")?;
        let pages = size != 0 && size.is_multiple_of(abi_x86::SIZE_4K);
        Problem::unless(pages, "size", size, "it is a multiple of 4096, and not 0")?;
        let fits = gpa.checked_add(size).is_some();
        Problem::unless(fits, "size", size, "the range ends below the end of the address space")?;
        let behind = ranges.last().is_none_or(|last| last.end() <= gpa);
        Problem::unless(behind, "address", gpa, "ranges are ascending and do not overlap")?;
        ranges.push(range);
    }
    Ok(ranges)
}

/// The content of an ID_BLOCK record.
fn identity(content: &[u8]) -> Result<Box<Identity>, Problem> {
    let identity: Box<Identity> = Box::new(whole(content)?);
    identity.check()?;
    Ok(identity)
}
