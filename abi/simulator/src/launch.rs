//! The launch file: a guest, and the machine it is launched on.
//!
//! A VMM that launches a guest tells its platform what memory there is and
//! hands over one page after the other. Here `svsm-loader` writes all of that
//! down, and the simulator's hypervisor does it in the order of the file.
//!
//! # Format
//!
//! Integers are little-endian, and everything begins at a multiple of 8 from
//! the start of the file. The file starts with a header of 24 bytes:
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 8 | `SVSM-SIM` |
//! | 8 | 4 | [`VERSION`] |
//! | 12 | 4 | bytes of this header |
//! | 16 | 8 | bytes of the file |
//!
//! Records follow up to the end. Each has a head of 16 bytes: its
//! [`RecordKind`] (4 bytes), 4 bytes without meaning, and how many bytes of content
//! follow (8 bytes). Content is padded to a multiple of 8.
//!
//! | record | how many | content |
//! |---|---|---|
//! | `OPTIONS` | one, the first | [`Options`] |
//! | `MEMORY` | one, before all pages | [`MemoryRange`](crate::MemoryRange)s, ascending, without overlap |
//! | `SECURITY_PROCESSOR` | one | [`SecurityProcessor`] |
//! | `CERTIFICATES` | at most one | the host's certificate table, see [`LaunchFile::certificates`] |
//! | `SCENARIO` | at most one | UTF-8 text, see [`LaunchFile::scenario`] |
//! | `LAUNCH_START` | one, before all pages | [`LaunchStart`] |
//! | `PAGES` | any | a [`PageRun`] as 32 bytes, then the pages' content, or nothing if they are zero |
//! | `SHARED_PAGES` | any | guest physical address and number of pages (8 bytes each), then their content |
//! | `GIVEN_PAGES` | any | [`GivenPages`] |
//! | `ID_BLOCK` | at most one | [`Identity`] |
//!
//! Pages lie in the memory that the file names, except for save areas, which
//! some platforms keep elsewhere.
//!
//! [`LaunchFile::parse`] reads a file and refuses everything that breaks these
//! rules; [`LaunchFileWriter`] writes one. A reader never panics, whatever the
//! bytes, and takes memory for at most a few words per record.

mod error;
mod file;
mod guest;
mod options;
mod pages;
mod record;
mod security_processor;
mod writer;

pub use error::{Error, Problem};
pub use file::LaunchFile;
pub use guest::{AuthorKey, Identity, LaunchStart};
pub use options::{CpuidAdditions, CpuidPolicy, MAX_VCPUS, Options, Trace};
pub use pages::{GivenPages, LaunchStep, PAGE_SIZE, Page, PageRun, Pages, SharedPages};
pub use record::{RecordKind, VERSION};
pub use security_processor::SecurityProcessor;
pub use writer::LaunchFileWriter;

#[cfg(test)]
mod tests;
