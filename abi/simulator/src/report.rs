//! Reports: what the hypervisor tells the host about a run.
//!
//! The guest's console has a path of its own. Everything else that the
//! hypervisor has to say is one [`Report`] a line, in JSON, so that programs
//! read it as easily as people.
//!
//! A run begins with one [`Report::Started`], unless it is refused before, and
//! ends with one [`Report::Ended`]. If that is missing, the hypervisor itself
//! came to grief.

mod end;
mod line;

pub use end::End;
pub use line::{LineError, Report, Row, Section};
