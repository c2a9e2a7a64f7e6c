//! The first processor's GHCB page.
//!
//! A page of the kernel's own data, so that there is a console before there is
//! memory to allocate. The builder maps the kernel's data in pages of 4 KiB, so
//! that one leaf of its page tables decides about this page alone.

use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering};

use abi_boot::{BootBlock, VIRTUAL_BASE};
use abi_snp::PageSize;
use abi_snp::ghcb::{AssignPage, GuestFrame, PageAssignment, RegisterGhcb};
use abi_x86::{EntryFlags, Level, PageTableEntry, TABLE_ENTRIES};

use super::msr_protocol::ask;
use super::reverse_map::{Validated, Validation, pvalidate, rmpadjust};
use crate::processor::current;
use crate::shared_slot::SharedPage;
use crate::stop_reason::StopReason;

static PAGE: SharedPage = SharedPage::zero();

/// Operand of RMPADJUST: no permissions for VMPL1.
const NOTHING_FOR_VMPL1: u64 = 1;

/// Checks that the kernel runs at VMPL0: only there may permissions of VMPL1 be
/// changed. Those of the page are none anyway [APM 24593 §15.36.7].
///
/// # Errors
///
/// It runs at another level, or RMPADJUST does not work.
pub(super) fn check_level() -> Result<(), StopReason> {
    let address = (&raw const PAGE).addr() as u64;
    // SAFETY: nobody gains access.
    unsafe { rmpadjust(address, PageSize::Size4K, NOTHING_FOR_VMPL1) }
        .map_err(|_| StopReason::PrivilegeLevel)
}

/// Makes the page shared, registers it with the host, and gives it to this
/// processor.
///
/// # Errors
///
/// The host does not do its part, or the boot block's page tables are not what
/// the builder promises.
pub(super) fn share(block: &BootBlock<'static>) -> Result<(), StopReason> {
    let address = (&raw const PAGE).expose_provenance() as u64;
    let gpa = address - VIRTUAL_BASE + block.region_base;
    let frame = GuestFrame::at(gpa).ok_or(StopReason::BootBlock)?;
    let leaf = leaf(block, address).ok_or(StopReason::BootBlock)?;

    // SAFETY: INV-VALIDATE-1: nobody has a reference to the page but this
    // function, which looks at it again when it is mapped as shared memory.
    match unsafe { pvalidate(address, PageSize::Size4K, Validation::Rescind) } {
        Ok(Validated::Changed) => {}
        _ => return Err(StopReason::HostValidation),
    }
    ask(&AssignPage { frame, assignment: PageAssignment::Shared })
        .map_err(|_| StopReason::HostPageState)?;
    let shared = leaf.load(Ordering::Relaxed) & !block.c_bit_mask;
    leaf.store(shared, Ordering::Relaxed);
    // SAFETY: the old translation leads to private memory that is not there any
    // more; forgetting it is what is needed. The store above stays above.
    unsafe { asm!("invlpg [{}]", in(reg) address, options(nostack, preserves_flags)) };
    for word in &PAGE.0 {
        word.store(0, Ordering::Relaxed);
    }
    ask(&RegisterGhcb(frame)).map_err(|_| StopReason::HostGhcbRegistration)?;
    current().ghcb.fill(&PAGE, gpa);
    Ok(())
}

/// The entry that maps the page of 4 KiB at `address`, `None` if there is none.
fn leaf(block: &BootBlock<'static>, address: u64) -> Option<&'static AtomicU64> {
    let mut table = block.page_table_root;
    for level in Level::DOWNWARDS {
        let place = block.virtual_address(table)? as usize;
        // SAFETY: INV-BOOT-1: the tables lie in the region, which is mapped
        // linearly, and are only changed here, before anything else does. The
        // processor may set bits in them at the same time, for which the words
        // are atomic.
        let words =
            unsafe { &*core::ptr::with_exposed_provenance::<[AtomicU64; TABLE_ENTRIES]>(place) };
        let word = words.get(level.index(address))?;
        let entry = PageTableEntry::from_bits(word.load(Ordering::Relaxed));
        if !entry.is_present() || entry.flags().contains(EntryFlags::HUGE) {
            return None;
        }
        if level == Level::PageTable {
            return Some(word);
        }
        table = entry.address(block.c_bit_mask);
    }
    None
}
