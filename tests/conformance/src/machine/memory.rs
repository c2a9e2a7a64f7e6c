//! Memory to experiment with, mapped as each experiment wants it.
//!
//! Behind the last part that the image has in the guest's region lies memory
//! that neither Rust nor the loader knows: its pages are handed out one after
//! the other and never taken back. Each can be mapped any number of times, in a
//! window of the address space that nothing else uses.

use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};

use abi_boot::VIRTUAL_BASE;
use abi_snp::PageSize;
use abi_x86::{EntryFlags, Level, PageTableEntry, SIZE_2M, SIZE_4K, TABLE_ENTRIES};

/// A page table.
#[repr(C, align(4096))]
struct Table([AtomicU64; TABLE_ENTRIES]);

impl Table {
    const fn empty() -> Self {
        Self([const { AtomicU64::new(0) }; TABLE_ENTRIES])
    }

    fn address(&'static self) -> u64 {
        (&raw const self.0).expose_provenance() as u64
    }
}

/// Start of the window.
const WINDOW: u64 = 2 << 39;
/// Page tables for small pages, each for 2 MiB of the window.
const SMALL_TABLES: usize = 4;

static POINTERS: Table = Table::empty();
static DIRECTORY: Table = Table::empty();
static SMALL: [Table; SMALL_TABLES] = [const { Table::empty() }; SMALL_TABLES];

/// Whether a mapping has the C-bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// With the C-bit: private memory.
    Private,
    /// Without: shared with the host.
    Shared,
}

/// What a mapping allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// Supervisor mode reads and writes.
    ReadWrite,
    /// Supervisor mode executes.
    Execute,
    /// User mode reads and writes.
    UserReadWrite,
    /// User mode executes.
    UserExecute,
}

/// A page of the memory to experiment with, mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    gpa: u64,
    address: u64,
    size: PageSize,
}

/// Where the program lies, in guest physical addresses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    /// What is mapped at [`VIRTUAL_BASE`].
    pub(super) base: u64,
    /// Where the image ends.
    pub(super) used: u64,
    /// Where the memory ends that is behind it.
    pub(super) end: u64,
}

/// The memory to experiment with, and the window.
pub(crate) struct Memory {
    c_bit_mask: u64,
    region_base: u64,
    /// The first page that is not handed out yet, and the end.
    next: u64,
    end: u64,
    /// Slots of the window that are in use.
    small: usize,
    large: usize,
}

impl Memory {
    /// What the image leaves free, with an empty window. `root` is the linear
    /// address of the top-level page table.
    ///
    /// # Safety
    ///
    /// Called once. The image lies as `extent` says, and nobody else uses what
    /// is behind it. At `root` is the top-level page table, mapped and writable;
    /// only this writes to it, and it has nothing in the window.
    pub(super) unsafe fn new(extent: Extent, c_bit_mask: u64, root: u64) -> Self {
        let memory = Self {
            c_bit_mask,
            region_base: extent.base,
            next: extent.used.next_multiple_of(SIZE_2M),
            end: extent.end,
            small: 0,
            large: 0,
        };
        // SAFETY: as the caller promises; the processor only reads it.
        let root: &'static Table = unsafe { &*core::ptr::with_exposed_provenance(root as usize) };
        memory.link(root, Level::Pml4, &POINTERS);
        memory.link(&POINTERS, Level::PageDirectoryPointer, &DIRECTORY);
        for (index, table) in SMALL.iter().enumerate() {
            memory.set(&DIRECTORY, index, memory.pointer(table));
        }
        memory
    }

    fn link(&self, table: &'static Table, level: Level, below: &'static Table) {
        self.set(table, level.index(WINDOW), self.pointer(below));
    }

    fn set(&self, table: &'static Table, index: usize, entry: PageTableEntry) {
        table.0[index].store(entry.bits(), Ordering::SeqCst);
    }

    /// An entry that names `table`, for user mode too.
    fn pointer(&self, table: &'static Table) -> PageTableEntry {
        let flags =
            EntryFlags::PRESENT | EntryFlags::WRITABLE | EntryFlags::USER | EntryFlags::ACCESSED;
        let address = self.own_gpa(table.address());
        PageTableEntry::page(address, flags, self.c_bit_mask).expect("tables are aligned")
    }

    /// Guest physical address of something in the region.
    pub(super) fn own_gpa(&self, address: u64) -> u64 {
        address - VIRTUAL_BASE + self.region_base
    }

    /// Guest physical addresses of the program itself, which nobody else may
    /// touch.
    pub(crate) fn own(&self) -> Range<u64> {
        self.region_base..self.end
    }

    /// Mask of the C-bit.
    pub(crate) fn c_bit_mask(&self) -> u64 {
        self.c_bit_mask
    }

    /// Hands a page out that was never used, mapped for supervisor mode.
    ///
    /// # Panics
    ///
    /// If there is none left.
    pub(crate) fn take(&mut self, size: PageSize, view: View) -> Page {
        let gpa = self.next.next_multiple_of(size.bytes());
        self.next = gpa + size.bytes();
        assert!(self.next <= self.end, "the image's region is too small for all checks");
        self.map(gpa, size, view, Allowed::ReadWrite)
    }

    /// Maps a page that was handed out once more.
    pub(crate) fn map_again(&mut self, page: Page, view: View, allowed: Allowed) -> Page {
        self.map(page.gpa, page.size, view, allowed)
    }

    /// Maps one 4 KiB page of a page of 2 MiB.
    ///
    /// # Panics
    ///
    /// If it has no such part.
    pub(crate) fn map_part(&mut self, page: Page, index: u64, view: View) -> Page {
        let offset = index * SIZE_4K;
        assert!(offset < page.size.bytes(), "page has no part {index}");
        self.map(page.gpa + offset, PageSize::Size4K, view, Allowed::ReadWrite)
    }

    /// Maps a guest physical address where there is no memory of this guest's.
    ///
    /// # Panics
    ///
    /// If it is in the region.
    pub(crate) fn map_outside(&mut self, gpa: u64, view: View) -> Page {
        assert!(!(self.region_base..self.end).contains(&gpa), "{gpa:#x} is in the region");
        self.map(gpa, PageSize::Size4K, view, Allowed::ReadWrite)
    }

    /// A page that is mapped nowhere: its linear address leads to no page.
    pub(crate) fn unmapped(&mut self) -> Page {
        let slot = self.small;
        self.small += 1;
        assert!(slot < SMALL_TABLES * TABLE_ENTRIES, "the window has 2048 slots");
        let address = WINDOW + slot as u64 * SIZE_4K;
        Page { gpa: 0, address, size: PageSize::Size4K }
    }

    pub(super) fn map(&mut self, gpa: u64, size: PageSize, view: View, allowed: Allowed) -> Page {
        let mut flags = EntryFlags::PRESENT | EntryFlags::ACCESSED | EntryFlags::DIRTY;
        flags |= match allowed {
            Allowed::ReadWrite => EntryFlags::WRITABLE | EntryFlags::NO_EXECUTE,
            Allowed::Execute => EntryFlags::empty(),
            Allowed::UserReadWrite => {
                EntryFlags::WRITABLE | EntryFlags::NO_EXECUTE | EntryFlags::USER
            }
            Allowed::UserExecute => EntryFlags::USER,
        };
        let c_bit_mask = match view {
            View::Private => self.c_bit_mask,
            View::Shared => 0,
        };
        let (table, index, address) = match size {
            PageSize::Size4K => {
                let slot = self.small;
                self.small += 1;
                let table = SMALL.get(slot / TABLE_ENTRIES).expect("the window has 2048 slots");
                (table, slot % TABLE_ENTRIES, WINDOW + slot as u64 * SIZE_4K)
            }
            PageSize::Size2M => {
                flags |= EntryFlags::HUGE;
                let index = SMALL_TABLES + self.large;
                self.large += 1;
                assert!(index < TABLE_ENTRIES, "the window has 508 large slots");
                (&DIRECTORY, index, WINDOW + index as u64 * SIZE_2M)
            }
        };
        let entry = PageTableEntry::page(gpa, flags, c_bit_mask).expect("pages are aligned");
        // The slot was never present before, so no translation is cached.
        self.set(table, index, entry);
        Page { gpa, address, size }
    }
}

impl Page {
    /// Guest physical address of its first byte, without C-bit.
    pub(crate) fn gpa(self) -> u64 {
        self.gpa
    }

    /// Linear address of its first byte.
    pub(crate) fn address(self) -> u64 {
        self.address
    }

    /// How large it is.
    pub(crate) fn size(self) -> PageSize {
        self.size
    }

    /// Reads 8 bytes.
    ///
    /// # Panics
    ///
    /// If they are not 8-byte aligned inside the page. Ends the guest if the
    /// page cannot be read.
    pub(crate) fn read(self, offset: usize) -> u64 {
        // SAFETY: INV-CF-PAGE-1: the address is in the window, which maps only
        // memory that Rust does not use otherwise. An access that faults ends
        // the guest.
        unsafe { self.pointer(offset).read_volatile() }
    }

    /// Writes 8 bytes.
    ///
    /// # Panics
    ///
    /// As [`Self::read`].
    pub(crate) fn write(self, offset: usize, value: u64) {
        // SAFETY: as in `read`.
        unsafe { self.pointer(offset).write_volatile(value) };
    }

    fn pointer(self, offset: usize) -> *mut u64 {
        let inside = offset.is_multiple_of(8) && offset as u64 + 8 <= self.size.bytes();
        assert!(inside, "offset {offset:#x} is not in a {} page", self.size);
        core::ptr::with_exposed_provenance_mut(self.address as usize + offset)
    }

    /// Copies whole words to it.
    pub(crate) fn store(self, offset: usize, bytes: &[u8]) {
        for (index, word) in bytes.as_chunks().0.iter().enumerate() {
            self.write(offset + index * 8, u64::from_le_bytes(*word));
        }
    }

    /// Copies whole words from it.
    pub(crate) fn load(self, offset: usize, bytes: &mut [u8]) {
        for (index, word) in bytes.as_chunks_mut().0.iter_mut().enumerate() {
            *word = self.read(offset + index * 8).to_le_bytes();
        }
    }
}

/// A 4 KiB page for code that cannot be handed one: none at first.
pub(crate) struct Published {
    gpa: AtomicU64,
    address: AtomicU64,
}

impl Published {
    /// Without a page.
    pub(crate) const fn none() -> Self {
        Self { gpa: AtomicU64::new(0), address: AtomicU64::new(0) }
    }

    /// Sets the page, once.
    ///
    /// # Panics
    ///
    /// If the page is not of 4 KiB.
    pub(crate) fn set(&self, page: Page) {
        assert!(page.size == PageSize::Size4K, "small pages are published");
        self.gpa.store(page.gpa, Ordering::Release);
        self.address.store(page.address, Ordering::Release);
    }

    /// The page, if it was set.
    pub(crate) fn get(&self) -> Option<Page> {
        let address = self.address.load(Ordering::Acquire);
        let gpa = self.gpa.load(Ordering::Acquire);
        (address != 0).then_some(Page { gpa, address, size: PageSize::Size4K })
    }
}
