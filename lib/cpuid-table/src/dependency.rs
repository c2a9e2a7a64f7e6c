//! Which features need which state.
//!
//! A feature whose registers XSAVE cannot save must not be used by anyone: its
//! registers would leak from one task into the next. The table names features
//! of AMD and of Intel processors; unknown bits are firmware's to vouch for.

use crate::answer::{Answer, AnswerRegister};
use AnswerRegister::{Eax, Ebx, Ecx, Edx};

/// State components, as bits of XCR0 and XSS [APM 24593 §11.5.2].
pub(crate) mod component {
    /// x87 and SSE, which every XSAVE saves.
    pub(crate) const LEGACY: u64 = 0b11;
    /// Upper halves of the YMM registers.
    pub(crate) const AVX: u64 = 1 << 2;
    /// Mask registers, upper halves of ZMM0 to 15, ZMM16 to 31.
    pub(crate) const AVX512: u64 = 0b111 << 5;
    /// PKRU.
    pub(crate) const PROTECTION_KEYS: u64 = 1 << 9;
    /// Shadow stack registers of user and supervisor.
    pub(crate) const SHADOW_STACK: u64 = 0b11 << 11;
    /// Tiles of AMX, which no processor with SEV-SNP has.
    pub(crate) const TILES: u64 = 0b11 << 17;
}

/// Features, and the components without which they are not offered.
pub(crate) struct Dependency {
    pub(crate) leaf: u32,
    pub(crate) subleaf: u32,
    pub(crate) register: AnswerRegister,
    pub(crate) bits: u32,
    pub(crate) needs: u64,
}

/// Leaf 1, ECX: XSAVE itself.
pub(crate) const XSAVE: u32 = 1 << 26;
/// Leaf 1, ECX: CR4.OSXSAVE, as the asker has it.
pub(crate) const OSXSAVE: u32 = 1 << 27;
/// Leaf 7, ECX: protection keys for user pages.
pub(crate) const PKU: u32 = 1 << 3;
/// Leaf 7, ECX: CR4.PKE, as the asker has it.
pub(crate) const OSPKE: u32 = 1 << 4;

/// Whether one of `bits` in a register means that a component is used.
pub(crate) struct Use {
    pub(crate) components: u64,
    pub(crate) leaf: u32,
    pub(crate) register: AnswerRegister,
    pub(crate) bits: u32,
}

/// What makes a component worth having.
pub(crate) const USES: [Use; 4] = [
    Use { components: component::AVX, leaf: 1, register: Ecx, bits: 1 << 28 },
    Use { components: component::AVX512, leaf: 7, register: Ebx, bits: 1 << 16 },
    Use { components: component::PROTECTION_KEYS, leaf: 7, register: Ecx, bits: PKU },
    Use { components: component::SHADOW_STACK, leaf: 7, register: Ecx, bits: 1 << 7 },
];

const fn row(
    leaf: u32,
    subleaf: u32,
    register: AnswerRegister,
    bits: u32,
    needs: u64,
) -> Dependency {
    Dependency { leaf, subleaf, register, bits, needs }
}

/// All dependencies on state.
pub(crate) const DEPENDENCIES: [Dependency; 17] = [
    row(1, 0, Ecx, XSAVE | OSXSAVE, component::LEGACY),
    // FMA, AVX, F16C.
    row(1, 0, Ecx, 1 << 12 | 1 << 28 | 1 << 29, component::AVX),
    // AVX2.
    row(7, 0, Ebx, 1 << 5, component::AVX),
    // AVX-512 F, DQ, IFMA, PF, ER, CD, BW, VL.
    row(7, 0, Ebx, 1 << 16 | 1 << 17 | 1 << 21 | 0b111 << 26 | 0b11 << 30, component::AVX512),
    // AVX-512 VBMI, VBMI2, VNNI, BITALG, VPOPCNTDQ.
    row(7, 0, Ecx, 1 << 1 | 1 << 6 | 1 << 11 | 1 << 12 | 1 << 14, component::AVX512),
    // VAES, VPCLMULQDQ.
    row(7, 0, Ecx, 1 << 9 | 1 << 10, component::AVX),
    row(7, 0, Ecx, PKU | OSPKE, component::PROTECTION_KEYS),
    // AVX-512 4VNNIW, 4FMAPS, VP2INTERSECT, FP16.
    row(7, 0, Edx, 0b11 << 2 | 1 << 8 | 1 << 23, component::AVX512),
    // AMX BF16, TILE, INT8.
    row(7, 0, Edx, 1 << 22 | 0b11 << 24, component::TILES),
    // SHA512, SM3, SM4, AVX-VNNI, AVX-IFMA.
    row(7, 1, Eax, 0b111 | 1 << 4 | 1 << 23, component::AVX),
    // AVX-512 BF16.
    row(7, 1, Eax, 1 << 5, component::AVX512),
    // AMX FP16.
    row(7, 1, Eax, 1 << 21, component::TILES),
    // AVX-VNNI-INT8, AVX-NE-CONVERT, AVX-VNNI-INT16.
    row(7, 1, Edx, 0b11 << 4 | 1 << 10, component::AVX),
    // AVX10.
    row(7, 1, Edx, 1 << 19, component::AVX512),
    // XOP, FMA4.
    row(0x8000_0001, 0, Ecx, 1 << 11 | 1 << 16, component::AVX),
    // LWP: its component is not one that is known here.
    row(0x8000_0001, 0, Ecx, 1 << 15, 1 << 62),
    // XSAVEERPTR.
    row(0x8000_0008, 0, Ebx, 1 << 2, component::LEGACY),
];

/// Clears in `answer` what lacks its state; calls `cleared` for each register
/// with the bits that were set.
pub(crate) fn clear_unsupported(
    leaf: u32,
    subleaf: u32,
    answer: &mut Answer,
    available: u64,
    mut cleared: impl FnMut(AnswerRegister, u32),
) {
    let rows = DEPENDENCIES
        .iter()
        .filter(|row| (row.leaf, row.subleaf) == (leaf, subleaf) && row.needs & !available != 0);
    for Dependency { register, bits, .. } in rows {
        let found = answer.register(*register) & bits;
        if found != 0 {
            cleared(*register, found);
            answer.clear(*register, *bits);
        }
    }
}
