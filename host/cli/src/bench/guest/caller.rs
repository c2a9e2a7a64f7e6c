//! A guest that calls the module a given number of times, and ends.
//!
//! It is a bzImage by its header and a few instructions by its content: no
//! kernel lets a program say which calls it makes.

use abi_svsm::CallRegisters;
use svsm_image::bzimage::write;

/// Where it lies: nothing of the image's other parts is there.
pub(super) const BASE: u64 = 0x100_0000;

/// Bytes that it has, and may use.
pub(super) const SIZE: u32 = 0x40_0000;

/// From its start to the table of calls. The 64-bit entry is at 0x200 [Linux
/// `Documentation/arch/x86/boot.rst`].
const TABLE: usize = 0x1000;

/// Where its pages for lists are.
pub(super) const PAGES: u64 = BASE + 0x2000;

/// The calls of its table, one after the other, then reason 0 of set 0; reason 1
/// at once if one of them fails. The calling area is at 0xf000, as the builder
/// places it.
const CODE: [u8; 83] = [
    0x48, 0x8d, 0x35, 0xf9, 0x0d, 0x00, 0x00, // lea rsi, [rip + …]: the table
    0x8b, 0x2e, // mov ebp, [rsi]: how many
    0x48, 0x83, 0xc6, 0x08, // add rsi, 8
    0xc6, 0x04, 0x25, 0x00, 0xf0, 0x00, 0x00,
    0x01, // next: mov byte [0xf000], 1: a call is pending
    0xb8, 0x16, 0x00, 0x00, 0x00, // mov eax, 0x16: run VMPL0
    0x31, 0xd2, // xor edx, edx
    0xb9, 0x30, 0x01, 0x01, 0xc0, // mov ecx, 0xc0010130: the GHCB MSR
    0x0f, 0x30, // wrmsr
    0x48, 0x8b, 0x06, // mov rax, [rsi]
    0x48, 0x8b, 0x4e, 0x08, // mov rcx, [rsi + 8]
    0xf3, 0x0f, 0x01, 0xd9, // vmgexit
    0x48, 0x83, 0xc6, 0x10, // add rsi, 16
    0x85, 0xc0, // test eax, eax
    0xb8, 0x00, 0x01, 0x01, 0x00, // mov eax, 0x10100: terminate, reason 1
    0x75, 0x09, // jnz end
    0xff, 0xcd, // dec ebp
    0x75, 0xce, // jnz next
    0xb8, 0x00, 0x01, 0x00, 0x00, // mov eax, 0x100: terminate, reason 0
    0x31, 0xd2, // end: xor edx, edx
    0xb9, 0x30, 0x01, 0x01, 0xc0, // mov ecx, 0xc0010130
    0x0f, 0x30, // wrmsr
    0xf3, 0x0f, 0x01, 0xd9, // vmgexit
    0x0f, 0x0b, // ud2
];

/// The guest's bzImage: its table with these calls, of which RAX and RCX count,
/// and `pages` from [`PAGES`] on.
///
/// # Panics
///
/// If it becomes larger than [`SIZE`].
pub(super) fn bzimage(calls: &[CallRegisters], pages: &[[u8; 4096]]) -> Vec<u8> {
    let mut content = vec![0; 0x200];
    content.extend(CODE);
    content.resize(TABLE, 0);
    content.extend((calls.len() as u64).to_le_bytes());
    for call in calls {
        content.extend([call.rax, call.rcx].iter().flat_map(|value| value.to_le_bytes()));
    }
    let first_page = (PAGES - BASE) as usize;
    assert!(content.len() <= first_page, "the table ends before the pages");
    content.resize(first_page, 0);
    content.extend(pages.as_flattened());
    assert!(content.len() <= SIZE as usize, "there is memory for all pages");
    write(&content, BASE, SIZE)
}

#[cfg(test)]
mod tests {
    use svsm_image::bzimage::BzImage;

    use super::*;

    #[test]
    fn it_is_a_kernel_with_a_table() -> anyhow::Result<()> {
        let call = |rax, rcx| CallRegisters { rax, rcx, ..CallRegisters::default() };
        let file = bzimage(&[call(6, 1), call(1, 2)], &[[7; 4096]]);
        let kernel = BzImage::parse(&file)?;
        assert_eq!((kernel.load_address, kernel.memory_size), (BASE, SIZE.into()));
        let content = kernel.protected_mode;
        assert_eq!(content[0x200..][..CODE.len()], CODE);
        // The first instruction finds the table.
        let distance = i32::from_le_bytes([CODE[3], CODE[4], CODE[5], CODE[6]]);
        assert_eq!(0x207 + distance, TABLE as i32);
        let words: Vec<u8> = [2_u64, 6, 1, 1, 2].iter().flat_map(|w| w.to_le_bytes()).collect();
        assert_eq!(content[TABLE..][..words.len()], words);
        assert_eq!(content[(PAGES - BASE) as usize..], [7; 4096]);
        Ok(())
    }
}
