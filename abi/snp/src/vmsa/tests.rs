//! A save area is the bytes that other software makes of the same registers.

use abi_x86::{SegmentAttributes, SegmentSelector, reset};

use super::*;

/// Where a page differs from zero, as (offset, value of the 8 bytes there).
fn non_zero_words(page: &Vmsa) -> impl Iterator<Item = (usize, u64)> {
    page.as_bytes().as_chunks::<8>().0.iter().enumerate().filter_map(|(index, word)| {
        let word = u64::from_le_bytes(*word);
        (word != 0).then_some((8 * index, word))
    })
}

#[test]
fn zeroed_is_zero() {
    assert_eq!(non_zero_words(&Vmsa::zeroed()).next(), None);
}

#[test]
fn long_mode_start_state() {
    let data = SegmentRegister {
        selector: SegmentSelector(0x10),
        attributes: SegmentAttributes::DATA,
        limit: u32::MAX,
        base: 0,
    };
    let code = SegmentRegister {
        selector: SegmentSelector(8),
        attributes: SegmentAttributes::CODE_64,
        ..data
    };
    let task = SegmentRegister {
        selector: SegmentSelector::NULL,
        attributes: SegmentAttributes::TSS_BUSY,
        limit: 0xffff,
        base: 0,
    };
    let page = Vmsa {
        cs: code,
        ss: data,
        tr: task,
        vmpl: 2,
        cpl: 3,
        efer: Efer::SVME | Efer::LMA | Efer::LME,
        cr4: Cr4::PAE,
        cr3: 1 << 51 | 0x1000,
        cr0: Cr0::PG | Cr0::PE,
        dr7: reset::DR7,
        dr6: reset::DR6,
        rflags: Rflags::FIXED,
        rip: 0xffff_ffff_8000_1234,
        g_pat: reset::PAT,
        sev_features: SevFeatures::SNP_ACTIVE | SevFeatures::RESTRICTED_INJECTION,
        xcr0: reset::XCR0,
        mxcsr: reset::MXCSR,
        x87_fcw: reset::X87_CONTROL_WORD,
        ..Vmsa::zeroed()
    };
    let expected = [
        (0x010, 0xffff_ffff_0a9b_0008),
        (0x020, 0xffff_ffff_0c93_0010),
        (0x090, 0x0000_ffff_008b_0000),
        (0x0c8, 0x0000_0000_0302_0000),
        (0x0d0, 0x1500),
        (0x148, 0x20),
        (0x150, 0x0008_0000_0000_1000),
        (0x158, 0x8000_0001),
        (0x160, 0x400),
        (0x168, 0xffff_0ff0),
        (0x170, 2),
        (0x178, 0xffff_ffff_8000_1234),
        (0x268, 0x0007_0406_0007_0406),
        (0x3b0, 0x9),
        (0x3e8, 1),
        (0x408, 0x1f80),
        (0x410, 0x37f),
    ];
    assert!(non_zero_words(&page).eq(expected));
}

#[test]
fn any_page_can_be_read() {
    // A save area that a guest filled in is an allegation: every bit pattern
    // has to come through as it is.
    let mut bytes = [0_u8; 4096];
    for (byte, index) in bytes.iter_mut().zip(0_u32..) {
        *byte = (index * 31 % 251) as u8;
    }
    let page = Vmsa::read_from_bytes(&bytes).unwrap();
    assert_eq!(page.as_bytes(), bytes);
    let word = |offset: usize| u64::from_le_bytes(bytes[offset..offset + 8].try_into().unwrap());
    assert_eq!(page.efer.bits(), word(0xd0));
    assert_eq!(page.sev_features.bits(), word(0x3b0));
    assert_eq!(page.tr.base, word(0x98));
}
