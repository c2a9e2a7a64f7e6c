//! x87 registers in the two layouts that hold them.
//!
//! FXSAVE gives each register 16 bytes and tells of each only whether it is
//! empty [APM 24593 §11.4.4]. A VMSA has 80 bytes for all of them and the full
//! tag word, two bits a register [APM 24593 appendix B, table B-4]. From memory:
//! those 80 bytes are in the order of FSAVE, ST0 first.

use crate::processor::xsave_image::XsaveImage;

/// Bytes of an x87 register.
const REGISTER_SIZE: usize = 10;

/// What two bits of the tag word say of a physical register
/// [APM 24592 §6.2.4].
#[derive(Clone, Copy)]
enum Tag {
    Valid = 0,
    Zero = 1,
    Special = 2,
    Empty = 3,
}

/// The registers side by side.
pub(crate) fn pack_registers(registers: &[[u8; 16]; 8]) -> [u8; 80] {
    let mut packed = [0; 80];
    for (to, from) in packed.chunks_exact_mut(REGISTER_SIZE).zip(registers) {
        to.copy_from_slice(&from[..REGISTER_SIZE]);
    }
    packed
}

/// The registers in slots of 16 bytes.
pub(crate) fn unpack_registers(packed: &[u8; 80]) -> [[u8; 16]; 8] {
    let mut registers = [[0; 16]; 8];
    for (to, from) in registers.iter_mut().zip(packed.chunks_exact(REGISTER_SIZE)) {
        to[..REGISTER_SIZE].copy_from_slice(from);
    }
    registers
}

/// The abridged form of a tag word: one bit for each register that is not
/// empty.
pub(crate) fn abridge_tags(tags: u16) -> u8 {
    (0..8).filter(|n| tags >> (2 * n) & 3 != Tag::Empty as u16).fold(0, |all, n| all | 1 << n)
}

/// The full tag word of an image, as a processor finds it from what the
/// registers hold.
pub(crate) fn full_tags(image: &XsaveImage) -> u16 {
    // Tags go by physical register, slots by distance from the top of stack.
    let top = usize::from(image.status_word >> 11 & 7);
    (0..8_usize).fold(0, |tags, physical| {
        let tag = if image.abridged_tags & 1 << physical == 0 {
            Tag::Empty
        } else {
            tag_of(&image.x87[(physical + 8 - top) % 8])
        };
        tags | (tag as u16) << (2 * physical)
    })
}

fn tag_of(register: &[u8; 16]) -> Tag {
    let significand =
        u64::from_le_bytes(*register.first_chunk().expect("16 bytes have 8 in front"));
    let exponent = u16::from_le_bytes([register[8], register[9]]) & 0x7fff;
    match (exponent, significand) {
        (0, 0) => Tag::Zero,
        (0 | 0x7fff, _) => Tag::Special,
        // Without its integer bit the number is unnormal.
        _ if significand >> 63 == 0 => Tag::Special,
        _ => Tag::Valid,
    }
}

#[cfg(test)]
mod tests {
    use core::array;

    use proptest::prelude::*;

    use super::*;

    /// 80-bit floating-point values by exponent and significand.
    fn slot(exponent: u16, significand: u64) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&significand.to_le_bytes());
        bytes[8..10].copy_from_slice(&exponent.to_le_bytes());
        bytes
    }

    #[test]
    fn tags_of_what_registers_hold() {
        const ONE: u64 = 1 << 63;
        let mut image = XsaveImage::reset();
        image.abridged_tags = 0b0111_1111;
        image.x87 = [
            slot(0x3fff, ONE),     // 1
            slot(0, 0),            // 0
            slot(0x8000, 0),       // -0
            slot(0x7fff, ONE),     // infinity
            slot(0x7fff, ONE | 1), // not a number
            slot(0, 1),            // denormal
            slot(0x4000, 1),       // unnormal
            slot(0x3fff, ONE),     // empty
        ];
        assert_eq!(full_tags(&image), 0b11_10_10_10_10_01_01_00);
    }

    #[test]
    fn tags_follow_the_top_of_stack() {
        // One value pushed: it lies in physical register 7 and is ST0.
        let mut image = XsaveImage::reset();
        image.status_word = 7 << 11;
        image.abridged_tags = 0x80;
        image.x87[0] = slot(0x3fff, 1 << 63);
        assert_eq!(full_tags(&image), 0x3fff);
    }

    #[test]
    fn tags_that_software_starts_with() {
        // After FNINIT, and as Linux fills in the save area of a processor.
        assert_eq!(abridge_tags(0xffff), 0);
        assert_eq!(abridge_tags(0x5555), 0xff);
        let mut image = XsaveImage::reset();
        assert_eq!(full_tags(&image), 0xffff);
        image.abridged_tags = 0xff;
        assert_eq!(full_tags(&image), 0x5555);
    }

    #[test]
    fn registers_are_packed_without_gaps() {
        let registers = array::from_fn(|n| {
            let mut register = [0; 16];
            register[..10].fill(n as u8 + 1);
            register
        });
        let packed = pack_registers(&registers);
        assert_eq!((packed[9], packed[10], packed[79]), (1, 2, 8));
        assert_eq!(unpack_registers(&packed), registers);
    }

    proptest! {
        #[test]
        fn packing_loses_nothing(packed in prop::collection::vec(any::<u8>(), 80)) {
            let packed: [u8; 80] = packed.try_into().expect("80 bytes");
            prop_assert_eq!(pack_registers(&unpack_registers(&packed)), packed);
        }

        #[test]
        fn empty_registers_stay_empty(
            abridged: u8,
            top in 0..8_u16,
            slots: [[u8; 16]; 8],
        ) {
            let mut image = XsaveImage::reset();
            image.abridged_tags = abridged;
            image.status_word = top << 11;
            image.x87 = slots;
            prop_assert_eq!(abridge_tags(full_tags(&image)), abridged);
        }
    }
}
