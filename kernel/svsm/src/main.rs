//! The module's binary.
//!
//! `hal` enters [`main`] on the boot stack of the first processor; what happens
//! then is in [`kernel_start`]. So far the module starts all processors,
//! says what it is and what the builder placed, and ends.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use abi_boot::{BootBlock, PartKind};
use hal::{StopReason, stop};
use kernel_start::{Started, keep, start};

hal::entry!(main, keep);

/// Starts what the image asks for.
fn main(block: BootBlock<'static>) -> ! {
    start(&block, work)
}

/// What the first task does.
fn work(_: Started) {
    stop(match hal::image::boot_block().parts_of(PartKind::SERVICE).next() {
        None => StopReason::NoServices,
        Some(_) => StopReason::ServiceStart,
    })
}
