//! Accesses that survive a fault.
//!
//! Memory of a guest or of a user process may be gone, protected or unvalidated
//! at any time, whatever was checked before. Each function here holds one
//! instruction that may fault; the linker collects the addresses of these
//! instructions in a table, each with the address to go on at. A fault handler
//! that finds the faulting instruction there ([`find_fixup`]) sets the
//! instruction pointer to that address and returns, and the function reports a
//! [`Fault`]. A fault anywhere else is a fault of ours.
//!
//! The bytes are reached by these instructions alone and never by a Rust
//! reference, so it does not matter who changes them meanwhile.
//!
//! # Stop of supervisor access
//!
//! Where the processor keeps the kernel from user memory (SMAP), the flag AC
//! allows it. [`copy_user`] sets it for the one instruction; a handler that
//! comes in between has to clear it for itself, the saved flags bring it back.

use core::arch::asm;

/// The memory cannot be accessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the memory cannot be accessed")]
pub struct Fault;

/// An entry of the table.
#[repr(C)]
struct Recovery {
    /// Address of an instruction that may fault.
    instruction: u64,
    /// Where to go on.
    fixup: u64,
}

unsafe extern "C" {
    /// The first entry of the table, by the linker script.
    static svsm_exception_table_start: Recovery;
    /// The end of the table.
    static svsm_exception_table_end: Recovery;
}

/// Where to go on after a fault of the instruction at `instruction`; `None` if
/// it is not one of those here.
pub(crate) fn find_fixup(instruction: u64) -> Option<u64> {
    let mut entry = &raw const svsm_exception_table_start;
    while entry != &raw const svsm_exception_table_end {
        // SAFETY: INV-RECOVERY-1: the linker script puts whole entries between
        // the two addresses, in memory that nobody writes.
        let recovery = unsafe { &*entry };
        if recovery.instruction == instruction {
            return Some(recovery.fixup);
        }
        entry = entry.wrapping_add(1);
    }
    None
}

/// Assembles one instruction that may fault, with its entry in the table. After
/// a fault it goes on at label 3.
macro_rules! may_fault {
    ($instruction:literal) => {
        concat!(
            "2: ",
            $instruction,
            "\n",
            ".pushsection .exception_table, \"a\", @progbits\n",
            ".quad 2b, 3f\n",
            ".popsection"
        )
    };
}

/// Copies `count` bytes. Some may have been copied when there is a fault.
///
/// # Safety
///
/// One of `to` and `from` is the start of `count` bytes that Rust may write or
/// read; at the other, no access changes memory that Rust uses otherwise
/// (INV-FOREIGN-1).
pub(crate) unsafe fn copy(to: *mut u8, from: *const u8, count: usize) -> Result<(), Fault> {
    let left: usize;
    // SAFETY: the caller's promise. After a fault, RCX is what is left.
    unsafe {
        asm!(
            may_fault!("rep movsb"),
            "3:",
            inout("rcx") count => left,
            inout("rdi") to => _,
            inout("rsi") from => _,
            options(nostack, preserves_flags),
        );
    }
    if left == 0 { Ok(()) } else { Err(Fault) }
}

/// As [`copy`], for a processor with SMAP: user memory can be accessed.
///
/// # Safety
///
/// As [`copy`].
pub(crate) unsafe fn copy_user(to: *mut u8, from: *const u8, count: usize) -> Result<(), Fault> {
    let left: usize;
    // SAFETY: the caller's promise; the processor has the two instructions that
    // change AC, which no Rust code looks at.
    unsafe {
        asm!(
            "stac",
            may_fault!("rep movsb"),
            "3: clac",
            inout("rcx") count => left,
            inout("rdi") to => _,
            inout("rsi") from => _,
            options(nostack),
        );
    }
    if left == 0 { Ok(()) } else { Err(Fault) }
}

/// Reads an aligned word at once.
///
/// # Safety
///
/// Reading `from` changes no memory that Rust uses (INV-FOREIGN-1).
pub(crate) unsafe fn load(from: *const u64) -> Result<u64, Fault> {
    let (value, failed): (u64, u64);
    // SAFETY: the caller's promise. After a fault, `failed` is still 1.
    unsafe {
        asm!(
            may_fault!("mov {value}, [{from}]"),
            "xor {failed:e}, {failed:e}",
            "3:",
            value = inout(reg) 0_u64 => value,
            failed = inout(reg) 1_u64 => failed,
            from = in(reg) from,
            options(nostack, readonly),
        );
    }
    if failed == 0 { Ok(value) } else { Err(Fault) }
}

/// Writes an aligned word at once.
///
/// # Safety
///
/// Writing `to` changes no memory that Rust uses otherwise (INV-FOREIGN-1).
pub(crate) unsafe fn store(to: *mut u64, value: u64) -> Result<(), Fault> {
    let failed: u64;
    // SAFETY: as in `load`.
    unsafe {
        asm!(
            may_fault!("mov [{to}], {value}"),
            "xor {failed:e}, {failed:e}",
            "3:",
            to = in(reg) to,
            value = in(reg) value,
            failed = inout(reg) 1_u64 => failed,
            options(nostack),
        );
    }
    if failed == 0 { Ok(()) } else { Err(Fault) }
}

/// Puts `value` in the place of a byte, at once, and returns what was there.
///
/// # Safety
///
/// As [`store`].
pub(crate) unsafe fn exchange(to: *mut u8, value: u8) -> Result<u8, Fault> {
    let (old, failed): (u8, u64);
    // SAFETY: as in `load`.
    unsafe {
        asm!(
            may_fault!("xchg [{to}], {value}"),
            "xor {failed:e}, {failed:e}",
            "3:",
            to = in(reg) to,
            value = inout(reg_byte) value => old,
            failed = inout(reg) 1_u64 => failed,
            options(nostack),
        );
    }
    if failed == 0 { Ok(old) } else { Err(Fault) }
}
