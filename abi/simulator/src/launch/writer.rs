//! Writing a launch file.

use alloc::vec::Vec;

use zerocopy::IntoBytes;

use crate::launch::error::Error;
use crate::launch::file::LaunchFile;
use crate::launch::guest::{Identity, LaunchStart};
use crate::launch::options::Options;
use crate::launch::pages::{GivenPages, Page, PageRun, SharedPagesHead};
use crate::launch::record::{ALIGNMENT, FileHeader, MAGIC, RecordHead, RecordKind, VERSION};
use crate::launch::security_processor::SecurityProcessor;
use crate::memory::MemoryRange;

/// A launch file that is being written, record by record.
///
/// Records go into the file in the order of the calls; the table of
/// [`crate::launch`] says which order and number are right, and
/// [`Self::finish`] finds out whether they are.
#[derive(Clone, Debug)]
pub struct LaunchFileWriter {
    file: Vec<u8>,
}

impl LaunchFileWriter {
    /// A file that starts with `options`.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        // `finish` writes the header.
        let mut writer = Self { file: alloc::vec![0; size_of::<FileHeader>()] };
        writer.record(RecordKind::OPTIONS, options.as_bytes());
        writer
    }

    /// Adds where the guest has memory.
    pub fn memory(&mut self, ranges: &[MemoryRange]) {
        self.record(RecordKind::MEMORY, ranges.as_bytes());
    }

    /// Adds whom the simulated security processor plays.
    pub fn security_processor(&mut self, processor: &SecurityProcessor) {
        self.record(RecordKind::SECURITY_PROCESSOR, processor.as_bytes());
    }

    /// Adds what the host answers when a guest asks for certificates.
    pub fn certificates(&mut self, table: &[u8]) {
        self.record(RecordKind::CERTIFICATES, table);
    }

    /// Adds what a hostile host does.
    pub fn scenario(&mut self, text: &str) {
        self.record(RecordKind::SCENARIO, text.as_bytes());
    }

    /// Adds how the launch starts.
    pub fn launch_start(&mut self, start: &LaunchStart) {
        self.record(RecordKind::LAUNCH_START, start.as_bytes());
    }

    /// Adds private pages with their `content`: a page for each of the run, or
    /// none if all are zero.
    pub fn pages<'a>(&mut self, run: &PageRun, content: impl IntoIterator<Item = &'a Page>) {
        let head = run.head();
        self.record_of_pages(RecordKind::PAGES, head.as_bytes(), content);
    }

    /// Adds `content` as pages from `gpa` on that host and guest share.
    pub fn shared_pages<'a>(
        &mut self,
        gpa: u64,
        content: impl IntoIterator<Item = &'a Page, IntoIter: ExactSizeIterator>,
    ) {
        let content = content.into_iter();
        let head = SharedPagesHead { gpa, count: content.len() as u64 };
        self.record_of_pages(RecordKind::SHARED_PAGES, head.as_bytes(), content);
    }

    /// Adds private pages that the guest has to accept.
    pub fn given_pages(&mut self, pages: &GivenPages) {
        self.record(RecordKind::GIVEN_PAGES, pages.as_bytes());
    }

    /// Adds whose guest it is.
    pub fn identity(&mut self, identity: &Identity) {
        self.record(RecordKind::ID_BLOCK, identity.as_bytes());
    }

    /// The file.
    ///
    /// # Errors
    ///
    /// What a reader would say about it: a file that this function returns is
    /// one that [`LaunchFile::parse`] accepts.
    pub fn finish(mut self) -> Result<Vec<u8>, Error> {
        let header = FileHeader {
            magic: MAGIC,
            version: VERSION,
            header_size: size_of::<FileHeader>() as u32,
            total_size: self.file.len() as u64,
        };
        self.file[..size_of::<FileHeader>()].copy_from_slice(header.as_bytes());
        LaunchFile::parse(&self.file)?;
        Ok(self.file)
    }

    fn record(&mut self, kind: RecordKind, content: &[u8]) {
        let start = self.begin(kind);
        self.file.extend_from_slice(content);
        self.end(start);
    }

    fn record_of_pages<'a>(
        &mut self,
        kind: RecordKind,
        head: &[u8],
        content: impl IntoIterator<Item = &'a Page>,
    ) {
        let start = self.begin(kind);
        self.file.extend_from_slice(head);
        content.into_iter().for_each(|page| self.file.extend_from_slice(page));
        self.end(start);
    }

    /// Starts a record; returns where its head lies.
    fn begin(&mut self, kind: RecordKind) -> usize {
        let start = self.file.len();
        let head = RecordHead { kind, _reserved: 0, size: 0 };
        self.file.extend_from_slice(head.as_bytes());
        start
    }

    /// Ends the record whose head lies at `start`: writes its size, and pads.
    fn end(&mut self, start: usize) {
        let end_of_head = start + size_of::<RecordHead>();
        let size = (self.file.len() - end_of_head) as u64;
        self.file[end_of_head - size_of::<u64>()..end_of_head].copy_from_slice(&size.to_le_bytes());
        self.file.resize(self.file.len().next_multiple_of(ALIGNMENT), 0);
    }
}
