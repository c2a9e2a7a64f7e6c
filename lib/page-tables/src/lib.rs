//! Edits page tables of long mode in place.
//!
//! [`PageTables`] are four levels of tables [APM 24593 §5.3] that a processor
//! may be using meanwhile: each change of an entry is one store, and what a
//! store replaces by a table of smaller pages translates as before. The tables
//! themselves lie where the caller's [`Tables`] say. Nothing here executes an
//! instruction: that processors forget what they have cached is the caller's to
//! see to, after every call that is documented to need it.
//!
//! No page can be made writable and executable, because [`Access`] has no such
//! value. Pages of 2 MiB are split where an edit ends inside one.
//!
//! Page tables of a guest, whose owner may be hostile, are read by `page-walk`.
#![no_std]
#![forbid(unsafe_code)]

mod attributes;
mod editor;
mod tables;

pub use attributes::{Access, Attributes, Encryption, Mode};
pub use editor::{Error, Mapped, PageTables};
pub use tables::Tables;
