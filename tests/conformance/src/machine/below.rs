//! From the entry of a guest of the module's to where the program is linked.
//!
//! The guest is entered as Linux is [Linux Documentation/arch/x86/boot.rst, "64-bit
//! Boot Protocol"]: where its image lies, with page tables that map memory where
//! it is, and without a stack. The program is linked to other addresses, so it
//! adds a mapping for these to the page tables that it finds, of 2 MiB pages,
//! and jumps there. Mappings of where memory is stay.

use core::arch::naked_asm;
use core::sync::atomic::AtomicU64;

use abi_boot::VIRTUAL_BASE;
use abi_x86::{EntryFlags, Level, SIZE_2M, TABLE_ENTRIES};

/// How much memory the image takes from its first byte on, itself and what is
/// behind it to experiment with. The file that it is wrapped into says so, too.
pub(super) const SIZE: u64 = 32 << 20;

/// Where the program lies as a guest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whereabouts {
    /// Guest physical address of [`VIRTUAL_BASE`].
    pub(super) physical: u64,
    /// What marks private pages.
    pub(super) c_bit_mask: u64,
    /// The top-level page table, where it is.
    pub(super) root: u64,
}

unsafe extern "C" {
    /// What is behind the image. Only its address means anything.
    static conformance_end: [u8; 0];
}

/// Bytes from the first address that the program is linked to to its end.
pub(super) fn image_size() -> u64 {
    (&raw const conformance_end).addr() as u64 - VIRTUAL_BASE
}

/// A page table, which only [`enter`] and the processor use.
#[repr(C, align(4096))]
struct Table([AtomicU64; TABLE_ENTRIES]);

static POINTERS: Table = Table([const { AtomicU64::new(0) }; TABLE_ENTRIES]);
static DIRECTORY: Table = Table([const { AtomicU64::new(0) }; TABLE_ENTRIES]);

/// Bytes of the stack that the first context goes on with.
const STACK_SIZE: usize = 64 << 10;

/// That stack, which nothing else uses.
#[repr(C, align(16))]
struct Stack([AtomicU64; STACK_SIZE / 8]);

static STACK: Stack = Stack([const { AtomicU64::new(0) }; STACK_SIZE / 8]);

/// Flags of an entry that names a table.
const TABLE_FLAGS: u64 = EntryFlags::PRESENT.union(EntryFlags::WRITABLE).bits();
/// Flags of an entry that maps 2 MiB.
const PAGE_FLAGS: u64 = TABLE_FLAGS | EntryFlags::HUGE.bits();

/// The entry of a guest. RSI is `struct boot_params`, R10 the address, as linked,
/// of the function to go on with: it gets `struct boot_params`, where
/// [`VIRTUAL_BASE`] lies, the C-bit and the top-level page table.
///
/// # Safety
///
/// INV-CF-BELOW-1: the state is that of Linux's 64-bit boot protocol; the image
/// lies at a multiple of 2 MiB and nobody else uses its [`SIZE`] bytes; the
/// page tables are in the first 4 GiB, map at least what lies below 1 GiB where
/// it is, private, with all access, and nothing in the upper half. Only the
/// module comes here, once.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn enter() -> ! {
    naked_asm!(
        "cld",
        // R11: the top-level table. R8: the C-bit, from the upper half of its
        // first entry, where nothing else is.
        "mov r11, cr3",
        "mov eax, 0xfffff000",
        "and r11, rax",
        "mov r8d, [r11 + 4]",
        "shl r8, 32",
        // R9: where the first address lies that the program is linked to.
        "lea r9, [rip + {here}]",
        "movabs rax, offset {here}",
        "sub r9, rax",
        "mov rax, {virtual_base}",
        "add r9, rax",
        // The tables.
        "lea rbx, [rip + {pointers}]",
        "lea rcx, [rbx + r8 + {table_flags}]",
        "mov [r11 + 8 * {root_index}], rcx",
        "lea rdx, [rip + {directory}]",
        "lea rcx, [rdx + r8 + {table_flags}]",
        "mov [rbx + 8 * {pointer_index}], rcx",
        "lea rcx, [r9 + r8 + {page_flags}]",
        "add rdx, 8 * {directory_index}",
        "mov edi, {pages}",
        "3:",
        "mov [rdx], rcx",
        "add rcx, {page_size}",
        "add rdx, 8",
        "dec edi",
        "jnz 3b",
        "movabs rax, offset {linked}",
        "jmp rax",
        here = sym enter,
        virtual_base = const VIRTUAL_BASE,
        pointers = sym POINTERS,
        directory = sym DIRECTORY,
        table_flags = const TABLE_FLAGS,
        page_flags = const PAGE_FLAGS,
        root_index = const Level::Pml4.index(VIRTUAL_BASE),
        pointer_index = const Level::PageDirectoryPointer.index(VIRTUAL_BASE),
        directory_index = const Level::PageDirectory.index(VIRTUAL_BASE),
        pages = const SIZE / SIZE_2M,
        page_size = const SIZE_2M,
        linked = sym enter_linked,
    )
}

/// The same where the program is linked. RSI is `struct boot_params`, R8 the
/// C-bit, R9 where [`VIRTUAL_BASE`] lies, R10 the function to go on with, R11 the
/// top-level page table.
///
/// # Safety
///
/// INV-CF-BELOW-1. Only [`enter`] comes here.
#[unsafe(naked)]
unsafe extern "C" fn enter_linked() -> ! {
    naked_asm!(
        "lea rsp, [rip + {stack} + {stack_size}]",
        "mov rdi, rsi",
        "mov rsi, r9",
        "mov rdx, r8",
        "mov rcx, r11",
        "call r10",
        "ud2",
        stack = sym STACK,
        stack_size = const STACK_SIZE,
    )
}
