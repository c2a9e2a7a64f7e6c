//! Which tests the image asks for, by its kernel options.

use abi_boot::PartKind;

/// What is to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// `from=N`: all tests from the one of this index on; 0 without options.
    From(usize),
    /// `endings`: the list of endings.
    Endings,
    /// `ending=NAME`: one ending.
    Ending(&'static str),
    /// `bench`: what the kernel's operations cost.
    Bench,
    /// `nothing`: it is the way here that is measured.
    Nothing,
    /// Options that nobody here knows.
    Unknown(&'static str),
}

/// What the image's kernel options ask for.
pub(crate) fn choice() -> Choice {
    let block = hal::image::boot_block();
    let part = block.parts_of(PartKind::KERNEL_OPTIONS).next();
    let text = part.and_then(hal::image::content).unwrap_or_default();
    match core::str::from_utf8(text) {
        Ok(text) => parse(text),
        Err(_) => Choice::Unknown("not UTF-8"),
    }
}

fn parse(text: &'static str) -> Choice {
    match text.split_once('=') {
        None if text.is_empty() => Choice::From(0),
        None if text == "endings" => Choice::Endings,
        None if text == "bench" => Choice::Bench,
        None if text == "nothing" => Choice::Nothing,
        Some(("ending", name)) => Choice::Ending(name),
        Some(("from", number)) => number.parse().map_or(Choice::Unknown(text), Choice::From),
        _ => Choice::Unknown(text),
    }
}
