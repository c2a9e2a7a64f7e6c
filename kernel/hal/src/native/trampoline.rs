//! A processor's first instructions, in real mode.
//!
//! INIT and SIPI start a processor at the first byte of a page below 1 MiB, in
//! real mode, with the page as its code segment [APM 24593 §16.5; SDM 3A §9.4].
//! What lies there does as little as can be: it enters protected mode and jumps
//! to the page that the builder maps at its physical address (`entry/pvh.rs`),
//! which does the rest. So the kernel's page tables need nothing of this page.
//!
//! The page holds a descriptor table of its own, because an operand in real mode
//! reaches no farther.

use abi_boot::PAGE_SIZE;

/// Bytes of the code with its tables.
pub(super) const SIZE: usize = 64;

/// First addresses that are too high for a page to start in: above 0x9_ffff lie
/// a PC's video memory and firmware. Vectors from 0xa0 to 0xbf are reserved for
/// that reason [SDM 3A §9.4.4.1].
const MOST_ADDRESS: u64 = 0xa_0000;

/// Where the operand of LGDT lies, and the descriptors.
const POINTER: u8 = 32;
const DESCRIPTORS: u8 = 40;

/// Flat segments of 4 GiB, accessed: code of 32 bits, data [APM 24593 §4.7].
const CODE_32: u64 = 0x00cf_9b00_0000_ffff;
const DATA_32: u64 = 0x00cf_9300_0000_ffff;
/// Their selectors.
const CODE_32_SELECTOR: u16 = 1 << 3;
pub(crate) const DATA_32_SELECTOR: u16 = 2 << 3;

/// The vector of a SIPI that starts a processor at `page`; `None` if none can.
pub(super) fn vector(page: u64) -> Option<u8> {
    let number = u8::try_from(page / PAGE_SIZE).ok()?;
    (page.is_multiple_of(PAGE_SIZE) && page < MOST_ADDRESS).then_some(number)
}

/// The code, for a page at physical address `page`: it goes on at `entry`, whose
/// page's address EBP is then.
pub(super) fn code(page: u32, entry: u32) -> [u8; SIZE] {
    let entry_page = entry - entry % PAGE_SIZE as u32;
    let [e0, e1, e2, e3] = entry.to_le_bytes();
    let [b0, b1, b2, b3] = entry_page.to_le_bytes();
    let [s0, s1] = CODE_32_SELECTOR.to_le_bytes();
    let [t0, t1, t2, t3] = (page + u32::from(DESCRIPTORS)).to_le_bytes();
    // The prefix 0x66 makes operands 32 bits wide, 0x2e takes them from CS.
    let instructions: [u8; POINTER as usize + 8] = [
        0xfa, // cli
        0xfc, // cld
        0x2e,
        0x66,
        0x0f,
        0x01,
        0x16,
        POINTER,
        0, // lgdtl %cs:POINTER
        0x66,
        0xbd,
        b0,
        b1,
        b2,
        b3, // mov $entry_page, %ebp
        0x0f,
        0x20,
        0xc0, // mov %cr0, %eax
        0x0c,
        0x01, // or $1, %al
        0x0f,
        0x22,
        0xc0, // mov %eax, %cr0
        0x66,
        0xea,
        e0,
        e1,
        e2,
        e3,
        s0,
        s1, // ljmpl $CODE_32_SELECTOR, $entry
        0,  // the operand of LGDT is aligned
        3 * 8 - 1,
        0,
        t0,
        t1,
        t2,
        t3, // limit and base
        0,
        0,
    ];
    let mut code = [0; SIZE];
    let (start, descriptors) = code.split_at_mut(DESCRIPTORS.into());
    start.copy_from_slice(&instructions);
    for (place, descriptor) in descriptors.chunks_exact_mut(8).zip([0, CODE_32, DATA_32]) {
        place.copy_from_slice(&descriptor.to_le_bytes());
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_pages_below_the_video_memory_have_vectors() {
        assert_eq!(vector(0x9_e000), Some(0x9e));
        assert_eq!(vector(0x1000), Some(1));
        for page in [0x9_e001, 0xa_0000, 0xf_f000, 0x10_0000, 1 << 40] {
            assert_eq!(vector(page), None, "{page:#x}");
        }
    }

    /// As an assembler makes it of the comments.
    #[test]
    fn code_is_what_the_comments_say() {
        let code = code(0x9_e000, 0x0800_1234);
        assert_eq!(code[2..9], [0x2e, 0x66, 0x0f, 0x01, 0x16, 0x20, 0x00]);
        assert_eq!(code[9..15], [0x66, 0xbd, 0x00, 0x10, 0x00, 0x08]);
        assert_eq!(code[23..31], [0x66, 0xea, 0x34, 0x12, 0x00, 0x08, 0x08, 0x00]);
        assert_eq!(code[32..38], [23, 0, 0x28, 0xe0, 0x09, 0x00]);
        assert_eq!(code[48..56], CODE_32.to_le_bytes());
        assert_eq!(code[56..], DATA_32.to_le_bytes());
    }
}
