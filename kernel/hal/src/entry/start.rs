//! 64-bit entry: from the state that `abi/boot` describes to the binary's main
//! function.

use core::arch::naked_asm;
use core::fmt;

use abi_boot::{BootBlock, Header, PAGE_SIZE, Platform};
use zerocopy::FromBytes;

use crate::processor::FIRST;
use crate::segments::{self, BOOT_PROCESSOR};
use crate::start_error::StartError;
use crate::stop::stop;
use crate::stop_reason::StopReason;
use crate::{
    image, kernel_text, memory, native, platform, print, println, processors, protection, trap,
};

type Page = [u8; PAGE_SIZE as usize];

unsafe extern "Rust" {
    /// The binary's main function, under the name and with the signature that
    /// `entry!` gives it.
    safe fn svsm_main(block: BootBlock<'static>) -> !;

    /// The binary's way to keep what is told before its main function runs,
    /// likewise.
    safe fn svsm_tell(text: fmt::Arguments<'_>);
}

/// The 64-bit entry, `e_entry` of the kernel file.
///
/// The stack is empty and aligned, so a call gives the Rust function the stack
/// that the calling convention promises it. RDI, the boot block's address, is
/// its first argument already, and RSI, that of the start information, its second.
///
/// # Safety
///
/// INV-BOOT-1 and INV-BOOT-2 hold. Only the platform or the PVH entry comes
/// here, and only once.
#[unsafe(naked)]
// SAFETY: nothing else has this name; the linker script names it as the entry.
#[unsafe(no_mangle)]
unsafe extern "C" fn svsm_start() -> ! {
    naked_asm!("call {start}", "ud2", start = sym start)
}

/// Sets up what everything else stands on, then runs the binary.
///
/// # Safety
///
/// INV-BOOT-1 and INV-BOOT-2 hold, and `block` is the boot block.
unsafe extern "C" fn start(block: *const Page, start_information: u64) -> ! {
    // SAFETY: INV-BOOT-1: the boot block is a mapped page that nobody writes.
    let block: &'static Page = unsafe { &*block };

    // The platform comes first, because without it nothing can be said. It is
    // read before the block is checked for the same reason.
    platform::choose(Header::read_from_prefix(block).map_or(Platform(0), |(h, _)| h.platform));

    let Some((segments, stack)) = BOOT_PROCESSOR.take() else {
        panic!("the 64-bit entry runs once (INV-BOOT-2)");
    };
    segments::load(segments, stack.top(), &FIRST);
    trap::load();

    let page = block;
    let block = match BootBlock::parse(page) {
        Ok(block) => block,
        Err(error) => {
            println!("{error}; build the image again, with the builder of this kernel's version");
            stop(StopReason::BootBlock)
        }
    };
    // SAFETY: INV-BOOT-1: it is the boot block.
    unsafe { image::keep(page) };
    kernel_text::note(&block);
    native::keep(start_information);
    print::allow(block.console);
    let platform = platform::current();
    if let Err(reason) = platform.start(&block, svsm_tell) {
        stop(reason)
    }
    if let Err(error) = memory::start(block, platform.page_conversion()) {
        println!("{error}");
        stop(StopReason::BootBlock)
    }
    protection::load();
    match processors::set_up_first() {
        Ok(()) => svsm_main(block),
        Err(StartError::Host(reason)) => stop(reason),
        Err(error) => {
            println!("{error}");
            stop(StopReason::BootBlock)
        }
    }
}

/// Names the function that the kernel goes on with after the boot entry, and
/// the one that keeps what is told before: `hal::entry!(main, keep);` with
/// `fn main(block: BootBlock<'static>) -> !` and `fn keep(text:
/// fmt::Arguments<'_>)`.
///
/// For the kernel's binary, once; a second use does not link.
#[macro_export]
macro_rules! entry {
    ($main:path, $tell:path) => {
        const _: () = {
            // SAFETY: `hal` alone calls this name, with this signature; two
            // definitions of it do not link.
            #[unsafe(no_mangle)]
            fn svsm_main(block: $crate::abi_boot::BootBlock<'static>) -> ! {
                $main(block)
            }

            // SAFETY: as above.
            #[unsafe(no_mangle)]
            fn svsm_tell(text: ::core::fmt::Arguments<'_>) {
                $tell(text)
            }
        };
    };
}
