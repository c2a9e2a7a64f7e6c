//! 32-bit entry of a plain virtual machine, by the PVH boot convention.
//!
//! The loader jumps here in protected mode without paging, with the physical
//! address of its start information in EBX [Xen docs/misc/pvh.pandoc]. All of
//! this code and its data lie in one page, which the builder maps at its
//! physical address too, readable and executable: so the code survives the
//! moment when paging comes on. [`abi_boot::NOTE_PVH_ENTRY`] tells the rest.
//!
//! It knows no address but its own, and finds that by a call. The convention
//! gives no stack, so the call borrows the first word of the start information
//! and puts it back. (The convention leaves SS open; all known loaders make it
//! flat like DS, and other kernels rely on that as well.)
//!
//! Two places of the page are filled in while paging is off: the table pointer
//! and the far pointer need physical addresses, which are not known before.
//!
//! Other processors come to the same page, in protected mode without paging: from
//! the trampoline (`native/trampoline.rs`), which the first one tells where. They
//! go the same way and then take a place (`native/arrivals.rs`), with the stack
//! and the function to go on with.
//!
//! A processor that cannot run the kernel, or tables it could not reach, end in
//! a line on the first serial port and a reset, as `platform/native.rs` does it.

use core::arch::global_asm;

use abi_boot::{
    NOTE_OWNER, NOTE_PVH_ENTRY, PAGE_TABLE_ROOT_OFFSET, STACK_TOP_OFFSET, VIRTUAL_BASE,
};
use abi_x86::{Cr0, Cr4, Efer, Msr, Rflags};
use processor::{CODE, CODE_SELECTOR, DATA, DATA_SELECTOR};
use serial::{LINE_STATUS, MOST_STATUS_READS, TRANSMITTER_EMPTY};

use crate::native::{ARRIVALS, Arrivals, DATA_32_SELECTOR, PLACES};
use crate::port::COM1;

// The register values of the 64-bit entry; the processor sets EFER.LMA itself.
const CR0: u64 = Cr0::PG.union(Cr0::WP).union(Cr0::NE).union(Cr0::ET).union(Cr0::PE).bits();
const CR4: u64 = Cr4::PAE.bits();
const EFER: u64 = Efer::NXE.union(Efer::LME).bits();
const RFLAGS: u64 = Rflags::FIXED.bits();

/// CPUID leaf that reports both, in EDX.
const CPUID_FEATURES: u32 = 0x8000_0001;
const CPUID_LONG_MODE: u32 = 1 << 29;
const CPUID_NO_EXECUTE: u32 = 1 << 20;

// The note that leads the builder here: owner, type, and as descriptor the
// virtual address.
const _: () = assert!(matches!(NOTE_OWNER, b"SVSM"));
global_asm!(
    ".pushsection .note.svsm, \"a\", @note",
    ".balign 4",
    ".long 5, 8, {kind}",
    ".asciz \"SVSM\"",
    ".balign 4",
    ".quad svsm_pvh_start",
    ".popsection",
    kind = const NOTE_PVH_ENTRY,
);

// ESI holds the start information's address, which is not 0 because its first word
// is used, or 0 on other processors; EBP that of this page, EDI that of the
// region; in `refuse` ESI is the text. `label - page` is a constant, so
// `(label - page)(%ebp)` is the label's physical address. The linker script puts
// this section at the start of a page and checks that it fits into it.
global_asm!(
    ".pushsection .text.svsm_pvh, \"ax\", @progbits",
    ".code32",
    ".Lpage:",
    ".global svsm_pvh_start",
    "svsm_pvh_start:",
    "cld",
    "mov %ebx, %esi",
    //
    // Find the own address, and the region's from it.
    "mov (%esi), %eax",
    "lea 4(%esi), %esp",
    "call .Lhere",
    ".Lhere: pop %ebp",
    "mov %eax, (%esi)",
    "sub $(.Lhere - .Lpage), %ebp",
    "mov %ebp, %edi",
    "sub $(.Lpage - {virtual_base}), %edi",
    //
    // Check what cannot be reported any more once paging is on.
    "mov $0x80000000, %eax",
    "cpuid",
    "cmp ${cpuid_features}, %eax",
    "jb .Lno_long_mode",
    "mov ${cpuid_features}, %eax",
    "cpuid",
    "test ${cpuid_long_mode}, %edx",
    "jz .Lno_long_mode",
    "test ${cpuid_no_execute}, %edx",
    "jz .Lno_no_execute",
    "cmpl $0, ({page_table_root} + 4)(%edi)",
    "jne .Ltables_too_high",
    //
    // Fill the pointers in, load the descriptor table.
    "lea (.Ldescriptors - .Lpage)(%ebp), %eax",
    "mov %eax, (.Ltable_pointer + 2 - .Lpage)(%ebp)",
    "lgdt (.Ltable_pointer - .Lpage)(%ebp)",
    "lea (.Llong_mode - .Lpage)(%ebp), %eax",
    "mov %eax, (.Lfar_pointer - .Lpage)(%ebp)",
    //
    // Enter long mode.
    ".Lenter:",
    "mov ${cr4}, %eax",
    "mov %eax, %cr4",
    "mov {page_table_root}(%edi), %eax",
    "mov %eax, %cr3",
    "mov ${efer_msr}, %ecx",
    "mov ${efer}, %eax",
    "xor %edx, %edx",
    "wrmsr",
    "mov ${cr0}, %eax",
    "mov %eax, %cr0",
    "ljmp *(.Lfar_pointer - .Lpage)(%ebp)",
    //
    ".code64",
    ".Llong_mode:",
    "mov ${data_selector}, %eax",
    "mov %eax, %ds",
    "mov %eax, %es",
    "mov %eax, %ss",
    "xor %eax, %eax",
    "mov %eax, %fs",
    "mov %eax, %gs",
    "movabs ${arrivals}, %rdx",
    "test %esi, %esi",
    "jz .Ltake_place",
    //
    // The first processor: note where others come to, and go on.
    "lea (.Lprocessor - .Lpage)(%rbp), %eax",
    "mov %eax, {entry_address}(%rdx)",
    "mov ${virtual_base}, %rdi",
    "mov {stack_top}(%rdi), %rsp",
    "push ${rflags}",
    "popfq",
    "mov %esi, %esi", // clears the upper half
    "movabs $svsm_start, %rax",
    "jmp *%rax",
    //
    // Another processor: take the next place, unless all are taken.
    ".Ltake_place:",
    "mov $1, %eax",
    "lock xadd %eax, {count}(%rdx)",
    "cmp ${places}, %eax",
    "jae .Ltoo_late",
    "imul ${place_size}, %eax, %eax",
    "add %rax, %rdx",
    "mov {place_stack_top}(%rdx), %rsp",
    "test %rsp, %rsp",
    "jz .Ltoo_late",
    "push ${rflags}",
    "popfq",
    "mov {place_entry_argument}(%rdx), %rdi",
    "jmp *{place_entry}(%rdx)",
    ".Ltoo_late:",
    "cli",
    "hlt",
    "jmp .Ltoo_late",
    //
    // Where the trampoline leads.
    ".code32",
    ".Lprocessor:",
    "mov ${data_32_selector}, %eax",
    "mov %eax, %ds",
    "mov %eax, %es",
    "mov %eax, %ss",
    "mov %ebp, %edi",
    "sub $(.Lpage - {virtual_base}), %edi",
    "lgdt (.Ltable_pointer - .Lpage)(%ebp)",
    "xor %esi, %esi",
    "jmp .Lenter",
    //
    ".Lno_long_mode:",
    "lea (.Lno_long_mode_text - .Lpage)(%ebp), %esi",
    "jmp .Lrefuse",
    ".Lno_no_execute:",
    "lea (.Lno_no_execute_text - .Lpage)(%ebp), %esi",
    "jmp .Lrefuse",
    ".Ltables_too_high:",
    "lea (.Ltables_too_high_text - .Lpage)(%ebp), %esi",
    ".Lrefuse:",
    "lodsb",
    "test %al, %al",
    "jz .Lreset",
    "mov %al, %ah",
    "mov ${status_reads}, %ecx",
    "mov ${line_status_port}, %edx",
    ".Lwait: in (%dx), %al",
    "test ${transmitter_empty}, %al",
    "loopz .Lwait",
    "mov ${data_port}, %edx",
    "mov %ah, %al",
    "out %al, (%dx)",
    "jmp .Lrefuse",
    ".Lreset:",
    "lidt (.Lno_table - .Lpage)(%ebp)",
    "ud2",
    ".code64",
    //
    ".balign 8",
    ".Ldescriptors: .quad 0, {code}, {data}",
    ".Ltable_pointer: .short . - .Ldescriptors - 1",
    ".long 0",
    ".Lfar_pointer: .long 0",
    ".short {code_selector}",
    ".Lno_table: .short 0",
    ".long 0",
    ".Lno_long_mode_text: .asciz \"SVSM: this processor has no long mode\\r\\n\"",
    ".Lno_no_execute_text: .asciz \"SVSM: this processor has no no-execute bit\\r\\n\"",
    ".Ltables_too_high_text: .asciz \"SVSM: page tables lie above 4 GiB\\r\\n\"",
    ".popsection",
    virtual_base = const VIRTUAL_BASE,
    page_table_root = const PAGE_TABLE_ROOT_OFFSET,
    stack_top = const STACK_TOP_OFFSET,
    cpuid_features = const CPUID_FEATURES,
    cpuid_long_mode = const CPUID_LONG_MODE,
    cpuid_no_execute = const CPUID_NO_EXECUTE,
    cr0 = const CR0,
    cr4 = const CR4,
    efer_msr = const Msr::EFER.0,
    efer = const EFER,
    rflags = const RFLAGS,
    arrivals = sym ARRIVALS,
    entry_address = const Arrivals::ENTRY_ADDRESS_OFFSET,
    count = const Arrivals::COUNT_OFFSET,
    places = const PLACES,
    place_size = const Arrivals::PLACE_SIZE,
    place_stack_top = const Arrivals::STACK_TOP_OFFSET,
    place_entry = const Arrivals::ENTRY_OFFSET,
    place_entry_argument = const Arrivals::ENTRY_ARGUMENT_OFFSET,
    data_32_selector = const DATA_32_SELECTOR,
    code = const CODE.bits(),
    code_selector = const CODE_SELECTOR.0,
    data = const DATA.bits(),
    data_selector = const DATA_SELECTOR.0,
    data_port = const COM1,
    line_status_port = const COM1 + LINE_STATUS as u16,
    transmitter_empty = const TRANSMITTER_EMPTY,
    status_reads = const MOST_STATUS_READS,
    options(att_syntax),
);
