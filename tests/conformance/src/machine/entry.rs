//! The first instructions, and the functions that the program goes on with.
//!
//! The program is entered in one of two ways, and tells them apart by where it
//! finds itself: at the address that it is linked to, it is the module of its
//! image (`abi/boot`); at another one, it is the guest of a module, entered as
//! Linux is (`below.rs`).

use core::arch::{asm, naked_asm};

use abi_boot::{BootBlock, PAGE_SIZE};
use abi_x86::{Msr, SegmentSelector};

use super::boot_parameters::BootParameters;
use super::context::CONTEXTS;
use super::guest::Guest;
use super::segments::{CODE_SELECTOR, DATA_SELECTOR, TASK_STATE_SELECTOR};
use super::{below, heap, trap};

type PageBytes = [u8; PAGE_SIZE as usize];

unsafe extern "Rust" {
    /// The program's main function, under the name and with the signature that
    /// `entry!` gives it.
    safe fn conformance_main(guest: Guest) -> !;
}

/// Names the function that the program goes on with: `entry!(main);` with
/// `fn main(guest: Guest) -> !`. A second use does not link.
macro_rules! entry {
    ($main:path) => {
        const _: () = {
            // SAFETY: `machine` alone calls this name, with this signature.
            #[unsafe(no_mangle)]
            fn conformance_main(guest: $crate::machine::Guest) -> ! {
                $main(guest)
            }
        };
    };
}
pub(crate) use entry;

/// The 64-bit entry. At the address that it is linked to, in the state that
/// `abi/boot` describes: RDI is the boot block, the stack is empty and aligned.
/// Elsewhere, in the state of Linux's 64-bit boot protocol.
///
/// # Safety
///
/// INV-BOOT-1 and INV-BOOT-2 hold, or INV-CF-BELOW-1. Only the platform or the
/// module comes here, once.
#[unsafe(naked)]
// SAFETY: nothing else has this name; the linker script names it as the entry.
#[unsafe(no_mangle)]
unsafe extern "C" fn conformance_start() -> ! {
    naked_asm!(
        // Linked addresses are in the upper half.
        "lea rax, [rip]",
        "test rax, rax",
        "js 2f",
        "movabs r10, offset {start_below}",
        "jmp {below}",
        "2:",
        "call {start}",
        "ud2",
        start_below = sym start_below,
        below = sym below::enter,
        start = sym start,
    )
}

/// # Safety
///
/// As [`conformance_start`].
unsafe extern "C" fn start(block: *const PageBytes) -> ! {
    load_tables();
    heap::prepare();
    // SAFETY: INV-BOOT-1: the boot block is a mapped page that nobody writes.
    let block: &'static PageBytes = unsafe { &*block };
    match BootBlock::parse(block) {
        // SAFETY: this runs once, and the block has been checked.
        Ok(block) => conformance_main(unsafe { Guest::new(block) }),
        Err(error) => panic!("{error}"),
    }
}

/// Goes on as the guest of a module, on the stack of `below.rs`. `physical` is
/// where [`abi_boot::VIRTUAL_BASE`] lies, and `c_bit_mask` what marks private
/// pages.
///
/// # Safety
///
/// INV-CF-BELOW-1. Only `below.rs` comes here, once.
unsafe extern "C" fn start_below(
    parameters: *const PageBytes,
    physical: u64,
    c_bit_mask: u64,
    root: u64,
) -> ! {
    load_tables();
    heap::prepare();
    // SAFETY: INV-CF-BELOW-1: the parameters are complete, and this runs once.
    let parameters = unsafe { BootParameters::read(parameters.cast()) };
    let whereabouts = below::Whereabouts { physical, c_bit_mask, root };
    // SAFETY: this runs once, after what is on the way here.
    conformance_main(unsafe { Guest::below(whereabouts, parameters) })
}

/// Loads segments, interrupt table and GS for the first context.
fn load_tables() {
    let context = &CONTEXTS[0];
    let this = context.prepare();
    // SAFETY: INV-CF-CONTEXT-2: nothing runs in the first context yet but this.
    let gdt = unsafe { (*context.segments.get()).prepare() };
    let idt = trap::prepare();
    // SAFETY: the tables live for ever; segments are flat as before, so no
    // address changes its meaning; the far return goes to label 2; GS is used
    // by nothing but `trial.rs` and `trap.rs`.
    unsafe {
        asm!(
            "lgdt [{gdt}]",
            "lidt [{idt}]",
            "push {code}",
            "lea {scratch}, [rip + 2f]",
            "push {scratch}",
            "retfq",
            "2:",
            "mov ds, {data:x}",
            "mov es, {data:x}",
            "mov ss, {data:x}",
            "mov fs, {null:x}",
            "mov gs, {null:x}",
            "ltr {task_state:x}",
            "wrmsr",
            gdt = in(reg) &raw const gdt,
            idt = in(reg) &raw const idt,
            code = const CODE_SELECTOR.0,
            scratch = out(reg) _,
            data = in(reg) DATA_SELECTOR.0,
            null = in(reg) SegmentSelector::NULL.0,
            task_state = in(reg) TASK_STATE_SELECTOR.0,
            in("ecx") Msr::GS_BASE.0,
            in("eax") this as u32,
            in("edx") (this >> 32) as u32,
        );
    }
}
