//! Memory operands: whether they are at addresses at all.

use processor::TrapFrame;
use yaxpeax_x86::long_mode::{Instruction, Operand, RegSpec, Segment as Prefix, register_class};

/// Whose exception a bad address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// #SS: it goes by RSP or RBP [APM 24593 §8.2.13].
    Stack,
    /// #GP.
    Data,
}

/// Whether it can be an address, by page tables of four levels.
pub(crate) const fn is_canonical(address: u64) -> bool {
    matches!(address >> 47, 0 | 0x1_ffff)
}

/// The segment of the first memory operand that is at no address.
///
/// The bases of FS and GS are unknown, but addresses: an operand relative to one
/// counts as it stands. LEA accesses nothing; its operand may be anything, which
/// here only means that it is taken for the cause.
pub(crate) fn bad_segment(instruction: &Instruction, frame: &TrapFrame) -> Option<Segment> {
    let has_base = matches!(instruction.prefixes.segment(), Prefix::FS | Prefix::GS);
    (0..instruction.operand_count()).find_map(|index| {
        let (address, base) = address(instruction.operand(index), frame)?;
        let of_stack = [RegSpec::rsp(), RegSpec::rbp()];
        let is_stack = !has_base && base.is_some_and(|base| of_stack.contains(&base));
        let segment = if is_stack { Segment::Stack } else { Segment::Data };
        (!is_canonical(address)).then_some(segment)
    })
}

/// The address of a memory operand, and the register that it goes by.
fn address(operand: Operand, frame: &TrapFrame) -> Option<(u64, Option<RegSpec>)> {
    let (base, index, scale, displacement) = match operand {
        Operand::AbsoluteU32 { addr } => return Some((addr.into(), None)),
        Operand::AbsoluteU64 { addr } => return Some((addr, None)),
        Operand::MemDeref { base } => (Some(base), None, 0, 0),
        Operand::Disp { base, disp } => (Some(base), None, 0, disp),
        Operand::MemIndexScale { index, scale } => (None, Some(index), scale, 0),
        Operand::MemIndexScaleDisp { index, scale, disp } => (None, Some(index), scale, disp),
        Operand::MemBaseIndexScale { base, index, scale } => (Some(base), Some(index), scale, 0),
        Operand::MemBaseIndexScaleDisp { base, index, scale, disp } => {
            (Some(base), Some(index), scale, disp)
        }
        _ => return None,
    };
    let value = |register: Option<RegSpec>| register.map_or(0, |register| of(register, frame));
    let address = value(base)
        .wrapping_add(value(index).wrapping_mul(scale.into()))
        .wrapping_add_signed(displacement.into());
    Some((address, base))
}

/// What a register of 64 bits holds. Of RIP it is enough that it is an address.
fn of(register: RegSpec, frame: &TrapFrame) -> u64 {
    if register.class() == register_class::RIP {
        return frame.rip;
    }
    match register.num() {
        0 => frame.rax,
        1 => frame.rcx,
        2 => frame.rdx,
        3 => frame.rbx,
        4 => frame.rsp,
        5 => frame.rbp,
        6 => frame.rsi,
        7 => frame.rdi,
        8 => frame.r8,
        9 => frame.r9,
        10 => frame.r10,
        11 => frame.r11,
        12 => frame.r12,
        13 => frame.r13,
        14 => frame.r14,
        _ => frame.r15,
    }
}
