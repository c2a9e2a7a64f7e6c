//! Layout of an image with the module.
//!
//! Inside the region, from its base upwards: boot block, kernel segments at the
//! offsets they are linked to, guard page, boot stack, guard page, the names of
//! the kernel's functions, what the platform and the loader fill, how the guest
//! is entered, services, page tables. The rest of the region is free memory:
//! mapped, but not part of the image.
//!
//! A guest lies outside, unmapped, where its boot protocol wants it
//! ([`super::payload`]), with pages of zeros for what the module fills in:
//!
//! | address | page |
//! |---|---|
//! | 0xf000 | calling area of the guest's first processor |
//! | 0x1_1000 | the guest's CPUID page |
//! | 0x1_2000 | the guest's secrets page |
//!
//! All other memory the module validates itself, so it is not in the image.
//! Only platforms with a level below the module's have a guest.
//!
//! The contract behind it is `abi_boot`.

use std::sync::Arc;

use abi_boot::{Access, ConsoleAudience, Header, MAX_PARTS, PAGE_SIZE, Platform, VIRTUAL_BASE};
use zerocopy::IntoBytes;

use super::guest;
use super::part::{Layout, Overlap, Part, Purpose, Start, sort};
use super::payload::{self, Payload};
use crate::elf::KernelElf;
use crate::page_tables::{self, Leaves, Mapping, PageTables};

const READ_WRITE: Access = Access::READ.union(Access::WRITE);
const READ_EXECUTE: Access = Access::READ.union(Access::EXECUTE);

/// What a module image is made of.
#[derive(Clone, Debug)]
pub struct Inputs<'a> {
    /// What the image is to start on.
    pub platform: Platform,
    /// First byte of the module's region, page-aligned.
    pub region_base: u64,
    /// Bytes of the region, page-aligned.
    pub region_size: u64,
    /// Most virtual processors that the module may serve.
    pub max_vcpus: u32,
    /// Who may read the module's messages on the console.
    pub console: ConsoleAudience,
    /// Pages of the boot stack.
    pub stack_pages: u32,
    /// The bit that marks private pages, as a mask; 0 for none.
    pub c_bit_mask: u64,
    /// The module's kernel.
    pub kernel: &'a KernelElf,
    /// Pages that the platform or the loader fills or the kernel reads, in this
    /// order, with the number of pages, the access and the content they start
    /// with.
    pub filled: Vec<Filled>,
    /// Services: name and ELF file.
    pub services: Vec<(String, Arc<[u8]>)>,
    /// What runs below the module, if anything does.
    pub guest: Option<Payload<'a>>,
}

/// Pages that the platform or the loader fills or the kernel reads.
#[derive(Clone, Debug)]
pub struct Filled {
    /// Which ones.
    pub purpose: Purpose,
    /// How many.
    pub pages: u32,
    /// How they are mapped.
    pub access: Access,
    /// What the image itself puts there, such as the CPUID leaves it asks for.
    pub content: Arc<[u8]>,
}

/// Why there is no layout. Messages name the manifest's key where one is to
/// blame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The region wraps around the end of the address space.
    #[error("region: base {0:#x} plus size {1:#x} exceeds the address space")]
    RegionWraps(u64, u64),
    /// The region reaches addresses that have the C-bit set.
    #[error("region: its end {0:#x} reaches into addresses with the C-bit (mask {1:#x})")]
    RegionReachesCBit(u64, u64),
    /// A segment is linked outside the region.
    #[error(
        "kernel segment {name} at {address:#x}: it ends {end:#x} bytes above the linked base, \
         behind the region, which has {size:#x} bytes (region.size)"
    )]
    SegmentOutsideRegion {
        /// The segment.
        name: &'static str,
        /// Its virtual address.
        address: u64,
        /// Where it ends, relative to the region's start.
        end: u64,
        /// Bytes of the region.
        size: u64,
    },
    /// Something does not fit into the region.
    #[error(
        "{what}: {needed:#x} bytes are needed at {gpa:#x}, but the region ends at \
         {region_end:#x}: enlarge region.size"
    )]
    RegionFull {
        /// What was to be placed.
        what: String,
        /// Where it was to lie.
        gpa: u64,
        /// Bytes it takes.
        needed: u64,
        /// First address behind the region.
        region_end: u64,
    },
    /// The guest cannot be placed.
    #[error("guest.{0}")]
    Guest(#[from] payload::Error),
    /// The boot block cannot describe so many parts.
    #[error(
        "{0} parts were placed, the boot block describes at most {MAX_PARTS}: use fewer services"
    )]
    TooManyParts(usize),
    /// The native platform needs an entry that a plain virtual machine can use.
    #[error(
        "the kernel has no PVH entry, which platform \"native\" needs: add the ELF note of owner \
         SVSM, type 1"
    )]
    NoPvhEntry,
    /// The PVH entry runs and finds its tables with 32-bit addresses.
    #[error("region: its end {0:#x} is above 4 GiB, which platform \"native\" cannot reach")]
    RegionTooHigh(u64),
    /// Two parts overlap.
    #[error(transparent)]
    Overlap(#[from] Overlap),
    /// Page tables cannot be made.
    #[error("page tables: {0}")]
    PageTables(#[from] page_tables::Error),
}

/// Places everything.
///
/// # Errors
///
/// See [`Error`]. [`Overlap`] and [`Error::PageTables`] cannot follow from
/// input that [`crate::elf`] accepted; they are checked all the same.
pub fn lay_out(inputs: &Inputs<'_>) -> Result<Layout, Error> {
    let mut region = Region::new(inputs)?;
    let guest = inputs.guest.as_ref().map(|payload| {
        guest::place(payload, inputs.max_vcpus, region.base..region.end, inputs.c_bit_mask)
    });
    let guest = guest.transpose()?;
    region.place(Purpose::BootBlock, "", PAGE_SIZE, Access::READ, Arc::default())?;
    place_kernel(&mut region, inputs.kernel)?;
    region.guard_page()?;
    let stack_size = u64::from(inputs.stack_pages) * PAGE_SIZE;
    region.place(Purpose::BootStack, "", stack_size, READ_WRITE, Arc::default())?;
    let stack_top = region.virtual_address(region.next);
    region.guard_page()?;
    let symbols: Arc<[u8]> = inputs.kernel.symbols.as_slice().into();
    let size = (symbols.len() as u64).next_multiple_of(PAGE_SIZE);
    region.place(Purpose::Symbols, "", size, Access::READ, symbols)?;
    for Filled { purpose, pages, access, content } in &inputs.filled {
        let size = u64::from(*pages) * PAGE_SIZE;
        region.place(*purpose, "", size, *access, Arc::clone(content))?;
    }
    if let Some(guest) = &guest {
        let content = guest.start.as_bytes().into();
        region.place(Purpose::GuestStart, "", PAGE_SIZE, Access::READ, content)?;
    }
    for (name, file) in &inputs.services {
        let size = (file.len() as u64).next_multiple_of(PAGE_SIZE);
        region.place(Purpose::Service, name, size, Access::READ, Arc::clone(file))?;
    }

    let pvh_entry = match inputs.platform {
        Platform::NATIVE => Some(region.pvh_entry(inputs.kernel)?),
        _ => None,
    };
    let page_table_root = region.next;
    place_page_tables(&mut region, inputs.c_bit_mask, pvh_entry)?;

    let start = Start {
        instruction: inputs.kernel.entry,
        stack: stack_top,
        rdi: VIRTUAL_BASE,
        page_table_root,
        c_bit_mask: inputs.c_bit_mask,
        ..Start::default()
    };
    let mut parts = region.parts;
    let mut required_memory = vec![(inputs.region_base, inputs.region_size)];
    if let Some(guest) = guest {
        parts.extend(guest.parts);
        required_memory.push(guest.required_memory);
    }
    sort(&mut parts)?;
    write_boot_block(inputs, &start, &mut parts)?;
    Ok(Layout { parts, required_memory, start, pvh_entry })
}

/// The region while it fills up.
struct Region {
    base: u64,
    end: u64,
    /// First address that nothing was placed at yet.
    next: u64,
    parts: Vec<Part>,
    guard_pages: Vec<u64>,
}

impl Region {
    fn new(inputs: &Inputs<'_>) -> Result<Self, Error> {
        let (base, size, mask) = (inputs.region_base, inputs.region_size, inputs.c_bit_mask);
        let end = base.checked_add(size).ok_or(Error::RegionWraps(base, size))?;
        if mask != 0 && end > mask {
            return Err(Error::RegionReachesCBit(end, mask));
        }
        Ok(Self { base, end, next: base, parts: Vec::new(), guard_pages: Vec::new() })
    }

    /// Places `size` bytes, a multiple of the page size, at the next address.
    /// Nothing is placed if `size` is 0.
    fn place(
        &mut self,
        purpose: Purpose,
        name: &str,
        size: u64,
        access: Access,
        content: Arc<[u8]>,
    ) -> Result<(), Error> {
        if size == 0 {
            return Ok(());
        }
        let what = || format!("{purpose} {name}").trim_end().to_owned();
        let gpa = self.take(size, what)?;
        self.parts.push(Part { purpose, name: name.to_owned(), gpa, size, access, content });
        Ok(())
    }

    /// Leaves one page unmapped.
    fn guard_page(&mut self) -> Result<(), Error> {
        let gpa = self.take(PAGE_SIZE, || "guard page of the boot stack".to_owned())?;
        self.guard_pages.push(gpa);
        Ok(())
    }

    fn take(&mut self, size: u64, what: impl Fn() -> String) -> Result<u64, Error> {
        let gpa = self.next;
        match gpa.checked_add(size) {
            Some(end) if end <= self.end => self.next = end,
            _ => {
                let (needed, region_end) = (size, self.end);
                return Err(Error::RegionFull { what: what(), gpa, needed, region_end });
            }
        }
        Ok(gpa)
    }

    fn virtual_address(&self, gpa: u64) -> u64 {
        VIRTUAL_BASE + (gpa - self.base)
    }

    /// Physical address of the PVH entry.
    fn pvh_entry(&self, kernel: &KernelElf) -> Result<u64, Error> {
        let address = kernel.pvh_entry.ok_or(Error::NoPvhEntry)?;
        if self.end > 1 << 32 {
            return Err(Error::RegionTooHigh(self.end));
        }
        // It lies inside a segment, which lies inside the region.
        Ok(self.base + (address - VIRTUAL_BASE))
    }

    /// What lies between parts and guard pages: start and size of each range.
    fn free_ranges(&self) -> Vec<(u64, u64)> {
        let parts = self.parts.iter().map(|part| (part.gpa, part.size));
        let guards = self.guard_pages.iter().map(|gpa| (*gpa, PAGE_SIZE));
        let mut used: Vec<_> = parts.chain(guards).chain([(self.end, 0)]).collect();
        used.sort_unstable();
        let mut free_from = self.base;
        let mut free = Vec::new();
        for (gpa, size) in used {
            if gpa > free_from {
                free.push((free_from, gpa - free_from));
            }
            free_from = gpa + size;
        }
        free
    }
}

/// Segments lie where they are linked, the first one at least one page above
/// the region's base ([`crate::elf`] checks that), sorted by address.
fn place_kernel(region: &mut Region, kernel: &KernelElf) -> Result<(), Error> {
    for segment in &kernel.segments {
        let offset = segment.address - VIRTUAL_BASE;
        let end = offset + segment.memory_size;
        let size = region.end - region.base;
        if end > size {
            let (name, address) = (segment.name(), segment.address);
            return Err(Error::SegmentOutsideRegion { name, address, end, size });
        }
        region.next = region.base + offset;
        let content = segment.content.clone().into();
        let (name, size) = (segment.name(), segment.memory_size);
        region.place(Purpose::Kernel, name, size, segment.access, content)?;
    }
    Ok(())
}

/// Page tables map themselves, so their size depends on where they end. It can
/// only grow from round to round, and is bounded by what a region of 1 GiB
/// takes in 4 KiB pages: the loop ends.
fn place_page_tables(
    region: &mut Region,
    c_bit_mask: u64,
    pvh_entry: Option<u64>,
) -> Result<(), Error> {
    let root = region.next;
    let mut pages = 1;
    loop {
        let size = pages * PAGE_SIZE;
        region.place(Purpose::PageTables, "", size, READ_WRITE, Arc::default())?;
        let tables = map_region(region, c_bit_mask, pvh_entry)?;
        let Some(part) = region.parts.last_mut() else { unreachable!("a part was just placed") };
        if tables.page_count() == pages {
            part.content = tables.to_bytes(root)?.into();
            return Ok(());
        }
        pages = tables.page_count();
        region.parts.pop();
        region.next = root;
    }
}

fn map_region(
    region: &Region,
    c_bit_mask: u64,
    pvh_entry: Option<u64>,
) -> Result<PageTables, Error> {
    let mut tables = PageTables::new(c_bit_mask);
    let linear = |gpa, size, access, leaves| Mapping {
        virtual_address: region.virtual_address(gpa),
        gpa,
        size,
        access,
        leaves,
    };
    for part in &region.parts {
        tables.map(&linear(part.gpa, part.size, part.access, Leaves::Small))?;
    }
    for (gpa, size) in region.free_ranges() {
        tables.map(&linear(gpa, size, READ_WRITE, Leaves::LargeWhereAligned))?;
    }
    if let Some(entry) = pvh_entry {
        // Paging is switched on while this page executes.
        let page = entry - entry % PAGE_SIZE;
        tables.map(&Mapping {
            virtual_address: page,
            gpa: page,
            size: PAGE_SIZE,
            access: READ_EXECUTE,
            leaves: Leaves::Small,
        })?;
    }
    Ok(tables)
}

/// Fills the boot block, which is the first part, now that all are known.
fn write_boot_block(inputs: &Inputs<'_>, start: &Start, parts: &mut [Part]) -> Result<(), Error> {
    let described: Vec<abi_boot::Part> = parts.iter().filter_map(describe).collect();
    if described.len() > MAX_PARTS {
        return Err(Error::TooManyParts(described.len()));
    }
    let mut header = Header::new(inputs.platform, described.len() as u32);
    header.region_base = inputs.region_base;
    header.region_size = inputs.region_size;
    header.page_table_root = start.page_table_root;
    header.stack_top = start.stack;
    header.c_bit_mask = inputs.c_bit_mask;
    header.max_vcpus = inputs.max_vcpus;
    header.console = inputs.console;
    let content = [header.as_bytes(), described.as_bytes()].concat();
    for part in parts.iter_mut().filter(|part| part.purpose == Purpose::BootBlock) {
        part.content = content.as_slice().into();
    }
    Ok(())
}

/// A part as the boot block tells of it.
fn describe(part: &Part) -> Option<abi_boot::Part> {
    let kind = part.purpose.boot_block_kind()?;
    // What others fill has content all over, whatever the image says of it;
    // so has the page that this description goes to.
    let content_size = match part.purpose {
        Purpose::BootBlock
        | Purpose::Secrets
        | Purpose::Cpuid
        | Purpose::MemoryMap
        | Purpose::VpCount
        | Purpose::Madt
        | Purpose::DeviceTree => part.size,
        _ => part.content.len() as u64,
    };
    let described = abi_boot::Part::new(kind, part.gpa, part.size, part.access, &part.name);
    Some(abi_boot::Part { content_size, ..described })
}

#[cfg(test)]
mod tests;
