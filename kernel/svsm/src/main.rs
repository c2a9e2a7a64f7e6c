//! The module's binary.
//!
//! `hal` enters [`main`] on the boot stack of the first processor; what happens
//! then is in [`kernel_start`]. So far the module starts all processors,
//! says what it is and what the builder placed, and ends.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use abi_boot::{BootBlock, PartKind};
use hal::{StopReason, image, stop};
use kernel_guest::{Guest, Machine};
use kernel_start::{Started, keep, pages, start};

hal::entry!(main, keep);

/// Starts what the image asks for.
fn main(block: BootBlock<'static>) -> ! {
    start(&block, work)
}

/// What the first task does.
fn work(started: Started) {
    let block = image::boot_block();
    let machine = Machine {
        block,
        table: pages::table(),
        processors: started.processors,
        secrets: started.secrets.map(|page| &*page),
    };
    match kernel_guest::start(&machine) {
        Guest::Runs => {}
        Guest::None => stop(match block.parts_of(PartKind::SERVICE).next() {
            None => StopReason::NoServices,
            Some(_) => StopReason::ServiceStart,
        }),
    }
}
