//! A bare-metal program of ours as the guest of a module: its ELF file in the
//! form of a bzImage, so that it is placed and entered as Linux is.
//!
//! The program keeps the contract of kernels (`abi_boot`). The protected-mode
//! part holds what is linked to [`VIRTUAL_BASE`] and behind it, in one piece;
//! at the 64-bit entry, in the first page, which segments leave free, there is a
//! jump to the program's own entry. So the program is entered where it lies, not
//! where it is linked, with RSI as Linux has it.

use abi_boot::VIRTUAL_BASE;

use crate::bzimage::{ENTRY_64_OFFSET, write};
use crate::elf::KernelElf;

/// Where a program is to lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Guest physical address of what is linked to [`VIRTUAL_BASE`]: a multiple
    /// of 2 MiB, at least 1 MiB.
    pub address: u64,
    /// Bytes that the program has to itself from there on.
    pub size: u32,
}

/// Why a program is not wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is too little memory for it.
    #[error("it takes {0:#x} bytes, but is given {1:#x}")]
    TooLarge(u64, u32),
}

/// Bytes of a jump with a 32-bit distance.
const JUMP_SIZE: usize = 5;

/// Wraps a program.
///
/// # Errors
///
/// See [`Error`].
pub fn wrap(program: &KernelElf, place: Place) -> Result<Vec<u8>, Error> {
    let end = program.segments.iter().map(|segment| segment.address + segment.memory_size).max();
    let size = end.unwrap_or(VIRTUAL_BASE) - VIRTUAL_BASE;
    if size > place.size.into() {
        return Err(Error::TooLarge(size, place.size));
    }
    let mut image = vec![0; size as usize];
    for segment in &program.segments {
        let start = (segment.address - VIRTUAL_BASE) as usize;
        image[start..start + segment.content.len()].copy_from_slice(&segment.content);
    }
    let jump = ENTRY_64_OFFSET as usize;
    let target = program.entry - VIRTUAL_BASE;
    // Both are below 4 GiB, and the entry is behind the first page.
    let distance = target as u32 - (jump + JUMP_SIZE) as u32;
    image[jump] = 0xe9;
    image[jump + 1..jump + JUMP_SIZE].copy_from_slice(&distance.to_le_bytes());
    Ok(write(&image, place.address, place.size))
}

#[cfg(test)]
mod tests {
    use abi_boot::{Access, VIRTUAL_BASE};

    use super::{Error, Place, wrap};
    use crate::bzimage::BzImage;
    use crate::elf::{KernelElf, Segment};

    const PLACE: Place = Place { address: 0x200_0000, size: 0x40_0000 };

    fn program() -> KernelElf {
        let segment = |address, memory_size, access, content: &[u8]| Segment {
            address: VIRTUAL_BASE + address,
            memory_size,
            access,
            content: content.to_vec(),
        };
        KernelElf {
            entry: VIRTUAL_BASE + 0x1234,
            pvh_entry: None,
            segments: vec![
                segment(0x1000, 0x2000, Access::READ | Access::EXECUTE, &[0x90; 0x1100]),
                segment(0x4000, 0x3000, Access::READ | Access::WRITE, b"data"),
            ],
            symbols: Vec::new(),
        }
    }

    #[test]
    fn a_program_is_placed_and_entered_as_linux_is() -> Result<(), Box<dyn std::error::Error>> {
        let file = wrap(&program(), PLACE)?;
        let read = BzImage::parse(&file)?;
        assert_eq!((read.load_address, read.memory_size), (PLACE.address, PLACE.size.into()));
        let image = read.protected_mode;
        assert_eq!(image.len(), 0x7000);
        assert_eq!(image[0x200], 0xe9);
        let distance = u32::from_le_bytes(image[0x201..0x205].try_into()?);
        assert_eq!(0x205 + distance, 0x1234);
        assert!(image[0x1000..0x2100].iter().all(|byte| *byte == 0x90));
        assert_eq!(&image[0x4000..0x4005], b"data\0");
        let others = [0..0x200, 0x205..0x1000, 0x2100..0x4000, 0x4004..0x7000];
        assert!(others.into_iter().flat_map(|range| &image[range]).all(|byte| *byte == 0));
        Ok(())
    }

    #[test]
    fn a_program_that_does_not_fit_is_refused() {
        let place = Place { size: 0x6fff, ..PLACE };
        assert_eq!(wrap(&program(), place), Err(Error::TooLarge(0x7000, 0x6fff)));
        assert!(wrap(&program(), Place { size: 0x7000, ..PLACE }).is_ok());
    }
}
