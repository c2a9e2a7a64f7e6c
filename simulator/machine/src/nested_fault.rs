//! The error code of a nested page fault.

use core::fmt;

/// What a nested page fault tells the hypervisor in `EXITINFO1`
/// [APM 24593 §15.25.6 and §15.36.10].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NestedFaultError(u64);

bitflags::bitflags! {
    impl NestedFaultError: u64 {
        /// `P`: the nested page table maps the page; something else forbids
        /// the access.
        const PRESENT = 1 << 0;
        /// `RW`: the access was a write.
        const WRITE = 1 << 1;
        /// `US`: set in every fault, since the nested page table sees all
        /// accesses of the guest as those of a user.
        const USER = 1 << 2;
        /// `RSV`: a reserved bit is set in the nested page table.
        const RESERVED_BIT = 1 << 3;
        /// `ID`: the access was an instruction fetch.
        const INSTRUCTION = 1 << 4;
        /// `SS`: the access was one to a shadow stack.
        const SHADOW_STACK = 1 << 6;
        /// `RMP`: the reverse map or the level's permissions forbid it.
        const REVERSE_MAP = 1 << 31;
        /// The guest physical address is the one that the guest asked for.
        const FINAL_ADDRESS = 1 << 32;
        /// The guest physical address is that of a page table of the guest.
        const TABLE_WALK = 1 << 33;
        /// `ENC`: the access was private.
        const ENCRYPTED = 1 << 34;
        /// `SIZEM`: PVALIDATE or RMPADJUST asked for 4 KiB of a 2 MiB page.
        const SIZE_MISMATCH = 1 << 35;
        /// `VMPL`: the permissions of the privilege level forbid it.
        const VMPL = 1 << 36;
        /// `SSS`: the level may use the page as a supervisor shadow stack.
        const SUPERVISOR_SHADOW_STACK = 1 << 37;
    }
}

impl fmt::Display for NestedFaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        bitflags::parser::to_writer(self, f)
    }
}

impl fmt::Debug for NestedFaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NestedFaultError({self})")
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn bits_have_the_processors_numbers() {
        let expected = [0, 1, 2, 3, 4, 6, 31, 32, 33, 34, 35, 36, 37];
        let named = NestedFaultError::all().iter().map(|flag| flag.bits().trailing_zeros());
        assert!(named.eq(expected));
    }

    #[test]
    fn shown_by_name() {
        let error = NestedFaultError::REVERSE_MAP | NestedFaultError::ENCRYPTED;
        assert_eq!(error.to_string(), "REVERSE_MAP | ENCRYPTED");
    }
}
