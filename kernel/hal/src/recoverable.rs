//! Accesses that survive a fault.
//!
//! Memory of a guest or of a user process may be gone, protected or unvalidated
//! at any time, whatever was checked before. [`ForeignBytes`] reaches it by few
//! instructions that may fault; the linker collects the addresses of these
//! instructions in a table, each with the address to go on at. A fault handler
//! that finds the faulting instruction there ([`find_fixup`]) sets the
//! instruction pointer to that address and returns, and the access reports a [`Fault`]. A fault anywhere else is a fault of ours.
//!
//! RMPADJUST is one of these instructions too (`snp/reverse_map.rs`): the host can
//! put another page in a guest's place that the module has not validated.
//!
//! The bytes are reached by these instructions alone and never by a Rust
//! reference, so it does not matter who changes them meanwhile.
//!
//! # User memory
//!
//! Where the processor keeps the kernel from user memory (SMAP), the flag AC
//! allows it, and is set for one instruction. A handler that comes in between
//! has to clear it for itself; the saved flags bring it back.

use core::arch::asm;
use core::ptr;
use core::slice;

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
    let start = &raw const svsm_exception_table_start;
    // The number of entries, since to the compiler two statics never have the
    // same address, which these have where the table is empty.
    let bytes = (&raw const svsm_exception_table_end).addr().saturating_sub(start.addr());
    // SAFETY: INV-RECOVERY-1: the linker script puts whole entries between the
    // two addresses, in memory that nobody writes.
    let table = unsafe { slice::from_raw_parts(start, bytes / size_of::<Recovery>()) };
    table.iter().find(|entry| entry.instruction == instruction).map(|entry| entry.fixup)
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

pub(crate) use may_fault;

/// How the processor keeps the kernel from memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guarded {
    /// Not at all.
    No,
    /// But where AC is set.
    Smap,
}

/// How many accesses were made, and how many of them did not fault: so several
/// are judged together.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    made: u64,
    done: u64,
}

impl Tally {
    /// Whether all were done.
    ///
    /// # Errors
    ///
    /// [`Fault`]: one was not, or more.
    #[inline(always)]
    pub(crate) fn all_done(self) -> Result<(), Fault> {
        if self.done == self.made { Ok(()) } else { Err(Fault) }
    }
}

/// Bytes that are not the kernel's.
///
/// Accesses of single words are inlined: where place and size are known, a few
/// instructions are left of them.
#[derive(Debug)]
pub(crate) struct ForeignBytes {
    start: u64,
    size: usize,
    guarded: Guarded,
}

impl ForeignBytes {
    /// The `size` bytes at virtual address `start`.
    ///
    /// # Safety
    ///
    /// Whatever is accessed there, no memory that Rust uses otherwise is read
    /// or changed (INV-FOREIGN-1). Words are at their natural alignment if
    /// `start` is. If they are [`Guarded::Smap`], the processor has SMAP.
    #[inline(always)]
    pub(crate) const unsafe fn new(start: u64, size: usize, guarded: Guarded) -> Self {
        Self { start, size, guarded }
    }

    /// Copies the bytes from `offset` on to `to`, of which a part may be written
    /// when there is a fault.
    pub(crate) fn read(&self, offset: usize, to: &mut [u8]) -> Result<(), Fault> {
        let from = self.place(offset, to.len());
        // SAFETY: INV-FOREIGN-1; `to` is Rust's to write.
        unsafe { copy(to.as_mut_ptr(), from, to.len(), self.guarded) }
    }

    /// Copies `from` to the bytes from `offset` on, of which a part may be
    /// written when there is a fault.
    pub(crate) fn write(&self, offset: usize, from: &[u8]) -> Result<(), Fault> {
        let to = self.place(offset, from.len());
        // SAFETY: INV-FOREIGN-1; `from` is Rust's to read.
        unsafe { copy(to, from.as_ptr(), from.len(), self.guarded) }
    }

    /// Makes all bytes zero. Some are when there is a fault.
    ///
    /// # Panics
    ///
    /// They are no whole number of words.
    pub(crate) fn clear(&self) -> Result<(), Fault> {
        assert!(self.size.is_multiple_of(size_of::<u64>()), "pages consist of words");
        assert!(self.guarded == Guarded::No, "nobody clears user memory");
        let left: usize;
        // SAFETY: INV-FOREIGN-1. After a fault, RCX is what is left.
        unsafe {
            asm!(
                may_fault!("rep stosq"),
                "3:",
                inout("rcx") self.size / size_of::<u64>() => left,
                inout("rdi") self.start => _,
                in("rax") 0_u64,
                options(nostack),
            );
        }
        if left == 0 { Ok(()) } else { Err(Fault) }
    }

    /// Reads an aligned word at once.
    #[inline(always)]
    pub(crate) fn load(&self, offset: usize) -> Result<u64, Fault> {
        let mut tally = Tally::default();
        let value = self.load_tallied(offset, &mut tally);
        tally.all_done().map(|()| value)
    }

    /// Reads an aligned word at once; the value is unspecified if it cannot be
    /// read, which `tally` knows.
    #[inline(always)]
    pub(crate) fn load_tallied(&self, offset: usize, tally: &mut Tally) -> u64 {
        let value: u64;
        tally.made += 1;
        // SAFETY: INV-FOREIGN-1. After a fault, `done` is not one more.
        unsafe {
            asm!(
                may_fault!("mov {value}, [{value}]"),
                "inc {done}",
                "3:",
                value = inout(reg) self.place(offset, size_of::<u64>()) => value,
                done = inout(reg) tally.done,
                options(nostack),
            );
        }
        value
    }

    /// Writes an aligned word at once, or not, which `tally` knows.
    #[inline(always)]
    pub(crate) fn store_tallied(&self, offset: usize, value: u64, tally: &mut Tally) {
        tally.made += 1;
        // SAFETY: as in `load_tallied`.
        unsafe {
            asm!(
                may_fault!("mov [{to}], {value}"),
                "inc {done}",
                "3:",
                to = in(reg) self.place(offset, size_of::<u64>()),
                value = in(reg) value,
                done = inout(reg) tally.done,
                options(nostack),
            );
        }
    }

    /// Puts `value` in the place of a byte, at once, and returns what was there.
    #[inline(always)]
    pub(crate) fn exchange(&self, offset: usize, value: u8) -> Result<u8, Fault> {
        let old: u8;
        let mut tally = Tally { made: 1, done: 0 };
        // SAFETY: as in `load_tallied`.
        unsafe {
            asm!(
                may_fault!("xchg [{to}], {value}"),
                "inc {done}",
                "3:",
                to = in(reg) self.place(offset, 1),
                value = inout(reg_byte) value => old,
                done = inout(reg) tally.done,
                options(nostack),
            );
        }
        tally.all_done().map(|()| old)
    }

    /// Address of `size` bytes from `offset` on.
    #[inline(always)]
    fn place(&self, offset: usize, size: usize) -> *mut u8 {
        let end = offset.checked_add(size);
        assert!(end.is_some_and(|end| end <= self.size), "{size} bytes at {offset} are too many");
        ptr::without_provenance_mut(self.start as usize + offset)
    }
}

/// Copies `count` bytes.
///
/// # Safety
///
/// One of `to` and `from` is foreign (INV-FOREIGN-1), the other the start of
/// `count` bytes that Rust may write or read. With [`Guarded::Smap`], the
/// processor has the instructions that change AC.
unsafe fn copy(to: *mut u8, from: *const u8, count: usize, guarded: Guarded) -> Result<(), Fault> {
    let left: usize;
    // SAFETY: the caller's promise. After a fault, RCX is what is left. AC is
    // clear afterwards, as Rust code expects.
    unsafe {
        asm!(
            "test {guarded:e}, {guarded:e}",
            "jz 4f",
            "stac",
            "4:",
            may_fault!("rep movsb"),
            "3:",
            "test {guarded:e}, {guarded:e}",
            "jz 5f",
            "clac",
            "5:",
            guarded = in(reg) u32::from(guarded == Guarded::Smap),
            inout("rcx") count => left,
            inout("rdi") to => _,
            inout("rsi") from => _,
            options(nostack),
        );
    }
    if left == 0 { Ok(()) } else { Err(Fault) }
}
