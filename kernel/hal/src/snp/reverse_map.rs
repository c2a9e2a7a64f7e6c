//! Instructions on the reverse map.

use core::arch::asm;

use abi_snp::{PageSize, ReturnCode};

use crate::recoverable::may_fault;

/// What both instructions return where nothing failed.
const SUCCESS: u32 = ReturnCode::Success as u32;

/// What becomes of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Validation {
    /// The guest gives it up: private accesses to it are exceptions.
    Rescind = 0,
    /// The guest accepts it as private memory.
    Validate = 1,
}

/// How PVALIDATE went, unless it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validated {
    /// The page is now what it was asked to be.
    Changed,
    /// It was so before.
    Unchanged,
}

/// PVALIDATE [APM 24594 PVALIDATE].
///
/// # Errors
///
/// The return code, `None` for one that is not defined.
///
/// # Safety
///
/// INV-VALIDATE-1: the page that is mapped at `address` holds nothing that Rust
/// code uses.
#[inline]
pub(super) unsafe fn pvalidate(
    address: u64,
    size: PageSize,
    validation: Validation,
) -> Result<Validated, Option<ReturnCode>> {
    let (code, unchanged): (u64, u8);
    // SAFETY: INV-VALIDATE-1: the instruction changes the page's state, and
    // whatever the page holds is of no use to anybody.
    unsafe {
        asm!(
            ".byte 0xf2, 0x0f, 0x01, 0xff",
            "setc {unchanged}",
            unchanged = out(reg_byte) unchanged,
            inout("rax") address => code,
            in("ecx") size as u32,
            in("edx") validation as u32,
            options(nostack),
        );
    }
    match (code as u32, unchanged) {
        (SUCCESS, 0) => Ok(Validated::Changed),
        (SUCCESS, _) => Ok(Validated::Unchanged),
        (failure, _) => Err(ReturnCode::from_number(failure)),
    }
}

/// Why RMPADJUST has not done what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotAdjusted {
    /// The processor's return code says so; `None` if it is not defined.
    Refused(Option<ReturnCode>),
    /// The page cannot be accessed: #VC says that it is not validated, which only
    /// the host can bring about once it was [APM 24593 §15.36.10].
    Inaccessible,
}

/// RMPADJUST of the page of this size that is mapped at `address`, with `rdx` as
/// the instruction takes it: target level in bits 7:0, permissions in 15:8, bit
/// 16 for a save area [APM 24594 RMPADJUST].
///
/// # Errors
///
/// See [`NotAdjusted`].
///
/// # Safety
///
/// The levels that gain access to the page, or the processor that is to use it
/// as a save area, do not break what Rust code takes for granted about it.
#[inline]
pub(super) unsafe fn rmpadjust(address: u64, size: PageSize, rdx: u64) -> Result<(), NotAdjusted> {
    let (code, failed): (u64, u64);
    // SAFETY: the instruction leaves content and mapping of the page as they
    // are; what other levels do with it is the caller's to answer for. After a
    // fault, `failed` is still 1.
    unsafe {
        asm!(
            may_fault!(".byte 0xf3, 0x0f, 0x01, 0xfe"),
            "xor {failed:e}, {failed:e}",
            "3:",
            failed = inout(reg) 1_u64 => failed,
            inout("rax") address => code,
            in("rcx") size as u64,
            in("rdx") rdx,
            options(nostack),
        );
    }
    if failed != 0 {
        return Err(NotAdjusted::Inaccessible);
    }
    match code as u32 {
        SUCCESS => Ok(()),
        failure => Err(NotAdjusted::Refused(ReturnCode::from_number(failure))),
    }
}
