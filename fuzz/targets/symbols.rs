//! Symbol tables: what is accepted finds each of its functions.
#![no_main]

use abi_boot::Symbols;
use libfuzzer_sys::fuzz_target;

/// The table is the start of a page; the input is copied to one so that its
/// alignment is the real one.
#[repr(align(4096))]
struct Page([u8; 4096]);

fuzz_target!(|input: &[u8]| {
    let mut page = Page([0; 4096]);
    let length = input.len().min(page.0.len());
    page.0[..length].copy_from_slice(&input[..length]);
    let Ok(symbols) = Symbols::parse(&page.0) else { return };
    for (address, size, name) in symbols.iter() {
        let last = u64::from(size) - 1;
        let found = symbols.find(address + last).expect("a listed function");
        assert_eq!((found.name, found.offset), (name, last));
    }
});
