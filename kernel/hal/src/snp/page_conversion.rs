//! Pages change between private and shared.
//!
//! The order, and who may use the pages meanwhile, is `memory/shared.rs`'s to
//! see to.

use abi_snp::PageSize;
use abi_snp::ghcb::PageOperation;
use abi_x86::SIZE_4K;

use super::page_state;
use super::reverse_map::{Validated, Validation, pvalidate};
use crate::memory::{ConversionRefused, PageConversion, PageRun};

/// By page state changes and PVALIDATE.
pub(crate) struct SnpPages;

impl PageConversion for SnpPages {
    fn rescind(&self, pages: PageRun) -> Result<(), ConversionRefused> {
        set_validation(pages, Validation::Rescind)
    }

    fn make_shared(&self, pages: PageRun) -> Result<(), ConversionRefused> {
        change(pages, PageOperation::Shared)
    }

    fn make_private(&self, pages: PageRun) -> Result<(), ConversionRefused> {
        change(pages, PageOperation::Private)
    }

    fn validate(&self, pages: PageRun) -> Result<(), ConversionRefused> {
        set_validation(pages, Validation::Validate)
    }
}

fn addresses(first: u64, pages: PageRun) -> impl Iterator<Item = u64> {
    (0..u64::from(pages.count)).map(move |index| first + index * SIZE_4K)
}

fn change(pages: PageRun, operation: PageOperation) -> Result<(), ConversionRefused> {
    let small = addresses(pages.address, pages).map(|gpa| (gpa, PageSize::Size4K));
    page_state::change(small, operation).map_err(|_| ConversionRefused(pages.address))
}

fn set_validation(pages: PageRun, validation: Validation) -> Result<(), ConversionRefused> {
    let gpas = addresses(pages.address, pages);
    for (gpa, address) in gpas.zip(addresses(pages.virtual_address, pages)) {
        // SAFETY: INV-VALIDATE-1: nobody uses the pages while they change.
        match unsafe { pvalidate(address, PageSize::Size4K, validation) } {
            Ok(Validated::Changed) => {}
            // The page has been replaced by another one.
            _ => return Err(ConversionRefused(gpa)),
        }
    }
    Ok(())
}
