//! Makes bzImages for tests.

use super::write::write;

/// A bzImage with this protected-mode part, whose size is a multiple of 16.
/// Like most kernels it wants to lie at 16 MiB; it needs 4 MiB there.
pub(crate) fn bzimage(protected_mode: &[u8]) -> Vec<u8> {
    write(protected_mode, 0x100_0000, 0x40_0000)
}
