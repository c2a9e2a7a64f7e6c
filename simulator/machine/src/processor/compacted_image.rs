//! XSAVEC and XRSTOR of compacted images.
//!
//! QEMU's processors have XSAVE, but no XSAVEC, and their XRSTOR refuses (#GP)
//! what XSAVEC has written. Linux as an SEV-SNP guest insists on XSAVEC, so the
//! model executes both [APM 24593 §11.5].
//!
//! A compacted image starts like [`XsaveImage`]. Its header names the components
//! that it has room for, and those that it holds; the ones behind the header lie
//! side by side, in the order of their bits.

use core::mem::offset_of;
use core::ops::Range;

use abi_svm::SaveArea;
use abi_x86::{Cr0, Cr4, ExceptionVector};
use zerocopy::IntoBytes;

use crate::processor::code_size::CodeSize;
use crate::processor::registers::RegisterFile;
use crate::processor::xsave_image::{MXCSR_MASK, StateComponents, XsaveImage};

/// Whether extended state can be saved to or restored from `address` at all.
///
/// # Errors
///
/// The exception that the instruction ends with; #GP has error code 0.
pub fn check_image_access(save: &SaveArea, address: u64) -> Result<(), ExceptionVector> {
    if !save.cr4.contains(Cr4::OSXSAVE) {
        Err(ExceptionVector::INVALID_OPCODE)
    } else if save.cr0.contains(Cr0::TS) {
        Err(ExceptionVector::DEVICE_NOT_AVAILABLE)
    } else if !address.is_multiple_of(IMAGE_ALIGNMENT) {
        Err(ExceptionVector::GENERAL_PROTECTION)
    } else {
        Ok(())
    }
}

/// XSAVEC: saves the components in `requested` (EDX:EAX) that are enabled.
///
/// `write` gets offsets in the image and bytes to put there. What an image does
/// not hold is not written. That all components of `file` count as in use, as
/// its image says, is the processor's choice [APM 24593 §11.5].
///
/// # Errors
///
/// Those of `write`. A part has been written then, which does no harm: the
/// instruction starts over.
pub fn save_compacted<E>(
    file: &RegisterFile,
    size: CodeSize,
    requested: u64,
    mut write: impl FnMut(u64, &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let room = StateComponents::from_bits_truncate(requested & file.xcr0);
    // PKRU is beside the file's image.
    let in_use =
        StateComponents::from_bits_truncate(file.extended.components) | StateComponents::PKRU;
    let held = room & in_use;
    let image = file.extended.as_bytes();
    let pkru = u64::from(file.pkru).to_le_bytes();
    for part in Part::ALL.into_iter().filter(|part| held.contains(part.component())) {
        let bytes = part.place(size).map_or(&pkru[..], |place| &image[place]);
        write(part.offset(room), bytes)?;
    }
    write(HEADER, [held.bits(), COMPACTED | room.bits()].as_bytes())
}

/// Why XRSTOR of a compacted image did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError<E> {
    /// The image is not compacted: the emulated processor can load it, and if it
    /// refused, then rightly.
    #[error("the image is not compacted")]
    NotCompacted,
    /// #GP(0): the header or MXCSR is not possible.
    #[error("the image's header or MXCSR is not possible")]
    GeneralProtection,
    /// The image could not be read.
    #[error("the image could not be read")]
    Read(E),
}

/// XRSTOR: restores the components in `requested` (EDX:EAX) that are enabled;
/// those that a compacted image does not hold become what they are after a
/// reset.
///
/// `read` gets offsets in the image and fills in the bytes there.
///
/// # Errors
///
/// Why not; nothing has changed then.
pub fn restore_compacted<E>(
    file: &mut RegisterFile,
    size: CodeSize,
    requested: u64,
    mut read: impl FnMut(u64, &mut [u8]) -> Result<(), E>,
) -> Result<(), RestoreError<E>> {
    let mut header = [0_u64; 8];
    read(HEADER, header.as_mut_bytes()).map_err(RestoreError::Read)?;
    let [held, layout, reserved @ ..] = header;
    if layout & COMPACTED == 0 {
        return Err(RestoreError::NotCompacted);
    }
    let room = layout & !COMPACTED;
    if room & !file.xcr0 != 0 || held & !room != 0 || reserved != [0; 6] {
        return Err(RestoreError::GeneralProtection);
    }
    let room = StateComponents::from_bits_truncate(room);
    let held = StateComponents::from_bits_truncate(held);
    let requested = StateComponents::from_bits_truncate(requested & file.xcr0);
    // What the image does not hold stays as it is after a reset.
    let mut restored = XsaveImage::reset();
    let mut pkru = [0; 8];
    for part in Part::ALL.into_iter().filter(|part| held.contains(part.component())) {
        if requested.contains(part.component()) {
            let bytes = match part.place(size) {
                Some(place) => &mut restored.as_mut_bytes()[place],
                None => &mut pkru[..],
            };
            read(part.offset(room), bytes).map_err(RestoreError::Read)?;
        }
    }
    if restored.mxcsr & !MXCSR_MASK != 0 {
        return Err(RestoreError::GeneralProtection);
    }
    for part in Part::ALL.into_iter().filter(|part| requested.contains(part.component())) {
        match part.place(size) {
            Some(place) => file.extended.as_mut_bytes()[place.clone()]
                .copy_from_slice(&restored.as_bytes()[place]),
            // A register of 32 bits in 8 bytes.
            None => file.pkru = u64::from_le_bytes(pkru) as u32,
        }
    }
    file.extended.mxcsr_mask = MXCSR_MASK;
    file.extended.components |= (requested - StateComponents::PKRU).bits();
    Ok(())
}

/// Where an image may start: multiples of this.
const IMAGE_ALIGNMENT: u64 = 64;
/// Offset of the header.
const HEADER: u64 = 512;
/// Offset of the first component behind the header.
const EXTENDED: u64 = 576;
/// Bytes of the upper halves of all YMM registers.
const YMM_UPPER_SIZE: u64 = 256;
/// In the header's second word: the image is compacted.
const COMPACTED: u64 = 1 << 63;

/// A part of an image that belongs to one component and has no gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    X87Control,
    Mxcsr,
    X87Registers,
    Xmm,
    YmmUpper,
    Pkru,
}

impl Part {
    const ALL: [Self; 6] =
        [Self::X87Control, Self::Mxcsr, Self::X87Registers, Self::Xmm, Self::YmmUpper, Self::Pkru];

    const fn component(self) -> StateComponents {
        match self {
            Self::X87Control | Self::X87Registers => StateComponents::X87,
            Self::Mxcsr | Self::Xmm => StateComponents::SSE,
            Self::YmmUpper => StateComponents::AVX,
            Self::Pkru => StateComponents::PKRU,
        }
    }

    /// Where it is in an [`XsaveImage`], which has no PKRU. Outside 64-bit mode
    /// there are half as many vector registers.
    fn place(self, size: CodeSize) -> Option<Range<usize>> {
        const REGISTER: usize = 16;
        let count = if size == CodeSize::Bits64 { 16 } else { 8 };
        let (start, length) = match self {
            Self::X87Control => (0, offset_of!(XsaveImage, mxcsr)),
            Self::Mxcsr => (offset_of!(XsaveImage, mxcsr), 8),
            Self::X87Registers => (offset_of!(XsaveImage, x87), 8 * REGISTER),
            Self::Xmm => (offset_of!(XsaveImage, xmm), count * REGISTER),
            Self::YmmUpper => (offset_of!(XsaveImage, ymm_upper), count * REGISTER),
            Self::Pkru => return None,
        };
        Some(start..start + length)
    }

    /// Where it is in a compacted image that has room for `room`: up to the AVX
    /// registers as in every image.
    fn offset(self, room: StateComponents) -> u64 {
        match self.place(CodeSize::Bits64) {
            Some(place) => place.start as u64,
            None if room.contains(StateComponents::AVX) => EXTENDED + YMM_UPPER_SIZE,
            None => EXTENDED,
        }
    }
}

#[cfg(test)]
mod tests;
