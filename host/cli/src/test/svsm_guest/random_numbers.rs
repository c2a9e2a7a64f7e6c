//! A program for the guest that asks the processor for random numbers.
//!
//! Programs reach RDRAND without the kernel's help, but nothing in busybox uses
//! it; so the script carries a program that does.

/// How many words of 64 bits the program writes.
pub(super) const WORDS: usize = 32;

/// Takes that many words from RDRAND, writes them to the standard output, ends.
const CODE: [u8; 40] = [
    0xb9, 0x20, 0x00, 0x00, 0x00, // mov ecx, 32
    0x48, 0x0f, 0xc7, 0xf0, // again: rdrand rax
    0x73, 0xfa, // jnc again
    0x50, // push rax
    0xff, 0xc9, // dec ecx
    0x75, 0xf5, // jnz again
    0x8d, 0x41, 0x01, // lea eax, [rcx + 1]: write
    0x89, 0xc7, // mov edi, eax: standard output
    0x48, 0x89, 0xe6, // mov rsi, rsp
    0xba, 0x00, 0x01, 0x00, 0x00, // mov edx, 256
    0x0f, 0x05, // syscall
    0xb8, 0x3c, 0x00, 0x00, 0x00, // mov eax, 60: exit
    0x31, 0xff, // xor edi, edi
    0x0f, 0x05, // syscall
];

/// Where the file is in memory.
const BASE: u64 = 0x40_0000;
/// Bytes of the ELF header, and of the one program header after it.
const HEADERS: [u16; 2] = [64, 56];

/// The program, an ELF file whose headers and code are one segment.
pub(super) fn program() -> Vec<u8> {
    const LOAD: u32 = 1;
    const READ_AND_EXECUTE: u32 = 5;
    let [header, program_header] = HEADERS;
    let code = u64::from(header + program_header);
    let size = code + CODE.len() as u64;
    // 64 bits, little-endian, version 1, for System V [ELF, chapter 4].
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    // An executable file for x86-64.
    file.extend([2u16, 62].iter().flat_map(|field| field.to_le_bytes()));
    file.extend(1u32.to_le_bytes());
    file.extend([BASE + code, header.into(), 0].iter().flat_map(|field| field.to_le_bytes()));
    file.extend(0u32.to_le_bytes());
    let counts = [header, program_header, 1, 0, 0, 0];
    file.extend(counts.iter().flat_map(|field| field.to_le_bytes()));
    file.extend([LOAD, READ_AND_EXECUTE].iter().flat_map(|field| field.to_le_bytes()));
    let segment = [0, BASE, BASE, size, size, 0x1000];
    file.extend(segment.iter().flat_map(|field: &u64| field.to_le_bytes()));
    file.extend(CODE);
    file
}

/// Whether these are bytes that the program has written, and could have come
/// from a source of random numbers: all words differ, and none is 0.
pub(super) fn are_random(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    let different: std::collections::BTreeSet<_> = words.iter().collect();
    rest.is_empty()
        && words.len() == WORDS
        && different.len() == WORDS
        && !different.contains(&[0; 8])
}

#[cfg(test)]
mod tests {
    use object::{Object, ObjectSegment};

    use super::*;

    #[test]
    fn the_program_is_an_elf_file() -> anyhow::Result<()> {
        let file = program();
        let parsed = object::File::parse(file.as_slice())?;
        assert_eq!(parsed.architecture(), object::Architecture::X86_64);
        assert_eq!(parsed.kind(), object::ObjectKind::Executable);
        let segments: Vec<_> = parsed.segments().collect();
        let [segment] = &segments[..] else { anyhow::bail!("{} segments", segments.len()) };
        assert_eq!(segment.address(), BASE);
        assert_eq!(segment.data()?, file);
        let entry = usize::try_from(parsed.entry() - BASE)?;
        assert_eq!(&file[entry..], CODE);
        Ok(())
    }

    #[test]
    fn numbers_that_repeat_are_not_random() {
        let mut bytes: Vec<u8> = (1..=WORDS as u64).flat_map(u64::to_le_bytes).collect();
        assert!(are_random(&bytes));
        assert!(!are_random(&bytes[..8 * WORDS - 1]));
        assert!(!are_random(&[]));
        bytes[0] = 2;
        assert!(!are_random(&bytes));
        bytes[0] = 0;
        assert!(!are_random(&bytes));
    }
}
