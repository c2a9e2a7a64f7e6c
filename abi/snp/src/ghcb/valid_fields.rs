//! Which fields of the save area hold something.

use abi_x86::show_flag_names;

/// The valid bitmap: one bit for each 8 bytes of the save area, bit n for
/// offset 8 * n [GHCB 56421 2.04 §2.3.2, table 3].
///
/// A guest marks what it gives, a hypervisor what it returns; a field that is
/// not marked is left over from earlier. The bits of fields that have no name
/// here can be held, but nothing reads or writes those fields.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ValidFields(u128);

bitflags::bitflags! {
    impl ValidFields: u128 {
        /// Privilege level that the request comes from.
        const CPL = 1 << (0x0cb / 8);
        /// XSS.
        const XSS = 1 << (0x140 / 8);
        /// DR7.
        const DR7 = 1 << (0x160 / 8);
        /// RAX.
        const RAX = 1 << (0x1f8 / 8);
        /// RCX.
        const RCX = 1 << (0x308 / 8);
        /// RDX.
        const RDX = 1 << (0x310 / 8);
        /// RBX.
        const RBX = 1 << (0x318 / 8);
        /// RSI.
        const RSI = 1 << (0x330 / 8);
        /// `SW_EXITCODE`.
        const EXIT_CODE = 1 << (0x390 / 8);
        /// `SW_EXITINFO1`.
        const EXIT_INFO_1 = 1 << (0x398 / 8);
        /// `SW_EXITINFO2`.
        const EXIT_INFO_2 = 1 << (0x3a0 / 8);
        /// `SW_SCRATCH`.
        const SCRATCH = 1 << (0x3a8 / 8);
        /// XCR0.
        const XCR0 = 1 << (0x3e8 / 8);
    }
}

show_flag_names!(ValidFields);

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn bits_as_other_implementations_number_them() {
        // What Linux's `GHCB_BITMAP_IDX` gives for its save area.
        let numbers = [25, 40, 44, 63, 97, 98, 99, 102, 114, 115, 116, 117, 125];
        let all = numbers.iter().fold(0, |bits, number| bits | 1_u128 << number);
        assert_eq!(ValidFields::all().bits(), all);
    }

    #[test]
    fn set_clear_and_shown() {
        let mut fields = ValidFields::RAX | ValidFields::EXIT_INFO_2;
        assert_eq!(fields.to_string(), "RAX | EXIT_INFO_2");
        fields.remove(ValidFields::RAX);
        fields.insert(ValidFields::CPL);
        assert!(fields.contains(ValidFields::CPL) && !fields.contains(ValidFields::RAX));
    }
}
