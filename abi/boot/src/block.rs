//! The boot block: one page that says what the builder placed where.
//!
//! A [`Header`] is followed by [`Header::part_count`] entries of type [`Part`],
//! sorted by address, without overlap. The page is measured, so its content is
//! as trustworthy as the kernel's code; [`BootBlock::parse`] still checks it,
//! because a builder can have faults too.
//!
//! All integers are little-endian, all addresses and sizes are in bytes.

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::console::ConsoleAudience;
use crate::region::{MAX_REGION_SIZE, PAGE_SIZE, VIRTUAL_BASE};

/// First eight bytes of a boot block.
const MAGIC: [u8; 8] = *b"SVSMBOOT";

/// Version of the layout. A kernel refuses every other one: builder and kernel
/// come from the same commit.
const VERSION: u32 = 3;

/// The fixed start of a boot block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Header {
    magic: [u8; 8],
    version: u32,
    /// The platform this block was built for.
    pub platform: Platform,
    /// Guest physical address of the region's first byte, which is also that
    /// of the boot block.
    pub region_base: u64,
    /// Size of the region in bytes, a multiple of 4096.
    pub region_size: u64,
    /// Guest physical address of the top-level page table, without C-bit.
    pub page_table_root: u64,
    /// Virtual address just above the boot stack.
    pub stack_top: u64,
    /// The bit that marks a private page in a page-table entry, as a mask; 0
    /// where the platform has none.
    pub c_bit_mask: u64,
    /// Most virtual processors that the module may serve.
    pub max_vcpus: u32,
    /// Number of [`Part`]s that follow.
    pub part_count: u32,
    /// Who may read the module's messages on the console.
    pub console: ConsoleAudience,
    /// Zero.
    reserved: u32,
}

/// Something that the builder placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Part {
    /// Guest physical address of the first byte, page-aligned.
    pub gpa: u64,
    /// Bytes of memory it takes, a multiple of 4096.
    pub size: u64,
    /// Bytes that carry content; the rest of `size` is zero.
    pub content_size: u64,
    /// What it is.
    pub kind: PartKind,
    /// How the initial page tables map it; empty if they do not.
    pub access: Access,
    /// Name in UTF-8, zero-padded: the segment's or service's, for messages.
    pub name: [u8; 32],
}

const _: () = assert!(size_of::<Header>() == 72);
const _: () = assert!(size_of::<Part>() == 64);

/// Most parts that fit into the page behind the header.
pub const MAX_PARTS: usize = (PAGE_SIZE as usize - size_of::<Header>()) / size_of::<Part>();

/// Open enumeration of platforms.
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Platform(pub u32);

impl Platform {
    /// A virtual machine without isolation.
    pub const NATIVE: Self = Self(1);
    /// AMD SEV-SNP.
    pub const SNP: Self = Self(2);

    /// The platform's name, if it is one that this version knows.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::NATIVE => Some("native"),
            Self::SNP => Some("snp"),
            _ => None,
        }
    }
}

/// Open enumeration of what a [`Part`] can be.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(transparent)]
pub struct PartKind(pub u32);

impl PartKind {
    /// The boot block itself.
    pub const BOOT_BLOCK: Self = Self(1);
    /// A loadable segment of the kernel.
    pub const KERNEL: Self = Self(2);
    /// The stack the kernel starts on.
    pub const BOOT_STACK: Self = Self(3);
    /// The initial page tables, top level first.
    pub const PAGE_TABLES: Self = Self(4);
    /// Filled by the platform: the SNP secrets page.
    pub const SECRETS: Self = Self(5);
    /// Filled by the platform: the SNP CPUID page.
    pub const CPUID: Self = Self(6);
    /// Filled by the loader: IGVM memory map.
    pub const MEMORY_MAP: Self = Self(7);
    /// Filled by the loader: IGVM virtual processor count.
    pub const VP_COUNT: Self = Self(8);
    /// Filled by the loader: ACPI MADT.
    pub const MADT: Self = Self(9);
    /// Filled by the loader: flattened device tree.
    pub const DEVICE_TREE: Self = Self(10);
    /// An ELF file of a user-mode service.
    pub const SERVICE: Self = Self(11);
    /// Of the guest: its kernel's protected-mode part, where it is to run.
    pub const GUEST_KERNEL: Self = Self(12);
    /// Of the guest: initial RAM disk.
    pub const GUEST_INITRD: Self = Self(13);
    /// Of the guest: its kernel's command line with terminating zero.
    pub const GUEST_COMMAND_LINE: Self = Self(14);
    /// Names of the kernel's functions ([`Symbols`](crate::Symbols)).
    pub const SYMBOLS: Self = Self(15);
    /// Options for the kernel: the manifest's text, in UTF-8. What words it may
    /// have is for the kernel to say.
    pub const KERNEL_OPTIONS: Self = Self(16);
    /// How the guest is entered and what the module fills in before
    /// ([`GuestStart`](crate::GuestStart)).
    pub const GUEST_START: Self = Self(17);
    /// Of the guest: Linux `struct boot_params`, complete but for the memory
    /// map, which has no entries.
    pub const GUEST_BOOT_PARAMETERS: Self = Self(18);
    /// Of the guest: what leads it to its secrets and CPUID pages, and its
    /// first descriptor table.
    pub const GUEST_PLATFORM_DATA: Self = Self(19);
    /// Of the guest: its first page tables, top level first.
    pub const GUEST_PAGE_TABLES: Self = Self(20);
    /// Of the guest: ACPI tables, root pointer first.
    pub const GUEST_ACPI_TABLES: Self = Self(21);
    /// Of the guest: a page of zeros that the module fills in; the name says
    /// what with. No memory for the guest to allocate.
    pub const GUEST_RESERVED: Self = Self(22);

    /// The kind's name in words, if it is one that this version knows.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::BOOT_BLOCK => "boot block",
            Self::KERNEL => "kernel",
            Self::BOOT_STACK => "boot stack",
            Self::PAGE_TABLES => "page tables",
            Self::SECRETS => "secrets",
            Self::CPUID => "cpuid",
            Self::MEMORY_MAP => "memory map",
            Self::VP_COUNT => "vp count",
            Self::MADT => "madt",
            Self::DEVICE_TREE => "device tree",
            Self::SERVICE => "service",
            Self::GUEST_KERNEL => "guest kernel",
            Self::GUEST_INITRD => "guest initrd",
            Self::GUEST_COMMAND_LINE => "guest command line",
            Self::SYMBOLS => "symbols",
            Self::KERNEL_OPTIONS => "kernel options",
            Self::GUEST_START => "guest start",
            Self::GUEST_BOOT_PARAMETERS => "guest boot parameters",
            Self::GUEST_PLATFORM_DATA => "guest platform data",
            Self::GUEST_PAGE_TABLES => "guest page tables",
            Self::GUEST_ACPI_TABLES => "guest acpi tables",
            Self::GUEST_RESERVED => "guest reserved",
            _ => return None,
        })
    }
}

abi_x86::show_by_name!(Platform, PartKind);

/// How a part is mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Access(u32);

bitflags::bitflags! {
    impl Access: u32 {
        /// Mapped and readable.
        const READ = 1;
        /// Writable.
        const WRITE = 2;
        /// Executable.
        const EXECUTE = 4;
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = |flag, c| if self.contains(flag) { c } else { '-' };
        for c in [letter(Self::READ, 'r'), letter(Self::WRITE, 'w'), letter(Self::EXECUTE, 'x')] {
            fmt::Write::write_char(f, c)?;
        }
        Ok(())
    }
}

impl Part {
    /// Describes a part; a longer `name` is cut after 32 bytes at a character
    /// boundary.
    #[must_use]
    pub fn new(kind: PartKind, gpa: u64, size: u64, access: Access, name: &str) -> Self {
        let mut bytes = [0; 32];
        let cut = name.floor_char_boundary(bytes.len());
        for (to, from) in bytes.iter_mut().zip(name.as_bytes().iter().take(cut)) {
            *to = *from;
        }
        Self { gpa, size, content_size: size, kind, access, name: bytes }
    }

    /// The name without its padding; empty if it is not UTF-8.
    #[must_use]
    pub fn name(&self) -> &str {
        let text = self.name.split(|b| *b == 0).next().unwrap_or_default();
        core::str::from_utf8(text).unwrap_or_default()
    }

    /// First address behind the part. Meaningful for parts of a checked block,
    /// where it cannot overflow; saturates otherwise.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.gpa.saturating_add(self.size)
    }
}

/// A checked boot block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootBlock<'a> {
    header: &'a Header,
    parts: &'a [Part],
}

/// What can be wrong with a boot block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// Shorter than a header, or than its part count says.
    Truncated,
    /// It does not start with the magic value.
    Magic,
    /// Made by a builder of another version (given).
    Version(u32),
    /// More parts than [`MAX_PARTS`] (count given).
    PartCount(u32),
    /// The console is for somebody that this version does not know (given).
    Console(ConsoleAudience),
    /// The region is unaligned, empty, wraps or is larger than
    /// [`MAX_REGION_SIZE`].
    Region,
    /// The part of this index is unaligned, empty, wraps, has more content
    /// than size or is writable and executable.
    Part(usize),
    /// The part of this index overlaps or precedes the one before.
    Order(usize),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("boot block is truncated"),
            Self::Magic => f.write_str("boot block has no magic value"),
            Self::Version(v) => write!(f, "boot block has version {v}, expected {VERSION}"),
            Self::PartCount(n) => write!(f, "boot block has {n} parts, at most {MAX_PARTS} fit"),
            Self::Console(audience) => {
                write!(f, "boot block has a console for unknown audience {}", audience.0)
            }
            Self::Region => f.write_str("boot block describes an impossible region"),
            Self::Part(i) => write!(f, "boot block: part {i} is malformed"),
            Self::Order(i) => {
                write!(f, "boot block: part {i} overlaps or precedes its predecessor")
            }
        }
    }
}

impl core::error::Error for Error {}

impl Header {
    /// A header for `part_count` parts, with magic and version filled in and
    /// all else zero.
    #[must_use]
    pub fn new(platform: Platform, part_count: u32) -> Self {
        Self {
            magic: MAGIC,
            version: VERSION,
            platform,
            region_base: 0,
            region_size: 0,
            page_table_root: 0,
            stack_top: 0,
            c_bit_mask: 0,
            max_vcpus: 0,
            part_count,
            console: ConsoleAudience::NONE,
            reserved: 0,
        }
    }
}

impl<'a> BootBlock<'a> {
    /// Checks `bytes`, the page that starts with a header.
    ///
    /// # Errors
    ///
    /// The first rule that does not hold; see [`Error`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let (header, rest) = Header::ref_from_prefix(bytes).map_err(|_| Error::Truncated)?;
        if header.magic != MAGIC {
            return Err(Error::Magic);
        }
        if header.version != VERSION {
            return Err(Error::Version(header.version));
        }
        let count = header.part_count as usize;
        if count > MAX_PARTS {
            return Err(Error::PartCount(header.part_count));
        }
        let (parts, _) =
            <[Part]>::ref_from_prefix_with_elems(rest, count).map_err(|_| Error::Truncated)?;
        if header.console.name().is_none() {
            return Err(Error::Console(header.console));
        }
        check_region(header)?;
        check_parts(header, parts)?;
        Ok(Self { header, parts })
    }

    /// Everything that was placed, sorted by address.
    #[must_use]
    pub fn parts(&self) -> &'a [Part] {
        self.parts
    }

    /// The parts of one kind.
    pub fn parts_of(&self, kind: PartKind) -> impl Iterator<Item = &'a Part> {
        self.parts.iter().filter(move |part| part.kind == kind)
    }

    /// What lies outside the region: the guest's pages. They were launched with
    /// the image and so are measured and validated.
    pub fn guest_parts(&self) -> impl Iterator<Item = &'a Part> {
        // Parts of a checked block lie all inside or all outside.
        let block = *self;
        self.parts.iter().filter(move |part| block.virtual_address(part.gpa).is_none())
    }

    /// Virtual address of a physical one inside the region.
    #[must_use]
    pub fn virtual_address(&self, gpa: u64) -> Option<u64> {
        let offset = gpa.checked_sub(self.header.region_base)?;
        (offset < self.header.region_size).then(|| VIRTUAL_BASE + offset)
    }
}

impl core::ops::Deref for BootBlock<'_> {
    type Target = Header;

    fn deref(&self) -> &Header {
        self.header
    }
}

fn check_region(header: &Header) -> Result<(), Error> {
    let (base, size) = (header.region_base, header.region_size);
    let aligned = base.is_multiple_of(PAGE_SIZE) && size.is_multiple_of(PAGE_SIZE);
    let fits = size != 0 && size <= MAX_REGION_SIZE && base.checked_add(size).is_some();
    if aligned && fits { Ok(()) } else { Err(Error::Region) }
}

fn check_parts(header: &Header, parts: &[Part]) -> Result<(), Error> {
    // A checked region does not wrap around.
    let region = header.region_base..header.region_base + header.region_size;
    let mut free_from = 0;
    for (index, part) in parts.iter().enumerate() {
        let aligned = part.gpa.is_multiple_of(PAGE_SIZE) && part.size.is_multiple_of(PAGE_SIZE);
        let filled = part.size != 0 && part.content_size <= part.size;
        let harmless = !part.access.contains(Access::WRITE | Access::EXECUTE);
        let end = part.gpa.checked_add(part.size).ok_or(Error::Part(index))?;
        let inside = part.gpa >= region.start && end <= region.end;
        let outside = part.gpa >= region.end || end <= region.start;
        if !(aligned && filled && harmless && (inside || outside)) {
            return Err(Error::Part(index));
        }
        if part.gpa < free_from {
            return Err(Error::Order(index));
        }
        free_from = end;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
