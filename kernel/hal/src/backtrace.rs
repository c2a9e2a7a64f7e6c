//! Who called whom, for reports of faults.

use core::arch::asm;

use abi_boot::{PartKind, Symbols, VIRTUAL_BASE};
use backtrace::{Backtrace, Frames, StackWords};

use crate::image;
use crate::println;
use crate::recoverable::{ForeignBytes, Guarded};

/// Most frames that are shown.
const MOST_FRAMES: usize = 32;

/// The kernel's half of the address space, whatever lies there.
struct KernelMemory;

impl StackWords for KernelMemory {
    fn word(&self, address: u64) -> Option<u64> {
        let is_word_of_kernel = address >= VIRTUAL_BASE && address.is_multiple_of(8);
        if !is_word_of_kernel || address.checked_add(8).is_none() {
            return None;
        }
        // SAFETY: INV-FOREIGN-1: the word is only read, by one instruction, to be
        // shown; a fault is recovered from.
        let bytes = unsafe { ForeignBytes::new(address, 8, Guarded::No) };
        bytes.load(0).ok()
    }
}

/// Prints the frames of interrupted code.
pub(crate) fn print_interrupted(rip: u64, rbp: u64) {
    print(Frames::of_registers(&KernelMemory, rip, rbp));
}

/// Prints the frames of whoever called this.
pub(crate) fn print_callers() {
    let rbp;
    // SAFETY: reading a register changes nothing.
    unsafe { asm!("mov {}, rbp", out(reg) rbp, options(nomem, nostack, preserves_flags)) };
    print(Frames::of_callers(&KernelMemory, rbp));
}

fn print(frames: Frames<'_, KernelMemory>) {
    let symbols = image::part_of(PartKind::SYMBOLS).and_then(|part| Symbols::parse(part).ok());
    println!("{}", Backtrace { frames, symbols, most: MOST_FRAMES });
}
