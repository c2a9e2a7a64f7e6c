//! Memory that is not the kernel's: windows to it, and copies from and to user
//! memory.

use abi_boot::PAGE_SIZE;
use hal::memory::{
    Encryption, USER_END, Window, WindowError, WindowSize, copy_from_user, copy_to_user,
};

use super::every_processor::on_all;
use crate::trial::{Failure, Outcome, Trial, check, equal, failure};

/// The tests.
pub(super) const TRIALS: &[Trial] = &[
    Trial { name: "windows::show_what_others_have", run: show_what_others_have },
    Trial { name: "windows::refuse_what_is_no_page_of_others", run: refuse_own_pages },
    Trial { name: "windows::belong_to_their_processor", run: || on_all(use_four_at_once) },
    Trial { name: "user_copies::end_where_nothing_is_mapped", run: end_where_nothing_is },
    Trial { name: "user_copies::never_reach_the_kernel", run: never_reach_the_kernel },
];

/// A page behind the module's, which nobody has accepted: the host's.
fn page(number: u64) -> u64 {
    let block = hal::image::boot_block();
    block.region_base.saturating_add(block.region_size).saturating_add(number * PAGE_SIZE)
}

fn open(number: u64) -> Result<Window, Failure> {
    Window::open(page(number), WindowSize::Small, Encryption::Shared)
        .map_err(|_| failure("a window did not open"))
}

fn faulted<T>(_: T) -> Failure {
    failure("an access to memory that is there has failed")
}

fn show_what_others_have() -> Outcome {
    let window = open(0)?;
    window.write(0, &[0; 4096]).map_err(faulted)?;
    window.write(4090, b"behind").map_err(faulted)?;
    window.store(8, 0x1122_3344_5566_7788).map_err(faulted)?;
    equal(window.exchange(9, 0xee).map_err(faulted)?, 0x77, "the byte before an exchange")?;
    drop(window);
    let again = open(0)?;
    equal(again.load(8).map_err(faulted)?, 0x1122_3344_5566_ee88, "the word by a new window")?;
    let mut end = [0; 7];
    again.read(4089, &mut end).map_err(faulted)?;
    equal(&end, b"\0behind", "the last bytes of the page")
}

fn refuse_own_pages() -> Outcome {
    let block = hal::image::boot_block();
    for own in [block.region_base, block.region_base + block.region_size - PAGE_SIZE] {
        let refusal = Window::open(own, WindowSize::Small, Encryption::Shared).err();
        equal(refusal, Some(WindowError::Own(own)), "a page of the module's")?;
    }
    let odd = page(0) + 8;
    let refusal = Window::open(odd, WindowSize::Small, Encryption::Shared).err();
    equal(refusal, Some(WindowError::Address(odd)), "no address of a page")?;
    let beyond = 1 << 52;
    let refusal = Window::open(beyond, WindowSize::Small, Encryption::Shared).err();
    equal(refusal, Some(WindowError::Address(beyond)), "an address that no page can have")
}

/// All windows that a processor can have, again and again, to pages that no
/// other processor uses.
fn use_four_at_once(processor: u32) -> Outcome {
    let first = u64::from(processor) * 4;
    for round in 0..50 {
        let windows = [open(first)?, open(first + 1)?, open(first + 2)?, open(first + 3)?];
        for (window, number) in windows.iter().zip(first..) {
            window.store(0, number << 32 | round).map_err(faulted)?;
        }
        // In another order, so that each place leads to another page next time.
        let [a, b, c, d] = windows;
        for window in [c, a] {
            drop(window);
        }
        let windows = [open(first)?, open(first + 2)?];
        for (window, number) in [&b, &d, &windows[0], &windows[1]].into_iter().zip([1, 3, 0, 2]) {
            let expected = (first + number) << 32 | round;
            equal(window.load(0).map_err(faulted)?, expected, "the word that was written")?;
        }
    }
    Ok(())
}

fn end_where_nothing_is() -> Outcome {
    let mut bytes = [0x5a; 24];
    for address in [0, 0x1000, USER_END - 24] {
        check(copy_from_user(&mut bytes, address).is_err(), "nothing is there to be read")?;
        check(copy_to_user(address, &bytes).is_err(), "nothing is there to be written")?;
    }
    equal(bytes, [0x5a; 24], "the bytes after copies that failed")
}

fn never_reach_the_kernel() -> Outcome {
    let own = [7_u8; 8];
    let address = own.as_ptr().addr() as u64;
    let mut bytes = [0; 8];
    for address in [address, USER_END - 7, USER_END, u64::MAX - 3, 1 << 63] {
        check(copy_from_user(&mut bytes, address).is_err(), "this is no user memory to read")?;
        check(copy_to_user(address, &[1; 8]).is_err(), "this is no user memory to write")?;
    }
    equal((own, bytes), ([7; 8], [0; 8]), "the bytes afterwards")
}
