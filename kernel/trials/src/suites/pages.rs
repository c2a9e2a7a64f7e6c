//! The state of the VM's pages is what loader and image say.

use abi_boot::{PAGE_SIZE, Platform};
use page_state::{ChunkPart, Owner, PageState};

use crate::trial::{Outcome, Trial, check, equal, failure};

/// The tests.
pub(super) const TRIALS: &[Trial] = &[
    Trial { name: "pages::the_region_is_the_modules", run: the_region_is_the_modules },
    Trial { name: "pages::memory_can_be_claimed_once", run: memory_can_be_claimed_once },
];

fn the_region_is_the_modules() -> Outcome {
    let block = hal::image::boot_block();
    let Some(table) = kernel_start::pages::table() else {
        return check(block.platform != Platform::SNP, "there is a table on SEV-SNP");
    };
    let module = PageState::Validated(Owner::Module);
    let first = block.region_base / PAGE_SIZE;
    let count = block.region_size / PAGE_SIZE;
    check((first..first + count).all(|page| table.state(page) == module), "all pages are")?;
    equal(table.count(module), count, "pages of the module")?;
    check(table.state(0) == PageState::Unvalidated, "the first page of the VM is memory")?;
    let part = ChunkPart::new(first, 1).ok_or_else(|| failure("a page is a part of a chunk"))?;
    let refused = table.claim(part, PageState::Unvalidated, module).is_err();
    check(refused, "pages of the module are not validated again")
}

fn memory_can_be_claimed_once() -> Outcome {
    let Some(table) = kernel_start::pages::table() else { return Ok(()) };
    let part = ChunkPart::new(0, 1).ok_or_else(|| failure("a page is a part of a chunk"))?;
    let module = PageState::Validated(Owner::Module);
    let claim = table.claim(part, PageState::Unvalidated, module);
    let claim = claim.map_err(|_| failure("the first claim"))?;
    check(table.claim(part, PageState::Unvalidated, module).is_err(), "a second one is refused")?;
    drop(claim);
    equal(table.state(0), PageState::Unvalidated, "the state after a claim that was given up")
}
