//! Who called whom, for reports of faults.

use core::arch::asm;

use abi_boot::{PartKind, Symbols};
use backtrace::{Backtrace, Frames};

use crate::image;
use crate::kernel_memory::KernelMemory;
use crate::println;

/// Most frames that are shown.
const MOST_FRAMES: usize = 32;

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
