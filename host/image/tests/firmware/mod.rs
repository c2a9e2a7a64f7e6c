//! OVMF firmware images: the metadata that says how SEV-SNP launches them.
//!
//! A table of entries, each data, then a size, then a GUID, ends 32 bytes
//! before the end of the image and is read backwards (edk2,
//! `OvmfPkg/ResetVector/Ia16/ResetVectorVtf0.asm` and
//! `OvmfPkg/ResetVector/X64/OvmfSevMetadata.asm`).

/// GUIDs as they lie in memory.
const FOOTER: [u8; 16] = guid(0x96b5_82de, 0x1fb2, 0x45f7, 0xbaea_a366_c55a_082d);
const RESET_BLOCK: [u8; 16] = guid(0x00f7_71de, 0x1a7e, 0x4fcb, 0x890e_68c7_7e2f_b44e);
const SEV_METADATA: [u8; 16] = guid(0xdc88_6566, 0x984a, 0x4798, 0xa75e_5585_a7bf_67cc);

const FOUR_GIB: u64 = 1 << 32;

/// A firmware image and what its metadata says.
pub(crate) struct Firmware {
    pub(crate) image: Vec<u8>,
    /// Where processors other than the first one start.
    pub(crate) reset_address: u32,
    pub(crate) sections: Vec<Section>,
}

/// Memory that the firmware wants to be launched with.
#[derive(Clone, Copy)]
pub(crate) struct Section {
    pub(crate) gpa: u32,
    pub(crate) size: u32,
    pub(crate) kind: u32,
}

impl Section {
    /// Memory of the first phase.
    pub(crate) const SEC_MEMORY: u32 = 1;
    pub(crate) const SECRETS: u32 = 2;
    pub(crate) const CPUID: u32 = 3;
    pub(crate) const SVSM_CALLING_AREA: u32 = 4;
    pub(crate) const KERNEL_HASHES: u32 = 0x10;
}

impl Firmware {
    /// Reads the table of an image.
    pub(crate) fn parse(image: Vec<u8>) -> Self {
        let mut end = image.len() - 32 - 18;
        assert_eq!(&image[end + 2..end + 18], &FOOTER, "the image has no table");
        let start = end + 18 - usize::from(half(&image, end));
        let mut firmware = Self { image: Vec::new(), reset_address: 0, sections: Vec::new() };
        while end > start {
            let entry_start = end - usize::from(half(&image, end - 18));
            let guid = &image[end - 16..end];
            let value = word(&image, entry_start);
            if guid == RESET_BLOCK {
                firmware.reset_address = value;
            } else if guid == SEV_METADATA {
                firmware.sections = sections(&image, image.len() - value as usize);
            }
            end = entry_start;
        }
        firmware.image = image;
        firmware
    }

    /// The image that `data/launch_digests.py` writes too.
    pub(crate) fn synthetic() -> Self {
        const SIZE: usize = 0x8000;
        const METADATA: usize = 0x6000;
        let mut image: Vec<u8> = (0..SIZE).map(|i| (i * 7 + (i >> 8) * 13 + 5) as u8).collect();
        image[0x3000..0x4000].fill(0);

        let sections: [[u32; 3]; 6] = [
            [0x80_0000, 0x9000, Section::SEC_MEMORY],
            [0x80_a000, 0x3000, Section::SEC_MEMORY],
            [0x80_d000, 0x1000, Section::SECRETS],
            [0x80_e000, 0x1000, Section::CPUID],
            [0x80_f000, 0x1000, Section::SVSM_CALLING_AREA],
            [0x81_0000, 0x1_0000, Section::SEC_MEMORY],
        ];
        let mut metadata = b"ASEV".to_vec();
        for value in [16 + 12 * sections.len() as u32, 1, sections.len() as u32] {
            metadata.extend_from_slice(&value.to_le_bytes());
        }
        for value in sections.concat() {
            metadata.extend_from_slice(&value.to_le_bytes());
        }
        image[METADATA..METADATA + metadata.len()].copy_from_slice(&metadata);

        let mut table = entry(0xffff_b004, &RESET_BLOCK);
        table.extend(entry((SIZE - METADATA) as u32, &SEV_METADATA));
        table.extend_from_slice(&(table.len() as u16 + 18).to_le_bytes());
        table.extend_from_slice(&FOOTER);
        let end = SIZE - 32;
        image[end - table.len()..end].copy_from_slice(&table);
        Self::parse(image)
    }

    /// Guest physical address of the image, which ends at 4 GiB.
    pub(crate) fn gpa(&self) -> u64 {
        FOUR_GIB - self.image.len() as u64
    }
}

fn sections(image: &[u8], at: usize) -> Vec<Section> {
    assert_eq!(&image[at..at + 4], b"ASEV", "the metadata has no signature");
    let section = |index: usize| {
        let at = at + 16 + 12 * index;
        Section { gpa: word(image, at), size: word(image, at + 4), kind: word(image, at + 8) }
    };
    (0..word(image, at + 12) as usize).map(section).collect()
}

fn entry(value: u32, guid: &[u8; 16]) -> Vec<u8> {
    let size = 4 + 18u16;
    [&value.to_le_bytes()[..], &size.to_le_bytes()[..], guid].concat()
}

/// The bytes of a GUID: the first three groups little-endian.
const fn guid(first: u32, second: u16, third: u16, rest: u64) -> [u8; 16] {
    let number = (first.swap_bytes() as u128) << 96
        | (second.swap_bytes() as u128) << 80
        | (third.swap_bytes() as u128) << 64
        | rest as u128;
    number.to_be_bytes()
}

fn half(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from(half(bytes, at)) | u32::from(half(bytes, at + 2)) << 16
}
