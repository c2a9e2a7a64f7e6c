//! Contract between the image builder and the kernel.
//!
//! There is no loader: the builder (`host/image`) decides where every page of
//! the module lies and writes the result down in a *boot block*; the kernel
//! (`kernel/hal`) finds itself running at its final address with finished page
//! tables and reads the boot block to learn what is where. This crate is what
//! both sides agree on. The specification behind it is `docs/src/abi/boot.md`.
//!
//! # Where things lie
//!
//! The module owns one contiguous *region* of guest physical memory,
//! `[region_base, region_base + region_size)`, given by the manifest. The page
//! tables map it linearly at [`VIRTUAL_BASE`]: physical `region_base + x` is
//! virtual `VIRTUAL_BASE + x`, with 4 KiB granularity permissions where a part
//! asks for them. The boot block is the first page of the region. Two holes
//! are left unmapped: the guard pages below and above the boot stack.
//!
//! What the guest starts with lies outside, at its final addresses; how it is
//! entered says a [`GuestStart`] inside.
//!
//! # State at the 64-bit entry
//!
//! | register | value |
//! |---|---|
//! | RIP | `e_entry` of the kernel ELF file |
//! | RDI | virtual address of the boot block, [`VIRTUAL_BASE`] |
//! | RSI | physical address of the platform's start information, 0 if there is none (PVH: `hvm_start_info`) |
//! | RSP | [`Header::stack_top`] |
//! | CR0 | PG, WP, NE, ET, PE |
//! | CR3 | [`Header::page_table_root`] (plus the C-bit mask where there is one) |
//! | CR4 | PAE (and MCE in an SNP VMSA) |
//! | EFER | NXE, LMA, LME (and SVME in an SNP VMSA) |
//! | RFLAGS | bit 1 only: interrupts off |
//!
//! Segments are flat 64-bit code and data; GDTR and IDTR are to be loaded by
//! the kernel before anything can fault.
//!
//! # What the kernel ELF file must look like
//!
//! `ET_EXEC` for x86-64; every `PT_LOAD` page-aligned, inside
//! `[VIRTUAL_BASE + 4096, VIRTUAL_BASE + region_size)`, never writable and
//! executable at once; `p_paddr` is ignored. If the file can be started as a
//! plain virtual machine it carries a note of owner [`NOTE_OWNER`] and type
//! [`NOTE_PVH_ENTRY`]: see there.
#![no_std]
#![forbid(unsafe_code)]

mod block;
mod console;
mod guest_start;
mod kernel_file;
mod region;
mod symbols;

pub use block::{Access, BootBlock, Error, Header, MAX_PARTS, Part, PartKind, Platform};
pub use console::ConsoleAudience;
pub use guest_start::{GuestStart, GuestStartError};
pub use kernel_file::{NOTE_OWNER, NOTE_PVH_ENTRY, PAGE_TABLE_ROOT_OFFSET, STACK_TOP_OFFSET};
pub use region::{MAX_REGION_SIZE, PAGE_SIZE, VIRTUAL_BASE};
pub use symbols::{Symbol, SymbolEntry, Symbols, SymbolsError, SymbolsHeader};
