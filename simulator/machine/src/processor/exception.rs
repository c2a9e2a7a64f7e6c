//! Delivering an exception in long mode.
//!
//! An emulated processor can be told to deliver a #VC exception, but pushes no
//! error code with it. So the model does what a processor does: finds the gate,
//! the code segment and the stack, and pushes the frame [APM 24593 §8.9]. Where
//! that takes more than the usual, it leaves things as they are and says
//! [`NotHere`], and the hypervisor finds another way.

use abi_svm::SaveArea;
use abi_x86::{
    Cr4, Efer, ExceptionVector, Rflags, SegmentAttributes, SegmentRegister, SegmentSelector,
    TaskStateSegment,
};
use zerocopy::IntoBytes;

use crate::processor::gate::{Gate, parse_code_segment};
use crate::processor::linear_memory::LinearMemory;
use crate::processor::not_here::NotHere;

/// A fault that pushes an error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exception {
    /// Its vector.
    pub vector: ExceptionVector,
    /// Its error code.
    pub error_code: u32,
}

/// What a handler finds on its stack, from the lowest address on
/// [APM 24593 §8.9.3]. A selector takes the low 16 bits.
type Frame = [u64; 6];

/// Brings the guest to the first instruction of its handler for `exception`.
/// An interrupt shadow ends with that; it is not in the save area.
///
/// # Errors
///
/// Why not: neither registers nor memory have changed.
pub fn deliver_exception(
    exception: Exception,
    save: &mut SaveArea,
    memory: &mut impl LinearMemory,
) -> Result<(), NotHere> {
    if !save.efer.contains(Efer::LMA) {
        return Err(NotHere::NotLongMode);
    }
    if save.cr4.contains(Cr4::CET) {
        return Err(NotHere::ShadowStacks);
    }
    let gate = read_gate(exception.vector, save, memory)?;
    let code = read_code_segment(gate.code, save, memory)?;
    let cpl = (code.selector.0 & 3) as u8;
    let stack = stack_pointer(&gate, cpl, save, memory)?;
    let rsp = frame_address(stack, save.cr4)?;
    let frame: Frame = [
        exception.error_code.into(),
        save.rip,
        save.cs.selector.0.into(),
        // A fault's flags let the instruction run again in spite of an
        // instruction breakpoint on it [APM 24593 §3.1.6].
        (save.rflags | Rflags::RF).bits(),
        save.rsp,
        save.ss.selector.0.into(),
    ];
    memory.write(rsp, frame.as_bytes())?;
    // Nothing can fail from here on.
    if cpl != save.cpl {
        save.ss = null_stack_segment(cpl);
    }
    save.cs = code;
    save.cpl = cpl;
    save.rip = gate.handler;
    save.rsp = rsp;
    save.rflags.remove(Rflags::TF | Rflags::NT | Rflags::RF | Rflags::VM);
    if gate.masks_interrupts {
        save.rflags.remove(Rflags::IF);
    }
    Ok(())
}

fn read_gate(
    vector: ExceptionVector,
    save: &SaveArea,
    memory: &mut impl LinearMemory,
) -> Result<Gate, NotHere> {
    const SIZE: u64 = 16;
    let offset = u64::from(vector.0) * SIZE;
    if offset + SIZE - 1 > save.idtr.limit.into() {
        return Err(NotHere::GateBeyondTable);
    }
    let mut bytes = [0; SIZE as usize];
    memory.read(save.idtr.base.wrapping_add(offset), &mut bytes)?;
    let gate = Gate::parse(u128::from_le_bytes(bytes))?;
    if !is_canonical(gate.handler, save.cr4) {
        return Err(NotHere::Handler(gate.handler));
    }
    Ok(gate)
}

/// The code segment behind `selector`, as the register holds it after entering
/// it from the current level.
fn read_code_segment(
    selector: SegmentSelector,
    save: &SaveArea,
    memory: &mut impl LinearMemory,
) -> Result<SegmentRegister, NotHere> {
    const SIZE: u64 = 8;
    const LOCAL: u16 = 1 << 2;
    let offset = u64::from(selector.0 & !7);
    let beyond = offset + SIZE - 1 > save.gdtr.limit.into();
    if offset == 0 || selector.0 & LOCAL != 0 || beyond {
        return Err(NotHere::CodeSelector(selector.0));
    }
    let mut bytes = [0; SIZE as usize];
    memory.read(save.gdtr.base.wrapping_add(offset), &mut bytes)?;
    parse_code_segment(selector, u64::from_le_bytes(bytes), save.cpl)
}

/// The stack pointer before anything is pushed.
fn stack_pointer(
    gate: &Gate,
    cpl: u8,
    save: &SaveArea,
    memory: &mut impl LinearMemory,
) -> Result<u64, NotHere> {
    const POINTER_SIZE: u64 = 8;
    const PRIVILEGE_STACKS: u64 = core::mem::offset_of!(TaskStateSegment, privilege_stacks) as u64;
    const INTERRUPT_STACKS: u64 = core::mem::offset_of!(TaskStateSegment, interrupt_stacks) as u64;
    let offset = match gate.stack {
        0 if cpl == save.cpl => return Ok(save.rsp),
        0 => PRIVILEGE_STACKS + u64::from(cpl) * POINTER_SIZE,
        number => INTERRUPT_STACKS + u64::from(number - 1) * POINTER_SIZE,
    };
    let is_segment = save.tr.attributes.contains(SegmentAttributes::TSS_BUSY)
        && !save.tr.attributes.contains(SegmentAttributes::CODE_OR_DATA);
    if !is_segment || offset + POINTER_SIZE - 1 > save.tr.limit.into() {
        return Err(NotHere::TaskState);
    }
    let mut bytes = [0; POINTER_SIZE as usize];
    memory.read(save.tr.base.wrapping_add(offset), &mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

/// Where the frame lies below `stack`: frames end at multiples of 16.
fn frame_address(stack: u64, cr4: Cr4) -> Result<u64, NotHere> {
    let address = (stack & !0xf).wrapping_sub(size_of::<Frame>() as u64);
    let last = address.wrapping_add(size_of::<Frame>() as u64 - 1);
    if is_canonical(address, cr4) && is_canonical(last, cr4) {
        Ok(address)
    } else {
        Err(NotHere::Stack(stack))
    }
}

/// What SS holds after a change of level: nothing, and the level
/// [APM 24593 §8.9.3].
fn null_stack_segment(cpl: u8) -> SegmentRegister {
    SegmentRegister {
        selector: SegmentSelector(cpl.into()),
        attributes: SegmentAttributes::from_bits_retain(u16::from(cpl) << 5),
        limit: 0,
        base: 0,
    }
}

/// Whether the bits above those that page tables translate repeat the highest
/// one of these [APM 24593 §5.3.1].
const fn is_canonical(address: u64, cr4: Cr4) -> bool {
    let unused = if cr4.contains(Cr4::LA57) { 64 - 57 } else { 64 - 48 };
    (address << unused) as i64 >> unused == address as i64
}

#[cfg(test)]
mod tests;
