//! What a page may be used for, and by whom.

use abi_x86::{EntryFlags, PageTableEntry};

/// What may be done with a page. That there is no fourth value keeps code from
/// being written and data from being executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading.
    Read,
    /// Reading and writing.
    ReadWrite,
    /// Reading and fetching instructions.
    ReadExecute,
}

/// Who may use a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The kernel only.
    Kernel,
    /// User mode as well.
    User,
}

/// Who can read a page's content outside the virtual machine. On a machine
/// without memory encryption the two are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// Nobody: the C-bit is set.
    Private,
    /// The host: the C-bit is clear.
    Shared,
}

/// Everything about a page but where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// What may be done with it.
    pub access: Access,
    /// Who may do that.
    pub mode: Mode,
    /// Who can see it from outside.
    pub encryption: Encryption,
}

impl Attributes {
    /// Private data of the kernel.
    pub const KERNEL_DATA: Self =
        Self { access: Access::ReadWrite, mode: Mode::Kernel, encryption: Encryption::Private };

    /// The flags of an entry that maps a page in this way; with Accessed and
    /// Dirty, so that the processor need not write to it.
    pub(crate) fn flags(self) -> EntryFlags {
        let access = match self.access {
            Access::Read => EntryFlags::NO_EXECUTE,
            Access::ReadWrite => EntryFlags::NO_EXECUTE | EntryFlags::WRITABLE | EntryFlags::DIRTY,
            Access::ReadExecute => EntryFlags::empty(),
        };
        let mode = match self.mode {
            Mode::Kernel => EntryFlags::empty(),
            Mode::User => EntryFlags::USER,
        };
        EntryFlags::PRESENT | EntryFlags::ACCESSED | access | mode
    }

    /// The C-bit as such an entry has it.
    pub(crate) fn c_bit(self, c_bit_mask: u64) -> u64 {
        match self.encryption {
            Encryption::Private => c_bit_mask,
            Encryption::Shared => 0,
        }
    }

    /// How `entry` maps a page. Without a C-bit, every page is private.
    pub(crate) fn of(entry: PageTableEntry, c_bit_mask: u64) -> Self {
        let flags = entry.flags();
        let access = if flags.contains(EntryFlags::WRITABLE) {
            Access::ReadWrite
        } else if flags.contains(EntryFlags::NO_EXECUTE) {
            Access::Read
        } else {
            Access::ReadExecute
        };
        let mode = if flags.contains(EntryFlags::USER) { Mode::User } else { Mode::Kernel };
        let encryption = if entry.bits() & c_bit_mask == c_bit_mask {
            Encryption::Private
        } else {
            Encryption::Shared
        };
        Self { access, mode, encryption }
    }
}
