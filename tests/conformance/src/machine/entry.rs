//! The first instructions, and the functions that the program goes on with.

use core::arch::{asm, naked_asm};

use abi_boot::{BootBlock, PAGE_SIZE};
use abi_x86::{Msr, SegmentSelector};

use super::context::CONTEXTS;
use super::guest::Guest;
use super::segments::{CODE_SELECTOR, DATA_SELECTOR, TASK_STATE_SELECTOR};
use super::{heap, trap};

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

/// The 64-bit entry, in the state that `abi/boot` describes: RDI is the boot
/// block, the stack is empty and aligned.
///
/// # Safety
///
/// INV-BOOT-1 and INV-BOOT-2 hold. Only the platform comes here, once.
#[unsafe(naked)]
// SAFETY: nothing else has this name; the linker script names it as the entry.
#[unsafe(no_mangle)]
unsafe extern "C" fn conformance_start() -> ! {
    naked_asm!("call {start}", "ud2", start = sym start)
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
