//! Makes bzImages for tests.

/// Bytes of setup code in a sample: boot sector and two more.
const SETUP_SIZE: usize = 3 * 512;

/// A bzImage with this protected-mode part, whose size is a multiple of 16.
/// Like most kernels it wants to lie at 16 MiB; it needs 4 MiB there.
pub(crate) fn bzimage(protected_mode: &[u8]) -> Vec<u8> {
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
    put(0x258, &0x100_0000_u64.to_le_bytes());
    put(0x260, &0x40_0000_u32.to_le_bytes());
    file.extend_from_slice(protected_mode);
    file
}
