//! Writing a file with the setup header of a bzImage.

/// Bytes of setup code: boot sector and two more, all empty but for the header.
const SETUP_SIZE: usize = 3 * 512;

/// A file that is started at the 64-bit entry of its protected-mode part, which
/// is to lie at `load_address` and needs `memory_size` bytes from there on. Its
/// size is a multiple of 16.
#[must_use]
pub fn write(protected_mode: &[u8], load_address: u64, memory_size: u32) -> Vec<u8> {
    let mut file = vec![0; SETUP_SIZE];
    let mut put = |offset: usize, value: &[u8]| {
        file[offset..offset + value.len()].copy_from_slice(value);
    };
    put(0x1f1, &[2]);
    put(0x1f4, &(protected_mode.len() as u32 / 16).to_le_bytes());
    put(0x1fe, &0xaa55_u16.to_le_bytes());
    // A jump over the rest of the header: to 0x26c.
    put(0x200, &[0xeb, 0x6a]);
    put(0x202, b"HdrS");
    put(0x206, &0x020f_u16.to_le_bytes());
    put(0x22c, &0x7fff_ffff_u32.to_le_bytes());
    put(0x236, &0x7f_u16.to_le_bytes());
    put(0x238, &2047_u32.to_le_bytes());
    put(0x258, &load_address.to_le_bytes());
    put(0x260, &memory_size.to_le_bytes());
    file.extend_from_slice(protected_mode);
    file
}
