//! Extended registers, as XSAVE stores them.
//!
//! The first 512 bytes are an FXSAVE image in the format of 64-bit mode, then
//! comes the header of XSAVE, then the upper halves of the YMM registers
//! [APM 24593 §11.4.4, §11.5]. XRSTOR and FXRSTOR can load it as
//! it is.

use abi_x86::reset;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// Components of extended state: bits of XCR0 and of an image's header
/// [APM 24593 §11.5].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateComponents(u64);

bitflags::bitflags! {
    impl StateComponents: u64 {
        /// x87 registers.
        const X87 = 1 << 0;
        /// XMM registers and MXCSR.
        const SSE = 1 << 1;
        /// Upper halves of the YMM registers.
        const AVX = 1 << 2;
        /// PKRU.
        const PKRU = 1 << 9;
    }
}

/// The bits of MXCSR that can be written on the processors that QEMU emulates.
pub const MXCSR_MASK: u32 = 0xffff;

/// x87, SSE and AVX registers in XSAVE's standard format. PKRU, which lies
/// further behind, is not part of it. Secrets of the guest, so there is no
/// `Debug`.
#[derive(Clone, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(64))]
pub struct XsaveImage {
    /// x87 control word.
    pub control_word: u16,
    /// x87 status word.
    pub status_word: u16,
    /// Abridged x87 tag word: bit `n` is set if physical register `n` is not
    /// empty.
    pub abridged_tags: u8,
    _reserved_5: u8,
    /// Opcode of the last x87 instruction.
    pub opcode: u16,
    /// Address of the last x87 instruction.
    pub instruction_pointer: u64,
    /// Address of the last x87 operand.
    pub data_pointer: u64,
    /// MXCSR.
    pub mxcsr: u32,
    /// Which bits of MXCSR exist; not loaded.
    pub mxcsr_mask: u32,
    /// ST0 to ST7, 10 bytes each.
    pub x87: [[u8; 16]; 8],
    /// XMM0 to XMM15.
    pub xmm: [[u8; 16]; 16],
    _reserved_416: [u8; 96],
    /// Components whose values the image holds; the others are in their initial
    /// state.
    pub components: u64,
    /// Zero, the standard format.
    pub compaction: u64,
    _reserved_528: [u8; 48],
    /// Upper halves of YMM0 to YMM15.
    pub ymm_upper: [[u8; 16]; 16],
}

const _: () = {
    assert!(size_of::<XsaveImage>() == 832);
    assert!(core::mem::offset_of!(XsaveImage, mxcsr) == 24);
    assert!(core::mem::offset_of!(XsaveImage, x87) == 32);
    assert!(core::mem::offset_of!(XsaveImage, xmm) == 160);
    assert!(core::mem::offset_of!(XsaveImage, components) == 512);
    assert!(core::mem::offset_of!(XsaveImage, ymm_upper) == 576);
};

impl XsaveImage {
    /// Registers as FNINIT and a reset leave them.
    #[must_use]
    pub fn reset() -> Self {
        let components = StateComponents::X87 | StateComponents::SSE | StateComponents::AVX;
        Self {
            control_word: reset::X87_CONTROL_WORD,
            mxcsr: reset::MXCSR,
            mxcsr_mask: MXCSR_MASK,
            components: components.bits(),
            ..Self::new_zeroed()
        }
    }
}
