//! The reverse map: who owns each page, and who may do what with it.
//!
//! The processor keeps a table with an entry for every page of memory, the
//! *reverse map table* (RMP), and looks at it for every access of an SNP guest
//! [APM 24593 §15.36.3]. [`ReverseMap`] is that table for one guest, with
//! everything that reads or changes it:
//!
//! | who | does | here |
//! |---|---|---|
//! | guest | PVALIDATE, RMPADJUST, RMPQUERY | [`ReverseMap::pvalidate`], [`rmpadjust`](ReverseMap::rmpadjust), [`rmpquery`](ReverseMap::rmpquery) |
//! | processor | check an access | [`ReverseMap::check`] |
//! | processor | enter, leave a save area | [`ReverseMap::enter_save_area`], [`leave_save_area`](ReverseMap::leave_save_area) |
//! | hypervisor | RMPUPDATE, PSMASH | [`ReverseMap::rmpupdate`], [`psmash`](ReverseMap::psmash) |
//! | hypervisor | nested page tables that lie | [`ReverseMap::remap`], [`map_back`](ReverseMap::map_back) |
//! | security processor | launch, reclaim, join pages | [`ReverseMap::launch_update`], [`page_reclaim`](ReverseMap::page_reclaim), [`page_unsmash`](ReverseMap::page_unsmash) |
//!
//! Each answer says what the processor does next: which registers an
//! instruction leaves ([`Completion`]), or which exception or exit there is
//! instead ([`Fault`]), and which rule that is about ([`FaultRule`],
//! [`RefusalRule`]). Nothing here can fail in another way: all input is what a
//! guest or a host might do.
//!
//! # What is simpler than on a processor
//!
//! The real table is indexed by *system* physical address and names, for each
//! page, the guest and the guest physical address that it belongs to. This one
//! is indexed by *guest* physical address: entry and page are those that the
//! nested page table leads to. Therefore:
//!
//! - There is one guest. What pages of other guests, of the security processor
//!   or of the hypervisor's own would lead to cannot be shown, nor that the
//!   hypervisor itself faults when it writes to a page of the guest.
//! - A nested page table that leads to the wrong page is an attribute of the
//!   guest page ([`ReverseMap::remap`]), not the other page's entry: what the
//!   guest sees is the same, what it does to the other page is not followed.
//! - Nested page tables have no size of their own: the caller says for each
//!   access with which size the page is mapped.
//! - Entries are never busy for a moment, as they can be when two processors
//!   work on one; the codes and faults that ask to try again come from running
//!   save areas only.
//! - Cached translations do not exist: every check sees the present entry. That
//!   software forgot to flush cannot be shown.
//!
//! # Where the rules come from
//!
//! Each rule names its source. Volume 3 of the manual, with the instructions'
//! pages, could not be read when this was written; what it is cited for was
//! learned from software that relies on it and has run on processors. *From
//! memory* marks what nobody confirmed.

mod access;
mod completion;
mod entry;
mod fault;
mod firmware;
mod host;
mod instruction;
mod map;
mod ownership;
#[cfg(test)]
mod properties;
mod pvalidate;
mod rmpadjust;
mod rmpquery;
mod rule;
#[cfg(test)]
mod samples;
mod save_area;
#[cfg(test)]
mod second_model;
mod statistics;
mod table;

pub use abi_snp::ReturnCode;
pub use access::{Access, AccessKind};
pub use completion::{Completion, Outcome};
pub use entry::{Entry, FULL_PERMISSIONS, PageState};
pub use fault::{Fault, FaultKind, PAGE_NOT_VALIDATED};
pub use firmware::FirmwareRefusal;
pub use host::Assignment;
pub use instruction::{Encryption, Registers, Translation};
pub use map::ReverseMap;
pub use rule::{FaultRule, RefusalRule};
pub use save_area::EntryRefusal;
pub use statistics::{Ending, Event, Operation, Statistics};
pub use table::{LayoutError, MemoryRange};
