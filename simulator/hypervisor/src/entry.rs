//! The first instructions: from the PVH entry to Rust.
//!
//! The loader jumps to `simulator_pvh_start` in protected mode without paging,
//! with the physical address of its start information in EBX
//! [Xen docs/misc/pvh.pandoc]. This program lies where it was linked, so that
//! all addresses are known: its page tables are finished when it is assembled.
//! They map the first 512 GiB of physical memory (`identity_map.rs`) where it
//! is, in pages of 1 GiB, writable and executable, with five levels: nested page
//! tables have as many levels as the hypervisor's own [APM 24593 §15.25.3], and
//! only five of them reach the C-bits 48 to 51.
//!
//! A processor that lacks what this needs ends in a line on the first serial
//! port and a halt.

use core::arch::{global_asm, naked_asm};

use abi_x86::{Cr0, Cr4, Efer, EntryFlags, Msr, SIZE_1G};
use processor::{CODE, CODE_SELECTOR, DATA, DATA_SELECTOR};
use serial::{LINE_STATUS, MOST_STATUS_READS, TRANSMITTER_EMPTY};

use crate::identity_map::MAPPED_END;
use crate::port::COM1;
use crate::start::{BOOT_PROCESSOR, start};

/// Bytes of the stack that everything but a few exceptions runs on.
const STACK_SIZE: usize = 64 << 10;

/// `XEN_ELFNOTE_PHYS32_ENTRY` [Xen xen/include/public/elfnote.h].
const PHYS32_ENTRY: u32 = 18;

const CR0: u64 = Cr0::PG.union(Cr0::WP).union(Cr0::NE).union(Cr0::ET).union(Cr0::PE).bits();
const CR4: u64 = Cr4::PAE.union(Cr4::LA57).bits();
const EFER: u64 = Efer::NXE.union(Efer::LME).bits();

const TABLE: u64 =
    EntryFlags::PRESENT.union(EntryFlags::WRITABLE).union(EntryFlags::ACCESSED).bits();
const PAGE: u64 = TABLE | EntryFlags::HUGE.union(EntryFlags::DIRTY).bits();

/// CPUID 8000_0001, EDX: long mode, pages of 1 GiB, no-execute bit.
const CPUID_LONG_MODE: u32 = 1 << 29 | 1 << 26 | 1 << 20;
/// CPUID 7, ECX: five page-table levels.
const CPUID_LA57: u32 = 1 << 16;

// The note that leads loaders here. QEMU reads a descriptor of 8 bytes.
global_asm!(
    ".pushsection .note.Xen, \"a\", @note",
    ".balign 4",
    ".long 4, 8, {kind}",
    ".asciz \"Xen\"",
    ".quad simulator_pvh_start",
    ".popsection",
    //
    ".pushsection .data.simulator_page_tables, \"aw\", @progbits",
    ".balign 4096",
    ".Ltop: .quad .Llevel4 + {table}",
    ".fill 511, 8, 0",
    ".Llevel4: .quad .Llevel3 + {table}",
    ".fill 511, 8, 0",
    ".Llevel3:",
    ".set address, 0",
    ".rept {mapped_end} / {page_size}",
    ".quad address + {page}",
    ".set address, address + {page_size}",
    ".endr",
    ".popsection",
    //
    ".pushsection .bss.simulator_stack, \"aw\", @nobits",
    ".balign 16",
    ".skip {stack_size}",
    ".Lstack_top:",
    ".popsection",
    //
    ".pushsection .text.simulator_pvh, \"ax\", @progbits",
    ".code32",
    ".global simulator_pvh_start",
    "simulator_pvh_start:",
    "cld",
    "cli",
    "mov %ebx, %edi", // CPUID changes EBX
    //
    // Check what the tables below need.
    "lea .Lno_long_mode, %esi",
    "mov $0x80000000, %eax",
    "cpuid",
    "cmp $0x80000001, %eax",
    "jb .Lrefuse",
    "mov $0x80000001, %eax",
    "cpuid",
    "and ${long_mode}, %edx",
    "cmp ${long_mode}, %edx",
    "jne .Lrefuse",
    "lea .Lno_la57, %esi",
    "xor %eax, %eax",
    "cpuid",
    "cmp $7, %eax",
    "jb .Lrefuse",
    "mov $7, %eax",
    "xor %ecx, %ecx",
    "cpuid",
    "test ${la57}, %ecx",
    "jz .Lrefuse",
    //
    // Enter long mode.
    "lgdt .Ltable_pointer",
    "mov ${cr4}, %eax",
    "mov %eax, %cr4",
    "lea .Ltop, %eax",
    "mov %eax, %cr3",
    "mov ${efer_msr}, %ecx",
    "mov ${efer}, %eax",
    "xor %edx, %edx",
    "wrmsr",
    "mov ${cr0}, %eax",
    "mov %eax, %cr0",
    "ljmp ${code_selector}, $.Llong_mode",
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
    "lea .Lstack_top(%rip), %rsp",
    "push $2",
    "popfq",
    "mov %edi, %edi", // clears the upper half
    "jmp {start}",
    //
    // Tell the text at ESI, byte by byte as the UART takes them, and halt.
    ".code32",
    ".Lrefuse:",
    "lodsb",
    "test %al, %al",
    "jz .Lhalt",
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
    ".Lhalt: hlt",
    "jmp .Lhalt",
    ".code64",
    //
    ".balign 8",
    ".Ldescriptors: .quad 0, {code}, {data}",
    ".Ltable_pointer: .short . - .Ldescriptors - 1",
    ".long .Ldescriptors",
    ".Lno_long_mode: .asciz \"simulator: this processor lacks long mode, 1 GiB pages or \
     no-execute: use -cpu max,phys-bits=52\\r\\n\"",
    ".Lno_la57: .asciz \"simulator: this processor lacks five page-table levels (LA57): \
     use -cpu max,phys-bits=52\\r\\n\"",
    ".popsection",
    kind = const PHYS32_ENTRY,
    table = const TABLE,
    page = const PAGE,
    page_size = const SIZE_1G,
    mapped_end = const MAPPED_END,
    stack_size = const STACK_SIZE,
    long_mode = const CPUID_LONG_MODE,
    la57 = const CPUID_LA57,
    cr0 = const CR0,
    cr4 = const CR4,
    efer_msr = const Msr::EFER.0,
    efer = const EFER,
    code = const CODE.bits(),
    code_selector = const CODE_SELECTOR.0,
    data = const DATA.bits(),
    data_selector = const DATA_SELECTOR.0,
    data_port = const COM1,
    line_status_port = const COM1 + LINE_STATUS as u16,
    transmitter_empty = const TRANSMITTER_EMPTY,
    status_reads = const MOST_STATUS_READS,
    start = sym enter_rust,
    options(att_syntax),
);

/// Calls [`start`] with the boot processor's tables and the address of the
/// start information, which is in RDI.
///
/// # Safety
///
/// INV-HV-ENTRY-1: reached once, from the code above.
#[unsafe(naked)]
unsafe extern "C" fn enter_rust() -> ! {
    naked_asm!(
        "mov rsi, rdi",
        "lea rdi, [rip + {boot_processor}]",
        "call {start}",
        "ud2",
        boot_processor = sym BOOT_PROCESSOR,
        start = sym start,
    )
}
