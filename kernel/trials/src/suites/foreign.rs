//! Memory that is not the kernel's: windows to it.

use abi_boot::PAGE_SIZE;
use abi_snp::PageSize;
use hal::Fault;
use hal::guest::{GuestPage, Guests, PageFailure, Validated};
use hal::memory::{Encryption, Standing, Window, WindowError, WindowSize, look_again};

use super::every_processor::on_all;
use crate::trial::{Failure, Outcome, Trial, equal, failure};

/// The tests.
pub(super) const TRIALS: &[Trial] = &[
    Trial { name: "windows::show_what_others_have", run: show_what_others_have },
    Trial { name: "windows::refuse_what_is_no_page_of_others", run: refuse_own_pages },
    Trial { name: "windows::belong_to_their_processor", run: || on_all(use_four_at_once) },
    Trial {
        name: "windows::survive_pages_that_nobody_accepted",
        run: survive_pages_that_nobody_accepted,
    },
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

/// A page that is the guest's, and that nobody has accepted: each access to it
/// raises #VC.
fn survive_pages_that_nobody_accepted() -> Outcome {
    const NUMBER: u64 = 300;
    let Some(guests) = Guests::of_platform() else { return Ok(()) };
    let given = guests.make_private([(page(NUMBER), PageSize::Size4K)].into_iter());
    given.map_err(|_| failure("the host gives a page"))?;
    all_accesses_fail(NUMBER)?;
    accept(guests, NUMBER, GuestPage::validate)?;
    let window = open_private(NUMBER)?;
    window.clear().map_err(faulted)?;
    window.store(16, 5).map_err(faulted)?;
    equal(window.load(16).map_err(faulted)?, 5, "a word of the page")?;
    drop(window);
    let looked = look_again(Standing::SaveArea, page(NUMBER), |view| view.load(16));
    equal(looked.map_err(|_| failure("it is a page"))?, Ok(5), "the word by a standing place")?;
    accept(guests, NUMBER, GuestPage::rescind)?;
    all_accesses_fail(NUMBER)
}

fn open_private(number: u64) -> Result<Window, Failure> {
    Window::open(page(number), WindowSize::Small, Encryption::Private)
        .map_err(|_| failure("a window did not open"))
}

/// PVALIDATE of a page, which must succeed and change something.
fn accept(
    guests: Guests,
    number: u64,
    change: fn(&GuestPage) -> Result<Validated, PageFailure>,
) -> Outcome {
    let page = guests.page(page(number), PageSize::Size4K);
    let page = page.map_err(|_| failure("a window did not open"))?;
    equal(change(&page), Ok(Validated::Changed), "what PVALIDATE says")
}

/// Every kind of access, each of which must give an error and leave the rest
/// alone.
fn all_accesses_fail(number: u64) -> Outcome {
    let window = open_private(number)?;
    let mut bytes = [0x5a; 24];
    equal(window.read(8, &mut bytes), Err(Fault), "a copy from the page")?;
    equal(bytes, [0x5a; 24], "what was to be copied to")?;
    equal(window.write(4080, &[1; 16]), Err(Fault), "a copy to the page")?;
    equal(window.clear(), Err(Fault), "clearing the page")?;
    equal(window.load(0), Err(Fault), "reading a word")?;
    equal(window.store(4088, 1), Err(Fault), "writing a word")?;
    equal(window.exchange(77, 1), Err(Fault), "exchanging a byte")?;
    drop(window);
    let looked = look_again(Standing::SaveArea, page(number), |view| view.load(0));
    equal(looked.map_err(|_| failure("it is a page"))?, Err(Fault), "a look by a standing place")
}
