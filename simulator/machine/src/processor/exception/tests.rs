//! Frames worked out by hand, and every reason not to push one.

extern crate std;

use std::vec;
use std::vec::Vec;

use abi_snp::Vmpl;
use abi_x86::{GateDescriptor, InterruptStack, SegmentDescriptor};
use zerocopy::FromZeros;

use super::*;
use crate::processor::linear_memory::NotReached;
use crate::processor::registers::RegisterFile;
use crate::processor::samples::{OFFER, long_mode, segment};
use crate::processor::save_area::load_vmsa;

/// Where everything lies.
const BASE: u64 = 0xffff_8000_0000_0000;
const IDT: u64 = BASE;
const GDT: u64 = BASE + 0x1000;
const TSS: u64 = BASE + 0x1800;
const IST_3: u64 = BASE + 0x3000;
const RSP_0: u64 = BASE + 0x4000;
const STACK: u64 = BASE + 0x5000;
const END: u64 = BASE + 0x6000;
const HANDLER: u64 = 0xffff_ffff_8123_4560;

const VC: Exception = Exception { vector: ExceptionVector(29), error_code: 0x72 };

/// Memory from [`BASE`] to [`END`], of which an upper part may be missing.
#[derive(Clone, PartialEq)]
struct Memory {
    bytes: Vec<u8>,
    writable_to: u64,
}

impl Memory {
    fn place(&self, address: u64, length: usize) -> Option<core::ops::Range<usize>> {
        let start = usize::try_from(address.checked_sub(BASE)?).ok()?;
        let end = start.checked_add(length)?;
        (end <= self.bytes.len()).then_some(start..end)
    }

    fn put(&mut self, address: u64, words: &[u64]) {
        self.write(address, words.as_bytes()).expect("inside the memory");
    }

    fn words(&self, address: u64) -> Frame {
        let place = self.place(address, size_of::<Frame>()).expect("inside the memory");
        let words = self.bytes[place].as_chunks::<8>().0;
        core::array::from_fn(|n| u64::from_le_bytes(words[n]))
    }
}

impl LinearMemory for Memory {
    fn read(&mut self, address: u64, bytes: &mut [u8]) -> Result<(), NotReached> {
        let place = self.place(address, bytes.len()).ok_or(NotReached)?;
        bytes.copy_from_slice(&self.bytes[place]);
        Ok(())
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), NotReached> {
        let place = self.place(address, bytes.len()).ok_or(NotReached)?;
        if address + bytes.len() as u64 > self.writable_to {
            return Err(NotReached);
        }
        self.bytes[place].copy_from_slice(bytes);
        Ok(())
    }
}

/// A kernel with a gate for #VC that uses `stack`, about to execute at 0x1234.
fn kernel(stack: InterruptStack) -> (SaveArea, Memory) {
    let mut memory = Memory { bytes: vec![0; (END - BASE) as usize], writable_to: END };
    let gate = GateDescriptor::interrupt(HANDLER, SegmentSelector(0x10), stack);
    memory.put(IDT + 29 * 16, &gate.bits());
    memory.put(GDT + 0x10, &[SegmentDescriptor::flat(SegmentAttributes::CODE_64).bits()]);
    let mut tasks = TaskStateSegment::new();
    tasks.privilege_stacks = [RSP_0 - 8, 0, 0];
    tasks.interrupt_stacks[2] = IST_3;
    memory.write(TSS, tasks.as_bytes()).expect("inside the memory");

    let mut vmsa = long_mode(Vmpl::Vmpl0);
    vmsa.idtr =
        SegmentRegister { base: IDT, limit: 0xfff, ..segment(0, SegmentAttributes::empty()) };
    vmsa.gdtr = SegmentRegister { base: GDT, limit: 0x7f, ..vmsa.idtr };
    vmsa.tr.base = TSS;
    vmsa.rip = 0x1234;
    vmsa.rsp = STACK - 0x28;
    vmsa.rflags = Rflags::FIXED | Rflags::IF | Rflags::TF | Rflags::NT | Rflags::CF | Rflags::AC;
    let (mut save, mut file) = (SaveArea::new_zeroed(), RegisterFile::empty());
    load_vmsa(&vmsa, Vmpl::Vmpl0, &OFFER, &mut save, &mut file).expect("runs");
    (save, memory)
}

/// The same in user mode.
fn user(stack: InterruptStack) -> (SaveArea, Memory) {
    let (mut save, memory) = kernel(stack);
    save.cpl = 3;
    save.cs = segment(0x33, SegmentAttributes::CODE_64 | SegmentAttributes::USER);
    save.ss = segment(0x2b, SegmentAttributes::DATA | SegmentAttributes::USER);
    save.rsp = 0x7fff_ffff_0123;
    save.rip = 0x40_1000;
    (save, memory)
}

/// RFLAGS of [`kernel`], with RF.
const PUSHED_RFLAGS: u64 = 0x5_4303;

#[test]
fn on_the_current_stack() {
    let (mut save, mut memory) = kernel(InterruptStack::Current);
    let before = save.clone();
    deliver_exception(VC, &mut save, &mut memory).unwrap();
    // 0x4fd8 is cut to 0x4fd0 before the frame of 48 bytes.
    assert_eq!(save.rsp, BASE + 0x4fa0);
    let frame = [0x72, 0x1234, 0x10, PUSHED_RFLAGS, BASE + 0x4fd8, 0x18];
    assert_eq!(memory.words(BASE + 0x4fa0), frame);
    assert_eq!((save.rip, save.cpl), (HANDLER, 0));
    assert_eq!((save.cs, save.ss), (before.cs, before.ss));
    assert_eq!(save.rflags, Rflags::FIXED | Rflags::CF | Rflags::AC);
    // And nothing else.
    save.rip = before.rip;
    save.rsp = before.rsp;
    save.rflags = before.rflags;
    assert!(save == before);
}

#[test]
fn on_an_interrupt_stack() {
    let (mut save, mut memory) = kernel(InterruptStack::Three);
    deliver_exception(VC, &mut save, &mut memory).unwrap();
    assert_eq!(save.rsp, IST_3 - 48);
    let frame = [0x72, 0x1234, 0x10, PUSHED_RFLAGS, BASE + 0x4fd8, 0x18];
    assert_eq!(memory.words(IST_3 - 48), frame);
    // Level 0 before and after: SS stays.
    assert_eq!(save.ss.selector, SegmentSelector(0x18));
}

#[test]
fn from_user_mode() {
    let (mut save, mut memory) = user(InterruptStack::Current);
    deliver_exception(Exception { error_code: 0x7b, ..VC }, &mut save, &mut memory).unwrap();
    // The task-state segment's stack is not aligned either.
    assert_eq!(save.rsp, RSP_0 - 16 - 48);
    let frame = [0x7b, 0x40_1000, 0x33, PUSHED_RFLAGS, 0x7fff_ffff_0123, 0x2b];
    assert_eq!(memory.words(save.rsp), frame);
    assert_eq!((save.cpl, save.cs), (0, segment(0x10, SegmentAttributes::CODE_64)));
    let null = SegmentRegister { limit: 0, ..segment(0, SegmentAttributes::empty()) };
    assert_eq!(save.ss, null);
}

#[test]
fn from_user_mode_on_an_interrupt_stack() {
    let (mut save, mut memory) = user(InterruptStack::Three);
    deliver_exception(VC, &mut save, &mut memory).unwrap();
    assert_eq!((save.rsp, save.cpl), (IST_3 - 48, 0));
    assert_eq!(save.ss.selector, SegmentSelector::NULL);
}

#[test]
fn from_compatibility_mode() {
    let (mut save, mut memory) = user(InterruptStack::Current);
    save.cs = segment(0x23, SegmentAttributes::from_bits_retain(0xcfb));
    save.rsp = 0xffff_d000;
    deliver_exception(VC, &mut save, &mut memory).unwrap();
    let frame = [0x72, 0x40_1000, 0x23, PUSHED_RFLAGS, 0xffff_d000, 0x2b];
    assert_eq!(memory.words(save.rsp), frame);
    assert_eq!(save.cs.attributes, SegmentAttributes::CODE_64);
}

#[test]
fn one_in_the_handler_of_the_other() {
    let (mut save, mut memory) = user(InterruptStack::Current);
    deliver_exception(VC, &mut save, &mut memory).unwrap();
    save.rip += 4;
    save.rsp -= 8;
    deliver_exception(Exception { error_code: 0x7c, ..VC }, &mut save, &mut memory).unwrap();
    // The first frame stands at -0x40; the second lies below it.
    assert_eq!(memory.words(RSP_0 - 0x40)[0], 0x72);
    let second = [0x7c, HANDLER + 4, 0x10, 0x5_0003, RSP_0 - 0x48, 0];
    assert_eq!(memory.words(RSP_0 - 0x80), second);
    assert_eq!(save.rsp, RSP_0 - 0x80);
    assert_eq!((save.cpl, save.ss.selector), (0, SegmentSelector::NULL));
}

#[test]
fn an_interrupt_stack_is_used_from_the_top_again() {
    let (mut save, mut memory) = kernel(InterruptStack::Three);
    for code in [0x72, 0x7c] {
        let exception = Exception { error_code: code, ..VC };
        deliver_exception(exception, &mut save, &mut memory).unwrap();
        assert_eq!(save.rsp, IST_3 - 48);
        assert_eq!(memory.words(IST_3 - 48)[0], u64::from(code));
    }
    assert_eq!(memory.words(IST_3 - 48)[4], IST_3 - 48);
}

#[test]
fn a_trap_gate_leaves_interrupts_on() {
    let (mut save, mut memory) = kernel(InterruptStack::Current);
    let place = IDT + 29 * 16;
    let [low, high, ..] = memory.words(place);
    memory.put(place, &[low | 1 << 40, high]);
    deliver_exception(VC, &mut save, &mut memory).unwrap();
    assert_eq!(save.rflags, Rflags::FIXED | Rflags::CF | Rflags::AC | Rflags::IF);
}

/// Why nothing is delivered after `spoil`; and nothing has changed.
fn refusal(stack: InterruptStack, spoil: impl FnOnce(&mut SaveArea, &mut Memory)) -> NotHere {
    let (mut save, mut memory) = user(stack);
    spoil(&mut save, &mut memory);
    let before = (save.clone(), memory.clone());
    let refusal = deliver_exception(VC, &mut save, &mut memory).expect_err("is refused");
    assert!((save, memory) == before);
    refusal
}

#[test]
fn modes_that_are_not_for_here() {
    let current = |spoil: fn(&mut SaveArea, &mut Memory)| refusal(InterruptStack::Current, spoil);
    assert_eq!(current(|save, _| save.efer.remove(Efer::LMA)), NotHere::NotLongMode);
    assert_eq!(current(|save, _| save.cr4 |= Cr4::CET), NotHere::ShadowStacks);
}

#[test]
fn gates_that_are_not_for_here() {
    const GATE: u64 = IDT + 29 * 16;
    let current = |spoil: fn(&mut SaveArea, &mut Memory)| refusal(InterruptStack::Current, spoil);
    assert_eq!(current(|save, _| save.idtr.limit = 29 * 16 + 14), NotHere::GateBeyondTable);
    assert_eq!(current(|_, memory| memory.put(GATE, &[0, 0])), NotHere::Gate);
    let unmapped = current(|save, _| save.idtr.base = END);
    assert_eq!(unmapped, NotHere::Memory(NotReached));
    assert_eq!(current(|_, memory| memory.put(GATE + 8, &[0x8000])), {
        NotHere::Handler(0x8000_8123_4560)
    });
}

#[test]
fn code_segments_that_are_not_for_here() {
    const GATE: u64 = IDT + 29 * 16;
    let with_code = |selector: u16| {
        refusal(InterruptStack::Current, |_, memory| {
            let gate = GateDescriptor::interrupt(
                HANDLER,
                SegmentSelector(selector),
                InterruptStack::Current,
            );
            memory.put(GATE, &gate.bits());
        })
    };
    // Null, of a local table, beyond the limit, and one that is no code.
    assert_eq!(with_code(3), NotHere::CodeSelector(3));
    assert_eq!(with_code(0x14), NotHere::CodeSelector(0x14));
    assert_eq!(with_code(0x80), NotHere::CodeSelector(0x80));
    assert_eq!(with_code(0x78), NotHere::CodeSegment(0));
    let unmapped = refusal(InterruptStack::Current, |save, _| save.gdtr.base = END - 0x14);
    assert_eq!(unmapped, NotHere::Memory(NotReached));
}

#[test]
fn stacks_that_are_not_for_here() {
    for stack in [InterruptStack::Current, InterruptStack::Three] {
        let none = refusal(stack, |save, _| save.tr.attributes = SegmentAttributes::empty());
        assert_eq!(none, NotHere::TaskState);
        let data = refusal(stack, |save, _| save.tr.attributes |= SegmentAttributes::CODE_OR_DATA);
        assert_eq!(data, NotHere::TaskState);
        let small = refusal(stack, |save, _| save.tr.limit = 0xa);
        assert_eq!(small, NotHere::TaskState);
        let unmapped = refusal(stack, |save, _| save.tr.base = END);
        assert_eq!(unmapped, NotHere::Memory(NotReached));
        let read_only = refusal(stack, |_, memory| memory.writable_to = BASE);
        assert_eq!(read_only, NotHere::Memory(NotReached));
    }
    let unset = refusal(InterruptStack::Seven, |_, _| ());
    // Stack 7 of the task-state segment is 0: the frame would wrap.
    assert_eq!(unset, NotHere::Memory(NotReached));
    let odd = refusal(InterruptStack::Three, |_, memory| {
        memory.put(TSS + 0x24 + 16, &[1 << 47 | 8]);
    });
    assert_eq!(odd, NotHere::Memory(NotReached));
    let hole = refusal(InterruptStack::Three, |_, memory| {
        memory.put(TSS + 0x24 + 16, &[1 << 62]);
    });
    assert_eq!(hole, NotHere::Stack(1 << 62));
}

#[test]
fn canonical_addresses() {
    let five_levels = Cr4::LA57;
    for (address, four, five) in [
        (0, true, true),
        (0x7fff_ffff_ffff, true, true),
        (0x8000_0000_0000, false, true),
        (0xff_ffff_ffff_ffff, false, true),
        (0x100_0000_0000_0000, false, false),
        (0xffff_7fff_ffff_ffff, false, true),
        (0xffff_8000_0000_0000, true, true),
        (u64::MAX, true, true),
    ] {
        assert_eq!(is_canonical(address, Cr4::empty()), four, "{address:#x}");
        assert_eq!(is_canonical(address, five_levels), five, "{address:#x}");
    }
}
