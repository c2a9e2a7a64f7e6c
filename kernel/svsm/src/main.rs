//! The module's binary: start-up order and wiring, nothing else.
//!
//! `hal` enters [`main`] on the boot stack of the first processor, with
//! exceptions set up, the boot block checked and its memory usable. So far the
//! kernel says what it is and what the builder placed, and ends.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use abi_boot::{BootBlock, Part, PartKind};
use hal::processors::{identifiers, start_others, wait};
use hal::{StartError, StopReason, println, stop};

hal::entry!(main);

/// Starts what the image asks for.
fn main(block: BootBlock<'static>) -> ! {
    print_boot_block(&block);
    start_processors(&block);
    let reason = match block.parts_of(PartKind::SERVICE).next() {
        None => StopReason::NoServices,
        Some(_) => StopReason::ServiceStart,
    };
    stop(reason)
}

/// Starts all processors that the host lists, as many as the image allows.
fn start_processors(block: &BootBlock<'_>) {
    let most = block.max_vcpus as usize;
    let started = identifiers().and_then(|all| start_others(all.get(..most).unwrap_or(&all), idle));
    match started {
        Ok(count) => println!("processors: {count}"),
        Err(StartError::Host(reason)) => stop(reason),
        Err(error) => println!("other processors do not run: {error}"),
    }
}

/// What other processors do: there is nothing to do yet.
fn idle() -> ! {
    loop {
        wait();
    }
}

/// Prints banner, region and parts.
fn print_boot_block(block: &BootBlock<'_>) {
    println!("SVSM {} ({})", env!("CARGO_PKG_VERSION"), block.platform);
    // The sum cannot overflow in a checked block.
    let end = block.region_base.saturating_add(block.region_size);
    println!("region: {:#x}..{end:#x}, {} KiB", block.region_base, block.region_size / 1024);
    for part in block.parts() {
        print_part(part);
    }
}

fn print_part(part: &Part) {
    let name = part.name();
    println!(
        "{:#012x}..{:#012x} {} {:6} KiB  {}{}{name}",
        part.gpa,
        part.end(),
        part.access,
        part.size / 1024,
        part.kind,
        if name.is_empty() { "" } else { ": " },
    );
}
