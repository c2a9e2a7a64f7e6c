//! Fields of the setup header, and files that are not kernels.

use proptest::prelude::*;

use super::sample::bzimage;
use super::*;

fn changed(offset: usize, value: &[u8]) -> Vec<u8> {
    let mut file = bzimage(&[0xcc; 64]);
    file[offset..offset + value.len()].copy_from_slice(value);
    file
}

#[test]
fn header_is_read() {
    let file = bzimage(&[0xcc; 64]);
    let kernel = BzImage::parse(&file).unwrap();
    assert_eq!(kernel.protected_mode, [0xcc; 64]);
    assert_eq!(kernel.setup_header.len(), 0x26c - 0x1f1);
    assert_eq!(kernel.setup_header[0x202 - 0x1f1..][..4], *b"HdrS");
    assert_eq!((kernel.load_address, kernel.memory_size), (0x100_0000, 0x40_0000));
    assert_eq!((kernel.max_command_line, kernel.max_initrd_address), (2047, 0x7fff_ffff));
}

#[test]
fn what_follows_the_protected_mode_part_is_left_out() {
    let mut file = bzimage(&[0xcc; 64]);
    file.extend(b"signature");
    assert_eq!(BzImage::parse(&file).unwrap().protected_mode, [0xcc; 64]);
}

#[test]
fn zero_setup_sectors_are_four() {
    let mut file = changed(0x1f1, &[0]);
    file.extend([0xdd; 1024]);
    assert_eq!(BzImage::parse(&file).unwrap().protected_mode, [0xdd; 64]);
}

#[test]
fn others_are_refused() {
    let refusal = |offset, value: &[u8]| BzImage::parse(&changed(offset, value)).unwrap_err();
    assert_eq!(refusal(0x1fe, &[0, 0]), Error::NotBzImage);
    assert_eq!(refusal(0x202, b"HdrX"), Error::NotBzImage);
    assert_eq!(refusal(0x206, &[0x0b, 2]), Error::Protocol(0x020b));
    assert!(refusal(0x206, &[0x0b, 2]).to_string().contains("2.11"));
    assert_eq!(refusal(0x236, &[0x7e]), Error::No64BitEntry);
    assert_eq!(refusal(0x258, &[1]), Error::LoadAddress(0x100_0001));
    assert_eq!(refusal(0x258, &[0; 8]), Error::LoadAddress(0));
    assert_eq!(refusal(0x260, &[0; 4]), Error::MemorySize(0, 64));
    assert_eq!(refusal(0x1f4, &[0; 4]), Error::MemorySize(0x40_0000, 0));
    let top = 0xffff_ffff_ffff_f000_u64.to_le_bytes();
    assert!(matches!(refusal(0x258, &top), Error::MemorySize(..)));
    assert!(matches!(refusal(0x1f4, &[0xff; 4]), Error::Truncated(_)));
}

#[test]
fn every_truncation_is_refused() {
    let file = bzimage(&[0xcc; 64]);
    for length in 0..file.len() {
        assert!(BzImage::parse(&file[..length]).is_err(), "{length}");
    }
}

proptest! {
    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let _ = BzImage::parse(&bytes);
    }

    #[test]
    fn flipped_bits_never_panic(flips in proptest::collection::vec((0x1f1_usize..0x270, 0_u8..8), 1..6)) {
        let mut file = bzimage(&[0xcc; 64]);
        for (offset, bit) in flips {
            file[offset] ^= 1 << bit;
        }
        if let Ok(kernel) = BzImage::parse(&file) {
            prop_assert!(kernel.protected_mode.len() as u64 <= kernel.memory_size);
            prop_assert!(kernel.load_address.checked_add(kernel.memory_size).is_some());
        }
    }
}
