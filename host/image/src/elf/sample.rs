//! Makes ELF files for tests, good and bad.

use abi_boot::VIRTUAL_BASE;

/// A segment of a sample.
#[derive(Clone, Debug)]
pub(crate) struct SampleSegment {
    pub(crate) kind: u32,
    /// `p_flags`: 1 execute, 2 write, 4 read.
    pub(crate) flags: u32,
    pub(crate) address: u64,
    pub(crate) memory_size: u64,
    pub(crate) content: Vec<u8>,
}

/// A sample file.
#[derive(Clone, Debug)]
pub(crate) struct SampleElf {
    pub(crate) class: u8,
    pub(crate) machine: u16,
    pub(crate) file_type: u16,
    pub(crate) entry: u64,
    pub(crate) segments: Vec<SampleSegment>,
}

/// Where the text, rodata and data segments of [`SampleElf::kernel`] lie.
pub(crate) const TEXT: u64 = VIRTUAL_BASE + 0x1000;
pub(crate) const RODATA: u64 = VIRTUAL_BASE + 0x4000;
pub(crate) const DATA: u64 = VIRTUAL_BASE + 0x6000;

pub(crate) fn load(flags: u32, address: u64, memory_size: u64, content: &[u8]) -> SampleSegment {
    SampleSegment { kind: 1, flags, address, memory_size, content: content.to_vec() }
}

/// A `PT_NOTE` segment with one note.
pub(crate) fn note(owner: &[u8], note_type: u32, descriptor: &[u8]) -> SampleSegment {
    let mut content = Vec::new();
    content.extend((owner.len() as u32).to_le_bytes());
    content.extend((descriptor.len() as u32).to_le_bytes());
    content.extend(note_type.to_le_bytes());
    content.extend(owner);
    content.resize(content.len().next_multiple_of(4), 0);
    content.extend(descriptor);
    SampleSegment { kind: 4, flags: 4, address: 0, memory_size: content.len() as u64, content }
}

impl SampleElf {
    /// A kernel that keeps the contract, with a PVH entry at its second byte.
    pub(crate) fn kernel() -> Self {
        Self {
            class: 2,
            machine: 62,
            file_type: 2,
            entry: TEXT + 0x10,
            segments: vec![
                load(5, TEXT, 0x2345, &[0x90; 0x2345]),
                load(4, RODATA, 0x1000, b"read only"),
                load(6, DATA, 0x5000, &[7; 0x1234]),
                note(b"SVSM\0", 1, &(TEXT + 1).to_le_bytes()),
            ],
        }
    }

    /// A file for a service.
    pub(crate) fn service(content: &[u8]) -> Self {
        Self {
            entry: 0x40_0000,
            segments: vec![load(5, 0x40_0000, 0x1000, content)],
            ..Self::kernel()
        }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let headers = 64 + 56 * self.segments.len();
        let mut file = Vec::new();
        file.extend([0x7f, b'E', b'L', b'F', self.class, 1, 1, 0]);
        file.resize(16, 0);
        file.extend(self.file_type.to_le_bytes());
        file.extend(self.machine.to_le_bytes());
        file.extend(1_u32.to_le_bytes());
        file.extend(self.entry.to_le_bytes());
        file.extend(64_u64.to_le_bytes());
        file.extend(0_u64.to_le_bytes());
        file.extend(0_u32.to_le_bytes());
        for half in [64, 56, self.segments.len() as u16, 0, 0, 0] {
            file.extend(half.to_le_bytes());
        }
        let mut offset = headers as u64;
        for segment in &self.segments {
            let file_size = segment.content.len() as u64;
            file.extend(segment.kind.to_le_bytes());
            file.extend(segment.flags.to_le_bytes());
            for word in [offset, segment.address, 0, file_size, segment.memory_size, 4] {
                file.extend(word.to_le_bytes());
            }
            offset += file_size;
        }
        for segment in &self.segments {
            file.extend(&segment.content);
        }
        file
    }
}
